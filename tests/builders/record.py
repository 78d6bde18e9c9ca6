"""Record the build streams of real engines into ``fixtures/``.

    python -m tests.builders.record unix:///var/run/docker.sock …

makes one file per builder and engine. Each build is one header line (the Dockerfile as sent, what
the builder must know of its bases, how the request ended) and one ``[seconds, message]`` line per
message, in the order of arrival.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.bases.isolation import Isolation
from bench.builders.transport import BuildRefusedError, BuildStream, BuildTimeoutError
from bench.dockerfile import parse
from bench.engine import connect
from bench.engine.describe import describe
from tests.builders.cases import CASES
from tests.builders.contexts import salted_request
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    from collections.abc import Mapping

    import docker

    from bench.builders import BuildRequest
    from tests.builders.cases import Case

FIXTURES = Path(__file__).parent / "fixtures"
VERSIONS = {"classic": "1", "buildkit": "2"}


def main(hosts: list[str]) -> None:
    """Record every case on both builders of every engine."""
    for host in hosts:
        client = connect(host)
        engine = describe(client)
        version = engine.version.partition("+")[0]
        store = "" if version.startswith("20.") else f"-{engine.image_store}"
        base = import_busybox(client)
        for builder in VERSIONS:
            path = FIXTURES / f"{builder}-{version}{store}.jsonl.gz"
            isolation = Isolation(client, f"record-{secrets.token_hex(4)}", engine.image_store, {})
            try:
                lines = _record(client, isolation, builder, base, modern=not version < "23")
            finally:
                isolation.clean()
            content = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            path.write_bytes(gzip.compress(content.encode(), mtime=0))
            sys.stdout.write(f"{path.name}: {len(lines)} lines\n")
        client.close()


def _record(
    client: docker.DockerClient, isolation: Isolation, builder: str, base: str, *, modern: bool
) -> list[Any]:
    lines: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        on_build = _on_build_image(client, base)
        for case in CASES:
            if case.modern and not (modern and builder == "buildkit"):
                continue
            text = case.text.replace("ONBUILD_BASE", on_build).replace("BASE", base)
            lines += _record_case(isolation, builder, case, text, Path(folder))
        client.images.remove(on_build)
    return lines


def _record_case(
    isolation: Isolation, builder: str, case: Case, text: str, folder: Path
) -> list[Any]:
    salt = secrets.token_hex(8)
    lines: list[Any] = []
    for name, files in case.builds:
        dockerfile = parse(text.replace("MOUNT_ID", salt))
        if case.name == "missing-image":
            salted = isolation.salted(parse("FROM scratch"), salt, {}, {})
            salted = dataclasses.replace(salted, dockerfile=dockerfile, base_images={})
        else:
            salted = isolation.salted(dockerfile, salt, case.build_args, {})
        request = salted_request(
            folder,
            salted,
            files,
            isolation.built_tag(salt, case.name, builder),
            target=case.target,
            build_args=case.build_args,
            timeout_seconds=case.timeout_seconds,
        )
        with isolation.building():
            ended, messages = stream(isolation.client, request, VERSIONS[builder])
        bases = {tag: dataclasses.asdict(one) for tag, one in salted.base_images.items()}
        header = {"case": case.name, "build": name, **ended, "base_images": bases}
        lines += [{**header, "dockerfile": salted.dockerfile.text}, *messages]
    return lines


def stream(
    client: docker.DockerClient, request: BuildRequest, version: str
) -> tuple[Mapping[str, Any], list[Any]]:
    """Build and return how it ended and every message with its arrival."""
    messages: list[Any] = []
    source = BuildStream(client, request, version, secrets.token_hex(8))
    outcome, error = "ok", ""
    try:
        for arrival in source:  # one by one: what came before a timeout is to be kept
            messages.append([round(arrival.at, 6), arrival.message])  # noqa: PERF401
    except BuildTimeoutError:
        outcome = "timeout"
    except BuildRefusedError as refusal:
        outcome, error = "failed", str(refusal)
    return {"outcome": outcome, "error": error, "seconds": source.seconds}, messages


def _on_build_image(client: docker.DockerClient, base: str) -> str:
    """Make an image with triggers, by committing a container: no build cache is touched."""
    container = client.containers.create(base, ["true"])
    container.commit(
        "localhost:1/cachebench-onbuild",
        "1",
        changes="ONBUILD RUN echo trigger\nONBUILD WORKDIR /\nONBUILD WORKDIR /triggered",
    )
    container.remove()
    return "localhost:1/cachebench-onbuild:1"


if __name__ == "__main__":
    main(sys.argv[1:])
