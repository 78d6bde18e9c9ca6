"""One (variant, builder) of a run: its scratch copy, its isolated cache, its builds."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.builders.classic import ClassicBuilder
from bench.builders.images import new_layer_bytes
from bench.builders.names import rules_of
from bench.builders.protocol import BuildOutcome, BuildRequest
from bench.changes import ChangeIds, SourceState, apply_change
from bench.dockerfile import parse
from bench.errors import ChangeError, DockerfileError
from bench.journal import BuildRecord
from bench.runner.plan import Phase
from bench.runner.predictions import PredictionCheck
from bench.scenario import dockerfile_place
from bench.workspace import ClientRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bench.bases.isolation import SaltedDockerfile
    from bench.builders.images import ImageFacts
    from bench.builders.protocol import Build, Step
    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile
    from bench.runner.plan import PlannedBuild
    from bench.runner.site import Workbench
    from bench.scenario import Scenario, Variant
    from bench.workspace import Manifest, Workspace

_FIRST_PORT = 1025
_PORTS = 65000 - _FIRST_PORT


@dataclass
class Trial:
    """Makes the builds of one variant on one builder.

    The scratch copy is pristine between builds. ``attempt`` counts how often the run was resumed:
    a new attempt builds on new salts, since the old ones may hold half of an interrupted build.
    ``profile`` are the rules by which every build is predicted; ``note`` is told where that fails.
    """

    run: str
    scenario: Scenario
    variant: Variant
    builder: str
    workbench: Workbench
    workspace: Workspace
    profile: Profile
    timeout_seconds: float
    note: Callable[[str], None]
    attempt: int = 0
    _salts: int = 0
    _primed: bool = field(default=False, init=False)
    _last_image: ImageFacts | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._check = PredictionCheck(self.profile, self.note)

    @property
    def primed(self) -> bool:
        """Whether the pristine tree was built on the salt in use."""
        return self._primed

    def build(self, planned: PlannedBuild) -> BuildRecord:
        """Make one build of the plan and return its record; the scratch copy is pristine after.

        Raises:
            ChangeError: the change cannot be applied, or changes nothing.
            EngineLostError: the engine went away.

        """
        self._begin(planned)
        try:
            return self._build(planned)
        finally:
            self.workspace.reset()

    def _begin(self, planned: PlannedBuild) -> None:
        """Begin a new cache where the plan says so."""
        if planned.fresh or self._salts == 0:
            self._salts += 1
            self._primed = False
            self._last_image = None
            self._check = PredictionCheck(self.profile, self.note)

    def _build(self, planned: PlannedBuild) -> BuildRecord:
        pristine = self.workspace.manifest(self._client_rule)
        state, dockerfile = changed_state(self.scenario, self.workspace, planned, self.run)
        return self._made(planned, state, dockerfile, pristine)

    def _made(
        self,
        planned: PlannedBuild,
        state: SourceState,
        dockerfile: Dockerfile,
        before: Manifest,
    ) -> BuildRecord:
        """Build the scratch copy as it is; ``before`` is what the build before it was sent."""
        salted = self.workbench.salted(dockerfile, self._salt, state.build_args, state.base_layers)
        context = self.workspace.pack(
            replace={state.dockerfile: salted.dockerfile.text.encode()}, client=self._client_rule
        )
        manifest = self.workspace.manifest(self._client_rule)
        request = BuildRequest(
            context=context,
            dockerfile=salted.dockerfile,
            dockerfile_path=state.dockerfile,
            tag=self.workbench.tag(self._salt, self.variant.name, self.builder),
            build_args=state.build_args,
            target=self.variant.target,
            network=self.scenario.network,
            timeout_seconds=self.timeout_seconds,
            base_images=salted.base_images,
        )
        # Before the build, and outside of every time that is measured.
        forecast = self._check.forecast(request, manifest, salted)
        started_at = dt.datetime.now(dt.UTC)
        try:
            build, noise = self.workbench.build(planned, request)
        finally:
            context.path.unlink(missing_ok=True)
        build = dataclasses.replace(build, steps=tuple(with_texts_of(dockerfile, build.steps)))
        checked = self._check.check(forecast, build)
        image, pushed = self._image(build, salted)
        return dataclasses.replace(
            self._unmade(planned, started_at),
            outcome=build.outcome,
            wall_seconds=build.wall_seconds,
            context_seconds=context.seconds,
            context_bytes=context.size,
            hits=build.hits,
            misses=build.misses,
            image_id=build.image_id,
            image_bytes=None if image is None else image.bytes,
            new_layer_bytes=pushed,
            steps=checked.steps,
            stages=build.stages,
            noise=noise,
            changed_paths=tuple(sorted(manifest.diff(before).paths)),
            error=build.error,
            log_tail=build.log_tail,
            disagreements=checked.disagreements,
        )

    def _unmade(self, planned: PlannedBuild, started_at: dt.datetime) -> BuildRecord:
        """Return the record of a build of which nothing is known but what was planned."""
        return BuildRecord(
            run=self.run,
            build=planned.number,
            scenario=self.scenario.name,
            variant=planned.variant,
            builder=planned.builder,
            round=planned.round,
            position=planned.position,
            phase=planned.phase.value,
            change=planned.change,
            outcome=BuildOutcome.FAILED,
            wall_seconds=0.0,
            context_seconds=0.0,
            context_bytes=0,
            hits=0,
            misses=0,
            image_id=None,
            image_bytes=None,
            new_layer_bytes=None,
            started_at=started_at.isoformat(timespec="milliseconds"),
        )

    @property
    def _client_rule(self) -> ClientRule:
        classic = rules_of(self.builder) == ClassicBuilder.name
        return ClientRule.CLASSIC if classic else ClientRule.BUILDKIT

    @property
    def _salt(self) -> str:
        words = (self.run, self.variant.name, self.builder, self.attempt, self._salts)
        return hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()[:16]

    def _image(
        self, build: Build, salted: SaltedDockerfile
    ) -> tuple[ImageFacts | None, int | None]:
        """Look the built image up, and what pushing it after the pristine one would move."""
        if build.outcome is not BuildOutcome.OK or build.image_id is None:
            return None, None
        self._primed = True
        image = self.workbench.image(build.image_id)
        if image is None:
            return None, None
        before = self._last_image
        known = salted.base_layers if before is None else {*before.layers, *salted.base_layers}
        if before is None:
            self._last_image = image
        return image, new_layer_bytes(image, known)


def changed_state(
    scenario: Scenario, workspace: Workspace, planned: PlannedBuild, run: str
) -> tuple[SourceState, Dockerfile]:
    """Apply the planned change, if any, to the scratch copy; return what there is to build.

    Raises:
        ChangeError: the change cannot be applied, changes nothing, or breaks the Dockerfile.

    """
    variant = scenario.variant(planned.variant)
    state = SourceState(
        root=workspace.root,
        dockerfile=dockerfile_place(scenario, variant),
        source=scenario.context,
        pristine=workspace.pristine,
        scenario=scenario.directory,
        build_args=dict(variant.build_args),
    )
    if planned.phase is Phase.CHANGE:
        apply_change(scenario.change(planned.change), state, change_ids(run, planned))
    path = state.root / state.dockerfile
    try:
        return state, parse(path.read_text(), f"{planned.variant}/{state.dockerfile}")
    except (DockerfileError, UnicodeDecodeError, OSError) as error:
        if planned.phase is not Phase.CHANGE:
            raise
        raise ChangeError(
            f"change {planned.change!r} breaks the Dockerfile: {error}",
            remedy="mend the change's steps in scenario.toml",
        ) from error


def with_texts_of(dockerfile: Dockerfile, steps: Iterable[Step]) -> Iterable[Step]:
    """Yield the steps with the instructions as the user wrote them, without salted image names."""
    texts = {
        (stage.index, number): instruction.text
        for stage in dockerfile.stages
        for number, instruction in enumerate(stage.instructions, start=1)
    }
    for step in steps:
        yield dataclasses.replace(step, text=texts.get((step.stage_index, step.step), step.text))


def change_ids(run: str, planned: PlannedBuild) -> ChangeIds:
    """Return what fills a change's placeholders in one build: never the same twice in a run."""
    words = (run, planned.variant, planned.builder, planned.change, planned.round)
    digest = hashlib.sha256("\0".join(map(str, words)).encode()).hexdigest()
    return ChangeIds(
        id=digest[:12],
        port=_FIRST_PORT + planned.number % _PORTS,
        n=planned.number,
        round=planned.round,
    )
