"""A small scenario on a 2 MB base, for tests that build for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scenario import load_scenario

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bench.scenario import Scenario

DOCKERFILE = """\
FROM {base} AS builder
WORKDIR /src
COPY deps.txt .
RUN cat deps.txt > /deps
COPY src/ src/
RUN cat src/main.txt > /out

FROM {base}
WORKDIR /app
COPY --from=builder /out .
EXPOSE 80
CMD ["cat", "/app/out"]
"""

SCENARIO = """\
title = "A small one"
question = "Does it work?"
context = "app"
baseline = "as-written"

[[variant]]
name = "as-written"
dockerfile = "Dockerfile"

[[variant]]
name = "metadata-first"
reorder = {{ of = "as-written", stage = 1, move = ["EXPOSE", "CMD"], before = "WORKDIR" }}

[[change]]
name = "edit-source"
weight = 10
steps = [{{ append = "src/main.txt", text = "{{id}}\\n" }}]

[[change]]
name = "edit-port"
steps = [{{ dockerfile = "EXPOSE 80", with = "EXPOSE {{port}}" }}]

[[change]]
name = "chmod"
steps = [{{ chmod = "src/main.txt", mode = "0755" }}]

[[change]]
name = "touch"
steps = [{{ touch = "src/main.txt" }}]

[[expect]]
variant = "as-written"
change = "edit-source"
builder = "classic"
miss = ["builder:COPY src/", "builder:RUN cat src/main.txt", "1:COPY", "1:EXPOSE", "1:CMD"]

[[expect]]
variant = "as-written"
change = "edit-source"
builder = "buildkit"
miss = ["builder:COPY src/", "builder:RUN cat src/main.txt", "1:COPY"]

[[expect]]
variant = "metadata-first"
change = "edit-port"
builder = "classic"
miss = ["1:EXPOSE", "1:CMD", "1:WORKDIR", "1:COPY"]

[[expect]]
variant = "metadata-first"
change = "edit-port"
builder = "buildkit"
miss = []

[[expect]]
variant = "as-written"
change = "chmod"
builder = "buildkit"
miss = ["builder:COPY src/", "builder:RUN cat src/main.txt"]

[[expect]]
variant = "as-written"
change = "touch"
miss = []
{more}"""


def write_scenario(
    folder: Path,
    base: str,
    *,
    dockerfile: str = DOCKERFILE,
    more: str = "",
    extra: Mapping[str, str] | None = None,
) -> Path:
    """Write the scenario and return its folder; ``extra`` are more Dockerfiles."""
    (folder / "app/src").mkdir(parents=True)
    (folder / "app/deps.txt").write_text("one\n")
    (folder / "app/src/main.txt").write_text("hello\n")
    for name, text in {"Dockerfile": dockerfile, **(extra or {})}.items():
        (folder / name).write_text(text.format(base=base))
    (folder / "scenario.toml").write_text(SCENARIO.format(more=more))
    return folder


def small_scenario(
    folder: Path,
    base: str,
    *,
    dockerfile: str = DOCKERFILE,
    more: str = "",
    extra: Mapping[str, str] | None = None,
) -> Scenario:
    """Write and load the scenario."""
    written = write_scenario(folder, base, dockerfile=dockerfile, more=more, extra=extra)
    return load_scenario(written)
