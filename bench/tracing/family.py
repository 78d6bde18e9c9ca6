"""Which process of a RUN descends from which, and where each of them stands.

A trace names processes by their numbers on this machine, and tells what a call that makes one
returned: its number in the container, another one. strace could translate it, but that takes it
tens of milliseconds for every process. So a new process is taken for a child of every call that
made one which was not seen yet. Almost always there is but one such call; else the new process may
stand where any of them does, until the next call that tells where it really is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.tracing.strace import Call

_CANDIDATES = 256


class UnknownProcessError(Exception):
    """A process of which nobody knows where it comes from; the text ends a sentence on it."""


@dataclass(eq=False)
class View:
    """Where a process stands; threads share it.

    ``shared`` are the views of which one may be this very one: a thread whose process is unsure.
    """

    _cwd: tuple[str, ...]
    root: str = "/"
    shared: tuple[View, ...] = ()

    @property
    def cwd(self) -> tuple[str, ...]:
        """The working directory, or the folders of which one is it."""
        if not self.shared:
            return self._cwd
        return tuple(dict.fromkeys([*self._cwd, *(cwd for one in self.shared for cwd in one.cwd)]))

    def stands_in(self, cwd: tuple[str, ...]) -> None:
        """Take over where the process is known to be now."""
        self._cwd, self.shared = cwd, ()

    def copy(self) -> View:
        """Return what a child gets that shares nothing."""
        return View(self.cwd, self.root)


@dataclass(eq=False)
class Process:
    """A process: where it stands, the paths its file descriptors were last seen with, its program.

    ``program`` is the file it runs, ``""`` where that is not known.
    """

    view: View
    files: dict[int, str]
    program: str


@dataclass(eq=False)
class _Birth:
    """A call that makes a process: what the new one gets of its parent, as that was then."""

    view: View
    shares_view: bool
    files: dict[int, str]
    program: str


@dataclass
class Family:
    """All processes of one RUN."""

    first: int
    founder: Process
    _alive: dict[int, Process] = field(default_factory=dict)
    _births: list[_Birth] = field(default_factory=list)
    """Calls whose children may not have been seen yet."""
    _seen: int = 0
    """How many children of ``_births`` were seen."""
    _begun: dict[int, _Birth] = field(default_factory=dict)
    has_ended: bool = False
    """Whether the first process is gone."""

    def __post_init__(self) -> None:
        self._alive[self.first] = self.founder

    def process(self, pid: int) -> Process:
        """Return a process; one that was never seen is born now.

        Raises:
            UnknownProcessError: no call can have made it.

        """
        known = self._alive.get(pid)
        if known is None:
            known = self._alive[pid] = self._born()
        return known

    def ended(self, pid: int) -> None:
        """Forget a process; its number may be given to another."""
        if pid not in self._alive and self._births:
            self._born()  # it lived without a call that is watched
        self._alive.pop(pid, None)
        self.has_ended = self.has_ended or pid == self.first

    def birth_begins(self, pid: int, flags: str) -> None:
        """Note that a process has begun to make another, which may be seen before that has ended.

        Raises:
            UnknownProcessError: as `process`.

        """
        parent = self.process(pid)
        shares_view = "CLONE_FS" in flags
        birth = _Birth(
            parent.view if shares_view else parent.view.copy(),
            shares_view,
            parent.files if "CLONE_FILES" in flags else dict(parent.files),
            parent.program,
        )
        self._births.append(birth)
        self._begun[pid] = birth

    def birth_ends(self, call: Call, flags: str) -> None:
        """Note that the call has ended; after an error there is no child."""
        if not call.had_begun:
            self.birth_begins(call.pid, flags)
        birth = self._begun.pop(call.pid, None)
        if call.error and birth in self._births:
            self._births.remove(birth)
            self._forget_births()

    def _born(self) -> Process:
        if not self._births:
            raise UnknownProcessError("that nobody saw begin")
        if len({birth.view.root for birth in self._births}) > 1:
            raise UnknownProcessError("whose root directory cannot be told")
        child = _child(self._births)
        if len(child.view.cwd) > _CANDIDATES:
            raise UnknownProcessError("that may stand in too many folders")
        self._seen += 1
        self._forget_births()
        return child

    def _forget_births(self) -> None:
        """Begin anew once every child was seen."""
        if self._seen >= len(self._births):
            self._births = []
            self._seen = 0


def _child(births: list[_Birth]) -> Process:
    if len(births) == 1:
        return Process(births[0].view, births[0].files, births[0].program)
    views = [birth.view for birth in births]
    programs = {birth.program for birth in births}
    return Process(
        View(
            tuple(dict.fromkeys(cwd for view in views for cwd in view.cwd)),
            views[0].root,
            tuple({id(one.view): one.view for one in births if one.shares_view}.values()),
        ),
        _agreed(birth.files for birth in births),
        programs.pop() if len(programs) == 1 else "",
    )


def _agreed(tables: Iterable[dict[int, str]]) -> dict[int, str]:
    """Return the file descriptors that mean the same in all tables."""
    first, *others = tables
    return {
        number: path
        for number, path in first.items()
        if all(other.get(number) == path for other in others)
    }
