"""Remove what a run made in the engine, and nothing else.

Images: whatever holds the salt's layer belongs to the trial. BuildKit records: everything built
on a salted base hangs below one root record, found through a marker build whose command holds the
salt; beside these there are the contexts that the run sent, which have no parent and were made
while one of the run's own builds was under way, and cache mounts, whose ids hold the salt. On the
containerd image store no record may be deleted at all: any prune there makes every image-based
build of everybody miss (moby ``buildkit/control`` Prune, seen on 28.5), so records are left to the
engine's garbage collection.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker.errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import requests
    from docker import DockerClient

RUN_REPOSITORY = "localhost:1/cachebench/run-"
"""Every image of a run is tagged below this, so that a killed run's leavings can be found.

BuildKit on the containerd image store asks the registry in a name before it looks at the engine's
own images. Nothing listens on port 1: it is refused at once, sends no name to anybody, and can
never be given somebody else's image.
"""

_CONTEXT_RECORDS = ("http url http://build-context-", "copy /context /", "local source for ")
_MOUNT_RECORD = "cached mount "
_MOUNT_ID = ' with id "'  # 20.10 does not tell it
_UNNAMED_CONTEXT_RECORD = "fileop target"  # what 20.10 calls the unpacking of a context
_BASE_RECORDS = frozenset({"from local", ""})  # graph driver, containerd
_PRUNE_SECONDS_PER_RECORD = 0.5
_REMOVAL_PASSES = 20


@dataclass(frozen=True)
class Window:
    """When one build of the run was under way, by the engine's clock (UTC)."""

    began: dt.datetime
    ended: dt.datetime


@dataclass(frozen=True)
class CacheRecord:
    """One BuildKit cache record as ``/system/df`` lists it."""

    id: str
    parents: tuple[str, ...]
    description: str
    created_at: dt.datetime


@dataclass
class Removed:
    """What a clean-up removed, and what it could not."""

    images: int = 0
    records: int = 0
    left: list[str] = field(default_factory=list)


def run_repository(run: str) -> str:
    """Return the repository name under which all images of a run are tagged."""
    return f"{RUN_REPOSITORY}{run.lower()}"


def cache_records(client: DockerClient) -> list[CacheRecord]:
    """List the engine's BuildKit records."""
    api: Any = client.api
    # Of everything the engine could count, only these: the containerd image store goes through
    # all snapshots to measure its images, and fails where one is removed meanwhile. Engines
    # before API 1.42 do not know the parameter and count everything.
    response = api.get(api._url("/system/df"), params={"type": "build-cache"})
    usage: dict[str, Any] = api._result(response, json=True)
    return [
        CacheRecord(
            id=raw["ID"],
            parents=_parents(raw),
            description=raw.get("Description") or "",
            created_at=_time(raw["CreatedAt"]),
        )
        for raw in usage.get("BuildCache") or []
    ]


def _parents(raw: Mapping[str, Any]) -> tuple[str, ...]:
    # 20.10 gives "Parent"; later engines give a list whose key begins with a space
    # (moby api/types/build, `json:" Parents,omitempty"`).
    many = raw.get(" Parents") or raw.get("Parents")
    if many:
        return tuple(many)
    return (raw["Parent"],) if raw.get("Parent") else ()


def _time(text: str) -> dt.datetime:
    # Go prints nanoseconds; datetime reads at most six digits of a second.
    head, _, fraction = text.rstrip("Z").partition(".")
    digits = fraction[:6].ljust(6, "0") if fraction[:1].isdigit() else "000000"
    return dt.datetime.fromisoformat(f"{head}.{digits}+00:00")


def remove_images(client: DockerClient, diff_ids: Iterable[str], removed: Removed) -> None:
    """Remove every image one of whose layers is in ``diff_ids``: tags first, then by ID."""
    salts = set(diff_ids)
    mine = {str(image.id): image for image in _images(client) if _holds(image, salts)}
    for image in mine.values():
        for tag in image.tags:
            _remove(client, tag)
    # A classic chain goes child by child; each pass removes those whose children are gone.
    for _ in range(_REMOVAL_PASSES):
        present = _image_ids(client) & set(mine)
        if not present:
            break
        gone = [image_id for image_id in present if _remove(client, image_id)]
        if not gone:
            break
    left = _image_ids(client) & set(mine)
    removed.images += len(mine) - len(left)
    removed.left += sorted(left)


def _image_ids(client: DockerClient) -> set[str]:
    return {str(raw["Id"]) for raw in client.api.images(all=True)}


def _images(client: DockerClient) -> Iterator[Any]:
    """Yield every image, passing over one that somebody removes while the list is gone through.

    The SDK's own list looks up one image after the other and fails as a whole there.
    """
    for image_id in _image_ids(client):
        try:
            image = client.images.get(image_id)
        except docker.errors.NotFound:
            continue
        yield image


def _holds(image: Any, salts: set[str]) -> bool:
    try:
        return bool(salts.intersection(image.attrs["RootFS"].get("Layers") or []))
    except KeyError:
        return False


def _remove(client: DockerClient, reference: str) -> bool:
    try:
        client.images.remove(reference, force=True, noprune=False)
    except (docker.errors.ImageNotFound, docker.errors.NotFound):
        return True
    except docker.errors.APIError:
        return False  # it has children that go first, or a container uses it
    return True


def mark_salt(client: DockerClient, tag: str, salt: str) -> bool:
    """Build one step on a salted base whose record's description names the salt.

    Tells whether it could: a base without a shell cannot run it, and one with triggers may want
    files that are not there. Their records are then found by time alone.
    """
    text = f"FROM {tag}\nRUN : {_marker(salt)}\n".encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    api: Any = client.api
    response: requests.Response = api.post(
        api._url("/build"),
        params={"version": "2", "networkmode": "none", "t": f"{tag}-marker"},
        data=buffer.getvalue(),
        headers={"Content-Type": "application/x-tar"},
        timeout=60,
    )
    return response.ok and b'"error"' not in response.content


def _marker(salt: str) -> str:
    return f"salt-marker-{salt}"


def cache_mount_prefix(salt: str) -> str:
    """Return what the ids of a trial's cache mounts begin with."""
    return f"cachebench-{salt}-"


def own_records(
    records: Sequence[CacheRecord],
    *,
    before: frozenset[str] | None,
    salts: Iterable[str],
    windows: Sequence[Window],
    unmarked_bases: bool = False,
) -> set[str]:
    """Return the IDs of the records that the run made. Pure.

    ``before`` are the IDs that were there before the run, None where nobody knows: then nothing
    above a salted base is taken, since the user may have had it. A record is the run's if it
    hangs below the parent of a marker (that parent is the salted base), if it is a cache mount
    whose id holds a salt, or if it came into being within a window and is a context, or a cache
    mount whose id the engine does not tell. ``unmarked_bases`` says that some salted base could
    not be marked (``scratch``): then base records of the windows count too. What is found by time
    alone is left if anything below it is from outside the windows: somebody else uses it.
    """
    salted = tuple(text for salt in salts for text in (_marker(salt), cache_mount_prefix(salt)))
    known = before or frozenset()
    in_windows = {
        record.id
        for record in records
        if any(window.began <= record.created_at <= window.ended for window in windows)
    }
    roots: set[str] = set()
    own: set[str] = set()
    for record in records:
        if any(text in record.description for text in salted):
            roots |= {record.id, *record.parents}
        elif record.id in in_windows and _could_be_root(record, unmarked_bases):
            tree = _tree(records, {record.id} - known, known)
            own |= tree if tree <= in_windows else set()
    own |= _tree(records, roots - known, known)
    if before is not None:
        _add_lone_ancestors(records, own, before)
    return own


def _could_be_root(record: CacheRecord, unmarked_bases: bool) -> bool:
    description = record.description.strip()
    if unmarked_bases and description in _BASE_RECORDS:
        return True
    if record.parents:
        return False
    if description.startswith(_MOUNT_RECORD):
        return _MOUNT_ID not in description
    return description.startswith(_CONTEXT_RECORDS) or description == _UNNAMED_CONTEXT_RECORD


def _tree(records: Sequence[CacheRecord], roots: set[str], known: frozenset[str]) -> set[str]:
    """Return ``roots`` and all that hangs below them, but for what is ``known`` from before."""
    tree, grown = set(roots), bool(roots)
    while grown:
        more = {record.id for record in records if tree.intersection(record.parents)} - tree - known
        tree |= more
        grown = bool(more)
    return tree


def _add_lone_ancestors(
    records: Sequence[CacheRecord], own: set[str], before: frozenset[str]
) -> None:
    """Add the records above a salted base that came with it: the unsalted base's own.

    One that anything else hangs below is not ours alone and stays.
    """
    grown = True
    while grown:
        above = {parent for record in records if record.id in own for parent in record.parents}
        shared = {parent for record in records if record.id not in own for parent in record.parents}
        more = above - own - before - shared
        own |= more
        grown = bool(more)


def remove_records(client: DockerClient, ids: set[str], removed: Removed) -> None:
    """Prune exactly the records in ``ids``. Never call it on the containerd image store."""
    if not ids:
        return
    api: Any = client.api
    pattern = f"/^({'|'.join(sorted(ids))})$/"
    response: requests.Response = api.post(
        api._url("/build/prune"),
        params={"all": "1", "filters": json.dumps({"id": [pattern]})},
        timeout=60 + _PRUNE_SECONDS_PER_RECORD * len(ids),
    )
    response.raise_for_status()
    left = ids & {record.id for record in cache_records(client)}
    removed.records += len(ids) - len(left)
    removed.left += sorted(left)


def engine_now(client: DockerClient) -> dt.datetime:
    """Return the engine's own clock, UTC: records carry its time, not ours."""
    return _time_with_zone(client.info()["SystemTime"])


def _time_with_zone(text: str) -> dt.datetime:
    head, dot, fraction = text.partition(".")
    if not dot:
        return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(dt.UTC)
    digits = "".join(character for character in fraction[:6] if character.isdigit()).ljust(6, "0")
    zone = fraction.lstrip("0123456789").replace("Z", "+00:00")
    return dt.datetime.fromisoformat(f"{head}.{digits}{zone}").astimezone(dt.UTC)
