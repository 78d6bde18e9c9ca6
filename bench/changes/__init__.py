"""The named operations on a source tree, and how they are applied to a scratch copy."""

from bench.changes.applying import apply_change
from bench.changes.change import Change
from bench.changes.operations import OPERATIONS, Operation
from bench.changes.paths import resolve_inside
from bench.changes.placeholders import ChangeIds
from bench.changes.state import SourceState

__all__ = [
    "OPERATIONS",
    "Change",
    "ChangeIds",
    "Operation",
    "SourceState",
    "apply_change",
    "resolve_inside",
]
