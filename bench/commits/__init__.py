"""The history of a repository: which commits changed what of a build context, and how often.

The repository is only read: nothing is checked out, no hook and no filter of it is run.
"""

from bench.commits.edits import as_change, as_changes
from bench.commits.history import (
    Commit,
    CommitHistory,
    PathChange,
    PathChangeKind,
    commit_history,
    folder_in,
    read_history,
)
from bench.commits.weights import FileEdit, WeightedChange, ignore_rules, weighted_changes

__all__ = [
    "Commit",
    "CommitHistory",
    "FileEdit",
    "PathChange",
    "PathChangeKind",
    "WeightedChange",
    "as_change",
    "as_changes",
    "commit_history",
    "folder_in",
    "ignore_rules",
    "read_history",
    "weighted_changes",
]
