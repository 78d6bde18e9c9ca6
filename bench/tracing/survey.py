"""What a container's file system holds before its process goes on: its folders and links."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field

from bench.tracing.touching import OUTSIDE

_LOADER = re.compile(r"\Ald-(?:linux|musl)[\w.-]*\.so(?:\.\d+)*\Z")


@dataclass
class Survey:
    """The folders, the symbolic links with what they say, and the loaders of programs."""

    folders: set[str] = field(default_factory=lambda: {"/"})
    links: dict[str, str] = field(default_factory=dict)
    loaders: set[str] = field(default_factory=set)


def survey(root: int) -> Survey:
    """Look through the file system whose root is the open folder ``root``.

    A folder that goes away meanwhile, or cannot be read, counts without what is in it.
    """
    found = Survey()
    pending = [""]
    start = f"/proc/self/fd/{root}"
    while pending:
        folder = pending.pop()
        with contextlib.suppress(OSError), os.scandir(start + (folder or "/")) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if entry.is_symlink():
                    found.links[path] = os.readlink(entry.path)  # noqa: PTH115 - many of them
                elif entry.is_dir(follow_symlinks=False):
                    found.folders.add(path)
                    if path not in OUTSIDE:
                        pending.append(path)
                elif _LOADER.match(entry.name):
                    found.loaders.add(path)
    return found
