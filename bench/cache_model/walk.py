"""What the models of all builders share: going through the stages, instruction by instruction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError, WillFailError
from bench.cache_model.files import FileTree
from bench.cache_model.inputs import SCRATCH
from bench.cache_model.keys import Key
from bench.cache_model.outcomes import Predicted, Reason, ReasonKind, StepPlace
from bench.cache_model.scope import Scope, global_scope
from bench.cache_model.settling import Line, Settler
from bench.cache_model.stage_files import StageFiles
from bench.dockerfile import GLOBAL_STAGE_INDEX, Stage, copy_sources, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.cache_model.inputs import BaseImage, BuildInput
    from bench.cache_model.profiles import Profile
    from bench.workspace.manifest import Entry


@dataclass
class StageState:
    """A stage while it is gone through: its scope, the key it stands on, and its files.

    ``identity`` stands for its whole definition down to the images it starts from. ``broken`` is
    why nothing more can be said of it.
    """

    scope: Scope
    key: Key | None = None
    identity: str = ""
    files: StageFiles = field(default_factory=StageFiles)
    triggers: list[str] = field(default_factory=list)
    broken: str = ""
    broken_at: StepPlace | None = None


class Walk(ABC):
    """Goes through one build and settles every instruction."""

    def __init__(self, build: BuildInput, profile: Profile, settler: Settler) -> None:
        self.build = build
        self.profile = profile
        self.settler = settler
        self.dockerfile = build.dockerfile
        self.states: dict[int, StageState] = {}
        self.globals: dict[str, str] = {}
        self._images: dict[str, StageState] = {}

    @cached_property
    def with_files(self) -> frozenset[int]:
        """The stages whose files matter: something is copied from them, or from a child of one."""
        stages = self.dockerfile.stages
        references = [one for stage in stages for one in copy_sources(stage)]
        if any("$" in reference for reference in references):
            return frozenset(range(len(stages)))
        found: set[int] = set()
        for stage in reversed(stages):
            for reference in copy_sources(stage):
                source = self.dockerfile.find_stage(reference, before=stage.index)
                if source is not None:
                    found.add(source.index)
        for stage in reversed(stages):
            parent = self.dockerfile.parent(stage, self.globals)
            if stage.index in found and parent is not None:
                found.add(parent.index)
        return frozenset(found)

    def wants_files(self, line: Line) -> bool:
        """Tell whether the files after this step are needed for anything.

        A RUN makes a symbol of everything, so what stands before the last one is not.
        """
        if line.stage.index not in self.with_files:
            return False
        later = line.stage.instructions[max(line.step, 0) :]
        return not any(instruction.keyword == "RUN" for instruction in later)

    def keep_files(self, state: StageState, made: StageFiles) -> None:
        """Take over the files after a step, as they are stored under its key."""
        state.files = made if state.key is None else self.settler.stored(state.key, made)

    @cached_property
    def context(self) -> FileTree:
        """The build context."""
        return FileTree.of_manifest(self.visible_context())

    def entries(self, paths: Iterable[str]) -> dict[str, Entry]:
        """Return the context entries at ``paths``; a folder may be there without one."""
        manifest = self.build.manifest
        return {path: manifest[path] for path in paths if path in manifest}

    @abstractmethod
    def visible_context(self) -> dict[str, Entry]:
        """Return the entries that COPY and ADD can see."""

    @abstractmethod
    def needed(self) -> frozenset[int]:
        """Return the indices of the stages that this builder builds."""

    @abstractmethod
    def step(self, line: Line, state: StageState) -> None:
        """Settle one instruction after FROM.

        Raises:
            NotUnderstoodError: it is beyond the model.
            WillFailError: the builder will refuse it.

        """

    def run(self) -> None:
        """Go through the whole Dockerfile."""
        self._global_args()
        needed = self.needed()
        for stage in self.dockerfile.stages:
            if stage.index in needed:
                self._stage(stage)
            else:
                for line in _lines(stage):
                    self.settler.note(line, Predicted.UNREACHED)

    def _global_args(self) -> None:
        holder = Stage(GLOBAL_STAGE_INDEX, "", "", ())
        for step, instruction in enumerate(self.dockerfile.global_args, start=1):
            self.settler.note(Line(holder, step, instruction), Predicted.CONFIG)
        try:
            self.globals = global_scope(self.build, self.profile)
        except NotUnderstoodError as error:
            self.settler.problems.append(f"the ARGs before the first FROM: {error}")

    def _stage(self, stage: Stage) -> None:
        first, *others = _lines(stage)
        state = self._begin(first)
        self.states[stage.index] = state
        hidden = list(_triggered(state.triggers, stage))
        for line in (*hidden, *others):
            if state.broken:
                self._follow_break(line, state)
                continue
            try:
                self.step(line, state)
            except NotUnderstoodError as error:
                self._break(line, state, str(error))
            except WillFailError as error:
                self._break(line, state, f"{error}: the build will fail here")

    def _break(self, line: Line, state: StageState, why: str) -> None:
        self.settler.refuse(line, why)
        state.broken, state.broken_at = why, line.place

    def _follow_break(self, line: Line, state: StageState) -> None:
        reason = Reason(
            ReasonKind.UNKNOWN,
            f"it follows an unknown step: {state.broken}",
            origin=state.broken_at,
        )
        self.settler.note(line, Predicted.UNKNOWN, reason)

    def _begin(self, line: Line) -> StageState:
        parent = self.dockerfile.parent(line.stage, self.globals)
        if parent is not None:
            self.settler.base(line, None)
            return self._child_of(self.states[parent.index], parent)
        try:
            image = Scope.of_image_name(self.build, self.globals).expand(line.stage.base)
        except NotUnderstoodError as error:
            image, why = "", str(error)
        else:
            why = "its image has no name"
        if not image:
            self.settler.refuse(line, why)
            state = StageState(Scope.of_image_name(self.build, self.globals))
            state.broken, state.broken_at = why, line.place
            return state
        state = self._on_image(image, line)
        self.settler.base(line, state.key)
        return state

    def _on_image(self, image: str, line: Line) -> StageState:
        base = self.build.base(image)
        scope = Scope.of_base(self.build, base, self.globals, self.profile)
        if image == SCRATCH:
            return StageState(scope)
        platform = line.instruction.flag("platform") or ""
        return StageState(
            scope=scope,
            key=image_key(base, platform),
            identity=_image_identity(image, platform),
            files=StageFiles(ground=f"image {base.files} {platform}", origin=line.place),
            triggers=list(base.on_build),
        )

    def _child_of(self, parent: StageState, stage: Stage) -> StageState:
        return StageState(
            scope=parent.scope.of_child(),
            key=parent.key,
            identity=parent.identity,
            files=parent.files,
            triggers=[
                one.text.partition(" ")[2] for one in stage.instructions if one.keyword == "ONBUILD"
            ],
            broken=parent.broken,
            broken_at=parent.broken_at,
        )

    def identity_of(self, reference: str, line: Line) -> str:
        """Return what stands for the definition of a stage or image."""
        stage = self.dockerfile.find_stage(reference, before=line.stage.index)
        if stage is None:
            return _image_identity(reference)
        return self.states[stage.index].identity

    def files_of(self, reference: str, line: Line) -> tuple[StageFiles, str]:
        """Return the files of a stage or image that COPY or a mount names, and what to call it.

        Raises:
            NotUnderstoodError: that stage is beyond the model.

        """
        stage = self.dockerfile.find_stage(reference, before=line.stage.index)
        if stage is None:
            base = self.build.base(reference)
            return StageFiles(ground=f"image {base.files} "), f"the image {base.name}"
        state = self.states[stage.index]
        if state.broken:
            raise NotUnderstoodError(f"stage {stage.label} has an unknown step: {state.broken}")
        return state.files, f"stage {stage.label}"


def _image_identity(image: str, platform: str = "") -> str:
    return f"image {image} {platform}"


def image_key(base: BaseImage, platform: str) -> Key:
    """Return the key of a base image."""
    return Key("FROM", (("image", base.chain), ("platform", platform)), shown=base.name)


def _lines(stage: Stage) -> list[Line]:
    return [
        Line(stage, step, instruction)
        for step, instruction in enumerate(stage.instructions, start=1)
    ]


def _triggered(triggers: Iterable[str], stage: Stage) -> Iterator[Line]:
    """Yield the instructions that the ONBUILDs of a base add right after FROM."""
    texts = list(triggers)
    if not texts:
        return
    parsed = parse("\n".join(["FROM scratch", *texts]), "ONBUILD").stages[0]
    for number, instruction in enumerate(parsed.instructions[1:]):
        yield Line(stage, -number, instruction)
