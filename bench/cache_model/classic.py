"""The classic builder's rules: every instruction is a link in a chain of images.

Sources: moby ``builder/dockerfile/dispatchers.go`` (the text each instruction is probed with),
``internals.go`` (probeCache, performCopy), ``copy.go`` (source hashes), ``image/cache``. An image
is found by its parent and that text; since the parent's ID stands for all of its config, the text
and the parent are the key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError, WillFailError
from bench.cache_model.hashing import ClassicHash, MissingSourceError, Selected
from bench.cache_model.heredocs import has_heredocs
from bench.cache_model.keys import Content, Key
from bench.cache_model.placing import ROOT, Known, place
from bench.cache_model.reasons import ARGUMENTS, MARK
from bench.cache_model.sources import transfer_of
from bench.cache_model.walk import Walk

if TYPE_CHECKING:
    from bench.cache_model.inputs import BuildInput
    from bench.cache_model.keys import Part
    from bench.cache_model.outcomes import StepPlace
    from bench.cache_model.profiles import Profile
    from bench.cache_model.settling import Line, Settler
    from bench.cache_model.sources import Transfer
    from bench.cache_model.walk import StageState
    from bench.dockerfile import Instruction
    from bench.workspace.manifest import Entry

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_EXPANDED = frozenset({"EXPOSE", "STOPSIGNAL", "USER", "VOLUME"})


class ClassicWalk(Walk):
    """Settles one build by the classic builder's rules."""

    def __init__(self, build: BuildInput, profile: Profile, settler: Settler) -> None:
        super().__init__(build, profile, settler)
        self._hash: ClassicHash | None = None

    def visible_context(self) -> dict[str, Entry]:
        """Return the context without the Dockerfile and ``.dockerignore`` where they are ignored.

        The daemon removes them again (moby ``builder/remotecontext/detect.go``).
        """
        hidden = self.build.manifest.sent_although_ignored
        return {path: one for path, one in self.build.manifest.items() if path not in hidden}

    def needed(self) -> frozenset[int]:
        """Return every stage up to the target, used or not."""
        return frozenset(range(self.dockerfile.target_stage(self.build.target).index + 1))

    def step(self, line: Line, state: StageState) -> None:
        """Settle one instruction; see `Walk.step`."""
        keyword = line.instruction.keyword
        if keyword in {"COPY", "ADD"}:
            self._copy(line, state)
            return
        if keyword == "RUN":
            key = self._run_key(line, state)
        else:
            if keyword == "WORKDIR":
                state.scope.apply(line.instruction)
            key = Key(keyword, self._parts(line, state), state.key, shown=line.instruction.text)
            if keyword != "WORKDIR":
                state.scope.apply(line.instruction)
        state.key = self.settler.settle(line, key)
        if keyword == "WORKDIR" and self.wants_files(line):
            self.keep_files(state, state.files.with_folder(state.scope.working_dir, ROOT))
        elif keyword == "RUN":
            state.files = state.files.after_run(state.key.exact, line.place)

    def _run_key(self, line: Line, state: StageState) -> Key:
        instruction, scope = line.instruction, state.scope
        if instruction.flags or has_heredocs(instruction):
            raise NotUnderstoodError(f"{self.profile.title} knows no flags and no here-documents")
        arguments = scope.run_args()
        # A RUN that is given nothing but undeclared proxies is marked as having arguments, though
        # none is named (dispatchers.go prependEnvOnCmd).
        marked = bool(scope.run_args(with_proxies=True))
        parts: tuple[Part, ...] = (
            ("command", self._command(line, state)),
            (ARGUMENTS, tuple(sorted(arguments.items()))),
            (MARK, marked),
        )
        return Key(
            "RUN",
            parts,
            state.key,
            shown=instruction.text,
            arguments=frozenset(arguments),
        )

    def _command(self, line: Line, state: StageState) -> tuple[str, ...]:
        words = line.instruction.arguments
        return words if line.instruction.exec_form else (*state.scope.shell, *words)

    def _parts(self, line: Line, state: StageState) -> tuple[Part, ...]:
        """Return what an instruction that copies and runs nothing is probed with."""
        instruction, scope = line.instruction, state.scope
        keyword = instruction.keyword
        text: object
        if keyword in {"ENV", "LABEL"}:
            text = tuple(scope.env_pairs(instruction))
        elif keyword == "ARG":
            text = tuple(scope.declared(instruction))
        elif keyword == "WORKDIR":
            text = scope.working_dir
        elif keyword in {"CMD", "ENTRYPOINT"}:
            text = self._command(line, state)
        elif keyword in _EXPANDED:
            text = tuple(scope.expand(word) for word in instruction.arguments)
        elif keyword == "ONBUILD":
            text = instruction.text.partition(" ")[2]
        elif keyword == "HEALTHCHECK":
            text = (self._health_flags(instruction), instruction.arguments, instruction.exec_form)
        else:
            text = instruction.arguments
        return (("text", text),)

    def _health_flags(self, instruction: Instruction) -> tuple[str, ...]:
        """Return the flags of HEALTHCHECK by meaning: in any order, ``60s`` as ``1m``."""
        found = []
        for flag in instruction.flags:
            name, _, value = flag.partition("=")
            seconds = duration(value)
            found.append(f"{name}={value if seconds is None else seconds}")
        return tuple(sorted(found))

    def _copy(self, line: Line, state: StageState) -> None:
        instruction = line.instruction
        if has_heredocs(instruction):
            raise NotUnderstoodError(f"{self.profile.title} knows no here-documents")
        transfer = transfer_of(self.dockerfile, instruction, state.scope, self.profile)
        context: tuple[Content, ...] = ()
        artefacts: tuple[Content, ...] = ()
        known: Known | None = None
        origin: StepPlace | None = None
        if transfer.origin is not None:
            files, shown = self.files_of(transfer.origin, line)
            artefacts = tuple(
                Content(one.known, one.symbol, one.entries, shown, one.origin)
                for _, one in files.select(transfer.sources, self.profile)
            )
            origin = files.origin
        else:
            selected = self._select(transfer)
            context = (self._content(selected, transfer),)
            known = Known(self.context, selected.roots)
        parts = (("destination", transfer.destination), ("owner", transfer.chown))
        key = Key(instruction.keyword, parts, state.key, context, artefacts, instruction.text)
        state.key = self.settler.settle(line, key)
        if self.wants_files(line):
            contents = (*context, *artefacts)
            made = place(state.files, transfer, known, contents, self.profile, origin)
            self.keep_files(state, made)

    def _select(self, transfer: Transfer) -> Selected:
        if self._hash is None:
            self._hash = ClassicHash(self.context)
        try:
            return self._hash.select(transfer.sources)
        except MissingSourceError as missing:
            raise WillFailError(f"{missing} is not in the build context") from missing

    def _content(self, selected: Selected, transfer: Transfer) -> Content:
        entries = self.entries(selected.paths)
        return Content(selected.digest, entries=entries, shown=" ".join(transfer.sources))


def duration(text: str) -> float | None:
    """Return the seconds of a duration as Go writes it (``1m30s``), or None: it is none."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts), 9)
