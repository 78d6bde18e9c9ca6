"""Instructions by chance: each fits the stage that it is written for.

`Writer` draws every choice from one `random.Random`, so that a seed decides a case, and so that
hypothesis can draw the choices instead (``st.randoms(use_true_random=False)``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tests.conformance.base_images import BASE_IMAGES
from tests.conformance.copies import NUMBERED_OWNERS, add_text, context_sources, copy_text
from tests.conformance.places import BrokenCaseError
from tests.conformance.run_commands import run_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from tests.conformance.dialect import Dialect
    from tests.conformance.simulate import Simulation, Stage

Value = TypeVar("Value")

KEYWORD_WEIGHTS = {
    "COPY": 30,
    "ADD": 6,
    "RUN": 11,
    "WORKDIR": 10,
    "ENV": 9,
    "ARG": 9,
    "LABEL": 5,
    "EXPOSE": 4,
    "CMD": 2,
    "ENTRYPOINT": 2,
    "VOLUME": 2,
    "STOPSIGNAL": 1,
    "HEALTHCHECK": 1,
    "USER": 4,
    "SHELL": 2,
    "ONBUILD": 2,
    "MAINTAINER": 1,
    "#": 2,
}
_CLASSIC_RUN = 6
"""A RUN takes the classic builder four times as long as BuildKit, and six times a COPY."""
VERTEX_FACTOR = 3
"""BuildKit looks nothing else up: these are as many times more frequent in its cases."""
_VERTICES = frozenset({"COPY", "ADD", "RUN", "WORKDIR"})
_DIRECTORIES = (
    "/w/$A",
    "${B:-sub}",
    "/v/${C}x",
    "/app",
    "/srv",
    "/w",
    "sub",
    "rel/deep",
    ".",
    "/app/sub",
    "/",
    "/data/",
    "..",
)
_PREDEFINED = (
    *("HTTP_PROXY", "TARGETARCH", "NO_PROXY=here", "TARGETPLATFORM", "BUILDPLATFORM"),
    *("SOURCE_DATE_EPOCH", "https_proxy", "TARGETVARIANT"),
)
_WORDS = ("red", "green", "blue", "one", "two", "three")
_VARIABLES = ("A", "B", "C", "MODE", "SRC", "DST", "OWNER", "PORT")
_TRIES = 12


def _weights(builder: str) -> dict[str, int]:
    """Return how often each keyword is written for a builder."""
    if builder == "classic":
        return {**KEYWORD_WEIGHTS, "RUN": _CLASSIC_RUN}
    return {
        keyword: weight * (VERTEX_FACTOR if keyword in _VERTICES else 1)
        for keyword, weight in KEYWORD_WEIGHTS.items()
    }


class Writer:
    """Writes instructions for the stage that a simulation stands in."""

    def __init__(self, random: Random, simulation: Simulation, dialect: Dialect) -> None:
        self.random = random
        self.simulation = simulation
        self.dialect = dialect
        self._keywords = _weights(dialect.builder)

    @property
    def stage(self) -> Stage:
        """The stage that is being written."""
        return self.simulation.stages[-1]

    def chance(self, percent: int) -> bool:
        """Return True in that many of a hundred draws."""
        return self.random.randrange(100) < percent

    def pick(self, values: Sequence[Value]) -> Value:
        """Return one of the values."""
        return values[self.random.randrange(len(values))]

    def weighted(self, weights: Mapping[Value, int]) -> Value:
        """Return a key, each as often as its weight says."""
        drawn = self.random.randrange(sum(weights.values()))
        for value, weight in weights.items():
            drawn -= weight
            if drawn < 0:
                return value
        raise AssertionError

    def word(self) -> str:
        """Return a word."""
        return self.pick(_WORDS)

    def instruction(self, keyword: str | None = None) -> str | None:
        """Return an instruction that can stand next, and take it; None if none was found."""
        for _ in range(_TRIES):
            text = self.text(keyword or self.weighted(self._keywords))
            if text is not None and self.takes(text):
                return text
        return None

    def takes(self, text: str) -> bool:
        """Take an instruction if it can stand next."""
        stages = self.simulation.stages
        before = stages[-1]
        stages[-1] = before.child(before.name)
        stages[-1].args, stages[-1].on_build = dict(before.args), list(before.on_build)
        try:
            self.simulation.take(text)
        except BrokenCaseError:
            stages[-1] = before
            return False
        return True

    def text(self, keyword: str) -> str | None:
        """Write an instruction; it may turn out to be impossible."""
        writers = {
            "COPY": lambda: copy_text(self),
            "ADD": lambda: add_text(self),
            "RUN": lambda: run_text(self),
            "WORKDIR": self.workdir,
            "ENV": self.env,
            "ARG": self.arg,
            "USER": self.user,
            "VOLUME": self.volume,
            "ONBUILD": self.on_build,
        }
        if keyword in writers:
            return writers[keyword]()
        return self.metadata(keyword)

    def metadata(self, keyword: str) -> str:
        """Write an instruction that touches no file."""
        word = self.word()
        texts: dict[str, tuple[str, ...]] = {
            "LABEL": (
                f"LABEL {self.pick('kl')}={word}",
                f'LABEL k="{word} {self.word()}" l={word}',
                f"LABEL k={word} \\\n      m={self.word()}",
                f"LABEL k={self.use_of('A')}",
            ),
            "EXPOSE": ("EXPOSE 80", "EXPOSE 8080 9090/udp", f"EXPOSE {self.port()}"),
            "CMD": (f'CMD ["echo", "{word}"]', f"CMD echo {word}"),
            "ENTRYPOINT": (f'ENTRYPOINT ["echo", "{word}"]', f"ENTRYPOINT echo {word}"),
            "STOPSIGNAL": ("STOPSIGNAL SIGTERM", "STOPSIGNAL 9"),
            "HEALTHCHECK": (
                "HEALTHCHECK NONE",
                f"HEALTHCHECK --interval={self.pick('345')}s CMD echo {word}",
            ),
            "SHELL": ('SHELL ["/bin/sh", "-ec"]', 'SHELL ["/bin/busybox", "sh", "-c"]'),
            "MAINTAINER": (f"MAINTAINER {word}",),
            "#": (f"# {word}",),
        }
        return self.pick(texts[keyword])

    def port(self) -> str:
        """Return a port, or a variable that holds one."""
        return self.pick(("8080", "443/tcp", self.word_for("8080")))

    def use_of(self, name: str) -> str:
        """Return a reference to a variable, set or not."""
        return self.pick((f"${name}", f"${{{name}}}", f"${{{name}:-none}}", f"${{{name}:+some}}"))

    def word_for(self, value: str) -> str:
        """Return the value, or sometimes a variable that has it."""
        names = sorted(name for name, one in self.stage.variables.items() if one == value)
        if not names or self.chance(40):
            return value
        name = self.pick(names)
        return self.pick((f"${name}", f"${{{name}}}"))

    def workdir(self) -> str:
        """Write a WORKDIR: absolute, relative, a repeat, the root."""
        path = self.stage.working_dir if self.chance(12) else self.pick(_DIRECTORIES)
        return f"WORKDIR {self.word_for(path)}"

    def env(self) -> str:
        """Write an ENV with one or several pairs, in either form."""
        if self.chance(4):
            return f"ENV PATH=/{self.word()}:$PATH" if self.stage.has_shell else "ENV TERM=dumb"
        name = self.pick(_VARIABLES)
        if self.chance(20):
            return f"ENV {name} {self.value_of(name)}"
        pairs = [f"{name}={self.value_of(name)}"]
        if self.chance(30):
            other = self.pick(_VARIABLES)
            pairs.append(f"{other}={self.value_of(other)}")
        return "ENV " + " ".join(pairs)

    def arg(self) -> str:
        """Write an ARG with or without a default."""
        if self.chance(8):
            return f"ARG {self.pick(_PREDEFINED)}"
        names = [self.pick(_VARIABLES)]
        if self.chance(8):
            names.append(self.pick(_VARIABLES))
        words = [f"{one}={self.value_of(one)}" if self.chance(65) else one for one in names]
        return "ARG " + " ".join(words)

    def value_of(self, name: str) -> str:
        """Return a value that suits a variable."""
        if name == "SRC":
            return self.pick([one for one in context_sources(self) if " " not in one])
        if name == "DST":
            return self.pick(("/data/", "/app/", "/srv/"))
        if name == "OWNER":
            return self.pick(NUMBERED_OWNERS)
        if name == "PORT":
            return self.pick(("8080", "9090"))
        if self.chance(25):
            return self.use_of(self.pick("ABC"))
        word = self.word()
        if self.chance(12):
            return self.pick((f'"{word} two"', f"'${name}'", f"\\${name}", f'"{word}$A"', '""'))
        return word

    def user(self) -> str:
        """Write a USER."""
        names = ("app", "1000", "root", "1000:1000", "web:staff", "0", self.word_for("1000"))
        return f"USER {self.pick(names)}"

    def volume(self) -> str:
        """Write a VOLUME."""
        return self.pick(("VOLUME /data", 'VOLUME ["/app/vol"]', "VOLUME /srv /vol", "VOLUME /out"))

    def on_build(self) -> str | None:
        """Write a trigger for the stages that start from this one."""
        keyword = self.pick(("LABEL", "ENV", "COPY", "RUN", "WORKDIR", "ARG"))
        inner = self.text(keyword)
        if inner is None or "\n" in inner or "--from" in inner or "from=" in inner:
            return None
        return f"ONBUILD {inner}"

    def name_in(self, stages: Sequence[str]) -> str | None:
        """Return the name of one of the stages that these FROM lines begin, if any has one."""
        names = [words[3] for one in stages if len(words := one.split()) > 3]
        return self.pick(names) if names else None

    def reference(self, *, index: bool = True) -> str | None:
        """Return an earlier stage by name, or by index where allowed, or an image."""
        images = [name for name in BASE_IMAGES if name not in {"img/scratch:1", "img/trigger:1"}]
        earlier = self.simulation.stages[:-1]
        if not earlier or self.chance(8):
            return self.pick(images)
        number = self.random.randrange(len(earlier))
        name = earlier[number].name
        if index and (not name or self.chance(20)):
            return str(number)
        return name or None
