"""Find the one root cause of a miss by holding its key against what was built at its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model.differences import file_reason
from bench.cache_model.outcomes import Reason, ReasonKind, StepPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.cache_model.history import History
    from bench.cache_model.keys import Content, Key

_SECRET = re.compile(r"(?i)(?:^|_)(?:apikey|auth|credentials?|key|pass(?:word|wd)?|secret|token)")
"""Names whose values are never shown, as BuildKit's own check has it (SecretsUsedInArgOrEnv)."""
ENVIRONMENT = "environment"
ARGUMENTS = "build arguments"
MARK = "mark of arguments"
"""Whether a RUN of the classic builder was given any arguments, undeclared proxies included."""


@dataclass
class Causes:
    """Remembers what missed in one build, so that what stands on it is not blamed."""

    history: History
    _origins: dict[str, StepPlace] = field(default_factory=dict)
    _open: dict[str, Sequence[Key]] = field(default_factory=dict)

    def missed(self, key: Key, place: StepPlace, reason: Reason | None) -> None:
        """Note that a step missed."""
        origin = reason.origin if reason is not None and _is_chained(reason) else None
        self._origins[key.exact] = origin or place

    def opened(self, key: Key, candidates: Sequence[Key]) -> None:
        """Note that a step may be one of ``candidates``, which were built before, or none."""
        self._open[key.exact] = candidates

    def of_miss(self, key: Key) -> Reason:
        """Return why ``key`` was not found."""
        parent = key.parent
        if parent is not None and parent.exact in self._origins:
            return Reason(
                ReasonKind.PARENT_MISSED,
                "a step before it missed",
                origin=self._origins[parent.exact],
            )
        if parent is not None and parent.keyword == "FROM" and parent not in self.history:
            return self._new_base(parent)
        siblings = self._siblings(parent)
        if not siblings:
            return self._nothing_before(key)
        alike = [one for one in siblings if one.keyword == key.keyword]
        if not alike:
            return Reason(
                ReasonKind.INSTRUCTION_TEXT,
                f"where `{_short(siblings[-1].shown)}` stood, `{_short(key.shown)}` stands now",
            )
        return self._difference(key, min(reversed(alike), key=lambda one: _distance(key, one)))

    def of_artefact(self, key: Key, before: Key) -> Reason:
        """Return why a step missed that an artefact decided on; ``before`` is what it might be."""
        artefact, is_own = _open_artefact(key, before)
        if artefact is None or not is_own:
            return self.of_miss(key)
        return Reason(
            ReasonKind.ARTEFACT_CHANGED,
            f"what it takes from {artefact.shown} came out otherwise",
            origin=artefact.origin,
        )

    def _siblings(self, parent: Key | None) -> list[Key]:
        """Return what was built on a step before; if it is open which, on any it may be."""
        if parent is None or parent.exact not in self._open:
            return self.history.children(parent)
        return [
            one
            for candidate in reversed(self._open[parent.exact])
            for one in self.history.children(candidate)
        ]

    def _new_base(self, base: Key) -> Reason:
        before = self.history.base_named(base.shown)
        if before is not None:
            return Reason(ReasonKind.BASE_IMAGE, f"the base image {base.shown} changed")
        if self.history.builds:
            return Reason(
                ReasonKind.BASE_IMAGE, f"nothing was built on the base image {base.shown} before"
            )
        return Reason(ReasonKind.FIRST_BUILD, "it was never built before")

    def _nothing_before(self, key: Key) -> Reason:
        if self.history.builds:
            return Reason(
                ReasonKind.INSTRUCTION_TEXT,
                f"`{_short(key.shown)}` is new: nothing was built after the step before it",
            )
        return Reason(ReasonKind.FIRST_BUILD, "it was never built before")

    def _difference(self, key: Key, before: Key) -> Reason:
        parts = {name: (old, new) for name, old, new in key.differing_parts(before)}
        if parts.pop(MARK, None) is not None and not parts:
            return Reason(ReasonKind.BUILD_ARG, "proxy arguments are given where none were before")
        for name in (ARGUMENTS, ENVIRONMENT):
            if name in parts and set(parts) <= {ARGUMENTS, ENVIRONMENT}:
                return _variables(key, before, *parts[name])
        if parts or _copies_otherwise(key, before):
            return _text(key, before, parts)
        for own, old in zip(key.context, before.context, strict=False):
            if own.token != old.token:
                return file_reason(old.entries, own.entries)
        return self._artefact(key, before)

    def _artefact(self, key: Key, before: Key) -> Reason:
        for own, old in zip(key.artefacts, before.artefacts, strict=False):
            if own.token != old.token:
                return Reason(
                    ReasonKind.ARTEFACT_CHANGED,
                    f"what it takes from {own.shown} changed",
                    origin=own.origin,
                )
        return Reason(ReasonKind.UNKNOWN, "nothing that the model knows of changed")


def depends_reason(key: Key, candidate: Key) -> Reason:
    """Return why it is open whether ``key`` is found."""
    artefact, is_own = _open_artefact(key, candidate)
    if artefact is None:
        return Reason(ReasonKind.PARENT_MISSED, "an artefact before it decides")
    taker = "it" if is_own else "a step before it"
    return Reason(
        ReasonKind.ARTEFACT_CHANGED,
        f"a hit if what {taker} takes from {artefact.shown} comes out the same again",
        origin=artefact.origin,
    )


def _open_artefact(key: Key, candidate: Key) -> tuple[Content | None, bool]:
    """Return the artefact lowest in the chain that is not certain, and if it is the key's own."""
    found: Content | None = None
    is_own = True
    mine: Key | None = key
    theirs: Key | None = candidate
    while mine is not None and theirs is not None and mine.exact != theirs.exact:
        for own, other in zip(mine.artefacts, theirs.artefacts, strict=False):
            if own.token != other.token:
                found, is_own = own, mine is key
        mine, theirs = mine.parent, theirs.parent
    return found, is_own


def _copies_otherwise(key: Key, before: Key) -> bool:
    """Tell whether one copies from the context and the other from a stage, or how many."""
    mine, theirs = len(key.context), len(before.context)
    return mine != theirs or len(key.artefacts) != len(before.artefacts)


def _is_chained(reason: Reason) -> bool:
    return reason.kind in {ReasonKind.PARENT_MISSED, ReasonKind.ARTEFACT_CHANGED}


def _distance(key: Key, other: Key) -> int:
    """Count in how many ways two keys on the same parent differ."""
    contents = (*key.context, *key.artefacts)
    others = (*other.context, *other.artefacts)
    unlike = sum(a.token != b.token for a, b in zip(contents, others, strict=False))
    # What is copied says more about which step it is than the files' present content does.
    otherwise = 4 * _copies_otherwise(key, other)
    return 4 * len(key.differing_parts(other)) + unlike + otherwise


def _variables(key: Key, before: Key, old: object, new: object) -> Reason:
    earlier, later = _as_dict(old), _as_dict(new)
    changed = sorted(name for name in {*earlier, *later} if earlier.get(name) != later.get(name))
    if not changed:
        return Reason(ReasonKind.INSTRUCTION_TEXT, "the variables stand in another order")
    arguments = key.arguments | before.arguments
    is_argument = all(name in arguments for name in changed)
    words = [_variable(name, earlier, later, name in arguments) for name in changed]
    return Reason(
        ReasonKind.BUILD_ARG if is_argument else ReasonKind.INSTRUCTION_TEXT,
        ", ".join(words),
        names=tuple(changed),
    )


def _as_dict(pairs: object) -> dict[str, str]:
    return dict(pairs) if isinstance(pairs, tuple) else {}


def _variable(
    name: str,
    earlier: dict[str, str],
    later: dict[str, str],
    is_argument: bool,
) -> str:
    what = f"the build argument {name}" if is_argument else f"ENV {name}"
    if name not in later:
        return f"{what} is gone"
    if name not in earlier:
        return f"{what} is new"
    if _SECRET.search(name):
        return f"{what} changed (its values are not shown)"
    return f"{what} changed from {_quoted(earlier[name])} to {_quoted(later[name])}"


def _quoted(value: str) -> str:
    return value if value and " " not in value else f'"{value}"'


def _text(key: Key, before: Key, parts: dict[str, tuple[object, object]]) -> Reason:
    for name, instruction in (
        ("working directory", "WORKDIR"),
        ("user", "USER"),
        ("shell", "SHELL"),
    ):
        if set(parts) == {name}:
            old, new = (_plain(one) for one in parts[name])
            return Reason(ReasonKind.INSTRUCTION_TEXT, f"{instruction} changed from {old} to {new}")
    if key.shown != before.shown:
        return Reason(ReasonKind.INSTRUCTION_TEXT, f"it was `{_short(before.shown)}`")
    return Reason(ReasonKind.INSTRUCTION_TEXT, f"its {_listed(parts)} changed")


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(str(one) for one in value)
    return str(value) if value else "nothing"


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
