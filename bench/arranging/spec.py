"""Which orderings a run is to build: ``best:3,worst:1,random:4,baseline``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.errors import UsageError

MOST = 50
"""So many orderings of one kind are built in one run at most."""
BASELINE = "baseline"
ALL = "all"
_PART = re.compile(r"(?P<kind>best|worst|random)(?::(?P<count>[0-9]+))?")
_REMEDY = f"write it like best:3,worst:1,random:4,{BASELINE} (or {ALL}, where there are few)"


@dataclass(frozen=True)
class OrderingsSpec:
    """How many orderings of each kind; ``baseline`` adds the Dockerfile as written."""

    best: int = 0
    worst: int = 0
    random: int = 0
    all: bool = False
    baseline: bool = False

    @classmethod
    def parse(cls, text: str) -> OrderingsSpec:
        """Read what the command line says.

        Raises:
            UsageError: it says something else.

        """
        counts: dict[str, int] = {}
        flags: set[str] = set()
        for part in text.split(","):
            word = part.strip()
            found = _PART.fullmatch(word)
            if word in {ALL, BASELINE} and word not in flags:
                flags.add(word)
            elif found is not None and found["kind"] not in counts:
                counts[found["kind"]] = _count(word, found["count"])
            else:
                raise UsageError(f"--orderings does not understand {word!r}", remedy=_REMEDY)
        if flags == {BASELINE} and not counts:
            raise UsageError(
                f"--orderings {BASELINE} alone builds the Dockerfile as written",
                remedy=f"leave --orderings out and use --variant, or {_REMEDY}",
            )
        if ALL in flags and counts:
            raise UsageError(f"--orderings {ALL} holds {', '.join(counts)} already", remedy=_REMEDY)
        return cls(**counts, all=ALL in flags, baseline=BASELINE in flags)

    @property
    def asked(self) -> int:
        """How many generated orderings are asked for by number."""
        return self.best + self.worst + self.random

    def __str__(self) -> str:
        counts = {"best": self.best, "worst": self.worst, "random": self.random}
        parts = [f"{kind}:{count}" for kind, count in counts.items() if count]
        flags = {ALL: self.all, BASELINE: self.baseline}
        return ",".join([*parts, *(name for name, is_on in flags.items() if is_on)])


def _count(word: str, digits: str | None) -> int:
    count = 1 if digits is None else int(digits)
    if not 1 <= count <= MOST:
        raise UsageError(
            f"--orderings {word}: a run builds between 1 and {MOST} of one kind", remedy=_REMEDY
        )
    return count
