"""Where package managers keep what can be had again: a table for ``package-caches``.

Sources: docs.npmjs.com ``npm cache`` ("strictly a cache: it should not be relied upon as a
persistent and reliable data store"), pip.pypa.io "Caching", classic.yarnpkg.com ``yarn cache``,
go.dev "Build and test caching" and go.dev/ref/mod "Module cache", maven.apache.org "Introduction
to Repositories" (a local repository is a cache of remote ones, but for what ``install`` puts
there), getcomposer.org "Config" cache-dir, docs.docker.com "Optimize cache usage" (the targets).
The folders are root's; with another user a cache mount needs an owner.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Cache:
    """What one package manager keeps between builds.

    ``verbs`` are the sub-commands whose results do not depend on what is kept; ``targets`` the
    folders; ``settings`` beginnings of the names of variables that put them elsewhere.
    ``locked`` says that only one build may use them at a time.
    """

    tool: str
    verbs: frozenset[str]
    targets: tuple[str, ...]
    settings: tuple[str, ...]
    offline: frozenset[str] = frozenset()
    """Options that make the command rely on what is kept."""
    locked: bool = False

    @property
    def mounts(self) -> list[str]:
        """The flags of RUN that mount the folders."""
        sharing = ",sharing=locked" if self.locked else ""
        return [f"--mount=type=cache,target={target}{sharing}" for target in self.targets]


_GO_BUILDS = frozenset({"build", "install", "test", "vet", "mod"})
CACHES = (
    Cache(
        "npm",
        frozenset({"ci", "install", "i", "clean-install"}),
        ("/root/.npm",),
        ("NPM_CONFIG_", "HOME"),
        frozenset({"--offline", "--cache"}),
    ),
    Cache(
        "yarn",
        frozenset({"install", "", "--frozen-lockfile"}),
        ("/usr/local/share/.cache/yarn",),
        ("YARN_", "HOME"),
        frozenset({"--offline", "--cache-folder"}),
    ),
    Cache(
        "pip",
        frozenset({"install"}),
        ("/root/.cache/pip",),
        ("PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_CONFIG_FILE", "XDG_", "HOME"),
        frozenset({"--cache-dir"}),
    ),
    Cache(
        "mvn",
        frozenset(
            {
                *("package", "verify", "compile", "test", "clean", "test-compile"),
                *("dependency:go-offline", "dependency:resolve", "dependency:resolve-plugins"),
            }
        ),
        ("/root/.m2/repository",),
        ("MAVEN_", "HOME"),
        frozenset({"-o", "--offline"}),
    ),
    Cache("go", _GO_BUILDS, ("/go/pkg/mod", "/root/.cache/go-build"), ("GO", "XDG_", "HOME")),
    Cache(
        "composer",
        frozenset({"install"}),
        ("/root/.composer/cache", "/root/.cache/composer"),
        ("COMPOSER_HOME", "COMPOSER_CACHE", "XDG_", "HOME"),
    ),
    Cache(
        "apt-get",
        frozenset({"update", "install"}),
        ("/var/cache/apt", "/var/lib/apt/lists"),
        ("APT_",),
        frozenset({"-o", "-c"}),
        locked=True,
    ),
)
_HARMLESS = frozenset({"GO111MODULE", "GOOS", "GOARCH", "GOPROXY", "GOTOOLCHAIN", "GOSUMDB"})
_KEEPS_BY_ITSELF = frozenset({"/go"})


def cache_of(words: list[str], variables: Mapping[str, str]) -> Cache | None:
    """Return what the command keeps that could be kept between builds; None if nothing is known.

    Raises:
        UnprovableError: the folder is elsewhere, or the command relies on what is in it.

    """
    words = _as_pip(words)
    cache = next((one for one in CACHES if one.tool == posixpath.basename(words[0])), None)
    if cache is None:
        return None
    verbs = [word for word in words[1:] if not word.startswith("-")] or [""]
    if cache.tool == "mvn":
        verbs = [word for word in verbs if word not in cache.verbs] or ["package"]
    if verbs[0] not in cache.verbs:
        return None
    offline = cache.offline & {word.partition("=")[0] for word in words}
    if offline:
        raise UnprovableError(f"{words[0]} {min(offline)} relies on what is kept already")
    for name, value in variables.items():
        elsewhere = name.upper().startswith(cache.settings) and name not in _HARMLESS
        if elsewhere and not (name == "GOPATH" and value in _KEEPS_BY_ITSELF) and value != "/root":
            raise UnprovableError(f"the variable {name} says where {cache.tool} keeps things")
    return cache


def _as_pip(words: list[str]) -> list[str]:
    if re.match(r"\Apython[\d.]*\Z", words[0]) and words[1:3] == ["-m", "pip"]:
        return ["pip", *words[3:]]
    if re.match(r"\Apip[\d.]*\Z", words[0]):
        return ["pip", *words[1:]]
    return words
