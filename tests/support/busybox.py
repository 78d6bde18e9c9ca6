"""A 2 MB base image for tests, put into an engine from the distribution's busybox."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from docker.errors import ImageNotFound

from bench.bases.busybox import busybox_tar
from bench.engine.state import state_dir

if TYPE_CHECKING:
    import docker

# No registry listens on port 1: an engine that asks one before it looks at its own images
# (BuildKit on the containerd store) is refused at once and never sends a name to a real one.
REPOSITORY = "localhost:1/cachebench-busybox"


def import_busybox(client: docker.DockerClient) -> str:
    """Make sure that the engine has the busybox image; return its tag, one per content."""
    rootfs = rootfs_tar()
    version = hashlib.sha256(rootfs).hexdigest()[:12]
    tag = f"{REPOSITORY}:{version}"
    try:
        client.images.get(tag)
    except ImageNotFound:
        client.api.import_image_from_data(
            rootfs,
            repository=REPOSITORY,
            tag=version,
            changes=["ENV PATH=/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["/bin/sh"]'],
        )
    return tag


@cache
def rootfs_tar() -> bytes:
    """Return the root file system; kept in the state folder, so that it is fetched once."""
    kept = state_dir() / "tests" / "busybox.tar"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_bytes(busybox_tar())
        partial.rename(kept)
    return kept.read_bytes()
