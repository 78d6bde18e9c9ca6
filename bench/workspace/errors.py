"""What can go wrong with a build context before any builder has seen it."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDIES = {
    errno.ENOSPC: "free space on that disk, or choose another scratch folder",
    errno.EDQUOT: "free space within the quota, or choose another scratch folder",
    errno.EACCES: "make it readable, or list it in .dockerignore if no build needs it",
    errno.EPERM: "run as the owner of the files, or choose another scratch folder",
    errno.ENAMETOOLONG: "shorten the path; the file system cannot hold it",
    errno.EROFS: "choose a scratch folder that can be written to",
}
_DEFAULT_REMEDY = "check that the path exists and that its file system is in order"


class WorkspaceError(BenchError):
    """A build context that cannot be copied, read, restored or packed."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn an OSError inside the block into a WorkspaceError that names the path and the remedy.

    Args:
        doing: what the block does, for the message, e.g. ``"copy the build context"``.

    Raises:
        WorkspaceError: for any OSError inside the block.

    """
    try:
        yield
    except OSError as error:
        where = f": {error.filename!s}" if error.filename else ""
        remedy = _REMEDIES.get(error.errno or 0, _DEFAULT_REMEDY)
        message = f"cannot {doing}{where}: {error.strerror or error}"
        raise WorkspaceError(message, remedy=remedy) from error
