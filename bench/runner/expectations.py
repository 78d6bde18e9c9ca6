"""Hold a run's builds against the hits and misses that its scenario declares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.builders.names import is_simulated, rules_of
from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.cache_model import Predicted
from bench.dockerfile import Instruction, matches
from bench.runner.plan import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.builders.protocol import Step
    from bench.journal import BuildRecord
    from bench.scenario import Expect

SCORED = frozenset({StepOutcome.HIT, StepOutcome.MISS})


@dataclass(frozen=True)
class ExpectationResult:
    """One declared expectation for one builder, over every build it speaks of.

    ``problems`` are sentences, each once, however many builds showed it.
    """

    variant: str
    change: str
    builder: str
    builds: int
    problems: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Whether every build did as declared; with no builds there is nothing to break."""
        return not self.problems


def check_expectations(
    expects: Sequence[Expect], builders: Sequence[str], records: Iterable[BuildRecord]
) -> list[ExpectationResult]:
    """Return a result for each expectation and builder that at least one good build speaks of.

    A simulated builder has to do what is expected of the one that it plays, but for the steps that
    only an artefact decides: it makes none, and what it says of them is an assumption.
    """
    changes = [
        record
        for record in records
        if record.phase == Phase.CHANGE and record.outcome is BuildOutcome.OK
    ]
    results = []
    for expect in expects:
        for builder in builders:
            if expect.builder not in {None, rules_of(builder)}:
                continue
            own = [
                record
                for record in changes
                if (record.variant, record.change, record.builder)
                == (expect.variant, expect.change, builder)
            ]
            if own:
                problems = dict.fromkeys(
                    problem
                    for record in own
                    for problem in check_steps(
                        expect, record.steps, simulated=is_simulated(builder)
                    )
                )
                results.append(
                    ExpectationResult(
                        expect.variant, expect.change, builder, len(own), tuple(problems)
                    )
                )
    return results


def unstable_controls(records: Iterable[BuildRecord]) -> list[BuildRecord]:
    """Return the controls in which a step missed although nothing had changed."""
    return [
        record
        for record in records
        if record.phase == Phase.CONTROL and record.outcome is BuildOutcome.OK and record.misses > 0
    ]


def check_steps(expect: Expect, steps: Sequence[Step], *, simulated: bool = False) -> list[str]:
    """Return what one build did against ``expect``, as sentences; none if it did as declared."""
    scored = [step for step in steps if step.outcome in SCORED]
    assumed = {
        number
        for number, step in enumerate(scored)
        if simulated and step.predicted == Predicted.DEPENDS
    }
    problems: list[str] = []
    named: dict[StepOutcome, set[int]] = {}
    for outcome, references in (
        (StepOutcome.HIT, expect.hit),
        (StepOutcome.MISS, expect.miss),
    ):
        chosen: set[int] = set()
        for reference in references or ():
            found = {number for number, step in enumerate(scored) if refers_to(reference, step)}
            if not found:
                problems.append(f"{reference} names no step that was scored")
            chosen |= found
        named[outcome] = chosen
        problems += [
            f"{describe(scored[number])} was to be a {outcome}, but was a {scored[number].outcome}"
            for number in sorted(chosen - assumed)
            if scored[number].outcome is not outcome
        ]
    problems += _beyond(expect, scored, named, assumed)
    return problems


def _beyond(
    expect: Expect,
    scored: Sequence[Step],
    named: dict[StepOutcome, set[int]],
    assumed: set[int],
) -> list[str]:
    """Return problems with the steps not named, where only one list was given: it is exact."""
    if expect.hit is not None and expect.miss is not None:
        return []
    listed = StepOutcome.HIT if expect.hit is not None else StepOutcome.MISS
    return [
        f"{describe(step)} was a {listed}, though it is not listed"
        for number, step in enumerate(scored)
        if number not in named[listed] | assumed and step.outcome is listed
    ]


def refers_to(reference: str, step: Step) -> bool:
    """Tell whether ``STAGE:TEXT`` means this step: stage by name or index, text by beginning."""
    stage, _, text = reference.partition(":")
    if stage.strip().lower() not in {step.stage.lower(), str(step.stage_index)}:
        return False
    return matches(
        Instruction(
            keyword=step.instruction,
            text=step.text,
            flags=(),
            arguments=(),
            exec_form=False,
            line=step.line,
            end_line=step.line,
        ),
        text,
    )


def describe(step: Step) -> str:
    """Name a step as a reference would, shortened."""
    text = step.text if len(step.text) <= 60 else step.text[:57] + "…"
    return f"{step.stage}:{text}"
