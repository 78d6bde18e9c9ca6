"""What ENV, ARG, WORKDIR, USER and SHELL add up to in a stage, for each family of builders.

The two differ: in BuildKit an ARG after an ENV of the same name wins for RUN and a ``FROM stage``
inherits ARGs (moby/buildkit ``dockerfile2llb/convert.go`` dispatchArg, toDispatchState); in the
classic builder an ENV always wins and no ARG is inherited (moby ``builder/dockerfile/
buildargs.go`` FilterAllowed, ``evaluator.go`` newDispatchState).
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.profiles import Family
from bench.dockerfile import expand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.inputs import BaseImage, BuildInput
    from bench.cache_model.profiles import Profile
    from bench.dockerfile import Instruction

DEFAULT_SHELL = ("/bin/sh", "-c")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXY_ARGS = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY")
    for name in (upper, upper.lower())
)
"""Build arguments that need no ARG and enter no key without one (buildargs.go)."""
_ESCAPE = re.compile(r"\A(?:\s*#[^\n]*\n)*?\s*#\s*escape\s*=\s*(?P<character>[`\\])", re.IGNORECASE)
_BEYOND = re.compile(r"\$\{\w+(?:[#%/]|:[^-+?])")


def escape_of(text: str) -> str:
    """Return the escape character of a Dockerfile: its ``# escape=`` directive, or a backslash."""
    found = _ESCAPE.match(text)
    return found["character"] if found else "\\"


def platform_args(platform: str) -> dict[str, str]:
    """Return the arguments that BuildKit knows by itself (``dockerfile2llb/platform.go``)."""
    system, architecture, variant = (*platform.split("/"), "", "")[:3]
    values = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": variant}
    return {f"{side}{name}": one for side in ("BUILD", "TARGET") for name, one in values.items()}


@dataclass
class Scope:
    """The state of one stage as far as keys see it.

    ``env`` are the variables in the builder's own order: on BuildKit ENV and ARG together as RUN
    sees them, on the classic builder ENV alone. ``image_env`` is what a ``FROM stage`` finds in
    the image's config. ``args`` are the declared ARGs and their defaults.
    """

    family: Family
    escape: str
    given: Mapping[str, str]
    global_args: Mapping[str, str]
    cleans_workdir: bool = False
    env: dict[str, str] = field(default_factory=dict)
    image_env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str | None] = field(default_factory=dict)
    working_dir: str = "/"
    user: str = ""
    shell: tuple[str, ...] = DEFAULT_SHELL

    @classmethod
    def of_base(
        cls, build: BuildInput, base: BaseImage, global_args: Mapping[str, str], profile: Profile
    ) -> Scope:
        """Return the scope right after ``FROM image``."""
        scope = cls(
            family=profile.family,
            escape=escape_of(build.dockerfile.text),
            given=build.build_args,
            global_args=global_args,
            cleans_workdir=profile.cleans_workdir,
            image_env=dict(base.env),
            working_dir=base.working_dir or "/",
            user=base.user,
            shell=base.shell or DEFAULT_SHELL,
        )
        if profile.family is Family.BUILDKIT:
            scope.image_env.setdefault("PATH", DEFAULT_PATH)
        scope.env = dict(scope.image_env)
        return scope

    @classmethod
    def of_image_name(cls, build: BuildInput, global_args: Mapping[str, str]) -> Scope:
        """Return the scope in which the image of a FROM is expanded: the global ARGs alone."""
        escape = escape_of(build.dockerfile.text)
        return cls(Family.BUILDKIT, escape, {}, {}, env=dict(global_args))

    def of_child(self) -> Scope:
        """Return the scope right after ``FROM`` of this stage."""
        child = Scope(
            self.family,
            self.escape,
            self.given,
            self.global_args,
            self.cleans_workdir,
            dict(self.env),
            dict(self.image_env),
            {},
            self.working_dir,
            self.user,
            self.shell,
        )
        if self.family is Family.BUILDKIT:
            # The image's ENVs are set once more on top of the state that holds the ARGs.
            for name, value in self.image_env.items():
                child._set(name, value)
            child.args = dict(self.args)
        return child

    def expand(self, word: str) -> str:
        """Return ``word`` with variables filled in and quotes removed.

        Raises:
            NotUnderstoodError: it has an operator that the model does not know.

        """
        return self._expand(word, self.variables)

    def expand_raw(self, text: str) -> str:
        """Return a here-document with its variables filled in; quotes in it are plain text.

        Raises:
            NotUnderstoodError: as `expand`.

        """
        quoted = re.sub(r"[\"']", lambda quote: self.escape + quote[0], text)
        return self.expand(quoted)

    def _expand(self, word: str, variables: Mapping[str, str]) -> str:
        if "$" in word and _BEYOND.search(word):
            raise NotUnderstoodError(f"the variable in {word!r} has an operator it does not know")
        return expand(word, variables, escape=self.escape)

    @property
    def variables(self) -> dict[str, str]:
        """What words are expanded with."""
        if self.family is Family.BUILDKIT:
            return self.env
        return {**self.run_args(with_proxies=True), **self.env}

    def run_args(self, *, with_proxies: bool = False) -> dict[str, str]:
        """Return the build arguments that a RUN of the classic builder is given.

        All that are declared and have a value, used or not, unless an ENV has their name.
        """
        names = [*self.args, *(PROXY_ARGS & set(self.given) if with_proxies else ())]
        found = {name: self.value_of(name) for name in names if name not in self.env}
        return {name: value for name, value in found.items() if value is not None}

    def value_of(self, name: str) -> str | None:
        """Return the value of a declared ARG: given, its default, or that of the global one."""
        if name in self.given:
            return self.given[name]
        default = self.args.get(name)
        return default if default is not None else self.global_args.get(name)

    def apply(self, instruction: Instruction) -> None:
        """Take in ENV, ARG, WORKDIR, USER or SHELL; any other instruction changes nothing.

        Raises:
            NotUnderstoodError: a variable is beyond the model.

        """
        keyword = instruction.keyword
        if keyword == "ENV":
            self._apply_env(self.env_pairs(instruction))
        elif keyword == "ARG":
            self._apply_args(instruction)
        elif keyword == "WORKDIR":
            self.working_dir = self.directory(instruction)
        elif keyword == "USER":
            self.user = self.expand(" ".join(instruction.arguments))
        elif keyword == "SHELL":
            self.shell = instruction.arguments

    def env_pairs(self, instruction: Instruction) -> list[tuple[str, str]]:
        """Return the names and values of one ENV or LABEL, all expanded by what stood before."""
        words = [self.expand(word) for word in instruction.arguments]
        return list(zip(words[::2], words[1::2], strict=False))

    def _apply_env(self, pairs: list[tuple[str, str]]) -> None:
        for name, value in pairs:
            self._set(name, value)
            self.image_env[name] = value

    def _set(self, name: str, value: str) -> None:
        if self.family is Family.BUILDKIT:
            # A name that is set again moves to the end (moby/buildkit ``client/llb/meta.go``
            # EnvList.AddOrReplace); the classic builder replaces it where it stands.
            self.env.pop(name, None)
        self.env[name] = value

    def _apply_args(self, instruction: Instruction) -> None:
        for name, default in self.declared(instruction):
            self.args[name] = default
            if self.family is Family.BUILDKIT:
                value = self.value_of(name)
                if value is not None:
                    self._set(name, value)

    def declared(self, instruction: Instruction) -> list[tuple[str, str | None]]:
        """Return the names of one ARG with their defaults, expanded."""
        found: list[tuple[str, str | None]] = []
        for word in instruction.arguments:
            name, has_default, default = word.partition("=")
            found.append((self.expand(name), self.expand(default) if has_default else None))
        return found

    def directory(self, instruction: Instruction) -> str:
        """Return the absolute path that a WORKDIR means."""
        path = self.expand(" ".join(instruction.arguments))
        if path.startswith("/") and not self.cleans_workdir:
            return path
        return absolute(self.working_dir, path)


def absolute(working_dir: str, path: str) -> str:
    """Return ``path`` as an absolute path without dots, relative to ``working_dir``."""
    joined = posixpath.join(working_dir or "/", path)
    # normpath() keeps two leading slashes apart from one, as POSIX lets it; Go does not.
    return posixpath.normpath("/" + joined.lstrip("/"))


def global_scope(build: BuildInput, profile: Profile) -> dict[str, str]:
    """Return the values of the ARGs before the first FROM, and those a builder knows by itself.

    Raises:
        NotUnderstoodError: a variable is beyond the model.

    """
    escape = escape_of(build.dockerfile.text)
    known = platform_args(build.platform) if profile.family is Family.BUILDKIT else {}
    scope = Scope(profile.family, escape, build.build_args, {}, env=dict(known))
    values = dict(known)
    for instruction in build.dockerfile.global_args:
        scope.env = dict(values)
        for name, default in scope.declared(instruction):
            value = build.build_args.get(name, default)
            if value is not None:
                values[name] = value
    return values
