"""The real history of a repository as the changes: its commits are built one after the other."""

from bench.replaying.run import read_replay, replay, resume_replay
from bench.replaying.source import DEFAULT_COMMITS, ReplaySource, Wanted, survey

__all__ = [
    "DEFAULT_COMMITS",
    "ReplaySource",
    "Wanted",
    "read_replay",
    "replay",
    "resume_replay",
    "survey",
]
