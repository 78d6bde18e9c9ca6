"""A sound scenario on disk, and a way to load variations of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import Problem, ScenarioError
from bench.scenario import load_scenario

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """FROM diamol/maven AS builder
ARG LEVEL=1
WORKDIR /src
COPY pom.xml .
RUN mvn -B dependency:go-offline
COPY . .
RUN mvn package

FROM diamol/openjdk
WORKDIR /app
COPY --from=builder /src/target/app.jar .
EXPOSE 80
ENTRYPOINT ["java", "-jar", "/app/app.jar"]
"""

HEAD = """title = "Java"
question = "Does it?"
context = "app"
baseline = "as-written"
"""

BODY = """
[title_i18n]
ko = "자바"

[base."diamol/maven"]
standin = "maven"

[[variant]]
name = "as-written"
dockerfile = "Dockerfile"

[[variant]]
name = "metadata-first"
reorder = { of = "as-written", stage = 1, move = ["EXPOSE", "ENTRYPOINT"], before = "WORKDIR" }

[[change]]
name = "edit-source"
weight = 80
steps = [{ append = "src/App.java", text = "// {id}\\n" }]

[[change]]
name = "edit-port"
steps = [{ dockerfile = "EXPOSE 80", with = "EXPOSE {port}" }]

[[expect]]
variant = "as-written"
change = "edit-source"
builder = "classic"
miss = ["builder:COPY . .", "builder:RUN mvn package", "1:COPY", "1:EXPOSE", "1:ENTRYPOINT"]

[[verdict]]
ask = "metadata-first against as-written, on edit-source"
variant = "metadata-first"
change = "edit-source"
metric = "rebuild_seconds"
margin = "2.5%"

[[probe]]
variant = "as-written"
run = ["echo", "hi"]
expect_stdout = "hi"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario folder that has no problem."""
    directory = tmp_path / "java-iotd"
    (directory / "app" / "src").mkdir(parents=True)
    (directory / "Dockerfile").write_text(DOCKERFILE)
    (directory / "app" / "src" / "App.java").write_text("class App {}\n")
    (directory / "app" / "pom.xml").write_text("<project><version>1</version></project>\n")
    (directory / "app" / "package.json").write_text('{"version": "1"}\n')
    (directory / "scenario.toml").write_text(HEAD + BODY, encoding="utf-8")
    return directory


def problems(folder: Path, text: str) -> dict[str, Problem]:
    """Write ``text`` as the scenario file; return the problems by key."""
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder)
    for problem in caught.value.problems:
        assert problem.message
        assert problem.remedy
        assert problem.file == str(folder / "scenario.toml")
    return {problem.key: problem for problem in caught.value.problems}
