"""Make a case small that shows something, by leaving out and simplifying whatever does not matter.

Works on any predicate: the suite builds each candidate for real, a test asks a function.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.conformance.case import Case, CaseStage, File, Line, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FLAG = re.compile(r" --\S+(?= )")
_DEFAULT_TRIES = 400


class Shrinker:
    """Shrinks one case. ``shows`` tells whether a candidate still shows it."""

    def __init__(self, shows: Callable[[Case], bool], tries: int = _DEFAULT_TRIES) -> None:
        self._shows = shows
        self._left = tries
        self._seen: set[str] = set()

    def shrink(self, case: Case) -> Case:
        """Return the smallest case found; ``case`` itself has to show it."""
        while self._left > 0:
            smaller = self._step(case)
            if smaller is None:
                break
            case = smaller
        return case

    def _step(self, case: Case) -> Case | None:
        for candidate in candidates(case):
            key = repr(candidate.states)
            if key in self._seen or self._left <= 0:
                continue
            self._seen.add(key)
            self._left -= 1
            if self._shows(candidate):
                return candidate
        return None


def candidates(case: Case) -> Iterator[Case]:
    """Yield smaller cases, those first that leave out the most."""
    for make in (
        _fewer_states,
        _fewer_stages,
        _without_settings,
        _without_lines,
        _without_files,
        _equal_lines,
        _equal_files,
        _plain_files,
        _plain_lines,
    ):
        for states in make(case.states):
            if len(states) > 0 and list(states) != list(case.states):
                yield Case(case.name, tuple(states))


States = tuple[State, ...]


def _fewer_states(states: States) -> Iterator[States]:
    for count in range(1, len(states)):
        yield states[:count]
    for number in range(len(states)):
        yield states[:number] + states[number + 1 :]


def _fewer_stages(states: States) -> Iterator[States]:
    ids = {stage.id for state in states for stage in state.stages}
    for wanted in sorted(ids):
        yield tuple(
            replace(state, stages=tuple(one for one in state.stages if one.id != wanted))
            for state in states
            if any(one.id != wanted for one in state.stages)
        )


def _without_settings(states: States) -> Iterator[States]:
    if any(state.target is not None for state in states):
        yield tuple(replace(state, target=None) for state in states)
    for name in sorted({name for state in states for name in state.build_args}):
        yield tuple(
            replace(state, build_args={k: v for k, v in state.build_args.items() if k != name})
            for state in states
        )
    if any(state.bases for state in states):
        yield tuple(replace(state, bases={}) for state in states)


def _without_lines(states: States) -> Iterator[States]:
    heads = sorted({line.id for state in states for line in state.head})
    for wanted in heads:
        yield tuple(
            replace(state, head=tuple(one for one in state.head if one.id != wanted))
            for state in states
        )
    firsts = {stage.lines[0].id for state in states for stage in state.stages}
    ids = {line.id for state in states for line in state.all_lines()} - firsts - {-1}
    for wanted in sorted(ids, reverse=True):
        yield tuple(
            _map_lines(state, lambda line: None if line.id == wanted else line)  # noqa: B023
            for state in states
        )


def _map_lines(state: State, change: Callable[[Line], Line | None]) -> State:
    stages = []
    for stage in state.stages:
        lines = [new for line in stage.lines if (new := change(line)) is not None]
        stages.append(CaseStage(stage.id, tuple(lines)))
    return replace(state, stages=tuple(stages))


def _without_files(states: States) -> Iterator[States]:
    for path in sorted({path for state in states for path in state.files}):
        yield tuple(
            replace(
                state,
                files={
                    one: file
                    for one, file in state.files.items()
                    if one != path and not one.startswith(path + "/")
                },
            )
            for state in states
        )


def _equal_lines(states: States) -> Iterator[States]:
    """Give a line the text that it has in the first state, in all states."""
    first = {line.id: line for line in states[0].all_lines()}
    for number, line in first.items():
        changed = tuple(
            _map_lines(state, lambda one: line if one.id == number else one)  # noqa: B023
            for state in states
        )
        if number != -1 and changed != states:
            yield changed


def _equal_files(states: States) -> Iterator[States]:
    for path, file in states[0].files.items():
        yield tuple(
            replace(state, files={**state.files, path: file}) if path in state.files else state
            for state in states
        )


def _plain_files(states: States) -> Iterator[States]:
    for path in sorted({path for state in states for path in state.files}):
        yield tuple(
            replace(state, files={**state.files, path: state.files[path].plain()})
            if path in state.files
            else state
            for state in states
        )
        yield tuple(_with_short(state, path) for state in states)


def _with_short(state: State, path: str) -> State:
    file = state.files.get(path)
    if file is None or file.kind != "file" or len(file.content) < 3:
        return state
    short = File(content=file.content[-2:], mode=file.mode, uid=file.uid, gid=file.gid)
    return replace(state, files={**state.files, path: short})


def _plain_lines(states: States) -> Iterator[States]:
    """Take one word or flag out of a line, in all states."""
    ids = sorted({line.id for state in states for line in state.all_lines()} - {-1})
    for number in ids:
        for change in (_without_flag, _without_second_word, _without_last_word):
            yield tuple(
                _map_lines(
                    state,
                    lambda one: Line(one.id, change(one.text)) if one.id == number else one,  # noqa: B023
                )
                for state in states
            )


def _without_flag(text: str) -> str:
    return _FLAG.sub("", text, count=1)


def _without_second_word(text: str) -> str:
    words = text.split(" ")
    return " ".join([words[0], *words[2:]]) if len(words) > 3 else text


def _without_last_word(text: str) -> str:
    words = text.split(" ")
    return " ".join(words[:-1]) if len(words) > 2 and words[0] != "FROM" else text
