"""A small scenario whose instructions can be moved, for tests of generated orderings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.scenario import Scenario, load_scenario
from tests.scenario.starting import write

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
FROM busybox
COPY src /src/
COPY deps /deps/
RUN cat /deps/list > /out && sleep 0.2
EXPOSE 80
CMD ["/bin/cat", "/out"]
"""
TOML = """\
context = "app"
[[variant]]
name = "as-written"
dockerfile = "Dockerfile"
[[variant]]
name = "other"
dockerfile = "Other"
[[access]]
step = "0:RUN cat"
reads = ["/deps"]
writes = ["/out"]
[[change]]
name = "edit-source"
weight = 9
steps = [{ append = "src/main", text = "{id}" }]
[[change]]
name = "edit-deps"
weight = 1
steps = [{ append = "deps/list", text = "{id}" }]
[[change]]
name = "edit-port"
weight = 1
steps = [{ dockerfile = "EXPOSE 80", with = "EXPOSE {port}" }]
[[expect]]
variant = "as-written"
change = "edit-source"
builder = "buildkit"
miss = ["0:COPY src", "0:COPY deps", "0:RUN cat"]
"""


def scenario_at(folder: Path, dockerfile: str = DOCKERFILE, base: str = "busybox") -> Scenario:
    """Write the scenario below ``folder``, on a base image, and load it."""
    files = {
        "Dockerfile": dockerfile.replace("FROM busybox", f"FROM {base}"),
        "Other": f"FROM {base}\nRUN true\nEXPOSE 80\n",
        "scenario.toml": TOML,
        "app/src/main": "m",
        "app/deps/list": "l",
    }
    write(folder / "moving", files)
    return load_scenario(folder / "moving")
