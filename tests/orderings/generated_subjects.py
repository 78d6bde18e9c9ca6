"""Subjects by chance: the Dockerfiles of the conformance generator, on a small base image."""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.builders import BuildRequest, PackedContext, make_builder
from bench.cache_model import BuildInput
from bench.dockerfile import parse
from bench.orderings.legality import partial_order
from tests.conformance.base_images import CaseBases, EngineBases
from tests.conformance.case import DOCKERFILE, Case, CaseStage, Line
from tests.conformance.generate import LARGE, case_of
from tests.conformance.sending import pack

if TYPE_CHECKING:
    from docker import DockerClient

    from bench.builders import Build
    from bench.dockerfile import Dockerfile
    from bench.orderings.legality import PartialOrder
    from tests.conformance.dialect import Dialect
    from tests.conformance.generate import Size
    from tests.conformance.targets import Target

_TIMEOUT_SECONDS = 60.0
_ENV = re.compile(r"\benv >")


class GeneratedEngine:
    """One builder of one engine, with the base images of generated cases in it."""

    def __init__(self, client: DockerClient, target: Target) -> None:
        self.client = client
        self.target = target
        self.builder = make_builder(target.builder, client)
        self.bases = EngineBases(client, target.image_store)
        self._folder = tempfile.TemporaryDirectory(prefix="cachebench-orderings-")

    def new_bases(self) -> CaseBases:
        """Return base images that nothing was built on yet."""
        return CaseBases(self.bases, secrets.token_hex(6))

    def close(self) -> None:
        """Remove the files of this engine's builds."""
        self._folder.cleanup()

    def write(self, body: bytes) -> PackedContext:
        """Put a context where a request finds it."""
        path = Path(self._folder.name) / f"{secrets.token_hex(6)}.tar"
        path.write_bytes(body)
        return PackedContext(path, len(body), hashlib.sha256(body).hexdigest(), 0.0)


class GeneratedSubject:
    """The first state of a case; see `tests.orderings.subjects`.

    It is built on salted bases of its own unless it is given some to share.
    """

    def __init__(self, engine: GeneratedEngine, case: Case, bases: CaseBases | None = None) -> None:
        self.case = case
        self.client = engine.client
        self._engine = engine
        self._state = case.states[0]
        self._bases = bases or engine.new_bases()
        self._known, self._configs = self._bases.prepare(self._state)
        self._arguments = {
            name: self._bases.fill_in(value) for name, value in self._state.build_args.items()
        }
        self._dockerfile = parse(self._bases.fill_in(self._state.text))
        self._order = partial_order(self._input(), [engine.target.profile])

    @property
    def name(self) -> str:
        """The case's name."""
        return self.case.name

    @property
    def dockerfile(self) -> Dockerfile:
        """The Dockerfile, its placeholders filled in."""
        return self._dockerfile

    @property
    def order(self) -> PartialOrder:
        """What keeps its instructions in order for this builder."""
        return self._order

    def build(self, text: str, number: int, *, no_cache: bool) -> Build:
        """Build another text of it."""
        builder = self._engine.target.builder
        body, _ = pack(self._state.files, text, builder)
        context = self._engine.write(body)
        request = BuildRequest(
            context=context,
            dockerfile=parse(text),
            dockerfile_path=DOCKERFILE,
            tag=f"{self._bases.repository}/{self.case.name.lower()}:{number}",
            build_args=self._arguments,
            target=self._state.target,
            no_cache=no_cache,
            timeout_seconds=_TIMEOUT_SECONDS,
            base_images=self._configs,
        )
        try:
            return self._engine.builder.build(request)
        finally:
            context.path.unlink()

    def sent(self, text: str) -> str:
        """Return the text: its bases are named as they are."""
        return text

    def _input(self) -> BuildInput:
        builder = self._engine.target.builder
        return BuildInput(
            dockerfile=self._dockerfile,
            manifest=pack(self._state.files, self._dockerfile.text, builder)[1],
            build_args=self._arguments,
            target=self._state.target,
            bases=self._known,
            network="none",
        )


def generated_case(
    seed: int, number: int, dialect: Dialect, size: Size = LARGE, *, runs: bool = True
) -> Case:
    """Return case ``number`` of a seed with its first state alone.

    A RUN that writes its environment to a file writes it sorted: the order of variables follows
    that of the instructions, and counts as no difference between two images. Without ``runs`` all
    RUN are left out: nothing may cross them, so that more can move where they are not.
    """
    case = case_of(seed, number, dialect, size)
    state = case.states[0]
    stages = tuple(
        CaseStage(
            stage.id,
            tuple(
                Line(line.id, _ENV.sub("env | sort >", line.text))
                for line in stage.lines
                if runs or line.keyword != "RUN"
            ),
        )
        for stage in state.stages
    )
    name = case.name if runs else f"{case.name}-quiet"
    return Case(name, (replace(state, stages=stages),))
