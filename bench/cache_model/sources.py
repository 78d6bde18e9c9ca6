"""COPY and ADD as data: what is copied from where to where, with which flags."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.cache_model.errors import NotUnderstoodError
from bench.cache_model.heredocs import heredocs
from bench.cache_model.profiles import Family

if TYPE_CHECKING:
    from bench.cache_model.heredocs import Heredoc
    from bench.cache_model.profiles import Profile
    from bench.cache_model.scope import Scope
    from bench.dockerfile import Dockerfile, Instruction

_REMOTE = re.compile(r"\A(?:https?://|git://|git@|ssh://)|\.git(?:#|\Z)", re.IGNORECASE)
_FLAG_NAME = re.compile(r"\A--([a-z-]+)")
_KNOWN_FLAGS = {"from", "chown", "chmod", "link"}
_OCTAL = re.compile(r"\A[0-7]{1,5}\Z")


@dataclass(frozen=True)
class Transfer:
    """One COPY or ADD with its words expanded.

    ``destination`` is as written; ``target`` absolute and clean, ``into_folder`` whether it ends
    like a folder. ``documents`` are here-documents, which come after the other sources.
    """

    keyword: str
    sources: tuple[str, ...]
    documents: tuple[Heredoc, ...]
    destination: str
    target: str
    into_folder: bool
    chown: str
    chmod: str
    link: bool
    origin: str | None

    @property
    def mode(self) -> int | None:
        """The mode that ``--chmod`` sets; None where there is none or it is symbolic."""
        return int(self.chmod, 8) if _OCTAL.match(self.chmod) else None

    @property
    def mode_part(self) -> str:
        """What of ``--chmod`` enters a key: 644 and 0644 are one."""
        return self.chmod if self.mode is None else f"{self.mode:o}"


def transfer_of(
    dockerfile: Dockerfile, instruction: Instruction, scope: Scope, profile: Profile
) -> Transfer:
    """Read one COPY or ADD.

    Raises:
        NotUnderstoodError: a flag, a remote source or a here-document is beyond the builder or
            the model.

    """
    _check_flags(instruction, profile)
    documents = heredocs(dockerfile, instruction)
    if documents and not profile.understands_heredocs:
        raise NotUnderstoodError(f"{profile.title} knows no here-documents")
    words = [scope.expand(word) for word in instruction.arguments]
    written = instruction.arguments[:-1]
    sources = tuple(
        word
        for word, raw in zip(words[:-1], written, strict=True)
        if not (documents and raw.lstrip("0123456789").startswith("<<"))
    )
    if instruction.keyword == "ADD":
        for source in sources:
            if _REMOTE.search(source):
                raise NotUnderstoodError(f"what {source} holds is known only when it is fetched")
    destination = words[-1]
    target, into_folder = _target(destination, scope)
    return Transfer(
        keyword=instruction.keyword,
        sources=sources,
        documents=tuple(_filled(one, scope) for one in documents),
        destination=destination,
        target=target,
        into_folder=into_folder,
        chown=scope.expand(instruction.flag("chown") or ""),
        chmod=scope.expand(instruction.flag("chmod") or ""),
        link="--link" in instruction.flags or instruction.flag("link") == "true",
        origin=instruction.flag("from"),
    )


def _check_flags(instruction: Instruction, profile: Profile) -> None:
    for flag in instruction.flags:
        found = _FLAG_NAME.match(flag)
        name = found[1] if found else flag
        if name not in _KNOWN_FLAGS:
            raise NotUnderstoodError(f"the flag --{name} is not known")
        classic = profile.family is Family.CLASSIC
        if (name == "link" and not profile.understands_link) or (name == "chmod" and classic):
            raise NotUnderstoodError(f"{profile.title} knows no --{name}")


def _filled(document: Heredoc, scope: Scope) -> Heredoc:
    if not document.expands or "$" not in document.text:
        return document
    return replace(document, text=scope.expand_raw(document.text))


def _target(destination: str, scope: Scope) -> tuple[str, bool]:
    """Return the absolute destination, and whether it is written as a folder.

    Source: moby/buildkit ``dockerfile2llb/convert.go`` pathRelativeToWorkingDir.
    """
    into_folder = destination in {"", "."} or destination.endswith(("/", "/."))
    joined = posixpath.join(scope.working_dir, destination)
    target = posixpath.normpath("/" + joined.lstrip("/"))
    return target, into_folder or target == "/"
