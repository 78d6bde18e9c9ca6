"""A scratch copy of a build context: its manifest (what the builders hash) and its tar."""

from bench.workspace.context import Context
from bench.workspace.errors import WorkspaceError
from bench.workspace.ignore import ClientRule, IgnoreRules, read_patterns
from bench.workspace.manifest import Entry, Manifest, ManifestDiff
from bench.workspace.workspace import DOCKERFILE_MTIME_NS, Workspace

__all__ = [
    "DOCKERFILE_MTIME_NS",
    "ClientRule",
    "Context",
    "Entry",
    "IgnoreRules",
    "Manifest",
    "ManifestDiff",
    "Workspace",
    "WorkspaceError",
    "read_patterns",
]
