"""The mounts of RUN as data.

Sources: moby/buildkit ``frontend/dockerfile/instructions/commands_runmount.go`` (fields and their
defaults), ``dockerfile2llb/convert_runmount.go`` (targets, sources).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.scope import absolute

if TYPE_CHECKING:
    from bench.cache_model.profiles import Profile
    from bench.cache_model.scope import Scope
    from bench.dockerfile import Instruction

_ALIASES = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
_TRUE = frozenset({"", "true", "1"})
_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})


@dataclass(frozen=True)
class Mount:
    """One ``--mount``. ``part`` is what of it enters RUN's key beside the mounted files.

    ``origin`` names a stage or an image; None is the build context (for ``bind`` alone).
    ``reads`` says whether the mounted files are part of the key. ``identity`` names what a cache
    is shared by.
    """

    type: str
    target: str
    source: str
    origin: str | None
    part: tuple[str, ...]
    identity: str = ""

    @property
    def reads(self) -> bool:
        """Whether the content of ``source`` decides; contents of a cache never do."""
        return self.type == "bind" or (self.type == "cache" and self.origin is not None)


def mounts_of(instruction: Instruction, scope: Scope, profile: Profile) -> list[Mount]:
    """Return the mounts of one RUN in the order of their targets, as the key holds them.

    Raises:
        NotUnderstoodError: a kind of mount, or a variable, is beyond the model.

    """
    mounts = [_mount(value, scope, profile) for value in instruction.flag_values("mount")]
    return sorted(mounts, key=lambda mount: mount.target)


def _mount(value: str, scope: Scope, profile: Profile) -> Mount:
    fields: dict[str, str] = {}
    for field in value.split(","):
        name, _, text = field.partition("=")
        name = name.strip().lower()
        fields[_ALIASES.get(name, name)] = scope.expand(text)
    kind = fields.pop("type", "bind")
    if kind not in _TYPES:
        raise NotUnderstoodError(f"a mount of type {kind} is not known")
    target = absolute(scope.working_dir, fields.pop("target", "")) if "target" in fields else ""
    source = fields.pop("source", "/")
    origin = fields.pop("from", None)
    identity = fields.pop("id", "")
    sharing = fields.pop("sharing", "")
    writable = _is_writable(kind, fields)
    others = tuple(f"{name}={text}" for name, text in sorted(fields.items()))
    part: tuple[str, ...] = (kind, target, "rw" if writable else "ro", *others)
    if kind in {"secret", "ssh"}:
        part += (identity or source, "from secret")
    if kind == "cache":
        part += _cache_part(identity, sharing, target, profile)
    return Mount(kind, target, source, origin, part, identity or target)


def _is_writable(kind: str, fields: dict[str, str]) -> bool:
    writable = kind != "bind"
    for name in ("rw", "readwrite"):
        if name in fields:
            writable = fields.pop(name).lower() in _TRUE
    if "readonly" in fields:
        writable = fields.pop("readonly").lower() not in _TRUE
    return writable


def _cache_part(identity: str, sharing: str, target: str, profile: Profile) -> tuple[str, ...]:
    shared = sharing in {"", "shared"}
    if profile.cache_id_in_key:
        return (identity or target, "shared" if shared else sharing)
    default = identity in {"", target} and shared
    return ("default id",) if default else ("any id",)
