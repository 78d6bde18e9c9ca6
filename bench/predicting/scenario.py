"""The states of a scenario's variant: its pristine tree, and the tree after each change."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bench.changes import ChangeIds, SourceState, apply_change
from bench.dockerfile import parse
from bench.errors import ChangeError, DockerfileError
from bench.predicting.state import BuildState
from bench.scenario import dockerfile_place, dockerfile_text, dockerignore_text
from bench.workspace import ClientRule, Workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bench.scenario import Change, Scenario, Variant

_FIRST_PORT = 1025
_PORTS = 65000 - _FIRST_PORT


def scenario_states(
    scenario: Scenario,
    variant: str,
    changes: Iterable[str],
    clients: Iterable[ClientRule],
    scratch: Path,
) -> Iterator[BuildState]:
    """Yield the pristine state of a variant, then the state after each change to it alone.

    The changes are applied to a scratch copy, as `bench run` does in its first round; the context
    is the one that a run sends.

    Args:
        scenario: a scenario that was found right.
        variant: the name of the variant.
        changes: the names of the changes.
        clients: whose selections of the context are wanted.
        scratch: a folder for the scratch copy, which is empty or does not exist.

    Raises:
        ChangeError: a change cannot be applied, changes nothing, or breaks the Dockerfile.
        DockerfileError: the variant's Dockerfile is not right.
        WorkspaceError: the context cannot be copied or read.

    """
    chosen = scenario.variant(variant)
    workspace = Workspace.create(
        scenario.context,
        scratch,
        dockerfile_text=dockerfile_text(scenario, chosen),
        dockerfile_path=dockerfile_place(scenario, chosen),
        dockerignore_text=dockerignore_text(scenario, chosen),
    )
    reader = _Reader(scenario, chosen, workspace, tuple(clients))
    yield reader.state(None, 0)
    for number, change in enumerate(changes, start=1):
        try:
            yield reader.state(scenario.change(change), number)
        finally:
            workspace.reset()


class _Reader:
    def __init__(
        self,
        scenario: Scenario,
        variant: Variant,
        workspace: Workspace,
        clients: tuple[ClientRule, ...],
    ) -> None:
        self._scenario = scenario
        self._variant = variant
        self._workspace = workspace
        self._clients = clients

    def state(self, change: Change | None, number: int) -> BuildState:
        """Apply ``change`` to the scratch copy, if there is one, and look at what came of it."""
        source = SourceState(
            root=self._workspace.root,
            dockerfile=dockerfile_place(self._scenario, self._variant),
            source=self._scenario.context,
            pristine=self._workspace.pristine,
            scenario=self._scenario.directory,
            build_args=dict(self._variant.build_args),
        )
        if change is not None:
            apply_change(change, source, _ids(self._variant.name, change.name, number))
        path = source.root / source.dockerfile
        name = f"{self._variant.name}/{source.dockerfile}"
        try:
            dockerfile = parse(path.read_text(encoding="utf-8"), name)
        except (DockerfileError, UnicodeDecodeError, OSError) as error:
            if change is None:
                raise
            raise ChangeError(
                f"change {change.name!r} breaks the Dockerfile: {error}",
                remedy="mend the change's steps in scenario.toml",
            ) from error
        return BuildState(
            change=change.name if change is not None else "",
            dockerfile=dockerfile,
            manifests={one: self._workspace.manifest(one) for one in self._clients},
            build_args=source.build_args,
            target=self._variant.target,
            network=self._scenario.network,
            base_layers=source.base_layers,
        )


def _ids(variant: str, change: str, number: int) -> ChangeIds:
    """Return what fills a change's placeholders: new content for every change, always the same."""
    digest = hashlib.sha256(f"predict\0{variant}\0{change}".encode()).hexdigest()
    return ChangeIds(id=digest[:12], port=_FIRST_PORT + number % _PORTS, n=number, round=0)
