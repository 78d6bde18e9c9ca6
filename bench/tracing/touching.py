"""What a RUN touched in the file system, told from its system calls.

Pure: it takes calls, and what was known of the file system before the first of them. Every file
that a call looked at, or looked for in vain, was read; what the calls may have changed was written.
Where a call can mean several files all of them count. What cannot be understood is kept as a
problem: then nothing may be concluded from the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.tracing.calls import CALLS, Arguments, Kind
from bench.tracing.family import Family, Process, UnknownProcessError, View
from bench.tracing.paths import Links, TooManyMeaningsError, is_below
from bench.tracing.strace import Begun, Call, Descriptor, Ended, descriptor_of, string_of

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTSIDE = ("/proc", "/sys", "/dev")
"""What the kernel and the engine put into every container: no part of an image."""

_OWN_DESCRIPTOR = re.compile(r"\A/(?:proc/(?:self|thread-self|\d+)/fd|dev/fd)/(\d+)\Z")
_THROUGH_PROC = re.compile(r"\A/proc/(?:self|thread-self|\d+)/(?:root|cwd|fd/\d+)(?:/|\Z)")
_OWN_PROGRAM = "/proc/self/exe"
_STANDARD = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_IS_FOLDER = "S_IFDIR"
_WAS_THERE = frozenset(
    {"EEXIST", "ENOTEMPTY", "EISDIR", "ENODATA", "EOPNOTSUPP", "ERANGE", "ETXTBSY", "ENOEXEC"}
)
"""Errors that only a file can cause that is there."""
_NAMESPACES = re.compile(r"CLONE_NEW(?:NS|USER)")


@dataclass
class Touched:
    """What one RUN did. All are absolute paths without symbolic links, but for the links.

    ``read`` are files looked at and names looked for in vain; ``found`` those of them that were
    there. ``entries`` are folders, and links, of which only the entry itself was looked at:
    that it is there, its mode and its owner. ``listed`` are folders whose names were read.
    ``problems`` says in words what could not be understood.
    """

    read: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)
    entries: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    executed: set[str] = field(default_factory=set)
    problems: dict[str, None] = field(default_factory=dict)


class Watched:
    """Takes the calls of one RUN, one after the other."""

    def __init__(
        self, first: int, cwd: str, program: str, *, folders: Iterable[str], links: Links
    ) -> None:
        """Begin with the process ``first``, which stands in ``cwd`` and runs ``program``."""
        self.touched = Touched()
        self._folders = set(folders)
        self._links = links
        self._family = Family(first, Process(View((cwd,)), {}, program))

    @property
    def has_ended(self) -> bool:
        """Whether the first process has ended, and with it all others of its container."""
        return self._family.has_ended

    def take(self, event: Call | Begun | Ended) -> None:
        """Take in one event."""
        if isinstance(event, Ended):
            self._family.ended(event.pid)
            return
        arguments = CALLS.get(event.name)
        if arguments is None or (isinstance(event, Begun) and arguments.kind is not Kind.BIRTH):
            return
        try:
            process = self._family.process(event.pid)
            if isinstance(event, Begun):
                self._family.birth_begins(event.pid, event.text)
            else:
                _Taking(self, process, event, arguments).take()
        except UnknownProcessError as error:
            self._problem(f"{event.name} of a process {error}")
        except TooManyMeaningsError as error:
            self._problem(f"links that change on the way of {error}")

    def _problem(self, words: str) -> None:
        self.touched.problems.setdefault(words)


class _Taking:
    """One call of one process on its way into what was touched."""

    def __init__(
        self, watched: Watched, process: Process, call: Call, arguments: Arguments
    ) -> None:
        self._watched = watched
        self._touched = watched.touched
        self._process = process
        self._call = call
        self._arguments = arguments
        self._flags = " ".join(call.arguments)

    def take(self) -> None:
        """Take it in."""
        self._learn()
        getattr(self, f"_take_{self._arguments.kind.value}")()

    def _learn(self) -> None:
        """Take over what strace tells by the way: where the process stands, what it has open."""
        for argument in self._call.arguments:
            known = descriptor_of(argument)
            if known is None or known.path is None:
                continue
            if known.number is None:
                self._process.view.stands_in((known.path,))
            else:
                self._process.files[known.number] = known.path
        if self._call.path is not None and self._call.result is not None:
            self._process.files[self._call.result] = self._call.path

    # What each kind of call does.

    def _take_open(self) -> None:
        """Take in the opening of a file; strace tells the path that it really has."""
        paths = self._paths(0, follow="O_NOFOLLOW" not in self._flags)
        writes = re.search(r"\bO_(?:WRONLY|RDWR|CREAT|TRUNC|TMPFILE)\b", self._flags)
        if self._call.name == "creat":
            writes = re.search("", "")
        if self._call.error:
            self._read(paths, found=self._was_there)
            return
        if self._call.path is not None:
            paths = paths | {self._call.path}
        if writes is not None and "O_DIRECTORY" not in self._flags:
            self._write(paths)
        if "O_WRONLY" not in self._flags:
            self._read(paths, found=True, folder="O_DIRECTORY" in self._flags)

    def _take_look(self) -> None:
        """Take in a look at the entry of a file."""
        paths = self._paths(0, follow=self._follows())
        self._read(paths, found=self._was_there, folder=_IS_FOLDER in self._flags)

    def _take_list(self) -> None:
        listed = self._descriptor(0)
        if listed is not None and listed.path is not None and not self._call.error:
            self._touched.listed.update(_inside([listed.path]))

    def _take_execute(self) -> None:
        place, _ = self._arguments.places[0]
        if string_of(self._call.arguments[place]) == _OWN_PROGRAM:
            paths = {self._process.program} - {""}
            if not paths:
                self._problem("a program that runs itself again, and cannot be told")
        else:
            paths = self._paths(0, follow="AT_SYMLINK_NOFOLLOW" not in self._flags)
        self._read(paths, found=self._was_there)
        if not self._call.error:
            self._touched.executed.update(_inside(paths))
            self._process.program = min(paths) if len(paths) == 1 else ""

    def _take_go(self) -> None:
        """Take in that the process goes to another folder."""
        paths = self._paths(0, follow=True)
        self._read(paths, found=self._was_there, folder=not self._call.error)
        if not self._call.error and paths:
            self._process.view.stands_in(tuple(sorted(paths)))

    def _take_go_to_file(self) -> None:
        folder = self._descriptor(0)
        if folder is not None and folder.path is not None and not self._call.error:
            self._process.view.stands_in((folder.path,))

    def _take_root(self) -> None:
        paths = self._paths(0, follow=True)
        self._read(paths, found=self._was_there, folder=not self._call.error)
        if self._call.error:
            return
        if len(paths) != 1:
            self._problem("chroot to a folder that cannot be told")
        self._process.view.root = min(paths, default="/")

    def _take_change(self) -> None:
        """Take in a change of the file itself: mode, owner, times, attributes or size."""
        paths = self._paths(0, follow=self._follows())
        self._change(paths)

    def _take_change_file(self) -> None:
        changed = self._descriptor(0)
        if changed is not None and changed.path is not None and not self._call.error:
            self._write({changed.path})

    def _take_make(self) -> None:
        paths = self._paths(0, follow=False)
        self._change(paths)
        if not self._call.error and self._call.name.startswith("mkdir"):
            self._watched._folders.update(paths)

    def _take_remove(self) -> None:
        paths = self._paths(0, follow=False)
        self._change(paths)
        if not self._call.error:
            for path in paths:
                self._watched._links.gone(path)

    def _take_link(self) -> None:
        """Take in a new symbolic link: what it says, then where it is."""
        target = string_of(self._call.arguments[0]) or ""
        paths = self._paths(1, follow=False)
        self._change(paths)
        if not self._call.error:
            for path in paths:
                self._watched._links.made(path, target)

    def _take_name(self) -> None:
        """Take in one more name of a file."""
        old = self._paths(0, follow="AT_SYMLINK_FOLLOW" in self._flags)
        new = self._paths(1, follow=False)
        self._read(old, found=self._was_there)
        self._change(new)
        links = self._watched._links
        if not self._call.error:
            for path, other in ((path, other) for path in old for other in new):
                for target in list(links.targets.get(path, ())):
                    links.made(other, target)

    def _take_move(self) -> None:
        old, new = self._paths(0, follow=False), self._paths(1, follow=False)
        self._change(old)
        self._change(new)
        if self._call.error:
            return
        for path, other in ((path, other) for path in old for other in new):
            self._move(path, other)
            if "RENAME_EXCHANGE" in self._flags:
                self._move(other, path)

    def _move(self, old: str, new: str) -> None:
        folders = self._watched._folders
        folders.update([new + path[len(old) :] for path in folders if is_below(path, old)])
        self._watched._links.gone(new)
        self._watched._links.moved(old, new)

    def _take_socket(self) -> None:
        """Take in a unix socket that is made (bind) or looked for (connect)."""
        name = re.search(r'sun_path=("(?:[^"\\]|\\.)*")', self._flags)
        path = None if name is None else string_of(name[1])
        if not path:
            return
        paths = self._resolve(path, self._process.view.cwd, follow=True)
        if self._call.name == "bind":
            self._change(paths)
        else:
            self._read(paths, found=self._was_there)

    def _take_birth(self) -> None:
        if not self._call.error and _NAMESPACES.search(self._flags):
            self._problem("a process with a mount or user namespace of its own")
        self._watched._family.birth_ends(self._call, self._flags)

    def _take_copy_number(self) -> None:
        """Take in one more number of an open file (dup, fcntl)."""
        if self._call.name.startswith("fcntl") and "F_DUPFD" not in self._flags:
            return
        old, new = self._descriptor(0), self._call.result
        if self._call.error or old is None or new is None:
            return
        if old.path is None:
            self._process.files.pop(new, None)
        else:
            self._process.files[new] = old.path

    def _take_beyond(self) -> None:
        """Take in what makes paths mean something else, or hides calls."""
        if (
            self._call.name == "unshare"
            and not self._call.error
            and not _NAMESPACES.search(self._flags)
        ):
            self._process.view = self._process.view.copy()
            self._process.files = dict(self._process.files)
        elif not self._call.error:
            self._problem(f"the system call {self._call.name}")

    # From arguments to paths.

    @property
    def _was_there(self) -> bool:
        error = self._call.error
        is_no_link = error == "EINVAL" and self._call.name.startswith("readlink")
        return not error or is_no_link or error in _WAS_THERE

    def _follows(self) -> bool:
        if self._arguments.follow:
            return "AT_SYMLINK_NOFOLLOW" not in self._flags
        return "AT_SYMLINK_FOLLOW" in self._flags

    def _descriptor(self, which: int) -> Descriptor | None:
        return descriptor_of(self._call.arguments[which]) if self._call.arguments else None

    def _paths(self, which: int, *, follow: bool) -> set[str]:
        """Return what the ``which``-th path among the arguments can mean."""
        place, folder = self._arguments.places[which]
        arguments = self._call.arguments
        if place >= len(arguments):
            return set()
        path = string_of(arguments[place])
        base: tuple[str, ...] = self._process.view.cwd
        if folder is not None:
            known = descriptor_of(arguments[folder])
            if known is not None and known.number is not None:
                base = () if known.path is None else (known.path,)
        if not path:  # the descriptor itself (AT_EMPTY_PATH, utimensat without a path)
            is_itself = path is None or "AT_EMPTY_PATH" in self._flags
            return set(base) if folder is not None and is_itself else set()
        return self._resolve(path, base, follow=follow)

    def _resolve(self, path: str, bases: tuple[str, ...], *, follow: bool) -> set[str]:
        view = self._process.view
        if path.startswith(OUTSIDE) and path not in _STANDARD and not _OWN_DESCRIPTOR.match(path):
            if _THROUGH_PROC.match(path) and not self._arguments.kind.only_looks:
                self._problem(f"{self._call.name} of {path}")
            return set()
        own = _OWN_DESCRIPTOR.match(path)
        if own is not None or path in _STANDARD:
            return self._of_own(path, int(own[1]) if own else _STANDARD[path])
        found: set[str] = set()
        for base in bases if not path.startswith("/") else ("/",):
            resolved = self._watched._links.resolve(path, base=base, follow=follow, root=view.root)
            found |= resolved.paths
            self._touched.entries.update(_inside(resolved.passed))
        return found

    def _of_own(self, path: str, number: int) -> set[str]:
        """Return the file behind ``/proc/self/fd/N``: it was open, so it was read before."""
        known = self._process.files.get(number)
        if known is not None:
            return {known}
        if not self._arguments.kind.only_looks and path not in _STANDARD:
            self._problem(f"{self._call.name} of {path}")
        return set()

    # What was touched.

    def _read(self, paths: Iterable[str], *, found: bool, folder: bool = False) -> None:
        for path in _inside(paths):
            is_link = path in self._watched._links.targets
            if found and (folder or is_link or path in self._watched._folders):
                self._touched.entries.add(path)
                if folder:
                    self._watched._folders.add(path)
            else:
                self._touched.read.add(path)
                if found:
                    self._touched.found.add(path)

    def _change(self, paths: Iterable[str]) -> None:
        if self._call.error:
            self._read(paths, found=self._was_there)
        else:
            self._write(paths)

    def _write(self, paths: Iterable[str]) -> None:
        self._touched.written.update(_inside(paths))

    def _problem(self, words: str) -> None:
        self._watched._problem(words)


def _inside(paths: Iterable[str]) -> set[str]:
    """Leave out what is no part of the image."""
    return {path for path in paths if not any(is_below(path, one) for one in OUTSIDE)}
