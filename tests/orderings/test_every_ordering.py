"""Every ordering that the partial order allows makes the same image, however mean the Dockerfile.

The Dockerfiles are drawn from lines that are traps for one another; the images are those of the
machine in `tests.orderings.machine`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bench.cache_model import BaseImage, BuildInput, StepPlace, find_profile
from bench.dockerfile import parse
from bench.orderings.commuting import USUAL_FOLDERS
from bench.orderings.legality import partial_order
from bench.orderings.ordering import Ordering, arrange
from bench.workspace.manifest import Entry, Manifest
from tests.orderings.machine import Base, BuildFailedError, Machine, Node, reads_and_writes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.dockerfile import Dockerfile
    from bench.orderings.access import Access
    from bench.orderings.legality import PartialOrder

FOLDER = Node("dir", 0o755, "0:0")
SYSTEM = {
    **{f"/{name}": FOLDER for name in ("run", "var/run-is-elsewhere", *sorted(USUAL_FOLDERS))},
    "/": FOLDER,
    "/var/run": Node("link", 0o777, "0:0", "/run"),
    "/bin": Node("link", 0o777, "0:0", "usr/bin"),
    "/etc/passwd": Node("file", 0o644, "0:0", "app=7:7"),
}
BASES = {
    "plain": Base(SYSTEM, env={"PATH": "/usr/bin", "BASE": "base"}, cmd=("base",)),
    "odd": Base(
        {**SYSTEM, "/app": Node("dir", 0o700, "7:7"), "/app/old": Node("file", 0o644, "7:7")},
        env={"PATH": "/usr/bin", "DIR": "/app/deep", "NAME": "odd"},
        working_dir="/app",
        user="app",
        cmd=("odd",),
        volumes=frozenset({"/kept"}),
    ),
    "triggering": Base(
        SYSTEM,
        env={"PATH": "/usr/bin"},
        cmd=("base",),
        on_build=("WORKDIR /built", "USER app", "ENV DIR=/built", 'SHELL ["/bin/ash", "-c"]'),
    ),
    "scratch": Base({"/": FOLDER}, env={"PATH": "/usr/bin"}),
}
INSPECTED = {
    name: BaseImage(
        name,
        env=tuple(BASES[name].env.items()),
        working_dir=BASES[name].working_dir,
        user=BASES[name].user,
        on_build=BASES[name].on_build,
        inspected=True,
    )
    for name in ("plain", "triggering")
}
CONTEXT = {
    "/a": Node("file", 0o644, "0:0", "a"),
    "/b": Node("file", 0o600, "0:0", "b"),
    "/passwd": Node("file", 0o644, "0:0", "app=8:8"),
    "/tree": Node("dir", 0o700, "0:0"),
    "/tree/a": Node("file", 0o644, "0:0", "tree-a"),
    "/tree/c": Node("file", 0o644, "0:0", "tree-c"),
    "/tree/sub": Node("dir", 0o711, "0:0"),
    "/tree/sub/d": Node("file", 0o644, "0:0", "tree-d"),
    "/x.tar": Node("file", 0o644, "0:0", "a sub/e"),
}
LINES = (
    *("ENV A=1", "ENV A=2 B=$A", "ENV B=${A:-none}", "ENV DIR=/data", "ENV DIR=$DIR/more"),
    *("ARG A", "ARG A=arg", "ARG DIR=/arg", "ARG C=$A", "ENV C=$C", "ENV BASE=x$BASE"),
    *("USER app", "USER 5", "USER 0", "USER $A", 'SHELL ["/bin/bash", "-c"]'),
    *("WORKDIR /app", "WORKDIR sub", "WORKDIR /w/deep", "WORKDIR $DIR", "WORKDIR /app/sub"),
    *("CMD run", 'CMD ["run"]', 'CMD ["other"]', "CMD []", "ENTRYPOINT start"),
    *('ENTRYPOINT ["start"]', "LABEL k=1", "LABEL k=2 l=$A", "LABEL $A=1", "LABEL m=$BASE"),
    *("EXPOSE 80", "EXPOSE 80 443", "EXPOSE $A", "STOPSIGNAL SIGINT", "STOPSIGNAL $A"),
    *("HEALTHCHECK CMD check", "HEALTHCHECK NONE", "MAINTAINER me", "MAINTAINER you"),
    *("VOLUME /data", "VOLUME /app", "VOLUME $DIR", 'VOLUME ["/w", "/data"]'),
    *("ONBUILD RUN one", "ONBUILD ENV A=on", "ONBUILD WORKDIR /on"),
    *("COPY a .", "COPY b /app/", "COPY a b /app/", "COPY a /app/b", "COPY a /app", "COPY a /w"),
    *("COPY tree/ .", "COPY tree /app/sub", "COPY tree /w", "COPY . /data", "COPY * /app/"),
    *("COPY a /run/a", "COPY b /var/run/a", "COPY a /bin/t", "COPY b /usr/bin/t", "COPY a $DIR/"),
    *("COPY passwd /etc/", "COPY --chown=app a /app/", "COPY --chown=5 tree /w/deep/"),
    *("COPY --chown=app b /w/deep/b", "COPY --chown=5:6 a /data/x/a", "COPY --chown=$A a /n/a"),
    *("COPY --link a /app/l", "COPY --link --chown=5 b /w/l", "COPY --link tree /run/t"),
    *("ADD x.tar /app/", "ADD x.tar /w", "ADD a /app/", "ADD tree /data/"),
    *("COPY <<h /app/\nis $A\nh", "COPY <<h b /w/\nis\nh", "COPY <<h /app/a\n$B\nh"),
    *("RUN make", "RUN make > /data/made", "RUN make > /app/made", 'RUN ["make"]'),
    *("RUN <<h\nmake\nh", "RUN make > /etc/passwd-"),
    *("RUN tool reads=/app/a writes=/data/made", "RUN tool reads=/w writes=/app/made"),
    *("RUN tool reads= writes=/opt/made", "RUN tool reads=/data writes=/opt/other"),
    *("RUN tool reads=/opt/made,/var/run writes=/run/made", "# a comment\nLABEL n=1"),
    *("COPY --from=first /out /app/", "COPY --from=first /app /w/", "COPY --from=first / /all/"),
)
BUILDERS = ("classic-20.10", "buildkit-0.8", "buildkit-28", "buildkit-28-containerd")


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """One or two stages of lines that are traps for one another."""
    lines = st.lists(st.sampled_from(LINES), min_size=2, max_size=7)
    bases = st.sampled_from(sorted(BASES))
    text = [f"FROM {draw(bases)} AS first", *draw(lines)]
    if draw(st.booleans()):
        text += [f"FROM {draw(st.just('first') | bases)}", *draw(lines)]
    directive = draw(st.sampled_from(["", "# escape=`\n", "# syntax=docker/dockerfile:1\n"]))
    return directive + "\n".join(text) + draw(st.sampled_from(["", "\n"]))


def manifest() -> Manifest:
    kinds = {"dir": "dir", "file": "file"}
    return Manifest(
        Entry(path[1:], kinds[node.kind], node.mode, 0, None, node.content, 0)  # type: ignore[arg-type]
        for path, node in sorted(CONTEXT.items())
    )


def declared(dockerfile: Dockerfile) -> dict[StepPlace, Access]:
    found = {}
    for stage in dockerfile.stages:
        for step, one in enumerate(stage.instructions, start=1):
            access = reads_and_writes(" ".join(one.arguments)) if one.keyword == "RUN" else None
            if access is not None:
                found[StepPlace(stage.index, step)] = access
    return found


def order_of(text: str, builder: str, build_args: dict[str, str] | None = None) -> PartialOrder:
    dockerfile = parse(text)
    build = BuildInput(dockerfile, manifest(), build_args=build_args or {}, bases=INSPECTED)
    return partial_order(build, [find_profile(builder)], declared(dockerfile))


def machine_of(builder: str, build_args: dict[str, str] | None = None) -> Machine:
    return Machine(
        buildkit=builder != "classic-20.10",
        bases=BASES,
        context=CONTEXT,
        build_args=build_args or {},
        merges_links=builder == "buildkit-28-containerd",
    )


def swaps(order: PartialOrder) -> Iterator[Ordering]:
    """Every allowed change of places of two neighbours."""
    written = Ordering.written(order.dockerfile)
    for stage, steps in enumerate(written.stages):
        for place in range(1, len(steps) - 1):
            turned = [*steps[:place], steps[place + 1], steps[place], *steps[place + 2 :]]
            ordering = written.with_stage(stage, turned)
            if order.allows(ordering):
                yield ordering


def drawn(order: PartialOrder, count: int, seed: int) -> Iterator[Ordering]:
    """Legal orderings at random: always one of those that nothing holds back comes next."""
    chance = random.Random(seed)  # noqa: S311 - no secret hangs on it
    for _ in range(count):
        stages = []
        for stage in order.stages:
            steps = [1]
            left = dict(stage.graph.in_degree())
            while left:
                step = chance.choice(sorted(one for one, held in left.items() if held == 0))
                del left[step]
                steps.append(step)
                for later in stage.graph.successors(step):
                    left[later] -= 1
            stages.append(tuple(steps))
        yield Ordering(tuple(stages))


@pytest.mark.parametrize("builder", BUILDERS)
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(text=dockerfiles(), seed=st.integers(0, 1000), given_arg=st.booleans())
def test_every_allowed_ordering_makes_the_same_image(
    builder: str, text: str, seed: int, given_arg: bool
) -> None:
    build_args = {"A": "given"} if given_arg else {}
    machine = machine_of(builder, build_args)
    try:
        written = machine.build(text)
    except BuildFailedError:
        assume(False)
    order = order_of(text, builder, build_args)

    for ordering in (*swaps(order), *drawn(order, 6, seed)):
        assert order.allows(ordering)
        arranged = arrange(order.dockerfile, ordering)
        assert machine.build(arranged) == written, arranged
