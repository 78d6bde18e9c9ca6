"""Turn what is known of the steps of a build into sentences for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from bench.builders.protocol import StepOutcome
from bench.cache_model import Predicted, ReasonKind
from bench.explain.account import HIT, MISS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bench.cache_model import StepPlace
    from bench.explain.account import Account

_WILL_FAIL = ": the build will fail here"
_LONGEST_TEXT = 60
_TO = "\N{EN DASH}"
NOT_EXPLAINED = "no reason was recorded"


@dataclass(frozen=True)
class Voice:
    """How a build is spoken of: one that was made, or one to come.

    ``did`` stands for the verb the second time (because step 5 *did*), ``not_run`` is said of what
    a build broke off before, the last two of what the model had not expected.
    """

    hit: str
    miss: str
    did: str
    not_run: str = "did not run"
    unexpected_hit: str = ", though the model expected a miss"
    unexpected_miss: str = ", though the model expected a hit"


PAST = Voice("hit", "missed", "did")
FUTURE = Voice("will hit", "will miss", "does")
LOGGED = Voice(
    "hit",
    "missed",
    "did",
    not_run="hit or did not run (the log of a failed build does not tell which)",
    unexpected_hit=", though a miss was due since the earlier state: the cache holds more",
    unexpected_miss=", though a hit was due since the earlier state: it was not built on this "
    "cache, or its entry is gone (inferred)",
)
"""Of a build whose log is held against two states: what its cache held is not known."""


@dataclass(frozen=True)
class Sentence:
    """One thing to say, of one step or of several that share a fate. ``text`` names them.

    ``heading`` names the stage; it is empty where the Dockerfile has a single one.
    """

    stage: str
    stage_index: int
    steps: tuple[int, ...]
    outcome: str
    text: str
    heading: str = ""
    accounts: tuple[Account, ...] = field(default=(), repr=False)


def sentences(
    accounts: Sequence[Account],
    voice: Voice = PAST,
    *,
    hint: Callable[[Account], str] | None = None,
    with_hits: bool = True,
) -> list[Sentence]:
    """Return what there is to say of each stage, in the Dockerfile's order.

    Steps next to each other that hit, or that missed because of one and the same step, are put
    into one sentence. ``hint`` gives what could have avoided a miss.
    """
    speaker = _Speaker(accounts, voice, hint or (lambda _: ""))
    spoken = [one for one in accounts if one.is_trouble or (with_hits and not one.is_silent)]
    return [speaker.sentence(run) for run in _runs(spoken, speaker.fate)]


def step_name(account: Account) -> str:
    """Return how a step is called: its number in its stage and its instruction."""
    return f"step {account.step} {shortened(account.text)}"


def shortened(text: str, limit: int = _LONGEST_TEXT) -> str:
    """Return a text that is not longer than ``limit`` characters."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def numbers(steps: Iterable[int]) -> str:
    """Return step numbers as people write them: ``6``, or ``2 and 4``, runs with a dash."""
    ranges: list[list[int]] = []
    for step in steps:
        if ranges and step == ranges[-1][-1] + 1:
            ranges[-1][1:] = [step]
        else:
            ranges.append([step])
    *most, last = [_TO.join(map(str, one)) for one in ranges]
    return f"{', '.join(most)} and {last}" if most else last


def _runs(
    accounts: Sequence[Account], fate: Callable[[Account], tuple[object, ...] | None]
) -> list[list[Account]]:
    """Put neighbours that one sentence can speak of together."""
    runs: list[list[Account]] = []
    last = None
    for account in accounts:
        own = fate(account)
        if own is not None and own == last:
            runs[-1].append(account)
        else:
            runs.append([account])
        last = own
    return runs


def _takes_from_elsewhere(account: Account) -> bool:
    """Tell whether an instruction takes files from another stage or image itself."""
    return "--from=" in account.text or ("--mount=" in account.text and "from=" in account.text)


@dataclass
class _Speaker:
    """Says the sentences of one build."""

    accounts: Sequence[Account]
    voice: Voice
    hint: Callable[[Account], str]

    def fate(self, account: Account) -> tuple[object, ...] | None:
        """Return what steps must share to be spoken of together; None for one of its own."""
        shared = (account.stage_index, account.outcome)
        if account.outcome in {HIT, StepOutcome.NOT_RUN} or account.disagrees:
            return (*shared, account.disagrees, account.reason, account.detail)
        if account.outcome == Predicted.DEPENDS:
            leader = self._leader(account)
            return None if leader is None else (*shared, leader.place)
        if account.outcome == Predicted.UNKNOWN and account.origin not in {None, account.place}:
            return (*shared, account.origin)
        if account.outcome != MISS:
            return None
        if account.reason in {None, ReasonKind.FIRST_BUILD}:
            return (*shared, account.reason, account.detail)
        if account.is_chained and account.origin is not None:
            return (*shared, account.origin)
        return None

    def sentence(self, run: Sequence[Account]) -> Sentence:
        first = run[0]
        steps = tuple(account.step for account in run)
        subject = step_name(first) if len(run) == 1 else f"steps {numbers(steps)}"
        return Sentence(
            stage=first.stage,
            stage_index=first.stage_index,
            steps=steps,
            outcome=first.outcome,
            text=f"{subject} {self._predicate(run)}",
            heading=stage_name(first) if self._has_stages else "",
            accounts=tuple(run),
        )

    @cached_property
    def _has_stages(self) -> bool:
        return len({one.stage_index for one in self.accounts if one.stage_index >= 0}) > 1

    def _predicate(self, run: Sequence[Account]) -> str:
        first = run[0]
        if first.outcome == HIT:
            return self.voice.hit + (self.voice.unexpected_hit if first.disagrees else "")
        if first.outcome == MISS:
            return self._missed(run)
        if first.outcome == Predicted.DEPENDS:
            return self._open(first)
        if first.outcome == Predicted.MERGED:
            return self._merged()
        if first.outcome == Predicted.UNKNOWN:
            return self._unknown(first)
        return self.voice.not_run if first.outcome == StepOutcome.NOT_RUN else first.outcome

    def _missed(self, run: Sequence[Account]) -> str:
        first = run[0]
        miss = self.voice.miss
        if first.is_chained and first.origin is not None and first.origin != first.place:
            return f"{miss} because {self._where(first.origin, first)} {self.voice.did}"
        if first.disagrees:
            miss += self.voice.unexpected_miss
            if first.reason is None:
                return miss
        if first.reason is None:
            return f"{miss}: {NOT_EXPLAINED}"
        why = self._why(first)
        if len(run) > 1 and why.startswith("it was "):
            why = f"they were {why.removeprefix('it was ')}"
        # Of a build to come nothing is proven, and the reader knows it.
        inferred = " (inferred)" if first.inferred and self.voice is not FUTURE else ""
        return f"{miss}: {why}{self.hint(first)}{inferred}"

    def _why(self, account: Account) -> str:
        if account.reason == ReasonKind.ARTEFACT_CHANGED:
            return self._artefact(account)
        return account.detail or str(account.reason).replace("-", " ")

    def _artefact(self, account: Account) -> str:
        maker = self._maker(account)
        if maker is not None:
            return f"{maker} made other bytes"
        return account.detail

    def _open(self, account: Account) -> str:
        """Say what decides a step that no one can know before the build."""
        leader = self._leader(account)
        if leader is not None:
            return f"will hit if step {leader.step} does, else miss"
        maker = self._maker(account)
        if maker is not None:
            return f"will hit if {maker} makes the same bytes again, else miss"
        if account.detail.startswith("a hit if "):
            return f"will {account.detail.removeprefix('a ')}, else miss"
        return f"will hit or miss: {account.detail}"

    def _leader(self, account: Account) -> Account | None:
        """Return the step above whose fate a step shares for certain, both being open."""
        if _takes_from_elsewhere(account):
            return None
        above = [
            one
            for one in self.accounts
            if one.stage_index == account.stage_index
            and one.step < account.step
            and not one.is_silent
        ]
        if not above or above[-1].outcome != Predicted.DEPENDS:
            return None
        return self._leader(above[-1]) or above[-1]

    def _maker(self, account: Account) -> str | None:
        """Name the RUN whose files decide, with its stage."""
        if account.origin is None or account.origin == account.place:
            return None
        found = self._at(account.origin)
        if found is None or found.instruction != "RUN":
            return None
        stage = "" if found.stage_index == account.stage_index else f" of {stage_name(found)}"
        return f"{shortened(found.text)} (step {found.step}{stage})"

    def _merged(self) -> str:
        if self.voice is FUTURE:
            return "will be done once, together with an equal step of another stage"
        return "was done once, together with an equal step of another stage"

    def _unknown(self, account: Account) -> str:
        failing = account.detail.endswith(_WILL_FAIL)
        if account.origin is not None and account.origin != account.place:
            where = self._where(account.origin, account)
            return f"cannot be told: {where} {'fails' if failing else 'is not understood'}"
        if failing:
            return f"will fail: {account.detail.removesuffix(_WILL_FAIL)}"
        why = f": {account.detail}" if account.detail else ""
        return f"cannot be told: the model does not understand line {account.line}{why}"

    def _where(self, place: StepPlace, seen_from: Account) -> str:
        if place.step < 1:
            return "a trigger (ONBUILD) of what it starts from"
        if place.stage_index == seen_from.stage_index:
            return f"step {place.step}"
        found = self._at(place)
        stage = stage_name(found) if found is not None else f"stage {place.stage_index}"
        return f"step {place.step} of {stage}"

    def _at(self, place: StepPlace) -> Account | None:
        return next((one for one in self.accounts if one.place == place), None)


def stage_name(account: Account) -> str:
    """Return how the stage of a step is called: its name, or ``stage 1``."""
    if not account.stage:
        return "the global arguments"
    return f"stage {account.stage}" if account.stage.isdecimal() else account.stage
