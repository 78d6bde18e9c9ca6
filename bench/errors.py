"""Every error a user can meet, with the exit code it ends the command with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ExitCode(IntEnum):
    """What the exit status of ``bench`` means."""

    OK = 0
    CHECK_FAILED = 1
    USAGE = 2
    NO_ENGINE = 3
    BUILD_FAILED = 4
    RECORDS = 5
    NOTHING_BETTER = 6
    INTERRUPTED = 130


class BenchError(Exception):
    """An error with one clear message: what is wrong (naming the file or value) and the remedy."""

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} — {self.remedy}" if self.remedy else self.message


class UsageError(BenchError):
    """The command line or an input file asks for something that cannot be."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a scenario: ``file``, dotted ``key`` in it, the ``value``, the remedy."""

    file: str
    key: str
    value: str
    message: str
    remedy: str

    def __str__(self) -> str:
        value = f" = {self.value}" if self.value else ""
        return f"{self.file}: {self.key}{value}: {self.message} — {self.remedy}"


class ScenarioError(BenchError):
    """A scenario that cannot be used; holds every problem found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class DockerfileError(BenchError):
    """A Dockerfile that does not parse, or that cannot be rewritten as asked."""


class ChangeError(BenchError):
    """A change that cannot be applied, leaves the scratch copy, or changes nothing."""


class NoEngineError(BenchError):
    """No Docker Engine answers and none could be started."""

    exit_code = ExitCode.NO_ENGINE


class EngineLostError(NoEngineError):
    """The engine answered before and does not any more."""


class BaseImageError(BenchError):
    """A base image that is not local, cannot be pulled and has no stand-in."""

    exit_code = ExitCode.BUILD_FAILED


class RecordsError(BenchError):
    """The records of a run cannot be written or read."""

    exit_code = ExitCode.RECORDS
