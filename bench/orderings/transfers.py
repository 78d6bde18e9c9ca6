"""Where COPY and ADD put files, as far as that is certain.

Sources: moby ``builder/dockerfile/copy.go`` (performCopyForInfo, copyDirectory, copyFile),
tonistiigi/fsutil ``copy/copy.go`` (Copy, prepareTargetDir). Of both builders: a folder that is
there keeps its owner and mode when another one's content is copied into it.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from bench.cache_model.files import clean
from bench.cache_model.placing import owner_of
from bench.cache_model.profiles import Family
from bench.cache_model.sources import transfer_of
from bench.cache_model.wildcards import has_wildcards, matches
from bench.orderings.effects import Files
from bench.orderings.regions import Region

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.cache_model.files import FileTree
    from bench.cache_model.profiles import Profile
    from bench.cache_model.sources import Transfer
    from bench.dockerfile import Dockerfile, Instruction
    from bench.orderings.access import Access
    from bench.orderings.standing import Standing

ROOT = "0:0"
PASSWD = (Region.of("/etc/passwd"), Region.of("/etc/group"))
_SOME_ROOT = frozenset({"", "0", "root", "0:0", "root:root", "0:root", "root:0"})


def owner_key(owner: str | None) -> str | None:
    """Return what tells an owner from others: root by any of its names is one."""
    return ROOT if owner in _SOME_ROOT else owner


def needs_passwd(owner: str | None) -> bool:
    """Tell whether the image's own files say who ``owner`` is."""
    return owner is None or (owner not in _SOME_ROOT and owner_of(owner) is None)


def transfer_files(
    dockerfile: Dockerfile,
    instruction: Instruction,
    standing: Standing,
    profile: Profile,
    context: FileTree,
    access: Access | None = None,
) -> Files:
    """Return what a COPY or ADD does to the files of its stage.

    ``context`` holds what it can see of the build context; ``access`` is what is said of it.

    Raises:
        NotUnderstoodError: a flag, a remote source or a variable is beyond the model.

    """
    transfer = transfer_of(dockerfile, instruction, standing.scope, profile)
    target = standing.place(instruction.arguments[-1], f"line {instruction.line} copies to")
    chown = standing.expand(instruction.flag("chown") or "")
    sure = all(standing.expand(word) is not None for word in instruction.arguments[:-1])
    placing = _Placing(context, transfer, target, profile, sure=sure)
    owner = owner_key(chown)
    return Files(
        reads=PASSWD if needs_passwd(chown) else (),
        writes=placing.always(),
        writes_now=placing.now() if access is None else tuple(map(Region.of, access.writes)),
        makes=placing.makes(owner),
        forces=transfer.link and profile.link_is_merge and not transfer.chmod,
        access=access,
    )


def takes(sources: Iterable[str], path: str) -> bool:
    """Tell whether a file of the build context is among what ``sources`` select."""
    return any(_selects(clean(source), path) for source in sources)


def _selects(source: str, path: str) -> bool:
    if not source or path == source or path.startswith(f"{source}/"):
        return True
    depth = source.count("/") + 1
    return has_wildcards(source) and matches(source, "/".join(path.split("/")[:depth]))


class _Placing:
    """Where the sources of one COPY or ADD land."""

    def __init__(
        self,
        context: FileTree,
        transfer: Transfer,
        target: Region,
        profile: Profile,
        *,
        sure: bool,
    ) -> None:
        self._transfer = transfer
        self._target = target
        self._profile = profile
        self._tree = context
        count = len(transfer.sources) + len(transfer.documents)
        self._into = transfer.into_folder or count > 1
        self._known = sure and transfer.origin is None

    def always(self) -> tuple[Region, ...]:
        """Return the places it writes to, whatever its sources hold."""
        documents = self._transfer.documents
        if documents and not self._transfer.sources and self._into:
            return tuple(self._target.child(one.name) for one in documents)
        return (self._target,)

    def now(self) -> tuple[Region, ...] | None:
        """Return the places it writes to by what the context holds; None: no more is known."""
        if not self._known or not self._transfer.sources:
            return None
        found = [self._target.child(one.name) for one in self._transfer.documents]
        for source in self._transfer.sources:
            names = list(self._names(source))
            if not names:
                return None
            found += [self._target.child(name) if name else self._target for name in names]
        return tuple(found)

    def _names(self, source: str) -> Iterator[str]:
        """Yield the paths below the target that a source is put at, none if that is not known.

        ``""`` is the target itself.
        """
        path = clean(source)
        if has_wildcards(path):
            yield from self._names_of_pattern(path)
        elif self._tree.is_dir(path):
            yield from self._children(path)
        elif self._is_plain(path):
            yield posixpath.basename(path) if self._into else ""

    def _is_plain(self, path: str) -> bool:
        """Tell whether a source is a file that is copied as it is: ADD unpacks archives."""
        node = self._tree.nodes.get(path)
        return node is not None and node.type == "file" and self._transfer.keyword != "ADD"

    def _names_of_pattern(self, path: str) -> Iterator[str]:
        found = [one for one in self._tree.nodes if matches(path, one)]
        if found and self._into and all(map(self._is_plain, found)):
            yield posixpath.basename(path)

    def _children(self, folder: str) -> Iterator[str]:
        depth = len(folder) + 1 if folder else 0
        yield from dict.fromkeys(path[depth:].split("/")[0] for path in self._tree.below(folder))

    def makes(self, owner: str | None) -> dict[Region, str | None]:
        """Return the folders that are made where they are missing, with owner and mode."""
        parents, itself = self._attributes(owner)
        made: dict[Region, str | None] = dict.fromkeys(self._target.above(), parents)
        plain = self._known and all(self._is_plain(clean(one)) for one in self._transfer.sources)
        if (self._into or not plain) and not self._target.is_everything:
            made[self._target] = itself
        return made

    def _attributes(self, owner: str | None) -> tuple[str | None, str | None]:
        """Return owner and mode of the folders above the target, and of the target."""
        plain = None if owner is None else f"{owner} 755"
        if self._profile.family is not Family.CLASSIC:
            # Whether --chmod counts for them too changed with the version.
            return (None, None) if self._transfer.chmod else (plain, plain)
        if owner == ROOT:
            return plain, plain
        # The folders above a copied folder belong to root, those above a copied file do not.
        kinds = {self._tree.is_dir(clean(one)) for one in self._transfer.sources}
        if not self._known or len(kinds) != 1:
            return None, None
        return (f"{ROOT} 755" if kinds == {True} else plain), plain
