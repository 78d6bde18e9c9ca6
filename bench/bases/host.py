"""What the host's Debian offers: its release, its apt sources, a fresh root file system."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.engine.state import state_dir
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.bases.recipe import Recipe

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_PLAIN = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
_TARGET_FORMAT = "$(SITE)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)"
_MIRROR_REMEDY = "configure apt with a Debian mirror, or docker pull the image where a registry is"
_PULL_REMEDY = "docker pull or docker load the image, or run this as root on Debian once"


@dataclass(frozen=True)
class AptSource:
    """One suite of the Debian mirror the host's apt is configured with."""

    site: str
    suite: str
    component: str

    def __str__(self) -> str:
        return f"deb {self.site} {self.suite} {self.component}"


def debian_release() -> str:
    """Return the code name of the host's Debian release.

    Raises:
        BaseImageError: the host is not Debian.

    """
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    if release.get("ID") != "debian" or not release.get("VERSION_CODENAME"):
        name = release.get("PRETTY_NAME", platform.system())
        raise BaseImageError(
            f"stand-ins are made from Debian's packages and this host is {name}",
            remedy=_PULL_REMEDY,
        )
    return release["VERSION_CODENAME"]


def apt_sources(release: str) -> tuple[AptSource, ...]:
    """Return the Debian suites of ``release`` that the host's apt uses, the main one first.

    Suites of other origins are left out: their packages are not part of any recipe, and their
    keys are not in the image.

    Raises:
        BaseImageError: apt has no such suite.

    """
    sources = _indexed_sources(release)
    if not sources and os.geteuid() == 0:
        run(["apt-get", "update", "-qq"], "apt-get update failed")  # a fresh machine has no lists
        sources = _indexed_sources(release)
    if not sources or sources[0].suite != release:
        raise BaseImageError(
            f"apt has no Debian mirror for {release}/main among its sources",
            remedy=_MIRROR_REMEDY,
        )
    return sources


def _indexed_sources(release: str) -> tuple[AptSource, ...]:
    listing = run(
        ["apt-get", "indextargets", "--format", _TARGET_FORMAT, "Created-By: Packages"],
        "apt cannot list its sources",
    )
    return parse_index_targets(listing, release)


def parse_index_targets(listing: str, release: str) -> tuple[AptSource, ...]:
    """Read lines of ``SITE|RELEASE|COMPONENT|ORIGIN``; ORIGIN may be empty."""
    suites = [release, f"{release}-updates", f"{release}-security"]
    found: dict[AptSource, None] = {}
    for line in listing.splitlines():
        site, suite, component, origin = line.split("|")
        debian = origin in {"", "Debian"}
        if debian and suite in suites and component == "main" and site.startswith("http"):
            found[AptSource(site, suite, component)] = None
    return tuple(sorted(found, key=lambda source: suites.index(source.suite)))


def apt_proxy_settings() -> str:
    """Return the host's apt settings for proxies and certificate checks, as apt.conf lines."""
    dump = run(["apt-config", "dump", "--no-empty"], "apt cannot show its settings")
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries")
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(wanted))


def make_rootfs(recipe: Recipe, progress: Callable[[str], None]) -> Path:
    """Return a tarball of a stripped minimal system, made with debootstrap or kept from before.

    Raises:
        BaseImageError: not Debian, not root, or debootstrap fails; the message ends with its log.

    """
    release = debian_release()
    machine = platform.machine()
    tarball = state_dir() / "bases" / f"rootfs-{release}-{machine}-{recipe.digest}.tar"
    if tarball.exists():
        progress(f"{recipe.name}: using {tarball}")
        return tarball
    require_root()
    sources = apt_sources(release)
    ensure_debootstrap(progress)
    tarball.parent.mkdir(parents=True, exist_ok=True)
    progress(f"{recipe.name}: debootstrap {release} (about 30 s)")
    with tempfile.TemporaryDirectory(prefix="rootfs-", dir=tarball.parent) as scratch:
        root = Path(scratch) / "root"
        packed = Path(scratch) / "rootfs.tar"
        run(
            ["debootstrap", "--variant=minbase", release, str(root), sources[0].site],
            "debootstrap failed",
            env=_proxies(),
        )
        script = recipe.folder / "strip.sh"
        run(["sh", str(script), str(root), str(recipe.folder)], "stripping the root failed")
        run(
            [
                "tar",
                "--numeric-owner",
                "--one-file-system",
                "-C",
                str(root),
                "-cf",
                str(packed),
                ".",
            ],
            "packing the root file system failed",
        )
        packed.replace(tarball)
    for older in set(tarball.parent.glob(f"rootfs-{release}-{machine}-*.tar")) - {tarball}:
        older.unlink(missing_ok=True)
    return tarball


def _proxies() -> dict[str, str]:
    """Return apt's proxies as the environment variables that debootstrap looks at."""
    found = {}
    for scheme in ("http", "https"):
        shown = run(
            ["apt-config", "shell", "value", f"Acquire::{scheme}::Proxy"],
            "apt cannot show its settings",
        )
        words = shlex.split(shown)
        if words:
            found[f"{scheme}_proxy"] = words[0].removeprefix("value=")
    return found


def require_root() -> None:
    """Check that debootstrap may make device nodes and change root.

    Raises:
        BaseImageError: the user is not root.

    """
    if os.geteuid() != 0:
        raise BaseImageError(
            "making a stand-in from packages needs root (debootstrap) and you are not",
            remedy="run bench bases build once with sudo, or docker pull the image",
        )


def ensure_debootstrap(progress: Callable[[str], None]) -> None:
    """Install debootstrap if it is missing (root is taken for granted).

    Raises:
        BaseImageError: apt cannot install it.

    """
    if shutil.which("debootstrap"):
        return
    progress("base: installing debootstrap")
    run(["apt-get", "update", "-qq"], "apt-get update failed")
    run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "debootstrap"],
        "debootstrap is missing and apt-get cannot install it",
    )


def run(
    command: Sequence[str],
    failure: str,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    remedy: str = _MIRROR_REMEDY,
) -> str:
    """Run a program of the host and return its standard output.

    Raises:
        BaseImageError: it is missing or fails; ``failure`` begins the message, the last lines of
            its output end it.

    """
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **_PLAIN, **(env or {})},
        )
    except OSError as error:
        raise BaseImageError(f"{failure}: {command[0]}: {error.strerror}", remedy=remedy) from error
    if done.returncode != 0:
        output = (done.stdout + done.stderr).strip().splitlines()
        raise BaseImageError(f"{failure}: {' / '.join(output[-4:])}", remedy=remedy)
    return done.stdout
