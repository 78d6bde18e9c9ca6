"""What ``go mod download`` reads of a module.

Sources: go.dev/ref/mod ``go mod download``, "go.mod file reference" (``replace`` by a local path),
"Workspaces" (``go.work`` in a folder above), "Vendoring"; the release notes of Go 1.17 (with
``go 1.17`` or later in go.mod, only modules that go.mod requires are downloaded). It adds sums
that are missing to go.sum, so none may be missing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.tools.project import Use, check_options

if TYPE_CHECKING:
    from bench.orderings.rewrites.tools.project import Project

_KNOWN_VARIABLES = (
    *("GOPATH", "GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOPROXY", "GOPRIVATE", "GONOSUMCHECK"),
    *("GOOS", "GOARCH", "GOTOOLCHAIN", "GO111MODULE", "GOLANG_VERSION", "GOCACHE"),
)
_REQUIRE = re.compile(r"^\s*(?:require\s+)?([^\s()]+\.[^\s()]+)\s+(v[^\s/]+)\s*(?://.*)?$", re.M)


def go(words: list[str], project: Project) -> Use:
    """Say what ``go mod download`` uses.

    Raises:
        UnprovableError: it is another command, or go.mod names local folders.

    """
    if words[1:3] != ["mod", "download"] or check_options(words[3:], {"-x": 0}):
        raise UnprovableError(f"what go {' '.join(words[1:2])} reads is not known")
    project.refuse_variables("GO", but=_KNOWN_VARIABLES)
    project.refuse_above("go.mod", "go.work")
    project.refuse(
        {
            "go.work": "it makes a workspace of several modules",
            "vendor": "with vendored modules go looks there",
        }
    )
    module = re.sub(r"//[^\n]*", "", project.text("go.mod"))
    local = re.search(r"=>\s*(\.{0,2}/\S*)", module)
    if local:
        raise UnprovableError(f"go.mod replaces a module by the folder {local[1]}")
    _check_sums(module, project)
    gopath = project.variables.get("GOPATH", "/go")
    return Use(
        project.present("go.mod", "go.sum"),
        (*(f"{one}/pkg" for one in (gopath, "/go", "/root/go")), "/root/.cache", "/root/.config"),
        ("go mod download reads go.mod and go.sum and nothing else of a module (go.dev/ref/mod)",),
    )


def _check_sums(module: str, project: Project) -> None:
    """Refuse a go.sum that lacks a sum: it would be written."""
    required = _REQUIRE.findall(module)
    if not required:
        return
    version = re.search(r"^\s*go\s+1\.(\d+)", module, re.M)
    if version is None or int(version[1]) < 17:
        raise UnprovableError(
            "below `go 1.17` go.mod does not name all modules, and go.sum may be written"
        )
    if re.search(r"=>", module):
        raise UnprovableError("go.mod replaces modules, whose sums are not looked for here")
    sums = {tuple(line.split()[:2]) for line in project.text("go.sum").splitlines()}
    for name, tag in required:
        if (name, tag) not in sums or (name, f"{tag}/go.mod") not in sums:
            raise UnprovableError(f"go.sum has no sum of {name} {tag} and may be written")
