"""One Dockerfile on one builder of a replay: its commits, one after the other, on one cache."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.builders.images import new_layer_bytes
from bench.builders.protocol import BuildOutcome
from bench.changes import SourceState
from bench.dockerfile import parse
from bench.errors import BenchError, EngineLostError
from bench.runner.plan import NO_ROUND, Phase
from bench.runner.trial import Trial

if TYPE_CHECKING:
    from bench.bases.isolation import SaltedDockerfile
    from bench.builders.images import ImageFacts
    from bench.builders.protocol import Build
    from bench.dockerfile import Dockerfile
    from bench.journal import BuildRecord
    from bench.replaying.source import Recipe, ReplaySource
    from bench.replaying.tree import CommitTree
    from bench.runner.plan import PlannedBuild
    from bench.workspace import Manifest


@dataclass
class ReplayTrial(Trial):
    """Builds the commits of one variant on one builder; nothing is put back between them.

    A commit that cannot be built, for whatever reason, is a failed record, and the next one is
    built on what there is.
    """

    source: ReplaySource = field(kw_only=True)
    recipe: Recipe = field(kw_only=True)
    tree: CommitTree = field(kw_only=True)
    _before: Manifest | None = field(default=None, init=False)
    _pushed: frozenset[str] = field(default=frozenset(), init=False)

    def build(self, planned: PlannedBuild) -> BuildRecord:
        """Check the planned commit out and build it; return the record.

        Until one commit was built, every build is a cold one: nothing was there to hit.

        Raises:
            EngineLostError: the engine went away.

        """
        self._begin(planned)
        if planned.phase is Phase.CHANGE and not self.primed:
            planned = dataclasses.replace(planned, phase=Phase.COLD, round=NO_ROUND)
        try:
            return self._build(planned)
        except EngineLostError:
            raise
        except (BenchError, OSError) as error:
            said = error.message if isinstance(error, BenchError) else str(error)
            return self._failed(planned, said)

    def _begin(self, planned: PlannedBuild) -> None:
        if planned.fresh:
            self._before = None
            self._pushed = frozenset()
        super()._begin(planned)

    def _build(self, planned: PlannedBuild) -> BuildRecord:
        step = self.source.by_change[planned.change]
        text = self.source.dockerfile(self.recipe, step)
        if text is None:
            return self._failed(planned, f"{self.recipe.tracked} is not in this commit")
        dockerfile = parse(text, f"{self.recipe.title} at {step.title}")
        if not _has_stage(dockerfile, self.variant.target):
            return self._failed(planned, f"there is no stage {self.variant.target} in this commit")
        self.tree.check_out(step, text)
        state = SourceState(
            root=self.workspace.root,
            dockerfile=self.recipe.place,
            source=self.scenario.context,
            build_args=dict(self.variant.build_args),
        )
        now = self.workspace.manifest(self._client_rule)
        before, self._before = self._before, now
        return self._made(planned, state, dockerfile, now if before is None else before)

    def _image(
        self, build: Build, salted: SaltedDockerfile
    ) -> tuple[ImageFacts | None, int | None]:
        """Look the image up, and what pushing it after all those before it would move."""
        if build.outcome is not BuildOutcome.OK or build.image_id is None:
            return None, None
        self._primed = True
        image = self.workbench.image(build.image_id)
        if image is None:
            return None, None
        pushed = new_layer_bytes(image, self._pushed | salted.base_layers)
        self._pushed |= frozenset(image.layers)
        return image, pushed

    def _failed(self, planned: PlannedBuild, error: str) -> BuildRecord:
        """Return the record of a build that could not even be begun."""
        return dataclasses.replace(self._unmade(planned, dt.datetime.now(dt.UTC)), error=error)


def _has_stage(dockerfile: Dockerfile, target: str | None) -> bool:
    try:
        dockerfile.target_stage(target)
    except KeyError:
        return False
    return True
