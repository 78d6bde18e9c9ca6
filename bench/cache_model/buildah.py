"""Buildah's rules with ``--layers``: a chain of images like the classic builder's, other keys.

An image is found by its parent's layers and history and one more history entry (containers/buildah
``imagebuildah/stage_executor.go`` intermediateImageExists, getCreatedBy). Most entries hold the
instruction as it is *written*: an ENV that reads an ARG hits after the ARG changed. ARG counts by
name, RUN with all values, COPY by the digest of the files as they are written. Read and tried with
1.28; later versions add bind mounts to RUN.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.cache_model.classic import ClassicWalk
from bench.cache_model.errors import WillFailError
from bench.cache_model.files import clean
from bench.cache_model.keys import Content, Key, digest_of
from bench.cache_model.placing import ROOT, Known, owner_of, place
from bench.cache_model.reasons import ARGUMENTS
from bench.cache_model.sources import transfer_of
from bench.cache_model.wildcards import has_wildcards, matches

if TYPE_CHECKING:
    from bench.cache_model.files import Node
    from bench.cache_model.keys import Part
    from bench.cache_model.settling import Line
    from bench.cache_model.sources import Transfer
    from bench.cache_model.walk import StageState
    from bench.workspace.manifest import Entry

_SCOPE = frozenset({"ARG", "ENV", "SHELL", "USER", "WORKDIR"})


class BuildahWalk(ClassicWalk):
    """Settles one build by buildah's rules."""

    def visible_context(self) -> dict[str, Entry]:
        """Return what ``.dockerignore`` leaves: buildah reads the folder itself."""
        hidden = self.build.manifest.sent_although_ignored
        return {path: one for path, one in self.build.manifest.items() if path not in hidden}

    def needed(self) -> frozenset[int]:
        """Return the stages that the target needs (``--skip-unused-stages``, on by default)."""
        return self.dockerfile.reachable(self.build.target, self.build.build_args)

    def step(self, line: Line, state: StageState) -> None:
        """Settle one instruction; see `Walk.step`."""
        instruction = line.instruction
        if instruction.keyword in {"COPY", "ADD"}:
            self._copy(line, state)
            return
        if instruction.keyword in _SCOPE:
            state.scope.apply(instruction)
        parts = self._history_entry(line, state)
        key = Key(
            instruction.keyword,
            parts,
            state.key,
            shown=instruction.text,
            arguments=frozenset(state.scope.args),
        )
        state.key = self.settler.settle(line, key)
        if instruction.keyword == "RUN":
            state.files = state.files.after_run(state.key.exact, line.place)
        elif instruction.keyword == "WORKDIR":
            self.keep_files(state, state.files.with_folder(state.scope.working_dir, ROOT))

    def _history_entry(self, line: Line, state: StageState) -> tuple[Part, ...]:
        if line.instruction.keyword == "ARG":
            return (("names", tuple(sorted(self._values(state)))),)
        text = self._written(line)
        if line.instruction.keyword != "RUN":
            return (("text", text),)
        return (("text", text), (ARGUMENTS, tuple(sorted(self._values(state).items()))))

    def _values(self, state: StageState) -> dict[str, str]:
        """Return the declared ARGs that have a value; an ENV of the same name wins."""
        env = state.scope.env
        values = {name: state.scope.value_of(name) for name in state.scope.args}
        return {name: env.get(name, one) for name, one in values.items() if one is not None}

    def _written(self, line: Line) -> str:
        """Return an instruction as its history entry has it: with its own spaces."""
        instruction = line.instruction
        if line.step < 1 or instruction.line != instruction.end_line:
            return instruction.text
        return self.dockerfile.text.split("\n")[instruction.line - 1].strip()

    def _copy(self, line: Line, state: StageState) -> None:
        instruction = line.instruction
        transfer = transfer_of(self.dockerfile, instruction, state.scope, self.profile)
        context: tuple[Content, ...] = ()
        artefacts: tuple[Content, ...] = ()
        known: Known | None = None
        owner: str = owner_of(transfer.chown) or transfer.chown or ROOT
        if transfer.origin is None:
            known = self._roots(transfer)
            context = (self._copied(known, transfer, state, owner),)
        else:
            files, shown = self.files_of(transfer.origin, line)
            artefacts = tuple(
                Content(one.known, one.symbol, one.entries, shown, one.origin)
                for _, one in files.select(transfer.sources, self.profile)
            )
            owner = transfer.chown or "kept"
        parts: tuple[Part, ...] = (("destination", transfer.destination),)
        if artefacts:
            parts += (("owner", owner), ("mode", transfer.mode_part))
        key = Key(instruction.keyword, parts, state.key, context, artefacts, instruction.text)
        state.key = self.settler.settle(line, key)
        contents = (*context, *artefacts)
        self.keep_files(state, place(state.files, transfer, known, contents, self.profile, None))

    def _roots(self, transfer: Transfer) -> Known:
        roots: list[tuple[str, str]] = []
        for source in transfer.sources:
            path = clean(source)
            if has_wildcards(path):
                found = [one for one in self.context.below("") if matches(path, one)]
            else:
                found = [path]
            if not found or not self.context.exists(self.context.resolve(found[0])):
                raise WillFailError(f"{source} is not in the build context")
            roots += [(self.context.resolve(one), posixpath.basename(one)) for one in found]
        return Known(self.context, tuple(roots))

    def _copied(self, known: Known, transfer: Transfer, state: StageState, owner: str) -> Content:
        """Return the digest of the archive that is written (containers/buildah ``digester.go``).

        The name of a file is in it only where it is copied *into* a folder; a folder's own mode
        is not. Owner and mode count as they are after ``--chown`` and ``--chmod``.
        """
        target = clean(transfer.target)
        named = transfer.into_folder or len(known.roots) > 1 or state.files.is_folder(target)
        parts: list[object] = []
        paths: list[str] = []
        for root, name in known.roots:
            if self.context.is_dir(root):
                below = list(self.context.below(root))
                skip = len(root) + 1 if root else 0
                nodes = [(one[skip:], self.context.nodes[one]) for one in below]
                paths += below
            else:
                nodes = [(name if named else "", self.context.nodes[root])]
                paths.append(root)
            parts.append([(shown, _written_node(node, transfer, owner)) for shown, node in nodes])
        entries = self.entries(paths)
        return Content(digest_of(parts), entries=entries, shown=" ".join(transfer.sources))


def _written_node(node: Node, transfer: Transfer, owner: str) -> Node:
    mode = node.mode if transfer.mode is None or node.type == "symlink" else transfer.mode
    return node._replace(owner=owner, mode=mode)
