"""What a scenario says about its Dockerfiles and its context, checked against the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.changes.nearest import suggestion
from bench.changes.operations import Base, BuildArg
from bench.dockerfile import Dockerfile, external_images, matches, parse
from bench.errors import DockerfileError
from bench.scenario.dockerfiles import dockerfile_text, dockerignore_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.dockerfile import Instruction, Stage
    from bench.scenario.draft import Draft, Entry
    from bench.scenario.models import AccessSpec, Expect, Variant
    from bench.scenario.problems import Location

PREDEFINED_ARGS = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
) | {"SOURCE_DATE_EPOCH"}
"""Build arguments that need no ARG (docs.docker.com: predefined ARGs)."""


def check_context(draft: Draft) -> bool:
    """Report a context that is not there; tell whether its files can be looked at."""
    written = draft.raw.get("context")
    if not isinstance(written, str) or not written.strip() or "\0" in written:
        return False
    try:
        if draft.context.is_dir():
            return True
        kind = "is no folder" if draft.context.exists() else "does not exist"
    except OSError as error:
        kind = f"cannot be looked at: {error.strerror}"
    remedy = f"give a folder, relative to {draft.directory}"
    draft.report(("context",), written, kind, remedy)
    return False


def check_dockerfiles(draft: Draft) -> dict[str, Dockerfile]:
    """Report Dockerfiles that are missing or do not parse; return the others by variant name."""
    parsed: dict[str, Dockerfile] = {}
    waiting = []
    for entry in draft.variant_entries:
        given = {"dockerfile", "reorder"} & entry.raw.keys()
        if given == {"dockerfile"} and entry.value.dockerfile is not None:
            _read(draft, entry, "dockerfile", parsed)
        elif given == {"reorder"} and entry.value.reorder is not None:
            waiting.append(entry)
    # A variant made from a broken one is not reported again.
    while ready := [entry for entry in waiting if _source(entry) in parsed]:
        waiting = [entry for entry in waiting if entry not in ready]
        for entry in ready:
            _read(draft, entry, "reorder", parsed)
    for entry in waiting:
        if _goes_round(draft, entry):
            message, remedy = "goes round in a circle", "start from a variant with a dockerfile"
            draft.report((*entry.location, "reorder", "of"), _source(entry), message, remedy)
    return parsed


def _source(entry: Entry[Variant]) -> str | None:
    return entry.value.reorder.of if entry.value.reorder is not None else None


def _goes_round(draft: Draft, entry: Entry[Variant]) -> bool:
    sources = {one.name: _source(one) for one in draft.variant_entries}
    name = _source(entry)
    for _ in sources:
        if name is None or name == entry.name:
            break
        name = sources.get(name)
    return name is not None and name == entry.name


def _read(draft: Draft, entry: Entry[Variant], key: str, parsed: dict[str, Dockerfile]) -> None:
    try:
        text = dockerfile_text(draft, entry.value)
        found = parse(text, entry.value.dockerfile or f"variant {entry.name!r}")
    except DockerfileError as error:
        draft.report((*entry.location, key), entry.raw[key], error.message, error.remedy)
        return
    _check_target(draft, entry, found)
    _check_args(draft, entry, found)
    _check_dockerignore(draft, entry)
    if entry.name is not None:
        parsed[entry.name] = found


def _check_target(draft: Draft, entry: Entry[Variant], dockerfile: Dockerfile) -> None:
    target = entry.value.target
    if target is not None and dockerfile.find_stage(target) is None:
        remedy = suggestion(target, _labels(dockerfile), "stages")
        draft.report((*entry.location, "target"), target, "is no stage of the Dockerfile", remedy)


def _check_dockerignore(draft: Draft, entry: Entry[Variant]) -> None:
    try:
        dockerignore_text(draft, entry.value)
    except DockerfileError as error:
        location = (*entry.location, "dockerignore")
        draft.report(location, entry.value.dockerignore, error.message, error.remedy)


def _check_args(draft: Draft, entry: Entry[Variant], dockerfile: Dockerfile) -> None:
    for name, value in (entry.value.build_args or {}).items():
        _check_arg(draft, (*entry.location, "build_args", name), name, value, [dockerfile])


def _check_arg(
    draft: Draft, location: Location, name: str, value: str, dockerfiles: Iterable[Dockerfile]
) -> None:
    declared = {arg for dockerfile in dockerfiles for arg in declared_args(dockerfile)}
    if name in declared or name in PREDEFINED_ARGS or name.startswith("BUILDKIT_"):
        return
    remedy = suggestion(name, sorted(declared), "declared ARGs")
    draft.report(location, value, f"no Dockerfile declares ARG {name}", remedy)


def declared_args(dockerfile: Dockerfile) -> set[str]:
    """Return the name of every ARG of the Dockerfile."""
    instructions = list(dockerfile.global_args)
    instructions += [one for stage in dockerfile.stages for one in stage.instructions]
    return {
        argument.partition("=")[0]
        for one in instructions
        if one.keyword == "ARG"
        for argument in one.arguments
    }


def _labels(dockerfile: Dockerfile) -> list[str]:
    return [stage.label for stage in dockerfile.stages]


def check_expected_steps(draft: Draft, parsed: Mapping[str, Dockerfile]) -> None:
    """Report references of expectations that match no instruction of the variant."""
    for entry in draft.expects:
        dockerfile = parsed.get(entry.value.variant or "")
        if dockerfile is not None:
            _check_steps(draft, entry, dockerfile)


def _check_steps(draft: Draft, entry: Entry[Expect], dockerfile: Dockerfile) -> None:
    for key in ("miss", "hit"):
        listed = entry.raw.get(key)
        for index, reference in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(reference, str):
                _check_step(draft, (*entry.location, key, index), reference, dockerfile)


def _check_step(draft: Draft, location: Location, reference: str, dockerfile: Dockerfile) -> None:
    label, text = _split(reference)
    if not label or not text:
        return  # no reference at all: reported by the schema
    stage = dockerfile.find_stage(label)
    if stage is None:
        remedy = suggestion(label, _labels(dockerfile), "stages")
        draft.report(location, reference, "names no stage of the Dockerfile", remedy)
    elif not _referred(reference, dockerfile):
        remedy = suggestion(text, _texts(stage), "instructions")  # FROM is never scored
        draft.report(location, reference, f"matches no instruction of stage {stage.label}", remedy)


def _split(reference: str) -> tuple[str, str]:
    label, _, text = reference.partition(":")
    return label.strip(), text.strip()


def _referred(reference: str, dockerfile: Dockerfile) -> list[Instruction]:
    """Return the instructions that a reference means, none where it means no stage."""
    label, text = _split(reference)
    stage = dockerfile.find_stage(label) if label else None
    return [one for one in stage.instructions[1:] if matches(one, text)] if stage else []


def check_accessed_steps(draft: Draft, parsed: Mapping[str, Dockerfile]) -> None:
    """Report declared files of steps that are in no Dockerfile or of a kind that has none.

    A declaration without a variant is right where one of them has the step.
    """
    for entry in draft.accesses:
        reference = entry.raw.get("step")
        wanted = entry.value.variant
        dockerfiles = [one for name, one in parsed.items() if wanted in {None, name}]
        if not isinstance(reference, str) or not dockerfiles:
            continue
        location = (*entry.location, "step")
        referred = [one for file in dockerfiles for one in _referred(reference, file)]
        if not referred:
            _check_step(draft, location, reference, dockerfiles[0])
        for keyword in dict.fromkeys(one.keyword for one in referred):
            _check_accessed(draft, entry, keyword)


def _check_accessed(draft: Draft, entry: Entry[AccessSpec], keyword: str) -> None:
    reference = entry.raw["step"]
    if keyword not in {"RUN", "COPY", "ADD"}:
        remedy = "name a RUN, COPY or ADD"
        draft.report((*entry.location, "step"), reference, "touches no files", remedy)
        return
    needed = {"reads", "writes"} if keyword == "RUN" else {"writes"}
    for key in sorted(needed - entry.raw.keys()):
        remedy = f'add {key} = ["/PATH"], or {key} = [] if there are none'
        draft.report(entry.location, reference, f"does not say what the {keyword} {key}", remedy)


def _texts(stage: Stage) -> list[str]:
    return [instruction.text for instruction in stage.instructions[1:]]


def check_images_and_args(draft: Draft, parsed: Mapping[str, Dockerfile]) -> None:
    """Report ``base`` and ``build_arg`` operations that no Dockerfile would notice."""
    if not parsed or len(parsed) < len(draft.variant_entries):
        return
    images = {image for name, one in parsed.items() for image in _images(draft, name, one)}
    for step in (step for steps in draft.steps for step in steps):
        if isinstance(step.value, Base) and step.value.image not in images:
            remedy = suggestion(step.value.image, sorted(images), "base images")
            draft.report(step.location, step.value.image, "no FROM names this image", remedy)
        if isinstance(step.value, BuildArg):
            _check_arg(draft, step.location, step.value.name, step.value.name, parsed.values())


def _images(draft: Draft, name: str, dockerfile: Dockerfile) -> set[str]:
    arguments = {one.name: one.build_args or {} for one in draft.variants}.get(name)
    try:
        uses = external_images(dockerfile, arguments)
    except DockerfileError:
        return set()  # a FROM that a build argument names: the runner says so
    return {use.image for use in uses} | {use.raw for use in uses}
