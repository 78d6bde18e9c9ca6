"""What a scenario file says: variants, changes, expectations, verdicts, probes and bases."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from bench.changes.change import Change  # noqa: TC001 - pydantic reads it at run time
from bench.changes.fields import Argument, Input, Name, Variable, fault, not_empty

Builder = Literal["classic", "buildkit", "buildx", "buildah", "simulated"]
Metric = Literal[
    "rebuild_seconds",
    "cold_seconds",
    "context_seconds",
    "hits",
    "misses",
    "hit_ratio",
    "image_bytes",
    "new_layer_bytes",
]
DEFAULT_MARGIN = "5%"
DEFAULT_ANCHOR = "WORKDIR"


def _stage(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise fault("is no stage", "write the stage's name, or its index counted from 0")
    return value


def _reference(value: str) -> str:
    stage, colon, text = value.partition(":")
    if not colon or not stage.strip() or not text.strip():
        remedy = 'write "STAGE:TEXT", such as "builder:RUN npm" or "1:COPY"'
        raise fault("is no reference to an instruction", remedy)
    return value


def parse_margin(value: str) -> float:
    """Return a margin such as ``5%`` as a fraction (0.05).

    Raises:
        ValueError: it is no percentage from 0 up to 100, 100 itself excluded.

    """
    match = re.fullmatch(r"\s*(\d{1,2}(?:\.\d{1,6})?)\s*%\s*", value)
    if match is None:
        raise ValueError(f"{value!r} is no percentage")
    return float(match[1]) / 100


def _margin(value: str) -> str:
    try:
        parse_margin(value)
    except ValueError:
        raise fault("is no percentage below 100", 'write it like "5%"') from None
    return value


def _text(value: str) -> str:
    if not value.strip() or "\0" in value:
        raise fault("is no usable text", "write some text without NUL, or leave the key out")
    return value


def _image_path(value: str) -> str:
    parts = value.removesuffix("/.").split("/")
    if not value.startswith("/") or "\0" in value or {".", ".."} & set(parts):
        remedy = 'write a path from the root of the image, such as "/app/package.json"'
        raise fault("is no absolute path", remedy)
    return value


Reference = Annotated[StrictStr, AfterValidator(_reference)]
ImagePath = Annotated[StrictStr, AfterValidator(_image_path)]
Title = Annotated[StrictStr, AfterValidator(_text)]
Stage = Annotated[StrictInt | StrictStr, BeforeValidator(_stage)]
Seconds = Annotated[float, Field(strict=True, gt=0, le=86400)]


class Reorder(Input):
    """A Dockerfile made from another variant's by moving instructions inside one stage."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["before", "after"]}})

    of: StrictStr
    """The variant whose Dockerfile it starts from."""
    stage: Stage
    """The stage's name, or its index counted from 0."""
    move: Annotated[tuple[Title, ...], AfterValidator(not_empty)]
    """The instructions to move, each by its beginning, such as "EXPOSE" or "COPY pom.xml"."""
    before: Title | None = None
    """They are put before the first instruction of the stage that begins with this; "WORKDIR"
    where neither before nor after is given."""
    after: Title | None = None
    """Or: they are put after the last instruction of the stage that begins with this."""

    @model_validator(mode="before")
    @classmethod
    def _default_place(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and raw.get("before") is None and raw.get("after") is None:
            return {**raw, "before": DEFAULT_ANCHOR}
        return raw

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.before is not None and self.after is not None:
            raise fault("has both before and after", "give one of before and after")
        return self


class Variant(Input):
    """One Dockerfile to measure; needs exactly one of ``dockerfile`` and ``reorder``."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["dockerfile"]}, {"required": ["reorder"]}]}
    )

    name: Name
    """Unique in the scenario; used in records and image tags."""
    dockerfile: Title | None = None
    """The Dockerfile's path, relative to the scenario folder or else inside the context."""
    reorder: Reorder | None = None
    """How to make it from another variant's Dockerfile."""
    dockerignore: Title | None = None
    """The path of a file to use as the context's ``.dockerignore``, relative to the scenario
    folder or else inside the context; the context's own where it is left out."""
    target: Title | None = None
    """The stage to build, in place of the last."""
    build_args: dict[Variable, Argument] = Field(default_factory=dict)
    """Build arguments of every build."""
    title: Title | None = None
    """What reports call it, in place of the name."""


class ArrangedVariant(Variant):
    """A variant that no file holds: another one's instructions in another order."""

    of: StrictStr
    """The variant that it was made from, at whose place its Dockerfile stands."""
    text: StrictStr
    """Its Dockerfile."""


class Expect(Input):
    """The steps that must hit and miss after a change; checked on every run.

    ``miss`` alone is exact: those miss, every other scored step hits; ``miss = []`` alone says
    that everything hits. ``hit`` alone is exact the other way round. With both, only the steps
    named are checked.
    """

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["miss"]}, {"required": ["hit"]}]}
    )

    variant: StrictStr
    """The variant's name."""
    change: StrictStr
    """The change's name."""
    builder: Builder | None = None
    """The builder it holds for; every builder where it is left out."""
    miss: tuple[Reference, ...] | None = None
    """References to the steps that miss."""
    hit: tuple[Reference, ...] | None = None
    """References to the steps that hit."""


class Verdict(Input):
    """A question put to the data: is one variant better than another by more than a margin."""

    ask: Title
    """The question in words."""
    variant: StrictStr
    """The variant that is judged."""
    against: StrictStr | None = None
    """The variant it is compared with; the baseline where it is left out."""
    change: StrictStr
    """The change whose rebuilds are compared."""
    builder: Builder | None = None
    """The builder to judge; each one apart where it is left out."""
    metric: Metric = "rebuild_seconds"
    """What is compared."""
    margin: Annotated[StrictStr, AfterValidator(_margin)] = DEFAULT_MARGIN
    """A difference smaller than this percentage is no practical difference."""

    @property
    def margin_fraction(self) -> float:
        """The margin as a fraction of the baseline: 0.05 for 5%."""
        return parse_margin(self.margin)


class Probe(Input):
    """What the built image does when it runs."""

    name: Name | None = None
    """What records call it."""
    title: Title | None = None
    """What reports call it."""
    variant: StrictStr
    """The variant whose image is run."""
    run: tuple[Argument, ...] = ()
    """The arguments after the image's name: they take the place of CMD."""
    entrypoint: tuple[Argument, ...] | None = None
    """Takes the place of the image's ENTRYPOINT."""
    env: dict[Variable, Argument] = Field(default_factory=dict)
    """Environment variables of the container."""
    network: Title = "none"
    """The container's network mode."""
    timeout: Seconds = 30.0
    """Seconds after which the container is ended and the probe has failed."""
    expect_stdout: StrictStr | None = None
    """What it prints, without the line breaks at the end."""
    expect_exit: Annotated[int, Field(strict=True, ge=0, le=255)] = 0
    """Its exit status."""


class AccessSpec(Input):
    """The files that a RUN reads and writes, or that a COPY or ADD writes.

    `bench` holds a RUN for one that reads and writes anything, so nothing that touches files can
    be moved across it. What is declared here is believed.
    """

    variant: StrictStr | None = None
    """The variant it is about; every variant with such a step where it is left out."""
    step: Reference
    """A reference to the RUN, COPY or ADD, such as "builder:RUN npm ci"."""
    reads: tuple[ImagePath, ...] | None = None
    """Files and folders that other instructions may put there and it looks at, whether they are
    there or not; a folder that it lists is one."""
    writes: tuple[ImagePath, ...] | None = None
    """Files and folders that it makes, changes or removes."""


class BaseSpec(Input):
    """Where a base image comes from when it is not simply had by its name."""

    standin: Name | None = None
    """The recipe of a stand-in, used where the image is neither local nor can be pulled."""
    image: Title | None = None
    """Another image to use in its place."""


class ScenarioFile(Input):
    """A scenario: Dockerfile variants, the changes between builds, and what is asked."""

    model_config = ConfigDict(title="scenario.toml")

    title: Title | None = None
    """What reports call it; the folder's name where it is left out."""
    question: StrictStr = ""
    """The question that the scenario answers."""
    title_i18n: dict[StrictStr, Title] = Field(default_factory=dict)
    """The title in other languages, by language code."""
    question_i18n: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    """The question in other languages, by language code."""
    context: Title
    """The build context's folder, relative to the scenario folder; it is never written."""
    baseline: StrictStr | None = None
    """The variant that the others are compared with; the first where it is left out."""
    network: Title = "none"
    """The network mode of RUN in every build."""
    variant: Annotated[tuple[Variant, ...], AfterValidator(not_empty)]
    """The Dockerfiles to measure."""
    change: tuple[Change, ...] = ()
    """The changes between builds."""
    expect: tuple[Expect, ...] = ()
    """The hits and misses to expect."""
    verdict: tuple[Verdict, ...] = ()
    """The questions put to the data."""
    probe: tuple[Probe, ...] = ()
    """What the built images do when they run."""
    access: tuple[AccessSpec, ...] = ()
    """The files that steps read and write."""
    base: dict[StrictStr, BaseSpec] = Field(default_factory=dict)
    """Where base images come from, by the name in FROM."""


class Scenario(Input):
    """A scenario that was read and found right, with its paths made absolute."""

    name: str
    directory: Path
    file: Path
    title: str
    question: str = ""
    title_i18n: dict[str, str] = Field(default_factory=dict)
    question_i18n: dict[str, str] = Field(default_factory=dict)
    context: Path
    baseline: str
    network: str = "none"
    variants: tuple[Variant, ...]
    changes: tuple[Change, ...] = ()
    expects: tuple[Expect, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    probes: tuple[Probe, ...] = ()
    accesses: tuple[AccessSpec, ...] = ()
    bases: dict[str, BaseSpec] = Field(default_factory=dict)
    orderings: dict[str, Any] | None = None
    """What is recorded of the generated variants, where there are any."""

    def variant(self, name: str) -> Variant:
        """Return the variant of that name.

        Raises:
            KeyError: there is none.

        """
        return {one.name: one for one in self.variants}[name]

    def change(self, name: str) -> Change:
        """Return the change of that name.

        Raises:
            KeyError: there is none.

        """
        return {one.name: one for one in self.changes}[name]

    def title_in(self, language: str) -> str:
        """Return the title in ``language``, or as it is."""
        return self.title_i18n.get(language, self.title)

    def question_in(self, language: str) -> str:
        """Return the question in ``language``, or as it is."""
        return self.question_i18n.get(language, self.question)
