"""The operations a change is made of, as the inline tables of a scenario file."""

from __future__ import annotations

from collections.abc import Iterator  # noqa: TC003 - pydantic reads annotations at run time
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, StrictStr, Tag

from bench.changes.fields import (
    Argument,
    Command,
    ContextPath,
    Input,
    Line,
    Mode,
    Revision,
    Scalar,
    Variable,
    fault,
)
from bench.changes.nearest import nearest
from bench.changes.placeholders import has_placeholder


def _true_or_path(value: Any) -> Any:
    if value is True or isinstance(value, str):
        return value
    raise fault("is neither true nor a path", "write true for everything, or one path")


class OperationBase(Input):
    """What every operation has; its first key names the operation and what it works on."""

    operation: ClassVar[str]
    opaque: ClassVar[bool] = False
    """Whether it may do anything to the tree, so that later steps cannot be judged in advance."""
    unique: ClassVar[bool] = False
    """Whether it makes new content each time even without a placeholder."""
    literal: ClassVar[frozenset[str]] = frozenset({"old", "key", "mode", "revision", "file"})
    """Fields in which placeholders are not filled in."""

    def needs(self) -> tuple[str, ...]:
        """Return the paths in the context that must be there before."""
        return ()

    def makes(self) -> tuple[str, ...]:
        """Return the paths in the context that are there afterwards."""
        return ()

    def removes(self) -> tuple[str, ...]:
        """Return the paths in the context that are gone afterwards."""
        return ()

    def makes_new_content(self) -> bool:
        """Tell whether every application leaves content that was never built before."""
        filled = self.model_dump(exclude=set(self.literal))
        return self.unique or any(has_placeholder(text) for text in _texts(filled))


class OnPath(OperationBase):
    """An operation on something that is already in the context."""

    path: ContextPath

    def needs(self) -> tuple[str, ...]:
        """Return the path."""
        return (self.path,)


class Append(OnPath):
    """Add text at the end of a file."""

    operation = "append"
    path: ContextPath = Field(alias="append")
    """The file, relative to the context."""
    text: StrictStr
    """What is added; placeholders are filled in."""


class Prepend(OnPath):
    """Add text at the beginning of a file."""

    operation = "prepend"
    path: ContextPath = Field(alias="prepend")
    """The file, relative to the context."""
    text: StrictStr
    """What is added; placeholders are filled in."""


class Replace(OnPath):
    """Replace every occurrence of a text in a file."""

    operation = "replace"
    path: ContextPath = Field(alias="replace")
    """The file, relative to the context."""
    old: StrictStr = Field(min_length=1)
    """The text to find, literally; it must be there."""
    new: StrictStr
    """What stands there afterwards; placeholders are filled in."""


class Write(OperationBase):
    """Write a whole file, new or in place of an old one."""

    operation = "write"
    path: ContextPath = Field(alias="write")
    """The file, relative to the context; missing folders are made."""
    text: StrictStr
    """The whole content; placeholders are filled in."""

    def makes(self) -> tuple[str, ...]:
        """Return the file."""
        return (self.path,)


class Grow(OnPath):
    """Make a file longer by a number of bytes that are new each time."""

    operation = "grow"
    unique = True
    path: ContextPath = Field(alias="grow")
    """The file, relative to the context."""
    bytes: Annotated[int, Field(strict=True, gt=0, le=1 << 28)]
    """How many bytes are added (lines of hexadecimal digits made from the id)."""


class Delete(OnPath):
    """Delete a file, a symlink or a whole folder."""

    operation = "delete"
    path: ContextPath = Field(alias="delete")
    """What goes, relative to the context."""

    def removes(self) -> tuple[str, ...]:
        """Return the path."""
        return (self.path,)


class Rename(OnPath):
    """Give a file or folder another name or place in the context."""

    operation = "rename"
    path: ContextPath = Field(alias="rename")
    """What is renamed, relative to the context."""
    to: ContextPath
    """The new path, relative to the context; nothing may be there yet."""

    def makes(self) -> tuple[str, ...]:
        """Return the new path."""
        return (self.to,)

    def removes(self) -> tuple[str, ...]:
        """Return the old path."""
        return (self.path,)


class Copy(OnPath):
    """Copy a file or folder to another place in the context."""

    operation = "copy"
    path: ContextPath = Field(alias="copy")
    """What is copied, relative to the context."""
    to: ContextPath
    """The copy's path, relative to the context; nothing may be there yet."""

    def makes(self) -> tuple[str, ...]:
        """Return the copy."""
        return (self.to,)


class Touch(OnPath):
    """Move the modification time of a file or folder forward; its content stays."""

    operation = "touch"
    path: ContextPath = Field(alias="touch")
    """What is touched, relative to the context."""


class Chmod(OnPath):
    """Change the mode bits of a file or folder."""

    operation = "chmod"
    path: ContextPath = Field(alias="chmod")
    """What is changed, relative to the context."""
    mode: Mode
    """The new mode in octal, such as "0755"."""


class Bump(OnPath):
    """Change one value in a JSON, TOML or XML file; everything else stays byte for byte."""

    operation = "bump"
    path: ContextPath = Field(alias="bump")
    """The file; the ending .json, .toml or .xml (.csproj, .pom and the like) says its format."""
    key: StrictStr = Field(min_length=1)
    """Dotted path to the value: dependencies.express, items[0].version, "quoted.name".x, or for
    XML project.version, Project.ItemGroup.PackageReference[0].@Version."""
    value: Scalar
    """The new value; placeholders are filled in."""


class EditDockerfile(OperationBase):
    """Replace a text that stands exactly once in the variant's Dockerfile."""

    operation = "dockerfile"
    old: StrictStr = Field(alias="dockerfile", min_length=1)
    """The text to find, literally."""
    new: StrictStr = Field(alias="with")
    """What stands there afterwards; placeholders are filled in."""


class Dockerignore(OperationBase):
    """Add one pattern line to .dockerignore, which is made if it is missing."""

    operation = "dockerignore"
    pattern: Line = Field(alias="dockerignore")
    """The pattern; placeholders are filled in."""

    def makes(self) -> tuple[str, ...]:
        """Return the ignore file."""
        return (".dockerignore",)


class BuildArg(OperationBase):
    """Give a build argument another value."""

    operation = "build_arg"
    name: Variable = Field(alias="build_arg")
    """The ARG's name."""
    value: Argument
    """Its new value; placeholders are filled in."""


class Base(OperationBase):
    """Put a new, empty layer on a base image, as if a newer image had been published."""

    operation = "base"
    unique = True
    image: Argument = Field(alias="base", min_length=1)
    """The image, as FROM names it."""


class Git(OperationBase):
    """Bring the context to another commit of the repository it stands in.

    Tracked files become those of the commit; untracked files and the variant's Dockerfile stay.
    The user's repository is only read.
    """

    operation = "git"
    opaque = True
    revision: Revision = Field(alias="git")
    """A commit, tag or branch."""


class Patch(OperationBase):
    """Apply a unified diff to the context."""

    operation = "patch"
    opaque = True
    file: StrictStr = Field(alias="patch", min_length=1)
    """The diff, relative to the scenario folder; its paths are relative to the context (a/, b/)."""


class Run(OperationBase):
    """Run a command in the scratch copy of the context."""

    operation = "run"
    opaque = True
    command: Command = Field(alias="run")
    """The command and its arguments, run without a shell; placeholders are filled in."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=3600)] = 60.0
    """Seconds after which it is ended and the change has failed."""


class Revert(OperationBase):
    """Bring a path, or with true everything, back to the content before all changes."""

    operation = "revert"
    opaque = True
    path: Annotated[Literal[True] | ContextPath, BeforeValidator(_true_or_path)] = Field(
        alias="revert"
    )
    """true, or a path relative to the context."""


class Nothing(OperationBase):
    """Change nothing: the rebuild of an untouched source."""

    operation = "none"
    flag: Literal[True] = Field(alias="none")
    """Always true."""


OPERATIONS: dict[str, type[OperationBase]] = {
    kind.operation: kind
    for kind in (
        Append,
        Prepend,
        Replace,
        Write,
        Grow,
        Delete,
        Rename,
        Copy,
        Touch,
        Chmod,
        Bump,
        EditDockerfile,
        Dockerignore,
        BuildArg,
        Base,
        Git,
        Patch,
        Run,
        Revert,
        Nothing,
    )
}
"""Every operation by the key that names it."""


def operation_key(raw: object) -> str | None:
    """Return the one operation that a table names, or None where it names none or several."""
    if isinstance(raw, OperationBase):
        return raw.operation
    named = [key for key in raw if key in OPERATIONS] if isinstance(raw, dict) else []
    return named[0] if len(named) == 1 else None


def _one_operation(raw: Any) -> Any:
    if isinstance(raw, OperationBase) or operation_key(raw) is not None:
        return raw
    if not isinstance(raw, dict):
        raise fault("is no operation", 'write a table, such as { append = "path", text = "..." }')
    named = [key for key in raw if key in OPERATIONS]
    if named:
        raise fault(f"names several operations: {', '.join(named)}", "make each its own step")
    hint = next((best for key in raw if (best := nearest(str(key), OPERATIONS))), None)
    known = f"did you mean {hint!r}?" if hint else f"use one of {', '.join(OPERATIONS)}"
    raise fault("names no operation", known)


Operation = Annotated[
    Annotated[Append, Tag("append")]
    | Annotated[Prepend, Tag("prepend")]
    | Annotated[Replace, Tag("replace")]
    | Annotated[Write, Tag("write")]
    | Annotated[Grow, Tag("grow")]
    | Annotated[Delete, Tag("delete")]
    | Annotated[Rename, Tag("rename")]
    | Annotated[Copy, Tag("copy")]
    | Annotated[Touch, Tag("touch")]
    | Annotated[Chmod, Tag("chmod")]
    | Annotated[Bump, Tag("bump")]
    | Annotated[EditDockerfile, Tag("dockerfile")]
    | Annotated[Dockerignore, Tag("dockerignore")]
    | Annotated[BuildArg, Tag("build_arg")]
    | Annotated[Base, Tag("base")]
    | Annotated[Git, Tag("git")]
    | Annotated[Patch, Tag("patch")]
    | Annotated[Run, Tag("run")]
    | Annotated[Revert, Tag("revert")]
    | Annotated[Nothing, Tag("none")],
    Discriminator(operation_key),
    BeforeValidator(_one_operation),
]
"""Any operation, told apart by the one operation key of its table."""


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
