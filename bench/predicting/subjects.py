"""From what was asked to what is predicted: one subject for every variant or Dockerfile."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UsageError
from bench.predicting.assumptions import assumptions, unused_build_args
from bench.predicting.edits import after_edit, file_edits
from bench.predicting.outlook import Outlook, look_ahead
from bench.predicting.plain import read_state
from bench.predicting.scenario import scenario_states
from bench.predicting.state import client_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.cache_model import Profile
    from bench.predicting.edits import Edit
    from bench.predicting.state import BuildState
    from bench.scenario import Scenario
    from bench.workspace import ClientRule

NO_CHANGE = "no change"


@dataclass(frozen=True)
class Subject:
    """One variant with all its states: the one everything begins with, and those after it.

    ``scenario`` is ``""`` for a bare Dockerfile, whose variant is its path. ``in_sequence`` as in
    `look_ahead`. ``notes`` are what has to be said beside the outcomes.
    """

    scenario: str
    variant: str
    states: tuple[BuildState, ...]
    notes: tuple[str, ...] = ()
    in_sequence: bool = False

    def outlook(self, profile: Profile) -> Outlook:
        """Predict all of it by the rules of one builder."""
        return look_ahead(
            self.states,
            profile,
            scenario=self.scenario,
            variant=self.variant,
            in_sequence=self.in_sequence,
        )


@dataclass(frozen=True)
class PlainRequest:
    """Bare Dockerfiles and the states after them.

    A ``context`` that is None is the Dockerfile's folder.
    ``thens`` and ``then_dockerfiles`` are the contexts and Dockerfiles of later builds, in order:
    as many of one as of the other, or none of one. ``then_build_args`` hold for all later builds.
    """

    dockerfiles: tuple[Path, ...]
    context: Path | None = None
    thens: tuple[Path, ...] = ()
    then_dockerfiles: tuple[Path, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    then_build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be paired.

        Raises:
            UsageError: naming the options.

        """
        if self.then_dockerfiles and len(self.dockerfiles) > 1:
            raise UsageError(
                "--then-dockerfile follows a single Dockerfile",
                remedy="name one Dockerfile, or leave --then-dockerfile out",
            )
        if self.thens and self.then_dockerfiles and len(self.thens) != len(self.then_dockerfiles):
            raise UsageError(
                f"--then is given {len(self.thens)} times and --then-dockerfile "
                f"{len(self.then_dockerfiles)} times",
                remedy="give --then-dockerfile once for every --then, or not at all",
            )

    @property
    def later(self) -> int:
        """How many builds come after the first."""
        least = 1 if self.then_build_args else 0
        return max(len(self.thens), len(self.then_dockerfiles), least)

    def context_of(self, dockerfile: Path) -> Path:
        """Return the context that a Dockerfile is built with first."""
        return self.context if self.context is not None else dockerfile.parent


def scenario_subjects(
    scenario: Scenario,
    variants: Sequence[str],
    changes: Sequence[str],
    profiles: Sequence[Profile],
) -> list[Subject]:
    """Read the states of a scenario's variants.

    Raises:
        ChangeError: a change cannot be applied, changes nothing, or breaks the Dockerfile.
        DockerfileError: a Dockerfile is not right.
        WorkspaceError: the context cannot be copied or read.

    """
    clients = dict.fromkeys(client_of(profile) for profile in profiles)
    subjects = []
    with tempfile.TemporaryDirectory(prefix="bench-predict-") as folder:
        for number, variant in enumerate(variants):
            scratch = Path(folder, str(number))
            states = tuple(scenario_states(scenario, variant, changes, clients, scratch))
            subjects.append(
                Subject(scenario.name, variant, states, notes=tuple(assumptions(states[0])))
            )
    return subjects


def plain_subjects(request: PlainRequest, profiles: Sequence[Profile]) -> list[Subject]:
    """Read the states of bare Dockerfiles; without later ones, those after an edit of each file.

    Raises:
        DockerfileError: a Dockerfile cannot be read, or is not right.
        UsageError: there is no stage of the name that was asked for.
        WorkspaceError: a context cannot be read.

    """
    clients = tuple(dict.fromkeys(client_of(profile) for profile in profiles))
    firsts = [
        read_state(
            dockerfile,
            request.context_of(dockerfile),
            clients,
            build_args=request.build_args,
            target=request.target,
        )
        for dockerfile in request.dockerfiles
    ]
    edits = [] if request.later else file_edits(firsts, profiles)
    subjects = []
    for dockerfile, first in zip(request.dockerfiles, firsts, strict=True):
        if request.later:
            following = list(_later_states(request, dockerfile, clients))
        else:
            following = [dataclasses.replace(first, change=NO_CHANGE)]
            following += [after_edit(first, edit) for edit in edits]
        notes = [
            *_context_note(request, dockerfile),
            *assumptions(first),
            *_arg_notes(first, following),
            *_rest(first, edits),
        ]
        subjects.append(
            Subject(
                scenario="",
                variant=str(dockerfile),
                states=(first, *following),
                notes=tuple(notes),
                in_sequence=request.later > 0,
            )
        )
    return subjects


def _later_states(
    request: PlainRequest, dockerfile: Path, clients: Sequence[ClientRule]
) -> Iterator[BuildState]:
    names: Counter[str] = Counter()
    for number in range(request.later):
        context = request.thens[number] if request.thens else request.context_of(dockerfile)
        own = request.then_dockerfiles[number] if request.then_dockerfiles else None
        name = _later_name(request, number)
        names[name] += 1
        yield read_state(
            own or _same_place(dockerfile, request.context_of(dockerfile), context),
            context,
            clients,
            change=name if names[name] == 1 else f"{name} ({names[name]})",
            build_args={**request.build_args, **request.then_build_args},
            target=request.target,
        )


def _later_name(request: PlainRequest, number: int) -> str:
    parts = [str(given[number]) for given in (request.thens, request.then_dockerfiles) if given]
    if not parts:
        parts = [f"{name}={value}" for name, value in sorted(request.then_build_args.items())]
    return " ".join(parts)


def _same_place(dockerfile: Path, context: Path, later: Path) -> Path:
    """Return the Dockerfile of a later context; one from outside of the first stays the same."""
    place = dockerfile.parent.resolve() / dockerfile.name
    root = context.resolve()
    return later / place.relative_to(root) if place.is_relative_to(root) else dockerfile


def _context_note(request: PlainRequest, dockerfile: Path) -> Iterator[str]:
    if request.context is None:
        yield f"the context is the Dockerfile's folder, {dockerfile.parent}; --context names others"


def _arg_notes(first: BuildState, following: Sequence[BuildState]) -> Iterator[str]:
    found = dict.fromkeys(
        name for state in (first, *following) for name in unused_build_args(state)
    )
    for name in found:
        yield f"the build argument {name} is taken by no ARG of the Dockerfile"


def _rest(first: BuildState, edits: Sequence[Edit]) -> Iterator[str]:
    if not edits:
        return
    taken = {path for edit in edits for path in edit.paths}
    sent = {
        path
        for manifest in first.manifests.values()
        for path, entry in manifest.items()
        if entry.type == "file"
    }
    count = len(sent - taken)
    if count:
        yield (
            f"{count} more {'file' if count == 1 else 'files'} of the context "
            f"{'is' if count == 1 else 'are'} taken in by no step: an edit rebuilds nothing"
        )
