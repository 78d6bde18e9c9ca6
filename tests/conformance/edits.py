"""Changes by chance: what makes one state of a case out of another."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.conformance.base_images import PLAIN, VARIANTS
from tests.conformance.case import IGNORE_FILE, SALT, CaseStage, File, Line, State
from tests.conformance.file_edits import FILE_EDITS
from tests.conformance.grammar import Writer
from tests.conformance.simulate import Simulation, builds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from tests.conformance.dialect import Dialect

_TRIES = 40
_FLAG = re.compile(r"--(?:chown|chmod|link)\S* ")
_WORD = re.compile(r"\b(?:red|green|blue|one|two|three)\b")
_WEIGHTS = {
    "content": 10,
    "same-size content": 4,
    "mtime": 4,
    "file mode": 4,
    "directory mode": 3,
    "owner": 4,
    "link target": 2,
    "rename": 4,
    "file added": 4,
    "file removed": 4,
    "empty directory added": 2,
    "type": 1,
    "all mtimes": 1,
    "ignore file": 5,
    "instruction added": 7,
    "instruction removed": 7,
    "instructions swapped": 6,
    "instruction rewritten": 8,
    "word edited": 9,
    "flag edited": 4,
    "comment added": 2,
    "spacing": 2,
    "COPY to ADD": 2,
    "exec form": 1,
    "ENV to ARG": 2,
    "build arg": 9,
    "target": 3,
    "base variant": 4,
    "base image": 2,
    "stage renamed": 2,
    "stage removed": 2,
}

CHANGES = tuple(_WEIGHTS)
"""The kinds of change, as the summary names them."""


class Edits:
    """Draws changes that leave a state buildable."""

    def __init__(self, random: Random, dialect: Dialect, ids: Iterator[int]) -> None:
        self._random = random
        self._dialect = dialect
        self._ids = ids
        self._drawn: State | None = None
        self._writer = Writer(random, Simulation(State((), {}), dialect), dialect)

    def changed(self, state: State) -> State:
        """Return a state that differs from ``state`` by one change, or a few."""
        count = self._writer.weighted({1: 74, 2: 20, 3: 6})
        result = state
        names: list[str] = []
        for _ in range(count):
            for _ in range(_TRIES):
                name = self._writer.weighted(_WEIGHTS)
                edited = self.edit(name, result)
                if edited is not None and not edited.built_like(state):
                    result, names = edited, [*names, name]
                    break
        return replace(result, change=" + ".join(dict.fromkeys(names)) or "nothing")

    def edit(self, name: str, state: State) -> State | None:
        """Return ``state`` with one change of a kind, None where it does not work out."""
        if name in FILE_EDITS:
            files = FILE_EDITS[name](self._random, dict(state.files))
            edited = None if files is None else replace(state, files=files)
        else:
            edited = _EDITS[name](self, state)
        if edited is None or not builds(edited, self._dialect):
            return None
        return edited

    def ignore_file(self, state: State) -> State | None:
        """Add, edit or remove the ignore file."""
        files = dict(state.files)
        known = files.pop(IGNORE_FILE, None)
        lines = known.content.splitlines() if known is not None else []
        if lines and self._writer.chance(30):
            return replace(state, files=files)
        patterns = ("docs", "*.c", "src", "!src/b.c", "a.txt", "Dockerfile", IGNORE_FILE, "**/l*")
        lines.insert(self._random.randrange(len(lines) + 1), self._writer.pick(patterns))
        files[IGNORE_FILE] = File(content="\n".join(lines) + "\n")
        return replace(state, files=files)

    def added(self, state: State) -> State | None:
        """Insert an instruction."""
        return self._write_at(state, keep=True)

    def rewritten(self, state: State) -> State | None:
        """Write an instruction anew, mostly with the same keyword."""
        return self._write_at(state, keep=False)

    def _write_at(self, state: State, *, keep: bool) -> State | None:
        """Write an instruction for a place, before the line there or instead of it."""
        place = self._place(state)
        if place is None:
            return None
        index, number = place
        simulation = Simulation(state, self._dialect)
        for stage in state.stages[:index]:
            simulation.begin(stage.lines[0].text)
            for line in stage.lines[1:]:
                simulation.take(line.text)
        stage = state.stages[index]
        simulation.begin(stage.lines[0].text)
        for line in stage.lines[1:number]:
            simulation.take(line.text)
        old = stage.lines[number]
        keyword = None if keep or self._writer.chance(20) else old.keyword
        text = Writer(self._random, simulation, self._dialect).instruction(keyword)
        if text is None or text == old.text:
            return None
        new = Line(next(self._ids) if keep else old.id, text)
        lines = [*stage.lines[:number], new, *stage.lines[number + (0 if keep else 1) :]]
        return _with_lines(state, index, lines)

    def _place(self, state: State) -> tuple[int, int] | None:
        """Draw a line that is no FROM and may be changed, as stage index and number."""
        places = [
            (index, number)
            for index, stage in enumerate(state.stages)
            for number, line in enumerate(stage.lines)
            if number and line.id != -1
        ]
        return self._writer.pick(places) if places else None

    def removed(self, state: State) -> State | None:
        """Remove an instruction."""
        place = self._place(state)
        if place is None:
            return None
        index, number = place
        lines = list(state.stages[index].lines)
        del lines[number]
        return _with_lines(state, index, lines)

    def swapped(self, state: State) -> State | None:
        """Swap two neighbours."""
        place = self._place(state)
        if place is None:
            return None
        index, number = place
        lines = list(state.stages[index].lines)
        if number + 1 >= len(lines) or lines[number].text == lines[number + 1].text:
            return None
        lines[number : number + 2] = [lines[number + 1], lines[number]]
        return _with_lines(state, index, lines)

    def _rewrite(self, state: State, change: Callable[[str], str]) -> State | None:
        """Change the text of one line, drawn among those that the change changes."""
        places = [
            (index, number, text)
            for index, stage in enumerate(state.stages)
            for number, line in enumerate(stage.lines)
            if number and line.id != -1 and (text := change(line.text)) != line.text
        ]
        if not places:
            return None
        index, number, text = self._writer.pick(places)
        lines = list(state.stages[index].lines)
        lines[number] = Line(lines[number].id, text)
        return _with_lines(state, index, lines)

    def word_edited(self, state: State) -> State | None:
        """Change a word: a value, an argument, a command, a default."""
        word = self._writer.word()
        return self._rewrite(state, lambda text: _WORD.sub(word, text, count=1))

    def flag_edited(self, state: State) -> State | None:
        """Take a flag of COPY or ADD away, or give one."""
        flags = [f"--chown={self._writer.pick(('1000', '0:0', '1001:50'))} "]
        flags += ["--chmod=640 "] if self._dialect.chmod else []
        flags += ["--link "] if self._dialect.link else []
        flag = self._writer.pick(flags)

        def change(text: str) -> str:
            if not text.startswith(("COPY ", "ADD ")):
                return text
            if _FLAG.search(text):
                return _FLAG.sub("", text, count=1)
            if flag == "--link " and text.startswith("ADD"):
                return text
            keyword, _, rest = text.partition(" ")
            return f"{keyword} {flag}{rest}"

        return self._rewrite(state, change)

    def comment_added(self, state: State) -> State | None:
        """Insert a comment: nothing but the Dockerfile's own content changes."""
        place = self._place(state)
        if place is None:
            return None
        index, number = place
        lines = list(state.stages[index].lines)
        lines.insert(number, Line(next(self._ids), f"# {self._writer.word()}"))
        return _with_lines(state, index, lines)

    def spacing(self, state: State) -> State | None:
        """Change white space or the case of a keyword."""
        if self._writer.chance(50):
            return self._rewrite(state, lambda text: text.replace(" ", "  ", 1))
        return self._rewrite(state, _lower_keyword)

    def copy_to_add(self, state: State) -> State | None:
        """Turn a COPY into an ADD or back."""

        def change(text: str) -> str:
            if text.startswith("ADD "):
                return f"COPY {text[4:]}"
            plain = text.startswith("COPY ") and "--from" not in text and "<<" not in text
            return f"ADD {text[5:]}" if plain and "--link" not in text else text

        return self._rewrite(state, change)

    def exec_form(self, state: State) -> State | None:
        """Write a RUN in exec form that says the same."""

        def change(text: str) -> str:
            command = text.removeprefix("RUN ")
            if command == text or command.startswith(("[", "--", "<<")) or '"' in command:
                return text
            return text if "\n" in text else f'RUN ["/bin/sh", "-c", "{command}"]'

        return self._rewrite(state, change)

    def env_to_arg(self, state: State) -> State | None:
        """Turn an ENV of one pair into an ARG with that default, or back."""

        def change(text: str) -> str:
            words = text.split(" ")
            if len(words) != 2 or "=" not in words[1] or words[0] not in {"ENV", "ARG"}:
                return text
            return f"{'ARG' if words[0] == 'ENV' else 'ENV'} {words[1]}"

        return self._rewrite(state, change)

    def build_arg(self, state: State) -> State:
        """Give, change or drop a build argument, declared or not."""
        arguments = dict(state.build_args)
        names = (
            *("A", "B", "C", "MODE", "SRC", "DST", "OWNER", "HTTP_PROXY", "UNKNOWN"),
            *("SOURCE_DATE_EPOCH", "https_proxy", "TARGETARCH"),
        )
        name = self._writer.pick(names)
        values = {
            "SRC": "a.txt",
            "DST": "/data/",
            "OWNER": "1001",
            "SOURCE_DATE_EPOCH": self._writer.pick(("1600000000", "1700000000")),
        }
        if name in arguments and self._writer.chance(50):
            del arguments[name]
        else:
            arguments[name] = values.get(name, self._writer.word())
        return replace(state, build_args=arguments)

    def target(self, state: State) -> State | None:
        """Build another stage."""
        if len(state.stages) < 2:
            return None
        texts = [stage.lines[0].text for stage in state.stages]
        target = None if self._writer.chance(35) else self._writer.name_in(texts)
        return replace(state, target=target)

    def base_variant(self, state: State) -> State | None:
        """Let the name of a base image stand for another image."""
        used = [name for name in ("img/base:1", "img/rich:1") if name in state.text]
        if not used:
            return None
        name = self._writer.pick(used)
        variants = [one for one in VARIANTS if one != state.bases.get(name, PLAIN)]
        return replace(state, bases={**state.bases, name: self._writer.pick(variants)})

    def base_image(self, state: State) -> State | None:
        """Start a stage from another image."""
        index = self._random.randrange(len(state.stages))
        lines = list(state.stages[index].lines)
        words = lines[0].text.split()
        if words[1] not in {"img/base:1", "img/rich:1", "$BASE"}:
            return None
        words[1] = self._writer.pick(("img/base:1", "img/rich:1"))
        return _with_lines(state, index, [Line(lines[0].id, " ".join(words)), *lines[1:]])

    def stage_renamed(self, state: State) -> State | None:
        """Give a stage another name, and name it so wherever it is named."""
        named = [
            stage.lines[0].text.split()[3]
            for stage in state.stages
            if " AS " in stage.lines[0].text
        ]
        if not named or state.target is not None:
            return None
        name = self._writer.pick(named)
        pattern = re.compile(rf"\b{name}\b")
        stages = tuple(
            CaseStage(
                stage.id,
                tuple(Line(one.id, pattern.sub(f"{name}x", one.text)) for one in stage.lines),
            )
            for stage in state.stages
        )
        return replace(state, stages=stages)

    def stage_removed(self, state: State) -> State | None:
        """Remove a stage that nothing needs."""
        if len(state.stages) < 2:
            return None
        index = self._random.randrange(len(state.stages))
        return replace(state, stages=(*state.stages[:index], *state.stages[index + 1 :]))


_EDITS: dict[str, Callable[[Edits, State], State | None]] = {
    "ignore file": Edits.ignore_file,
    "instruction added": Edits.added,
    "instruction removed": Edits.removed,
    "instructions swapped": Edits.swapped,
    "instruction rewritten": Edits.rewritten,
    "word edited": Edits.word_edited,
    "flag edited": Edits.flag_edited,
    "comment added": Edits.comment_added,
    "spacing": Edits.spacing,
    "COPY to ADD": Edits.copy_to_add,
    "exec form": Edits.exec_form,
    "ENV to ARG": Edits.env_to_arg,
    "build arg": Edits.build_arg,
    "target": Edits.target,
    "base variant": Edits.base_variant,
    "base image": Edits.base_image,
    "stage renamed": Edits.stage_renamed,
    "stage removed": Edits.stage_removed,
}


def _with_lines(state: State, index: int, lines: list[Line]) -> State:
    stage = CaseStage(state.stages[index].id, tuple(lines))
    return replace(state, stages=(*state.stages[:index], stage, *state.stages[index + 1 :]))


def _lower_keyword(text: str) -> str:
    keyword, space, rest = text.partition(" ")
    return text if keyword in {"#", "ONBUILD"} or SALT in text else keyword.lower() + space + rest
