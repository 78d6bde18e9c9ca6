"""The Dockerfile of a variant: where it is, its text, and its place in the scratch copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bench.dockerfile import reorder
from bench.errors import DockerfileError
from bench.scenario.models import ArrangedVariant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.scenario.models import Reorder, Variant

DEFAULT_PLACE = "Dockerfile"


class Variants(Protocol):
    """What this module needs of a scenario."""

    @property
    def directory(self) -> Path:
        """The scenario folder."""
        ...

    @property
    def context(self) -> Path:
        """The user's build context."""
        ...

    @property
    def variants(self) -> Sequence[Variant]:
        """All variants; a reorder names another of them."""
        ...


def dockerfile_file(scenario: Variants, variant: Variant) -> Path:
    """Return the file that the variant's Dockerfile is read from.

    A path is looked for in the scenario folder first, then in the context. Of a reordered
    variant it is the file of the variant that it starts from.

    Raises:
        DockerfileError: no such file, or reorders that go round in a circle.

    """
    source = _origin(scenario, variant)
    return _find(scenario, source, source.dockerfile or "")


def _find(scenario: Variants, variant: Variant, relative: str) -> Path:
    for folder in (scenario.directory, scenario.context):
        file = folder / relative
        if _is_file(file):
            return file.parent.resolve() / file.name
    raise DockerfileError(
        f"variant {variant.name!r}: there is no file {relative!r}",
        remedy=f"put it in {scenario.directory} or in the context {scenario.context}",
    )


def dockerfile_place(scenario: Variants, variant: Variant) -> str:
    """Return the Dockerfile's path in the scratch copy, relative to the context.

    Inside the context it keeps its place; from elsewhere it is put at ``Dockerfile``.

    Raises:
        DockerfileError: as `dockerfile_file`.

    """
    file = dockerfile_file(scenario, variant)
    context = scenario.context.resolve()
    return file.relative_to(context).as_posix() if file.is_relative_to(context) else DEFAULT_PLACE


def dockerfile_text(scenario: Variants, variant: Variant) -> str:
    """Return the variant's Dockerfile, read from its file or reordered.

    Raises:
        DockerfileError: the file is missing, is not UTF-8, or cannot be reordered as asked.

    """
    file = dockerfile_file(scenario, variant)
    if isinstance(variant, ArrangedVariant):
        return variant.text
    text = read_text(file)
    for step in reversed(_reorders(scenario, variant)):
        text = reorder(
            text,
            stage=step.stage,
            move=list(step.move),
            before=step.before,
            after=step.after,
            path=str(file),
        )
    return text


def dockerignore_text(scenario: Variants, variant: Variant) -> str | None:
    """Return what the variant has as ``.dockerignore`` in place of the context's own, if anything.

    Raises:
        DockerfileError: the file is missing or is not UTF-8.

    """
    if variant.dockerignore is None:
        return None
    return read_text(_find(scenario, variant, variant.dockerignore))


def read_text(file: Path) -> str:
    """Read a Dockerfile or ignore file.

    Raises:
        DockerfileError: it cannot be read, or is not UTF-8.

    """
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DockerfileError(
            f"{file}: is not UTF-8: {error}", remedy="save it as UTF-8"
        ) from error
    except OSError as error:
        raise DockerfileError(
            f"{file}: cannot be read: {error.strerror}", remedy="make the file readable"
        ) from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, a folder that may not be entered
        return False


def _chain(scenario: Variants, variant: Variant) -> list[Variant]:
    """Return the variant, the one it reorders, and so on to one with a file."""
    by_name = {one.name: one for one in reversed(scenario.variants)}
    chain = [variant]
    while (origin := _made_from(chain[-1])) is not None:
        following = by_name.get(origin)
        if following is None or following in chain:
            problem = "goes round in a circle" if following else f"names no variant: {origin!r}"
            raise DockerfileError(
                f"variant {chain[-1].name!r}: its reorder {problem}",
                remedy="let it start from a variant that has a dockerfile",
            )
        chain.append(following)
    return chain


def _made_from(variant: Variant) -> str | None:
    """Return the variant whose Dockerfile another one begins from."""
    if isinstance(variant, ArrangedVariant):
        return variant.of
    return None if variant.reorder is None else variant.reorder.of


def _origin(scenario: Variants, variant: Variant) -> Variant:
    return _chain(scenario, variant)[-1]


def _reorders(scenario: Variants, variant: Variant) -> list[Reorder]:
    return [one.reorder for one in _chain(scenario, variant) if one.reorder is not None]
