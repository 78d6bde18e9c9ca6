"""Record the traces that the tests read: ``python -m tests.tracing.record BASE NAME < SCRIPT``.

The script runs as the RUN of a real build on the image BASE, in the folder ``/app`` of a small
context. Beside the trace, ``NAME.json`` holds what was known before it began.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders import BuildRequest, make_builder
from bench.cache_model import StepPlace
from bench.dockerfile import parse
from bench.engine import connect
from bench.tracing.attach import Lookout, hold, trace
from bench.tracing.hooks import hooked
from bench.tracing.survey import survey
from bench.workspace import Workspace

if TYPE_CHECKING:
    from bench.tracing.survey import Survey

FIXTURES = Path(__file__).parent / "fixtures"
CONTEXT = {"a.txt": "a\n", "src/one": "1\n", "src/two": "2\n", "lonely/file": "x\n"}


def main() -> None:
    """Record one script."""
    base, name = sys.argv[1:]
    text = (
        f"FROM {base}\nWORKDIR /app\nCOPY . .\n"
        "RUN rm Dockerfile && ln -s /app/src /link && ln -s src/one alias\n"
        f"RUN {json.dumps(['/bin/sh', '-c', sys.stdin.read()])}\n"
    )
    dockerfile = parse(text)
    waiting = hooked(dockerfile, "record", {StepPlace(0, 5)}, {}, {})
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        for path, content in CONTEXT.items():
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            (source / path).write_text(content)
        workspace = Workspace.create(
            source, Path(scratch) / "work", dockerfile_text=text, dockerfile_path="Dockerfile"
        )
        sent = parse(waiting.text)
        request = BuildRequest(
            context=workspace.pack(replace={"Dockerfile": waiting.text.encode()}),
            dockerfile=sent,
            dockerfile_path="Dockerfile",
            tag="",
            no_cache=True,
        )
        log = FIXTURES / f"{name}.strace"
        watching = threading.Thread(target=_watch, args=(Lookout(), log))
        watching.start()
        build = make_builder("buildkit", connect()).build(request)
        watching.join()
    print(build.outcome, build.error)  # noqa: T201 - a tool for the command line


def _watch(lookout: Lookout, log: Path) -> None:
    pid, mark = next(found for _ in iter(int, 1) for found in lookout.look())
    waiting = hold(pid, mark)
    assert waiting is not None
    before = survey(waiting.root)
    strace = trace(waiting, log)
    waiting.go_on()
    strace.wait()
    log.with_suffix(".stderr").unlink()
    known = {"pid": pid, "cwd": waiting.cwd, "program": waiting.program, **_plain(before)}
    log.with_suffix(".json").write_text(json.dumps(known) + "\n")


def _plain(before: Survey) -> dict[str, object]:
    """Return a survey without the thousands of folders that the tests never look into."""
    folders = [one for one in before.folders if not one.startswith(("/proc/", "/sys/", "/dev/"))]
    kept = sorted(one for one in folders if one.count("/") <= 2 or one.startswith("/app"))
    links = {path: said for path, said in before.links.items() if path.count("/") <= 2}
    return {**dataclasses.asdict(before), "folders": kept, "links": links, "loaders": []}


if __name__ == "__main__":
    main()
