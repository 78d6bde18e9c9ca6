"""The command that runs a dockerd of ours so that it leaves every other engine alone.

Each private engine gets its own mount namespace, data root, exec root, socket, pid file, bridge
and ``/etc/docker``; it changes no firewall rule and no kernel setting. One that comes from another
release of the distribution runs with that release's root as its ``/`` (``pivot_root``: with a plain
``chroot`` a build fails at COPY, "remount /: invalid argument").
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from bench.engine.state import ImageStore
from bench.errors import NoEngineError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.engine.state import EngineFolder, EngineSpec

_IP_TIMEOUT_SECONDS = 10

# $1 = what becomes /etc/docker; the rest is the command.
_HOST_SCRIPT = """
set -e
mkdir -p /etc/docker
mount --bind "$1" /etc/docker
shift
exec "$@"
"""

# $1 = new root, $2 = data root, $3 = run folder, $4 = what becomes /etc/docker; the rest is the
# command. The engine's folders have the same paths inside as outside, so that what the engine
# says of its data root is true for everyone.
_ROOT_SCRIPT = """
set -e
root=$1 data=$2 run=$3 etc=$4
shift 4
mount --bind "$root" "$root"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mkdir -p "$root$data" "$root$run" "$root/etc/docker" "$root/.host"
mount --bind "$data" "$root$data"
mount --bind "$run" "$root$run"
mount --bind "$etc" "$root/etc/docker"
test ! -e /etc/resolv.conf || cat /etc/resolv.conf > "$root/etc/resolv.conf"
cd "$root"
pivot_root . .host
cd /
umount -l /.host
exec "$@"
"""


def daemon_arguments(spec: EngineSpec, folder: EngineFolder) -> tuple[str, ...]:
    """Return dockerd and its options for a private engine."""
    options = [
        "dockerd",
        f"--data-root={folder.data}",
        f"--exec-root={folder.run / 'exec'}",
        f"--host={folder.host}",
        f"--pidfile={folder.pidfile}",
        f"--bridge={folder.bridge}",
        "--iptables=false",
        "--ip6tables=false",
        "--ip-forward=false",
        "--ip-masq=false",
    ]
    if spec.image_store is ImageStore.CONTAINERD:
        options.append("--feature=containerd-snapshotter=true")
    else:
        options.append("--storage-driver=overlay2")
    return tuple(options)


def launch_arguments(spec: EngineSpec, folder: EngineFolder, root: Path | None) -> tuple[str, ...]:
    """Return the whole command; after its last ``exec`` the process is dockerd itself.

    ``root`` is the folder of another release's root, None for the host's own dockerd.
    """
    namespace = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
    dockerd = daemon_arguments(spec, folder)
    if root is None:
        return (*namespace, _HOST_SCRIPT, "dockerd", str(folder.etc), *dockerd)
    folders = (str(root), str(folder.data), str(folder.run), str(folder.etc))
    return (*namespace, _ROOT_SCRIPT, "dockerd", *folders, *dockerd)


def make_bridge(name: str) -> None:
    """Make the bridge of an engine if it is not there.

    dockerd deletes a ``docker0`` it finds when told to use no bridge, and would share it when told
    nothing: with a bridge of its own it does neither.

    Raises:
        NoEngineError: the kernel refuses.

    """
    if _ip("link", "show", name).returncode == 0:
        return
    made = _ip("link", "add", name, "type", "bridge")
    if made.returncode != 0:
        raise NoEngineError(
            f"cannot make the network bridge {name}: {made.stderr.strip()}",
            remedy="run as root with CAP_NET_ADMIN, or point DOCKER_HOST at a running engine",
        )


def remove_bridge(name: str) -> None:
    """Remove the bridge of an engine, if it is there."""
    _ip("link", "delete", name, "type", "bridge")


def _ip(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["ip", *arguments],
            capture_output=True,
            text=True,
            timeout=_IP_TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoEngineError(
            "the command 'ip' is not installed", remedy="install the package iproute2"
        ) from error
