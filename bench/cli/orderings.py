"""``bench orderings``: which order of instructions rebuilds fastest, without building each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from bench.arranging import BuilderRules, RankedVariant, rank_variant
from bench.cache_model import PROFILES, find_profile, profile_of
from bench.cache_model.profiles import DEFAULT_PROFILES, Family
from bench.cli.options import check_names
from bench.cli.orderings_view import as_document, show, show_lines
from bench.cli.predict_view import printable
from bench.cli.sites import times_for
from bench.cli.watched import as_rows, in_words, watch
from bench.errors import UsageError
from bench.orderings.ranking import DEFAULT_LIMIT
from bench.scenario import load_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.simulation import StepTimes

_FAMILIES = (Family.CLASSIC, Family.BUILDKIT)
_BUILDERS = tuple(
    name
    for name, profile in {**DEFAULT_PROFILES, **PROFILES}.items()
    if profile.family in _FAMILIES
)


@click.command(
    epilog="""\b
Examples:
  bench orderings scenarios/node-access-log
  bench orderings scenarios/java-iotd --builder classic --top 10
  bench orderings scenarios/java-iotd --change edit-source --times results/java-iotd-20261124-101500
  bench orderings scenarios/go-gallery --graph order.svg
  bench orderings scenarios/go-gallery --observe
  bench orderings scenarios/go-gallery --json"""
)
@click.argument("path", metavar="SCENARIO", type=click.Path(path_type=Path))
@click.option("--variant", help="Variant whose instructions are ordered.  [default: the baseline]")
@click.option(
    "--change",
    "changes",
    multiple=True,
    help="Change to rank by; repeat for several.  [default: all, by their weights]",
)
@click.option(
    "--builder",
    "builders",
    multiple=True,
    type=click.Choice(_BUILDERS),
    metavar="BUILDER",
    help=f"Builder, or its rules in one version; repeat for several: {', '.join(_BUILDERS)}. Each "
    "ordering is legal for all of them.  [default: classic and buildkit]",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="So many orderings that a builder can tell apart are all tried; of more, the best are "
    "searched, with a bound on what there may be.",
)
@click.option(
    "--top",
    type=click.IntRange(1, 10_000),
    default=5,
    show_default=True,
    help="How many of the best are shown.",
)
@click.option(
    "--times",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Recorded run that step times are taken from.  [default: a reference run of the scenario "
    "below results/reference, else its newest below results, else flat guesses]",
)
@click.option(
    "--graph",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw what has to keep its order into an SVG file.",
)
@click.option(
    "--observe",
    is_flag=True,
    help="Build the variant once and watch what each RUN reads and writes, so that more can move. "
    "Needs root and strace on the engine's own machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every ordering tried.")
def orderings(
    path: Path,
    variant: str | None,
    changes: tuple[str, ...],
    builders: tuple[str, ...],
    limit: int,
    top: int,
    times: Path | None,
    graph: Path | None,
    observe: bool,
    as_json: bool,
) -> None:
    """Rank every order of a Dockerfile's instructions that makes the same image.

    Counts the legal orderings, and shows those with the least expected seconds per rebuild: what
    the steps take that miss after each change, weighted by how often the change happens, step by
    step on the classic builder and along the longest path of stages on BuildKit. Orderings that the
    builder cannot tell apart are shown once.

    Nothing is built and no engine is asked, unless --observe is given; your files are only read.
    bench run --orderings builds the best of them; bench advise does it all for a Dockerfile without
    a scenario.
    """
    scenario = load_scenario(path)
    chosen = variant if variant is not None else scenario.baseline
    check_names(scenario, [chosen], changes)
    step_times = times_for(scenario, times)
    rules = _rules(builders, step_times)
    seen = watch(scenario, chosen, [one.profile for one in rules], _tell) if observe else None
    console = Console(stderr=True)
    with console.status("reading the Dockerfile and its context") as status:
        ranked = rank_variant(
            scenario,
            chosen,
            [one.name for one in scenario.changes if not changes or one.name in changes],
            rules,
            step_times,
            observed=seen.accesses if seen is not None else None,
            limit=limit,
            is_asked=bool(changes),
            progress=lambda builder, done, total: status.update(
                f"{builder}: {done:,} of {total:,} orderings"
            ),
        )
    if graph is not None:
        _draw(ranked, graph)
    if as_json:
        document = as_document(ranked, top)
        if seen is not None:
            document["observed"] = as_rows(ranked.dockerfile, seen)
        click.echo(json.dumps(document, ensure_ascii=False, indent=1))
    else:
        show(ranked, top)
        if seen is not None:
            show_lines("In the build that was watched:", in_words(ranked.dockerfile, seen))
    if graph is not None:
        click.echo(f"drawn: {graph}", err=True)


def _tell(message: str) -> None:
    click.echo(f"bench: {printable(message)}", err=True)


def _rules(builders: Sequence[str], times: StepTimes) -> tuple[BuilderRules, ...]:
    """Return the rules to follow: of the recorded run's engine where no version was named."""
    found: dict[str, BuilderRules] = {}
    for name in builders or tuple(family.value for family in _FAMILIES):
        if name in DEFAULT_PROFILES:
            profile = profile_of(name, times.engine_version, times.image_store)
        else:
            profile = find_profile(name)
        found.setdefault(profile.name, BuilderRules(name, profile, profile.family.value))
    return tuple(found.values())


def _draw(ranked: RankedVariant, path: Path) -> None:
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path}: the graph is an SVG file", remedy=f"write {path.stem}.svg")
    # matplotlib takes most of a second, which only a drawing has to wait for.
    from bench.report.order_graph import draw_order

    builders = " and ".join(one for one in ranked.rankings)
    draw_order(
        ranked.order,
        path,
        f"What has to keep its order: {ranked.scenario.name}, {ranked.variant}",
        f"legal for {builders}",
    )
