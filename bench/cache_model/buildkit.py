"""BuildKit's rules: which instructions make a vertex, and what enters its cache key.

Sources: moby/buildkit ``frontend/dockerfile/dockerfile2llb/convert.go`` (dispatchRun, dispatchCopy,
dispatchWorkdir), ``solver/llbsolver/ops/exec.go`` and ``file.go`` (CacheMap).
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError, WillFailError
from bench.cache_model.files import clean
from bench.cache_model.hashing import BuildKitHash, MissingSourceError, Selected
from bench.cache_model.heredocs import heredocs, is_whole_command
from bench.cache_model.keys import Content, Key, digest_of
from bench.cache_model.mounts import mounts_of
from bench.cache_model.outcomes import Predicted, StepPlace
from bench.cache_model.placing import Known, place
from bench.cache_model.reasons import ENVIRONMENT
from bench.cache_model.scope import absolute
from bench.cache_model.sources import transfer_of
from bench.cache_model.walk import Walk
from bench.cache_model.wildcards import has_wildcards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cache_model.inputs import BuildInput
    from bench.cache_model.keys import Part
    from bench.cache_model.profiles import Profile
    from bench.cache_model.settling import Line, Settler
    from bench.cache_model.sources import Transfer
    from bench.cache_model.stage_files import StageFiles
    from bench.cache_model.walk import StageState
    from bench.dockerfile import Instruction
    from bench.workspace.manifest import Entry

_SCOPE_ONLY = frozenset({"ARG", "ENV", "SHELL", "USER"})
HIDDEN = -1000
"""Steps from here down are keys beside a step's own; see `BuildKitWalk._link`."""


@dataclass
class _Mounted:
    """What the mounts of one RUN add to its key.

    ``sources`` are the places they come from. ``holds_own_root`` says that one mounts the very
    state that the RUN stands on, which then counts by its files and not by its steps (moby/buildkit
    ``solver/llbsolver/ops/exec.go`` getMountDeps: the last mount of an input decides).
    """

    parts: tuple[tuple[str, ...], ...]
    context: list[Content] = field(default_factory=list)
    artefacts: list[Content] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    holds_own_root: bool = False


class BuildKitWalk(Walk):
    """Settles one build by BuildKit's rules."""

    def __init__(self, build: BuildInput, profile: Profile, settler: Settler) -> None:
        super().__init__(build, profile, settler)
        self._hash: BuildKitHash | None = None

    def visible_context(self) -> dict[str, Entry]:
        """Return everything that was sent: nothing is taken out of a context again."""
        return dict(self.build.manifest)

    def needed(self) -> frozenset[int]:
        """Return the stages that the target needs."""
        return self.dockerfile.reachable(self.build.target, self.build.build_args)

    def step(self, line: Line, state: StageState) -> None:
        """Settle one instruction; see `Walk.step`."""
        keyword = line.instruction.keyword
        if keyword == "RUN":
            self._run(line, state)
        elif keyword in {"COPY", "ADD"}:
            self._copy(line, state)
        elif keyword == "WORKDIR":
            self._workdir(line, state)
        else:
            if keyword in _SCOPE_ONLY:
                state.scope.apply(line.instruction)
            self.settler.note(line, Predicted.CONFIG)

    def _settle(
        self, line: Line, state: StageState, key: Key, sources: Sequence[str | None]
    ) -> Key:
        """Look a vertex up and let the stage stand on it.

        Two steps are one vertex if they are defined alike all the way down, full source paths
        included; with equal keys but unlike definitions they are two, of which one hits.
        """
        state.identity = digest_of(
            (
                state.identity,
                key.keyword,
                key.definition,
                [one.token for one in key.context],
                tuple(sources),
            )
        )
        state.key = self.settler.settle(line, key, state.identity)
        return state.key

    def _sources_identity(self, transfer: Transfer, line: Line) -> tuple[str | None, ...]:
        origin = transfer.origin
        if origin is not None:
            origin = self.identity_of(origin, line)
        return (origin, *transfer.sources)

    def _workdir(self, line: Line, state: StageState) -> None:
        scope = state.scope
        scope.apply(line.instruction)
        path = scope.working_dir
        if path == "/":
            self.settler.note(line, Predicted.CONFIG)
            return
        # Mkdir has a clean path in every version; only RUN sees what is not
        # (moby/buildkit client/llb/fileop.go normalizePath).
        parts: list[Part] = [("path", absolute("/", path)), ("user", scope.user)]
        if self.profile.epoch_in_workdir:
            parts.append(("SOURCE_DATE_EPOCH", self.build.build_args.get("SOURCE_DATE_EPOCH", "")))
        key = Key("WORKDIR", tuple(parts), state.key, shown=line.instruction.text)
        self._settle(line, state, key, ())
        if self.wants_files(line):
            self.keep_files(state, state.files.with_folder(path, scope.user or "0:0"))

    def _run(self, line: Line, state: StageState) -> None:
        scope, instruction = state.scope, line.instruction
        for flag in instruction.flags:
            if not flag.startswith(("--mount=", "--network=", "--security=")):
                raise NotUnderstoodError(f"the flag {flag.partition('=')[0]} is not known")
        mounted = self._mounted(line, state)
        parts: list[Part] = [
            ("command", self._command(line, state)),
            (ENVIRONMENT, tuple(scope.env.items())),
            ("working directory", scope.working_dir),
            ("user", scope.user),
            ("network", self._network(instruction)),
            ("security", instruction.flag("security") or ""),
            ("mounts", mounted.parts),
        ]
        key = Key(
            "RUN",
            tuple(parts),
            None if mounted.holds_own_root else state.key,
            tuple(mounted.context),
            tuple(mounted.artefacts),
            shown=instruction.text,
            arguments=frozenset(scope.args),
        )
        key = self._settle(line, state, key, mounted.sources)
        state.files = state.files.after_run(key.exact, line.place)

    def _network(self, instruction: Instruction) -> str:
        """Return the network mode: ``--network=default`` is that of the request."""
        written = instruction.flag("network") or "default"
        return self.build.network if written == "default" else written

    def _command(self, line: Line, state: StageState) -> tuple[str, ...]:
        """Return the words that RUN runs (``dockerfile2llb/convert.go`` dispatchRun)."""
        instruction = line.instruction
        if instruction.exec_form:
            return instruction.arguments
        words = instruction.arguments
        documents = heredocs(self.dockerfile, instruction) if line.step > 0 else []
        if documents and not self.profile.understands_heredocs:
            raise NotUnderstoodError(f"{self.profile.title} knows no here-documents")
        if documents and not is_whole_command(instruction):
            words = ("".join([*words, *(f"\n{one.raw}{one.name}" for one in documents)]),)
        elif documents and documents[0].text.startswith("#!"):
            # A script of its own: it is mounted under the document's name and run by the shell.
            words = (f"/dev/pipes/{documents[0].name}", documents[0].text)
        elif documents:
            words = (documents[0].text,)
        return (*state.scope.shell, *words)

    def _mounted(self, line: Line, state: StageState) -> _Mounted:
        """Return what the mounts of a RUN add to its key."""
        mounts = mounts_of(line.instruction, state.scope, self.profile)
        found = _Mounted(tuple(mount.part for mount in mounts))
        groups: dict[str | None, tuple[str | None, list[str]]] = {}
        for mount in mounts:
            if mount.reads:
                identity = mount.origin and self.identity_of(mount.origin, line)
                found.sources.append(f"{identity}:{mount.source}")
                groups.setdefault(identity, (mount.origin, []))[1].append(mount.source)
        for identity, (origin, paths) in groups.items():
            wanted = _deduplicated([clean(path) for path in paths])
            if origin is None:
                found.context += [self._content(path, literal=True) for path in wanted]
            elif identity != state.identity or state.key is None:
                found.artefacts += self._artefacts(*self.files_of(origin, line), wanted)
            elif self.profile.own_mount_is_content:
                # The mount and the root are one input, which then counts by all its files.
                found.artefacts += self._artefacts(*self.files_of(origin, line), ["/"])
                found.holds_own_root = True
        return found

    def _artefacts(self, files: StageFiles, shown: str, paths: Sequence[str]) -> list[Content]:
        contents = files.select(tuple(paths), self.profile)
        return [_called(content, shown) for _, content in contents]

    def _copy(self, line: Line, state: StageState) -> None:
        transfer = transfer_of(self.dockerfile, line.instruction, state.scope, self.profile)
        context, artefacts, known, origin = self._sources(transfer, line)
        link = transfer.link and self.profile.link_is_merge and not transfer.chmod
        parts = _copy_parts(transfer, self.profile)
        shown = line.instruction.text
        identity_of = self._sources_identity(transfer, line)
        if link:
            copy = Key(line.instruction.keyword, parts, None, context, artefacts, shown=shown)
            self._link(line, state, copy, identity_of)
        else:
            key = Key(line.instruction.keyword, parts, state.key, context, artefacts, shown=shown)
            self._settle(line, state, key, identity_of)
        if self.wants_files(line):
            contents = (*context, *artefacts)
            made = place(state.files, transfer, known, contents, self.profile, origin)
            self.keep_files(state, made)

    def _link(
        self, line: Line, state: StageState, copy: Key, sources: tuple[str | None, ...]
    ) -> None:
        """Settle a real ``--link``: a copy onto nothing, merged with what stood before.

        The merge is what counts as the step; onto ``scratch`` there is nothing to merge with.
        """
        if state.key is None:
            self._settle(line, state, copy, sources)
            return
        merge = replace(copy, parent=state.key, definition=(*copy.definition, ("merge", True)))
        self._settle(line, state, merge, sources)
        self.settler.add_hidden(StepPlace(line.stage.index, HIDDEN - line.step), copy)

    def _sources(
        self, transfer: Transfer, line: Line
    ) -> tuple[tuple[Content, ...], tuple[Content, ...], Known | None, StepPlace | None]:
        documents = tuple(
            Content(known=digest_of(("document", one.name, one.text)), shown=one.name)
            for one in transfer.documents
        )
        if transfer.origin is not None:
            files, shown = self.files_of(transfer.origin, line)
            artefacts = tuple(self._artefacts(files, shown, _ordered(transfer.sources)))
            return documents, artefacts, None, files.origin
        context = tuple(self._content(source) for source in _ordered(transfer.sources))
        known = None if documents or not self.wants_files(line) else self._known(transfer)
        return (*context, *documents), (), known, None

    def _known(self, transfer: Transfer) -> Known:
        roots = [root for source in transfer.sources for root in self._select(source).roots]
        return Known(self.context, tuple(roots))

    def _content(self, source: str, *, literal: bool = False) -> Content:
        selected = self._select(source, literal=literal)
        entries = self.entries(selected.paths)
        return Content(known=selected.digest, entries=entries, shown=source)

    def _select(self, source: str, *, literal: bool = False) -> Selected:
        if self._hash is None:
            self._hash = BuildKitHash(self.context, self.profile)
        try:
            return self._hash.select(source, literal=literal)
        except MissingSourceError as missing:
            raise WillFailError(f"{missing} is not in the build context") from missing


def _called(content: Content, shown: str) -> Content:
    return Content(content.known, content.symbol, content.entries, f"{shown}", content.origin)


def _copy_parts(transfer: Transfer, profile: Profile) -> tuple[Part, ...]:
    target = transfer.target
    ends_in_dot = transfer.destination.endswith("/.")
    if transfer.into_folder and target != "/" and not ends_in_dot:
        target += "/"
    elif ends_in_dot and profile.keeps_dot_of_destination:
        target = f"{target.rstrip('/')}/."
    names = [posixpath.basename(clean(source)) or "/" for source in transfer.sources]
    return (
        ("destination", target),
        ("source names", (*names, *(one.name for one in transfer.documents))),
        ("owner", transfer.chown),
        ("mode", transfer.mode_part),
    )


def _ordered(sources: Sequence[str]) -> list[str]:
    """Return the sources as their contents enter the key: each once, by path.

    Sources: moby/buildkit ``solver/llbsolver/ops/file.go`` addSelector, dedupeSelectors. That the
    order is lost means that swapping two sources of one base name is no change to BuildKit.
    """
    plain = [clean(one) for one in sources if not has_wildcards(clean(one))]
    wild = [clean(one) for one in sources if has_wildcards(clean(one))]
    return sorted([*_deduplicated(plain), *dict.fromkeys(wild)])


def _deduplicated(paths: Sequence[str]) -> list[str]:
    """Return the paths sorted, each once, without those that lie inside another one."""
    unique = sorted(set(paths))
    return [
        path
        for path in unique
        if not any(path != one and (not one or path.startswith(one + "/")) for one in unique)
    ]
