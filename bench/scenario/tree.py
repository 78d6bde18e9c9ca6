"""What the changes of a scenario do to its context, followed without touching it.

Only what is certain is reported: after a step that may do anything (run, git, patch, revert), and
for paths with placeholders, the judgement is left to the application itself.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from bench.changes import operations as op
from bench.changes.bump import bump
from bench.changes.git_source import tree_of
from bench.changes.nearest import nearest
from bench.changes.paths import resolve_inside
from bench.changes.placeholders import has_placeholder
from bench.errors import ChangeError, DockerfileError
from bench.scenario.dockerfiles import dockerfile_place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.dockerfile import Dockerfile
    from bench.scenario.draft import Draft, StepEntry

_LARGEST_READ = 4 << 20
_ON_FILES = (op.Append, op.Prepend, op.Replace, op.Write, op.Grow, op.Bump)


def check_changes(
    draft: Draft, dockerfiles: Mapping[str, Dockerfile], *, context_is_there: bool
) -> None:
    """Report operations that would fail, as far as the context and Dockerfiles tell."""
    places = _places(draft, dockerfiles)
    for steps in draft.steps:
        texts = {name: dockerfile.text for name, dockerfile in dockerfiles.items()}
        follower = _Follower(draft, places, texts, context_is_there, context_is_there)
        for step in steps:
            follower.follow(step)


def _places(draft: Draft, dockerfiles: Mapping[str, Dockerfile]) -> set[str]:
    places = set()
    for variant in draft.variants:
        if variant.name in dockerfiles:
            try:
                places.add(dockerfile_place(draft, variant))
            except DockerfileError:  # the file went away meanwhile
                continue
    return places


@dataclass
class _Follower:
    """The context as the steps of one change leave it, so far as that is known."""

    draft: Draft
    places: set[str]
    """Where the variants' Dockerfiles are put in the scratch copy."""
    texts: dict[str, str]
    """The Dockerfile of each variant, with the edits so far."""
    context_is_there: bool
    looking: bool
    """Whether the context is there and still known."""
    made: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    altered: set[str] = field(default_factory=set)

    def follow(self, step: StepEntry) -> None:
        """Check one step, then take note of what it does."""
        if isinstance(step.value, op.Patch):
            self._patch(step, step.value)
        if isinstance(step.value, op.Git) and self.context_is_there:
            self._git(step, step.value)
        if step.value.opaque:
            self.looking = False
            self.texts = {}
        elif isinstance(step.value, op.EditDockerfile):
            self._dockerfile(step, step.value)
        elif self._confined(step) and self.looking:
            self._paths(step)
            self._content(step)
        self._note(step.value)

    def _report(self, step: StepEntry, value: object, error: ChangeError) -> None:
        self.draft.report(step.location, value, error.message, error.remedy)

    def _confined(self, step: StepEntry) -> bool:
        """Report paths that a symlink of the context leads out."""
        sound = True
        for path in dict.fromkeys((*step.value.needs(), *step.value.makes())):
            if not self.looking or has_placeholder(path):
                continue
            try:
                resolve_inside(self.draft.context, path)
            except ChangeError as error:
                self._report(step, path, error)
                sound = False
        return sound

    def _paths(self, step: StepEntry) -> None:
        for path in step.value.needs():
            if not has_placeholder(path) and not self._exists(path):
                near = _near(self.draft.context, path)
                remedy = f"did you mean {near!r}?" if near else "name something that is there"
                self._report(step, path, ChangeError("is not in the context", remedy=remedy))
        if isinstance(step.value, (op.Rename, op.Copy)):
            to = step.value.to
            if not has_placeholder(to) and self._exists(to):
                remedy = "name a path where nothing is, or delete it in an earlier step"
                self._report(step, to, ChangeError(f"{to!r} is already there", remedy=remedy))

    def _exists(self, path: str) -> bool:
        normal = str(PurePosixPath(path))
        for parent in (normal, *map(str, PurePosixPath(normal).parents)):
            if parent in self.made:
                return True
            if parent in self.gone:
                return False
        return normal in self.places or _there(self.draft.context / normal)

    def _content(self, step: StepEntry) -> None:
        """Report what the file's own content or mode shows to be wrong."""
        try:
            _check_texts(step.value)
            for path in (*step.value.needs(), *step.value.makes()):
                if (file := self._untouched(path)) is not None:
                    _check_file(step.value, file)
        except ChangeError as error:
            self._report(step, None, error)
        except OSError:  # unreadable for us: the application will say so
            return

    def _untouched(self, path: str) -> Path | None:
        """Return the file of the user's context that the step would work on, if it is known."""
        normal = str(PurePosixPath(path))
        known = not has_placeholder(path) and normal not in self.altered | self.places
        file = self.draft.context / normal
        parents = {str(parent) for parent in PurePosixPath(normal).parents} | {normal}
        return file if known and not parents & (self.made | self.gone) and _there(file) else None

    def _dockerfile(self, step: StepEntry, edit: op.EditDockerfile) -> None:
        if self.places & self.altered:
            return
        for name, text in self.texts.items():
            times = text.count(edit.old)
            if times != 1:
                message = f"stands {times} times in the Dockerfile of variant {name!r}"
                remedy = "give a text that stands there exactly once"
                self._report(step, edit.old, ChangeError(message, remedy=remedy))
            self.texts[name] = text.replace(edit.old, edit.new)
        if edit.old == edit.new:
            error = ChangeError("changes nothing", remedy="give another text, with {id} or {port}")
            self._report(step, edit.new, error)

    def _patch(self, step: StepEntry, patch: op.Patch) -> None:
        try:
            file = resolve_inside(self.draft.directory, patch.file)
            if not file.is_file():
                raise ChangeError("is no file", remedy=f"put it in {self.draft.directory}")
        except ChangeError as error:
            self._report(step, patch.file, error)

    def _git(self, step: StepEntry, checkout: op.Git) -> None:
        try:
            tree_of(self.draft.context, checkout.revision)
        except ChangeError as error:
            self._report(step, checkout.revision, error)

    def _note(self, value: op.OperationBase) -> None:
        removed = {str(PurePosixPath(path)) for path in value.removes()}
        made = {str(PurePosixPath(path)) for path in value.makes()}
        self.made = (self.made - removed) | made
        self.gone = (self.gone | removed) - made
        self.altered |= {str(PurePosixPath(path)) for path in value.needs()} | made


def _there(path: Path) -> bool:
    try:
        return path.exists() or path.is_symlink()
    except (OSError, ValueError):  # a name too long, a folder that may not be entered
        return False


def _near(context: Path, path: str) -> str | None:
    """Return a file of the context with nearly that name: beside it, or of that name elsewhere."""
    wanted = PurePosixPath(path)
    folder = context / wanted.parent
    try:
        beside = {entry.name for entry in os.scandir(folder)}
    except OSError:
        return None
    best = nearest(wanted.name, beside)
    return str(wanted.parent / best) if best else None


def _check_texts(value: op.OperationBase) -> None:
    same = isinstance(value, op.Replace) and value.old == value.new
    empty = isinstance(value, (op.Append, op.Prepend)) and not value.text
    if same or empty:
        raise ChangeError("changes nothing", remedy="give another text, with {id} for a new one")


def _check_file(value: op.OperationBase, file: Path) -> None:
    status = file.stat()
    if isinstance(value, _ON_FILES) and not stat.S_ISREG(status.st_mode):
        raise ChangeError("is no regular file", remedy="name a file of the context")
    if isinstance(value, op.Chmod) and stat.S_IMODE(status.st_mode) == int(value.mode, 8):
        raise ChangeError("changes nothing: the mode is that already", remedy="give another mode")
    if status.st_size > _LARGEST_READ or not stat.S_ISREG(status.st_mode):
        return
    if isinstance(value, op.Replace) and value.old.encode() not in file.read_bytes():
        raise ChangeError(
            f"the file does not contain {value.old!r}", remedy="give a text that is in the file"
        )
    if isinstance(value, op.Bump):
        bump(value.path, file.read_bytes(), value.key, value.value)
    if isinstance(value, op.Dockerignore):
        patterns = file.read_text(errors="replace").splitlines()
        if value.pattern in (line.strip() for line in patterns):
            raise ChangeError("changes nothing: the pattern is there", remedy="add another one")
