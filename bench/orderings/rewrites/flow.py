"""A Dockerfile gone through: the state before each instruction, and what each COPY puts where.

Where the builders in question disagree, or something of it is not known, that is said instead.

What COPY makes of folders was tried on Engine 20.10.24 and 28.5.2 with both builders, with context
roots of mode 0700, 0755 and 0775 and without an entry for the root; all gave the same:

* the destination folder itself never takes the mode or owner of the source folder. If it was not
  there it is made with 0755 and the owner of ``--chown`` (root without); if it was, it stays as it
  is, whether WORKDIR, a RUN or another COPY made it (tonistiigi/fsutil ``copy/copy.go``
  prepareTargetDir; moby ``builder/dockerfile/copy_unix.go`` fixPermissions);
* every folder below it ends up with the mode and owner of the source, also where an earlier COPY
  of one file had made it with 0755.

So a COPY of some files of a folder followed by a COPY of the whole folder leaves what the second
COPY alone leaves.
"""

from __future__ import annotations

import contextlib
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.files import FileTree, clean
from bench.cache_model.hashing import BuildKitHash, ClassicHash, MissingSourceError
from bench.cache_model.inputs import SCRATCH
from bench.cache_model.outcomes import StepPlace
from bench.cache_model.profiles import Family
from bench.cache_model.scope import Scope, absolute, global_scope
from bench.cache_model.sources import transfer_of
from bench.dockerfile.model import from_reference
from bench.orderings.rewrites.errors import UnprovableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.cache_model import BuildInput, Profile
    from bench.cache_model.sources import Transfer
    from bench.dockerfile import Instruction, Stage


@dataclass(frozen=True)
class Copied:
    """What one COPY takes from the context.

    ``files`` maps where a file, folder or link lands in the image to where it is in the context;
    the destination folder itself is not among them.
    """

    place: StepPlace
    instruction: Instruction
    transfer: Transfer
    files: Mapping[str, str]


@dataclass(frozen=True)
class Taken:
    """Something that is copied or mounted from a stage by another; ``paths`` may be patterns."""

    place: StepPlace
    paths: tuple[str, ...]


class Flow:
    """One Dockerfile as several builders read it."""

    def __init__(self, build: BuildInput, profiles: Sequence[Profile]) -> None:
        self.build = build
        self.dockerfile = build.dockerfile
        self.tree = FileTree.of_manifest(build.manifest)
        self._readings = [_Reading(build, profile) for profile in profiles]
        self._copied: dict[StepPlace, Copied | UnprovableError] = {}

    def scope(self, place: StepPlace) -> Scope:
        """Return the state before an instruction.

        Raises:
            UnprovableError: it is not known, or the builders differ in it.

        """
        found = [reading.scope(place) for reading in self._readings]
        if len({_seen(scope) for scope in found}) > 1:
            raise UnprovableError("the builders differ in the state in which it is carried out")
        return found[0]

    def scope_after(self, place: StepPlace) -> Scope:
        """Return the state after an instruction that is not the last of its stage.

        Raises:
            UnprovableError: as `scope`.

        """
        return self.scope(StepPlace(place.stage_index, place.step + 1))

    def set_variables(self, place: StepPlace) -> dict[str, str]:
        """Return the ENVs and ARGs before an instruction that the base image did not bring.

        Raises:
            UnprovableError: as `scope`.

        """
        self.scope(place)
        found: dict[str, str] = {}
        for reading in self._readings:
            variables = reading.scope(place).variables
            base = reading.base_env[place.stage_index]
            found |= {name: one for name, one in variables.items() if base.get(name) != one}
        return found

    def copied(self, place: StepPlace) -> Copied:
        """Return what a COPY from the context puts where.

        Raises:
            UnprovableError: it is no such COPY, or that is not known for certain.

        """
        if place not in self._copied:
            try:
                self._copied[place] = self._copy(place)
            except UnprovableError as error:
                self._copied[place] = error
        found = self._copied[place]
        if isinstance(found, UnprovableError):
            raise UnprovableError(str(found))
        return found

    def _copy(self, place: StepPlace) -> Copied:
        instruction = self.instruction(place)
        found: list[Copied] = []
        for reading in self._readings:
            transfer = reading.transfer(place, instruction)
            if transfer.origin is not None or transfer.documents or instruction.keyword != "COPY":
                raise UnprovableError(f"{instruction.keyword} takes not only files of the context")
            files = dict(_landed(transfer, self.tree, reading.profile))
            found.append(Copied(place, instruction, transfer, files))
        if any(one.files != found[0].files for one in found):
            raise UnprovableError("the builders differ in what it copies where")
        return found[0]

    def destination(self, place: StepPlace) -> str:
        """Return where a COPY or ADD goes, as an absolute path.

        Raises:
            UnprovableError: it is not known, or the builders differ in it.

        """
        instruction = self.instruction(place)
        found = {reading.transfer(place, instruction).target for reading in self._readings}
        if len(found) > 1:
            raise UnprovableError("the builders differ in where it copies to")
        return found.pop()

    def sources(self, place: StepPlace) -> tuple[str, ...]:
        """Return the sources of a COPY or ADD from the context, variables filled in.

        Raises:
            UnprovableError: they are not known, or the builders differ in them.

        """
        instruction = self.instruction(place)
        found = {reading.transfer(place, instruction).sources for reading in self._readings}
        if len(found) > 1:
            raise UnprovableError("the builders differ in what it copies")
        return found.pop()

    def copies(self) -> Iterator[Copied]:
        """Yield every COPY from the context of which it is known what it puts where."""
        for stage in self.dockerfile.stages:
            for place, instruction in self.places(stage):
                if instruction.keyword == "COPY" and instruction.flag("from") is None:
                    with contextlib.suppress(UnprovableError):
                        yield self.copied(place)

    def single_file(self, place: StepPlace) -> dict[str, str]:
        """Return where a COPY or ADD of one file of the context puts it; empty if it is no such.

        It may also land below that path, in a folder that the base image has there.
        """
        instruction = self.instruction(place)
        try:
            transfer = self._readings[0].transfer(place, instruction)
        except UnprovableError:
            return {}
        sources = [clean(source) for source in transfer.sources]
        one = self.tree.nodes.get(sources[0]) if len(sources) == 1 else None
        if transfer.origin is not None or one is None or one.type == "dir":
            return {}
        return {transfer.target: sources[0]}

    def instruction(self, place: StepPlace) -> Instruction:
        """Return the instruction at a place."""
        return self.dockerfile.stages[place.stage_index].instructions[place.step - 1]

    def places(self, stage: Stage) -> Iterator[tuple[StepPlace, Instruction]]:
        """Yield the instructions of a stage after FROM."""
        for step, instruction in enumerate(stage.instructions[1:], start=2):
            yield StepPlace(stage.index, step), instruction

    def parent(self, stage: Stage) -> Stage | None:
        """Return the stage that this one starts from, if it is one."""
        return self._readings[0].parent(stage)

    @property
    def target_line(self) -> frozenset[int]:
        """The stages whose files the image is made of: the target, and what it starts from."""
        stage: Stage | None = self.dockerfile.target_stage(self.build.target)
        found: set[int] = set()
        while stage is not None:
            found.add(stage.index)
            stage = self.parent(stage)
        return frozenset(found)

    def children(self, stage: Stage) -> list[Stage]:
        """Return the stages that start from this one."""
        return [one for one in self.dockerfile.stages if self.parent(one) == stage]

    def taken_from(self, stage: Stage) -> list[Taken]:
        """Return what other stages copy or mount from this one.

        Raises:
            UnprovableError: that is not known for certain.

        """
        found: list[Taken] = []
        for other in self.dockerfile.stages[stage.index + 1 :]:
            for place, instruction in self.places(other):
                if self._is_from(instruction, stage, other):
                    scope = self.scope(place)
                    words = [scope.expand(word) for word in instruction.arguments[:-1]]
                    found.append(Taken(place, tuple(absolute("/", word) for word in words)))
                if self._mounts(instruction, stage, other):
                    raise UnprovableError(f"stage {other.label} mounts files of it")
        return found

    def _is_from(self, instruction: Instruction, stage: Stage, other: Stage) -> bool:
        reference = from_reference(instruction)
        if reference is None:
            return False
        if "$" in reference:
            raise UnprovableError(f"COPY --from={reference} may mean any stage")
        return self.dockerfile.find_stage(reference, before=other.index) == stage

    def _mounts(self, instruction: Instruction, stage: Stage, other: Stage) -> bool:
        """Tell whether a RUN mounts something from ``stage``, or from what may be it."""
        for mount in instruction.flag_values("mount"):
            reference = dict(part.partition("=")[::2] for part in mount.split(",")).get("from", "")
            if "$" in reference:
                return True
            if reference and self.dockerfile.find_stage(reference, before=other.index) == stage:
                return True
        return False


class _Reading:
    """The Dockerfile as one builder reads it."""

    def __init__(self, build: BuildInput, profile: Profile) -> None:
        self.build = build
        self.profile = profile
        self.base_env: dict[int, dict[str, str]] = {}
        self._globals: dict[str, str] = {}
        self._scopes: dict[StepPlace, Scope] = {}
        self._unknown: dict[int, tuple[int, str]] = {}
        self._ends: dict[int, Scope] = {}
        try:
            self._globals = global_scope(build, profile)
        except NotUnderstoodError as error:
            self._unknown = {stage.index: (0, str(error)) for stage in build.dockerfile.stages}
            return
        for stage in build.dockerfile.stages:
            self._go_through(stage)

    def parent(self, stage: Stage) -> Stage | None:
        return self.build.dockerfile.parent(stage, self._globals)

    def scope(self, place: StepPlace) -> Scope:
        step, why = self._unknown.get(place.stage_index, (place.step + 1, ""))
        if step <= place.step:
            raise UnprovableError(why)
        return self._scopes[place]

    def transfer(self, place: StepPlace, instruction: Instruction) -> Transfer:
        if instruction.keyword not in {"COPY", "ADD"}:
            raise UnprovableError(f"{instruction.keyword} copies nothing")
        try:
            return transfer_of(self.build.dockerfile, instruction, self.scope(place), self.profile)
        except NotUnderstoodError as error:
            raise UnprovableError(str(error)) from error

    def _go_through(self, stage: Stage) -> None:
        step = 1
        try:
            scope = self._begin(stage)
            for step, instruction in enumerate(stage.instructions[1:], start=2):
                self._scopes[StepPlace(stage.index, step)] = _snapshot(scope)
                scope.apply(instruction)
        except (NotUnderstoodError, UnprovableError) as error:
            self._unknown[stage.index] = step + (step > 1), str(error)
            return
        self._ends[stage.index] = scope

    def _begin(self, stage: Stage) -> Scope:
        parent = self.parent(stage)
        if parent is not None:
            if parent.index not in self._ends:
                raise UnprovableError(self._unknown[parent.index][1])
            if any(one.keyword == "ONBUILD" for one in parent.instructions):
                raise UnprovableError(f"stage {parent.label} adds instructions (ONBUILD)")
            self.base_env[stage.index] = self.base_env[parent.index]
            return self._ends[parent.index].of_child()
        image = Scope.of_image_name(self.build, self._globals).expand(stage.base)
        base = self.build.base(image)
        if base.on_build and image != SCRATCH:
            raise UnprovableError(f"the image {image} adds instructions (ONBUILD)")
        scope = Scope.of_base(self.build, base, self._globals, self.profile)
        self.base_env[stage.index] = dict(scope.env)
        return scope


def _snapshot(scope: Scope) -> Scope:
    return replace(
        scope, env=dict(scope.env), image_env=dict(scope.image_env), args=dict(scope.args)
    )


def _seen(scope: Scope) -> tuple[object, ...]:
    """Return what must be the same for all builders: what RUN, COPY and WORKDIR depend on."""
    variables = tuple(sorted(scope.variables.items()))
    named = tuple(pair for pair in variables if not _is_built_in(pair[0]))
    return posixpath.normpath(scope.working_dir), scope.user, scope.shell, named


def _is_built_in(name: str) -> bool:
    return name == "PATH" or name.startswith(("TARGET", "BUILD"))


def _landed(transfer: Transfer, tree: FileTree, profile: Profile) -> Iterator[tuple[str, str]]:
    """Yield where everything that a COPY takes lands, and where it is in the context."""
    try:
        roots = (
            [one for s in transfer.sources for one in BuildKitHash(tree, profile).select(s).roots]
            if profile.family is Family.BUILDKIT
            else list(ClassicHash(tree).select(transfer.sources).roots)
        )
    except MissingSourceError as error:
        raise UnprovableError(f"there is no {error} in the context") from error
    top = transfer.target.rstrip("/")
    for root, name in roots:
        if tree.is_dir(root):
            for path in tree.below(root):
                rest = path[len(root) + 1 :] if root else path
                yield f"{top}/{rest}", path  # paths of a context are clean
        elif transfer.into_folder or len(roots) > 1:
            yield absolute(transfer.target, name), root
        else:
            raise UnprovableError(f"whether {transfer.target} is a folder is not known")
