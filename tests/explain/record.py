"""Record logs of ``docker buildx build --progress=rawjson`` into ``fixtures/``.

    python -m tests.explain.record PATH/TO/docker-buildx unix:///var/run/docker.sock …

makes one file per case and engine, named by the versions of both.
"""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bases.isolation import Isolation
from bench.dockerfile import parse
from bench.engine import connect
from bench.engine.describe import describe
from tests.explain.cases import CASES, Built
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURES = Path(__file__).parent / "fixtures"


def main(buildx: str, hosts: list[str]) -> None:
    """Record every case on every engine."""
    said = subprocess.run([buildx, "version"], check=True, capture_output=True, text=True).stdout
    version = said.split()[1].partition("+")[0]
    for host in hosts:
        client = connect(host)
        engine = describe(client)
        base = import_busybox(client)
        isolation = Isolation(client, f"record-{secrets.token_hex(4)}", engine.image_store, {})
        name = f"rawjson-buildx-{version}-engine-{engine.version.partition('+')[0]}"
        store = "" if engine.version.startswith("20.") else f"-{engine.image_store}"
        try:
            for case, builds in CASES.items():
                log = _record(isolation, buildx, host, base, builds, case)
                (FIXTURES / f"{name}{store}-{case}.jsonl").write_bytes(log)
        finally:
            isolation.clean()
            client.close()


def _record(
    isolation: Isolation,
    buildx: str,
    host: str,
    base: str,
    builds: tuple[Built, ...],
    case: str,
) -> bytes:
    """Make the builds of one case on a cache of their own; return the last one's log."""
    salt = secrets.token_hex(8)
    log = b""
    with tempfile.TemporaryDirectory() as folder:
        # BuildKit knows a context by the last part of its path: it must be new every time.
        context = Path(folder) / f"shop-{salt}"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "DOCKER_HOST": host,
            "DOCKER_CONFIG": f"{folder}/docker",
            "BUILDX_CONFIG": f"{folder}/buildx",
        }
        for built in builds:
            built.write(context, base)
            salted = isolation.salted(parse(built.dockerfile.replace("BASE", base)), salt, {}, {})
            dockerfile = Path(folder) / "Dockerfile.salted"
            dockerfile.write_text(salted.dockerfile.text)
            # The salted base is not the user's: the context holds the Dockerfile without it.
            tag = isolation.built_tag(salt, case, "buildx")
            command = [buildx, "build", "--progress=rawjson", "--network=none"]
            command += ["--provenance=false", f"--tag={tag}", f"--file={dockerfile}"]
            command += [f"--build-arg={key}={value}" for key, value in built.build_args.items()]
            log = _log([*command, str(context)], environment, isolation)
    return _anonymous(log, folder)


def _log(command: list[str], environment: Mapping[str, str], isolation: Isolation) -> bytes:
    with isolation.building():
        done = subprocess.run(command, check=False, capture_output=True, env=environment)
    return done.stderr


def _anonymous(log: bytes, folder: str) -> bytes:
    """Leave out the path of the temporary folder, if the log names it."""
    return re.sub(re.escape(folder.encode()), b"/work", log)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
