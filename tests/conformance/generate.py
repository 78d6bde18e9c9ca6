"""Cases by chance: a first state, then states that each differ from an earlier one a little."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from bench.dockerfile import parse
from tests.conformance.case import SALT, Case, CaseStage, File, Line, State, directory
from tests.conformance.copies import copy_from_text
from tests.conformance.edits import Edits
from tests.conformance.grammar import Writer
from tests.conformance.places import BrokenCaseError
from tests.conformance.simulate import Simulation, builds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conformance.dialect import Dialect

_IMAGES = {
    "img/base:1": 60,
    "img/rich:1": 12,
    "img/scratch:1": 10,
    "scratch": 8,
    "img/trigger:1": 4,
    "$BASE": 6,
}
_OPTIONAL_FILES: dict[str, File] = {
    "b.txt": File(content="bee\n"),
    "c.sh": File(content="echo c\n", mode=0o755),
    "src": directory(),
    "src/a.c": File(content="int a;\n"),
    "src/b.c": File(content="int b;\n", mode=0o600),
    "src/lib": directory(0o700),
    "src/lib/l.h": File(content="#define L\n"),
    "src/link": File("link", "a.c", 0o777),
    "docs": directory(0o775),
    "docs/b.c": File(content="text\n", uid=1000, gid=1000),
    "empty": directory(),
    "link": File("link", "a.txt", 0o777),
    "dlink": File("link", "src", 0o777),
    "gone": File("link", "nowhere", 0o777),
    "pack.tar": File("tar", "packed\n"),
    "x.y": File(content="x\n", uid=7, gid=8),
    "two words.txt": File(content="2\n"),
    "äö.txt": File(content="ä\n"),
    "deep": directory(),
    f"deep/{'n' * 100}": File(content="n\n"),
    "same.txt": File(content="aye\n"),
    "nothing.txt": File(),
    "src/lib/up": File("link", "../a.c", 0o777),
}
_IGNORE_FILES = (
    "**/*.c\n!src/b.c\n",
    "*\n!docs/b.c\n!src/lib\n",
    ".dockerignore\nDockerfile\n",
    "docs\n",
    "*.sh\nsrc/lib\n",
    "*\n!src\n!a.txt\n",
    "Dockerfile\n",
    "src\n!src/a.c\n",
)
_MAX_LINES = 16
_MAX_RUNS = 3


@dataclass(frozen=True)
class Size:
    """How large cases are: weights by number of stages, of instructions in one, of states."""

    name: str
    stages: Mapping[int, int]
    lengths: Mapping[int, int]
    states: Mapping[int, int]


LARGE = Size(
    "large",
    {1: 45, 2: 33, 3: 16, 4: 6},
    {1: 10, 2: 20, 3: 28, 4: 22, 5: 12, 6: 8},
    {2: 12, 3: 34, 4: 30, 5: 14, 6: 10},
)
SMALL = Size("small", {1: 60, 2: 32, 3: 8}, {1: 20, 2: 36, 3: 32, 4: 12}, {2: 58, 3: 38, 4: 4})
SIZES = {size.name: size for size in (SMALL, LARGE)}


def case_of(seed: int, number: int, dialect: Dialect, size: Size = LARGE) -> Case:
    """Return case ``number`` of a seed; it depends on nothing else."""
    name = f"{dialect.name}-{size.name}-{seed}-{number}"
    return generate(Random(name), dialect, size, name)  # noqa: S311 - chance, no secret


def cases(dialect: Dialect, size: Size = LARGE) -> st.SearchStrategy[Case]:
    """Return the strategy of all cases; hypothesis makes every choice, and can shrink it."""
    return st.randoms(use_true_random=False).map(
        lambda random: generate(random, dialect, size, f"{dialect.name}-hypothesis")
    )


def generate(random: Random, dialect: Dialect, size: Size, name: str) -> Case:
    """Return a case all of whose states should build."""
    generator = _Generator(random, dialect, size)
    states = [generator.first_state()]
    writer = generator.writer
    count = writer.weighted(size.states)
    edits = Edits(random, dialect, generator.new_ids())
    while len(states) < count:
        earlier = [one for one in states[:-1] if not one.built_like(states[-1])]
        if earlier and writer.chance(35):
            states.append(replace(writer.pick(earlier), change="return"))
        else:
            states.append(edits.changed(states[-1]))
    return Case(name, tuple(states))


class _Generator:
    """Writes the first state of a case."""

    def __init__(self, random: Random, dialect: Dialect, size: Size) -> None:
        self._dialect = dialect
        self._size = size
        self._random = random
        self._ids = iter(range(1, 1_000_000))
        self.writer = Writer(random, Simulation(State((), {}), dialect), dialect)

    def new_ids(self) -> Iterator[int]:
        """Return the ids that no line has yet."""
        return self._ids

    def first_state(self) -> State:
        """Return a state that should build."""
        while True:
            # A trigger can be impossible in the stage that it is pulled in.
            with contextlib.suppress(BrokenCaseError):
                state = self._draw_state()
                if builds(state, self._dialect):
                    return state

    def _draw_state(self) -> State:
        frame = State(stages=(), files=self._context(), head=self._head())
        frame = replace(frame, build_args=self._build_args(), bases=self._bases())
        self.writer = Writer(self._random, Simulation(frame, self._dialect), self._dialect)
        stages: list[CaseStage] = []
        for index in range(self.writer.weighted(self._size.stages)):
            room = _MAX_LINES - sum(len(stage.lines) for stage in stages)
            if room > 1:
                stages.append(self._stage(index, stages, room))
        stages[-1] = self._needing(stages)
        return replace(frame, stages=tuple(stages), target=self._target(stages))

    def _context(self) -> dict[str, File]:
        files = {"a.txt": File(content="aye\n")}
        for path, file in _OPTIONAL_FILES.items():
            parent = path.rpartition("/")[0]
            if self.writer.chance(36) and (not parent or parent in files):
                files[path] = file
        if self.writer.chance(22):
            files[".dockerignore"] = File(content=self.writer.pick(_IGNORE_FILES))
        return files

    def _head(self) -> tuple[Line, ...]:
        lines = [Line(-1, "ARG BASE=img/base:1")]
        if self.writer.chance(25):
            value = self.writer.word()
            lines.append(Line(next(self._ids), f"ARG {self.writer.pick('ABC')}={value}"))
        return tuple(lines)

    def _build_args(self) -> dict[str, str]:
        names = [name for name in "ABC" if self.writer.chance(15)]
        return {name: self.writer.word() for name in names}

    def _bases(self) -> dict[str, str]:
        return {"img/base:1": "relayered"} if self.writer.chance(5) else {}

    def _target(self, stages: list[CaseStage]) -> str | None:
        if len(stages) < 2 or not self.writer.chance(12):
            return None
        return self.writer.name_in([stage.lines[0].text for stage in stages])

    def _stage(self, index: int, earlier: list[CaseStage], room: int) -> CaseStage:
        writer = self.writer
        if earlier and writer.chance(18):
            lines = self._same_beginning(index, writer.pick(earlier))
        else:
            lines = self._beginning(index, earlier)
        wanted = min(writer.weighted(self._size.lengths), room)
        for _ in range(wanted):
            runs = sum(line.keyword == "RUN" for line in lines)
            text = writer.instruction()
            while text is not None and text.startswith("RUN") and runs >= _MAX_RUNS:
                text = writer.instruction("COPY")
            if text is not None:
                lines.append(Line(next(self._ids), text))
        return CaseStage(next(self._ids), tuple(lines))

    def _needing(self, stages: list[CaseStage]) -> CaseStage:
        """Return the last stage with a COPY from most of those that nothing needs yet."""
        last = stages[-1]
        text = State(stages=tuple(stages), files={}).text
        reached = parse(text).reachable()
        for index in sorted(set(range(len(stages))) - reached):
            name = self.writer.simulation.stages[index].name or str(index)
            copied = copy_from_text(self.writer, name) if self.writer.chance(75) else None
            if copied is not None and self.writer.takes(copied):
                last = CaseStage(last.id, (*last.lines, Line(next(self._ids), copied)))
        return last

    def _name(self, index: int) -> str:
        return self.writer.pick(("build", "deps", "Tools", "final")) + str(index)

    def _beginning(self, index: int, earlier: list[CaseStage]) -> list[Line]:
        writer = self.writer
        names = [one.name for one in writer.simulation.stages if one.name]
        if names and writer.chance(25):
            image = writer.pick(names).lower()  # FROM takes no capitals, AS does
        else:
            image = writer.weighted(_IMAGES)
        name = f" AS {self._name(index)}" if earlier == [] or writer.chance(70) else ""
        lines = [Line(next(self._ids), f"FROM {image}{name}")]
        if image == "scratch":
            # All stages on scratch share one cache; this gives the case one of its own.
            lines += [Line(-1, f"WORKDIR /.{SALT}"), Line(-1, "WORKDIR /")]
        writer.simulation.begin(lines[0].text)
        for line in lines[1:]:
            writer.simulation.take(line.text)
        return lines

    def _same_beginning(self, index: int, other: CaseStage) -> list[Line]:
        writer = self.writer
        words = other.lines[0].text.split()
        lines = [Line(next(self._ids), f"FROM {words[1]} AS {self._name(index)}")]
        writer.simulation.begin(lines[0].text)
        count = 1 + writer.random.randrange(len(other.lines))
        for line in other.lines[1 : max(count, 3 if words[1] == "scratch" else 0)]:
            if not writer.takes(line.text):
                break
            lines.append(Line(-1 if line.id == -1 else next(self._ids), line.text))
        return lines
