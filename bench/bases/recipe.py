"""The stand-in recipes that come with the package: what each is for, and the tag it gets."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.errors import BaseImageError

RECIPES = Path(__file__).with_name("recipes")
REPOSITORY = "cachebench/standin-"
"""Stand-ins never get a name of the user's; a tag is this, the recipe's name and its hash."""
INSTALL_SCRIPT = "install.sh"
_HASH_LENGTH = 12


@dataclass(frozen=True)
class Recipe:
    """How one stand-in is made, as its ``recipe.toml`` and the files beside it say.

    ``make`` is ``debootstrap``, ``busybox`` or ``packages`` (``packages.txt`` installed into the
    ``parent`` stand-in, then the Dockerfile); ``context`` names what is put into the Dockerfile's
    context beside the folder's files (``npm``, ``wheels`` or nothing). ``stands_for`` are the
    images it is used for without being asked. ``revision`` is raised when the code that makes it
    changes what comes out, since the tag is the hash of the files alone.
    """

    name: str
    folder: Path
    summary: str
    make: str
    stands_for: tuple[str, ...] = ()
    parent: str | None = None
    context: str | None = None
    revision: int = 1

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files of the recipe, sorted by path."""
        return tuple(sorted(path for path in self.folder.rglob("*") if path.is_file()))

    @cached_property
    def packages(self) -> tuple[str, ...]:
        """The distribution packages that are installed."""
        return tuple((self.folder / "packages.txt").read_text().split())

    @cached_property
    def digest(self) -> str:
        """Twelve hexadecimal digits that change with any file of the recipe or of its parents."""
        digest = hashlib.sha256()
        if self.parent is not None:
            digest.update(load_recipe(self.parent, self.folder.parent).digest.encode())
            digest.update((self.folder.parent / INSTALL_SCRIPT).read_bytes())
        for path in self.files:
            content = path.read_bytes()
            name = path.relative_to(self.folder).as_posix()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:_HASH_LENGTH]

    @property
    def repository(self) -> str:
        """The image name without the tag."""
        return REPOSITORY + self.name

    @property
    def tag(self) -> str:
        """The full name of the image this recipe makes."""
        return f"{self.repository}:{self.digest}"


def load_recipe(name: str, folder: Path = RECIPES) -> Recipe:
    """Read the recipe called ``name``.

    Raises:
        BaseImageError: there is no such recipe; the message lists those there are.

    """
    path = folder / name / "recipe.toml"
    known = recipe_names(folder)
    if name not in known:
        raise BaseImageError(
            f'there is no stand-in called "{name}"',
            remedy=f"use one of {', '.join(known)}",
        )
    raw = tomllib.loads(path.read_text())
    raw["stands_for"] = tuple(raw.get("stands_for", ()))
    return Recipe(name=name, folder=path.parent, **raw)


def recipe_names(folder: Path = RECIPES) -> tuple[str, ...]:
    """Return the names of the recipes, sorted."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/recipe.toml")))


def load_recipes(folder: Path = RECIPES) -> tuple[Recipe, ...]:
    """Return every recipe, sorted by name."""
    return tuple(load_recipe(name, folder) for name in recipe_names(folder))


def default_recipe(image: str, folder: Path = RECIPES) -> Recipe | None:
    """Return the recipe that stands for ``image`` without being asked, if there is one.

    The tag does not matter: a recipe stands for ``diamol/node`` and ``diamol/node:2e`` alike. A
    digest names exact content, for which nothing can stand.
    """
    if "@" in image:
        return None
    name = untagged(image)
    return next((r for r in load_recipes(folder) if name in r.stands_for), None)


def untagged(image: str) -> str:
    """Return the name of an image without its tag, in its short form."""
    head, slash, last = image.rpartition("/")
    name = head + slash + last.partition(":")[0]
    for prefix in ("docker.io/library/", "docker.io/"):
        name = name.removeprefix(prefix)
    return name
