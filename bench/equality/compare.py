"""Say in what two images differ: their config, and their files, path by path."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from bench.equality.image import read_images
from bench.equality.layers import Entry
from bench.equality.merging import differing_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from docker import DockerClient

    from bench.equality.image import ImageContents

SECONDS_APART = 2.1
"""What has to pass between the end of one build and the beginning of another of the same, so that
a time that gets into a file is another one: zip and jar count in steps of two seconds, ``.pyc``
in seconds."""
PRESENCE = "presence"
CONTENT = "content"
_ABSENT = "absent"
_CONTENT_FIELDS = frozenset({"size", "sha256"})
_SHOWN = 12
_DIGITS = 12


@dataclass(frozen=True)
class ConfigDifference:
    """A field of the config that differs; a variable or label is ``Env.NAME``, ``Labels.NAME``."""

    field: str
    first: Any
    second: Any

    def __str__(self) -> str:
        return f"{self.field}: {_shown(self.first)} against {_shown(self.second)}"


@dataclass(frozen=True, order=True)
class FileDifference:
    """One thing that differs at one path of the root file system.

    ``aspect`` is ``presence`` (something is at this path in one image alone), ``type``, ``mode``,
    ``uid``, ``gid``, ``content``, ``target``, ``device`` or ``xattrs``; the values are in words.
    """

    path: str
    aspect: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.path}: {self.aspect} {self.first} against {self.second}"


@dataclass(frozen=True)
class ImageComparison:
    """What came of comparing two images.

    ``nondeterministic`` is what differs between two builds of the first image's Dockerfile. The
    same aspect of the same path is no difference between the two images then, nor is a path of a
    folder in which paths come and go from build to build.
    """

    config_differences: tuple[ConfigDifference, ...] = ()
    file_differences: tuple[FileDifference, ...] = ()
    nondeterministic: tuple[FileDifference, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether nothing differs but what differs from build to build anyway."""
        return not self.config_differences and not self.file_differences

    def words(self) -> list[str]:
        """Return what was found, one line for each thing.

        Of a folder that one image lacks nothing else is said, and many files are only counted.
        """
        lines = []
        if self.equal:
            lines.append("config and files are equal")
        lines += [f"config {one}" for one in self.config_differences]
        lines += _some([str(one) for one in _topmost(self.file_differences)])
        paths = sorted({one.path for one in self.nondeterministic})
        lines += _some([f"{path}: differs between two builds of the same" for path in paths])
        return lines


def compare_images(
    client: DockerClient, first: str, second: str, again: str | None = None
) -> ImageComparison:
    """Compare two images of an engine, given by their IDs or names.

    ``again`` is another build of what ``first`` was built from, made without any cache and
    `SECONDS_APART` from it: what differs between those two is not deterministic. It cannot be told
    without it, and counts as a difference then.

    Raises:
        ImageReadError: the engine does not have one of them, or does not give it out.
        EngineLostError: the engine does not answer any more.

    """
    wanted = [first, second] if again is None else [first, second, again]
    with read_images(client, wanted) as contents:
        return compare_contents(contents[0], contents[1], *contents[2:])


def compare_contents(
    first: ImageContents, second: ImageContents, again: ImageContents | None = None
) -> ImageComparison:
    """Compare images that were read together; see `compare_images`."""
    chance = [] if again is None else list(_file_differences(first, again))
    return ImageComparison(
        config_differences=tuple(_config_differences(first.config, second.config)),
        file_differences=tuple(_without_chance(_file_differences(first, second), chance)),
        nondeterministic=tuple(chance),
    )


def _config_differences(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> Iterator[ConfigDifference]:
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one == other:
            continue
        if isinstance(one or {}, dict) and isinstance(other or {}, dict):
            yield from _mapping_differences(name, one or {}, other or {})
        else:
            yield ConfigDifference(name, one, other)


def _mapping_differences(
    name: str, first: Mapping[str, Any], second: Mapping[str, Any]
) -> Iterator[ConfigDifference]:
    for key in sorted(first.keys() | second.keys()):
        if key not in first or key not in second or first[key] != second[key]:
            yield ConfigDifference(
                f"{name}.{key}", first.get(key, _ABSENT), second.get(key, _ABSENT)
            )


def _file_differences(first: ImageContents, second: ImageContents) -> Iterator[FileDifference]:
    for path, (one, other) in differing_paths(first.files, second.files, first.below).items():
        shown = f"/{path}"
        if one is None or other is None:
            yield FileDifference(shown, PRESENCE, _presence(one), _presence(other))
        elif one.type != other.type:
            yield FileDifference(shown, "type", one.type, other.type)
        else:
            yield from _entry_differences(shown, one, other)


def _entry_differences(path: str, one: Entry, other: Entry) -> Iterator[FileDifference]:
    for field in fields(Entry):
        values = getattr(one, field.name), getattr(other, field.name)
        if values[0] != values[1] and field.name not in _CONTENT_FIELDS:
            yield FileDifference(path, field.name, *(_value(field.name, one) for one in values))
    if (one.size, one.sha256) != (other.size, other.sha256):
        yield FileDifference(path, CONTENT, _content(one), _content(other))


def _value(name: str, value: Any) -> str:
    if name == "mode":
        return f"{value:04o}"
    if name == "device":
        return "none" if value is None else f"{value[0]}:{value[1]}"
    if name == "xattrs":
        return ", ".join(f"{key}={text!r}" for key, text in value) or "none"
    return str(value)


def _content(entry: Entry) -> str:
    return f"{entry.size} bytes sha256:{entry.sha256[:_DIGITS]}"


def _presence(entry: Entry | None) -> str:
    return _ABSENT if entry is None else entry.type


def _without_chance(
    differences: Iterable[FileDifference], chance: Sequence[FileDifference]
) -> Iterator[FileDifference]:
    """Leave out what differs between two builds of the same Dockerfile."""
    known = {(one.path, one.aspect) for one in chance}
    drawn = _drawn(chance)
    new: set[str] = set()
    for one in sorted(differences):
        folder = posixpath.dirname(one.path)
        appeared = one.aspect == PRESENCE and one.first == _ABSENT
        if appeared and (folder in new or (folder, one.second) in drawn):
            new.add(one.path)
        elif (one.path, one.aspect) not in known:
            yield one


def _drawn(chance: Iterable[FileDifference]) -> set[tuple[str, str]]:
    """Return the folders, each with a type, in which names are made by chance.

    As those of temporary files: every build has new ones, so each has some that the other lacks.
    """
    came: set[tuple[str, str]] = set()
    went: set[tuple[str, str]] = set()
    for one in chance:
        if one.aspect == PRESENCE:
            folder = posixpath.dirname(one.path)
            (came if one.first == _ABSENT else went).add((folder, _other(one)))
    return came & went


def _other(difference: FileDifference) -> str:
    return difference.second if difference.first == _ABSENT else difference.first


def _topmost(differences: Sequence[FileDifference]) -> list[FileDifference]:
    """Leave out what is inside a folder that one image lacks as a whole."""
    lacking = {one.path for one in differences if one.aspect == PRESENCE}
    return [one for one in differences if posixpath.dirname(one.path) not in lacking]


def _shown(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _some(lines: list[str]) -> list[str]:
    if len(lines) <= _SHOWN:
        return lines
    return [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more"]
