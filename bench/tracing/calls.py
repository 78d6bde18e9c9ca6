"""The system calls that touch files, and what each of their arguments is.

Source: the manual pages of section 2; strace ``src/linux/syscallent*`` for the names.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a call does."""

    OPEN = "open"
    LOOK = "look"
    LIST = "list"
    EXECUTE = "execute"
    GO = "go"
    GO_TO_FILE = "go_to_file"
    ROOT = "root"
    CHANGE = "change"
    CHANGE_FILE = "change_file"
    MAKE = "make"
    REMOVE = "remove"
    LINK = "link"
    NAME = "name"
    MOVE = "move"
    SOCKET = "socket"
    BIRTH = "birth"
    COPY_NUMBER = "copy_number"
    BEYOND = "beyond"
    """After it, paths mean something else, or calls are not seen any more."""

    @property
    def only_looks(self) -> bool:
        """Whether it changes no file."""
        return self in {Kind.OPEN, Kind.LOOK, Kind.LIST, Kind.EXECUTE, Kind.SOCKET}


@dataclass(frozen=True)
class Arguments:
    """Where the paths stand among a call's arguments.

    Each is ``(place of the path, place of the folder's file descriptor or None)``. ``follow`` says
    whether a link at the end is followed where no flag says otherwise.
    """

    kind: Kind
    places: tuple[tuple[int, int | None], ...] = ((0, None),)
    follow: bool = True


_AT = ((1, 0),)
_AT_TWICE = ((1, 0), (3, 2))
_TWICE = ((0, None), (1, None))

CALLS = {
    "open": Arguments(Kind.OPEN),
    "openat": Arguments(Kind.OPEN, _AT),
    "openat2": Arguments(Kind.OPEN, _AT),
    "creat": Arguments(Kind.OPEN),
    "access": Arguments(Kind.LOOK),
    "faccessat": Arguments(Kind.LOOK, _AT),
    "faccessat2": Arguments(Kind.LOOK, _AT),
    "stat": Arguments(Kind.LOOK),
    "stat64": Arguments(Kind.LOOK),
    "lstat": Arguments(Kind.LOOK, follow=False),
    "lstat64": Arguments(Kind.LOOK, follow=False),
    "newfstatat": Arguments(Kind.LOOK, _AT),
    "fstatat64": Arguments(Kind.LOOK, _AT),
    "statx": Arguments(Kind.LOOK, _AT),
    "statfs": Arguments(Kind.LOOK),
    "statfs64": Arguments(Kind.LOOK),
    "readlink": Arguments(Kind.LOOK, follow=False),
    "readlinkat": Arguments(Kind.LOOK, _AT, follow=False),
    "getxattr": Arguments(Kind.LOOK),
    "lgetxattr": Arguments(Kind.LOOK, follow=False),
    "listxattr": Arguments(Kind.LOOK),
    "llistxattr": Arguments(Kind.LOOK, follow=False),
    "name_to_handle_at": Arguments(Kind.LOOK, _AT, follow=False),
    "inotify_add_watch": Arguments(Kind.LOOK, ((1, None),)),
    "getdents": Arguments(Kind.LIST),
    "getdents64": Arguments(Kind.LIST),
    "execve": Arguments(Kind.EXECUTE),
    "execveat": Arguments(Kind.EXECUTE, _AT),
    "chdir": Arguments(Kind.GO),
    "fchdir": Arguments(Kind.GO_TO_FILE),
    "chroot": Arguments(Kind.ROOT),
    "chmod": Arguments(Kind.CHANGE),
    "fchmodat": Arguments(Kind.CHANGE, _AT),
    "fchmodat2": Arguments(Kind.CHANGE, _AT),
    "chown": Arguments(Kind.CHANGE),
    "chown32": Arguments(Kind.CHANGE),
    "lchown": Arguments(Kind.CHANGE, follow=False),
    "lchown32": Arguments(Kind.CHANGE, follow=False),
    "fchownat": Arguments(Kind.CHANGE, _AT),
    "truncate": Arguments(Kind.CHANGE),
    "truncate64": Arguments(Kind.CHANGE),
    "utime": Arguments(Kind.CHANGE),
    "utimes": Arguments(Kind.CHANGE),
    "futimesat": Arguments(Kind.CHANGE, _AT),
    "utimensat": Arguments(Kind.CHANGE, _AT),
    "utimensat_time64": Arguments(Kind.CHANGE, _AT),
    "setxattr": Arguments(Kind.CHANGE),
    "lsetxattr": Arguments(Kind.CHANGE, follow=False),
    "removexattr": Arguments(Kind.CHANGE),
    "lremovexattr": Arguments(Kind.CHANGE, follow=False),
    "fchmod": Arguments(Kind.CHANGE_FILE),
    "fchown": Arguments(Kind.CHANGE_FILE),
    "fchown32": Arguments(Kind.CHANGE_FILE),
    "fsetxattr": Arguments(Kind.CHANGE_FILE),
    "fremovexattr": Arguments(Kind.CHANGE_FILE),
    "mkdir": Arguments(Kind.MAKE),
    "mkdirat": Arguments(Kind.MAKE, _AT),
    "mknod": Arguments(Kind.MAKE),
    "mknodat": Arguments(Kind.MAKE, _AT),
    "rmdir": Arguments(Kind.REMOVE),
    "unlink": Arguments(Kind.REMOVE),
    "unlinkat": Arguments(Kind.REMOVE, _AT),
    "symlink": Arguments(Kind.LINK, ((0, None), (1, None))),
    "symlinkat": Arguments(Kind.LINK, ((0, None), (2, 1))),
    "link": Arguments(Kind.NAME, _TWICE),
    "linkat": Arguments(Kind.NAME, _AT_TWICE),
    "rename": Arguments(Kind.MOVE, _TWICE),
    "renameat": Arguments(Kind.MOVE, _AT_TWICE),
    "renameat2": Arguments(Kind.MOVE, _AT_TWICE),
    "bind": Arguments(Kind.SOCKET),
    "connect": Arguments(Kind.SOCKET),
    "clone": Arguments(Kind.BIRTH),
    "clone3": Arguments(Kind.BIRTH),
    "fork": Arguments(Kind.BIRTH),
    "vfork": Arguments(Kind.BIRTH),
    "dup": Arguments(Kind.COPY_NUMBER),
    "dup2": Arguments(Kind.COPY_NUMBER),
    "dup3": Arguments(Kind.COPY_NUMBER),
    "fcntl": Arguments(Kind.COPY_NUMBER),
    "fcntl64": Arguments(Kind.COPY_NUMBER),
    "unshare": Arguments(Kind.BEYOND),
    "setns": Arguments(Kind.BEYOND),
    "mount": Arguments(Kind.BEYOND),
    "move_mount": Arguments(Kind.BEYOND),
    "umount2": Arguments(Kind.BEYOND),
    "pivot_root": Arguments(Kind.BEYOND),
    "open_by_handle_at": Arguments(Kind.BEYOND),
    "io_uring_setup": Arguments(Kind.BEYOND),
}
"""Every call that is watched. A file that was opened to be written counts as written then: calls
on an open file are followed only where they change more than its content."""


def traced() -> str:
    """Return the calls as strace takes them; ``?`` lets a name pass that this machine lacks."""
    return ",".join(f"?{name}" for name in CALLS)
