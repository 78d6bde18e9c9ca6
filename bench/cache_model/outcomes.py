"""What the model says of each step: an outcome, and the reason for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.keys import Key
    from bench.cache_model.stage_files import StageFiles


class Predicted(StrEnum):
    """What a builder will do with one instruction. The values are those of recorded steps."""

    HIT = "hit"
    MISS = "miss"
    DEPENDS = "depends"
    """An artefact of a RUN (or of a changed base) decides: equal bytes hit, others miss."""
    BASE = "base"
    """FROM: no builder looks it up in the build cache."""
    CONFIG = "config"
    """The instruction makes no vertex (BuildKit) or no image (classic, an ARG before FROM)."""
    MERGED = "merged"
    """Done once together with an equal step of another stage (BuildKit); see `Decision.group`."""
    UNREACHED = "unreached"
    """The stage is not needed for the target."""
    UNKNOWN = "unknown"
    """The model does not understand this instruction, or one it stands on."""


class ReasonKind(StrEnum):
    """The root cause of a miss, or of an outcome that is not known."""

    FIRST_BUILD = "first-build"
    """Nothing like it was built on this before."""
    FILE_CONTENT = "file-content"
    FILE_MODE = "file-mode"
    FILE_OWNER = "file-owner"
    FILE_TYPE = "file-type"
    FILE_ADDED = "file-added"
    FILE_REMOVED = "file-removed"
    INSTRUCTION_TEXT = "instruction-text"
    """The instruction, or an ENV, USER, SHELL or WORKDIR that it is built with, reads otherwise."""
    BUILD_ARG = "build-arg"
    BASE_IMAGE = "base-image"
    ARTEFACT_CHANGED = "artefact-changed"
    """What another stage or image holds at the copied path differs, or may differ."""
    PARENT_MISSED = "parent-missed"
    """It stands on a step that missed; `Reason.origin` is the one that began it."""
    EVICTED = "evicted"
    """It was built before, and the engine did not have it any more."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class StepPlace:
    """One instruction: its stage's index, and its place there from 1 (FROM is 1)."""

    stage_index: int
    step: int


@dataclass(frozen=True)
class Reason:
    """Why a step misses, or why it cannot be told.

    ``detail`` is a sentence fragment for people that names the very paths, names and values;
    ``paths`` are the paths of the build context in it, ``names`` the build arguments or variables.
    ``origin`` is the step that began a chain of misses. ``inferred`` says that the model found
    it, not the engine.
    """

    kind: ReasonKind
    detail: str
    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    origin: StepPlace | None = None
    inferred: bool = True


@dataclass(frozen=True)
class Decision:
    """The model's word on one instruction; the fields up to ``text`` are those of a `Step`.

    Steps of one ``group`` share one cache key inside this build: exactly one of them is shown
    with the outcome, the others as merged or as hits, and which one is left to the builder.
    """

    stage: str
    stage_index: int
    step: int
    line: int
    instruction: str
    text: str
    outcome: Predicted
    reason: Reason | None = None
    group: int | None = None

    @property
    def place(self) -> StepPlace:
        """Where the instruction stands."""
        return StepPlace(self.stage_index, self.step)


@dataclass(frozen=True)
class Prediction:
    """What one build will do, instruction by instruction, in the Dockerfile's order.

    ``problems`` names what the model did not understand, with line and instruction. ``keys`` are
    the cache keys the builder would use, by place, hidden steps (triggers of a base) under step 0
    and below; ``files`` are those that stand behind a key; ``aliases`` and ``distinct`` are what
    was learnt of artefacts from the outcomes of a real build. `History.add` takes them in.
    """

    profile: str
    decisions: tuple[Decision, ...]
    problems: tuple[str, ...] = ()
    keys: Mapping[StepPlace, Key] = field(default_factory=dict, repr=False)
    aliases: Mapping[str, Key] = field(default_factory=dict, repr=False)
    distinct: frozenset[frozenset[str]] = field(default=frozenset(), repr=False)
    files: Mapping[str, StageFiles] = field(default_factory=dict, repr=False)

    def at(self, place: StepPlace) -> Decision:
        """Return the decision on one instruction.

        Raises:
            KeyError: there is no such instruction.

        """
        for decision in self.decisions:
            if decision.place == place:
                return decision
        raise KeyError(place)
