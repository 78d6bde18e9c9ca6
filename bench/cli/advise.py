"""``bench advise``: a better Dockerfile that makes the same image, as a diff."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from bench.advising.consulting import Consultation
from bench.advising.project import Project
from bench.cli.advise_view import as_document, show_advice, show_verification
from bench.cli.options import Duration, build_arguments
from bench.cli.progress import RunProgress
from bench.engine import connect
from bench.errors import ExitCode, UsageError
from bench.orderings.rewrites import REWRITES, find_rewrite
from bench.runner import EngineSite
from bench.simulation import recorded_times
from bench.stats import Finding

if TYPE_CHECKING:
    from bench.advising.advice import Advice
    from bench.advising.consulting import Verification

_DEFAULT_COMMITS = 200
_MARGIN_SHARE = 0.05


@click.command(
    epilog="""\b
Examples:
  bench advise Dockerfile
  bench advise app/Dockerfile --context app --history . --commits 500
  bench advise Dockerfile --builder classic --verify
  bench advise Dockerfile --verify --rounds 10 --out results/advice --write Dockerfile
  bench advise Dockerfile --times results/java-iotd-20261124-101500   (no engine needed)
  bench advise Dockerfile --rewrite split-copy --rewrite package-caches"""
)
@click.argument("dockerfile", metavar="DOCKERFILE", type=click.Path(path_type=Path))
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Build context.  [default: the Dockerfile's folder]",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="REPO",
    help="Git repository whose commits say how often what changes.  [default: the one that the "
    "context is in]",
)
@click.option(
    "--commits",
    type=click.IntRange(1, 100_000),
    default=_DEFAULT_COMMITS,
    show_default=True,
    help="How many of the last commits are looked at.",
)
@click.option(
    "--builder",
    type=click.Choice(["classic", "buildkit"]),
    default="buildkit",
    show_default=True,
    help="Builder whose time counts. The image stays the same on both.",
)
@click.option("--target", metavar="STAGE", help="Stage to build.  [default: last]")
@click.option(
    "--build-arg",
    "build_args",
    multiple=True,
    metavar="K=V",
    help="Build argument; K alone takes the value from the environment.",
)
@click.option(
    "--network", default="none", show_default=True, help="Network mode of RUN in every build."
)
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="NAME",
    help="Rewrite to try, beside moving instructions; repeat for several: "
    f"{', '.join(one.name for one in REWRITES)}.  [default: those whose gain can be foreseen]",
)
@click.option("--no-rewrites", is_flag=True, help="Only move whole instructions.")
@click.option(
    "--observe",
    is_flag=True,
    help="Watch what each RUN reads and writes in one more build, and rely on it. Needs root and "
    "strace on the engine's machine.",
)
@click.option(
    "--times",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Take step times from a recorded run; then nothing is built and no engine is needed.",
)
@click.option(
    "--verify",
    is_flag=True,
    help="Build both Dockerfiles, compare the images, and measure the saving.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 10_000),
    default=6,
    show_default=True,
    help="How often every kind of commit is measured for --verify.",
)
@click.option(
    "--timeout",
    type=Duration(),
    default=600.0,
    help="Longest time of one build.  [default: 600s]",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000),
    default=10_000,
    show_default=True,
    help="So many classes of orderings are all tried; of more, the best are searched.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for what is measured.  [default: results/advise-TIME]",
)
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the advised Dockerfile here; without it only the diff is shown.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", is_flag=True, help="Print only the result.")
def advise(
    dockerfile: Path,
    context: Path | None,
    history: Path | None,
    commits: int,
    builder: str,
    target: str | None,
    build_args: tuple[str, ...],
    network: str,
    rewrites: tuple[str, ...],
    no_rewrites: bool,
    observe: bool,
    times: Path | None,
    verify: bool,
    rounds: int,
    timeout: float,
    limit: int,
    out: Path | None,
    write: Path | None,
    as_json: bool,
    quiet: bool,
) -> int:
    """Propose a Dockerfile that rebuilds faster and makes the same image, as a diff.

    How often what changes is taken from the repository's own history; how long steps take, from a
    build on an empty cache. Of all legal orderings, and of some rewrites, the one with the least
    expected seconds per commit is shown, with the reason for each move and what the equality of
    the images rests on.

    --verify builds both, compares config and files of the two images, and measures the saving over
    the same kinds of commits. Your Dockerfile, context and repository are only read.

    Ends with 0 if the advice is better (with --verify: if equality and saving were confirmed), with
    6 if nothing better was found or confirmed, and with 1 if the images are not equal.
    """
    if no_rewrites and rewrites:
        raise UsageError("--no-rewrites and --rewrite exclude each other", remedy="leave one out")
    if times is not None and (verify or observe):
        raise UsageError(
            "--times builds nothing, and --verify and --observe build", remedy="leave one out"
        )
    names = tuple(find_rewrite(name).name for name in rewrites)
    folder = out or Path("results") / f"advise-{dt.datetime.now().astimezone():%Y%m%d-%H%M%S}"
    _refuse_used(folder, builds=times is None)
    progress = RunProgress(Console(stderr=True), quiet=quiet or as_json)
    place = context if context is not None else dockerfile.parent
    project = Project(
        dockerfile=dockerfile,
        context=place,
        builder=builder,
        repository=history,
        commits=commits,
        build_args=build_arguments(build_args),
        target=target,
        network=network,
        limit=limit,
    )
    with progress:
        consultation = Consultation(project, folder, progress)
        site = None
        if times is not None:
            consultation.times = recorded_times(times)
        else:
            client = connect(progress=progress.note)
            site = EngineSite(client)
            consultation.measure(site, client, timeout_seconds=timeout)
            if observe:
                consultation.watch(site, client, timeout_seconds=timeout)
        advice = consultation.advise(() if no_rewrites else names or None)
        verification = None
        if verify and advice.is_better and site is not None:
            verification = consultation.verify(
                advice,
                site,
                client,
                rounds=rounds,
                timeout_seconds=timeout,
                margin_share=_MARGIN_SHARE,
            )
    if write is not None and advice.is_better:
        _write(write, advice)
    if as_json:
        click.echo(json.dumps(as_document(consultation, advice, verification), indent=1))
    else:
        show_advice(consultation, advice)
        if verification is not None:
            show_verification(verification)
    return _exit_code(advice, verification)


def _refuse_used(folder: Path, *, builds: bool) -> None:
    if builds and (folder / "cold").exists():
        raise UsageError(
            f"{folder} holds measurements already", remedy="choose another folder with --out"
        )


def _write(path: Path, advice: Advice) -> None:
    try:
        path.write_text(advice.dockerfile.text, encoding="utf-8", newline="")
        if advice.dockerignore is not None:
            beside = path.with_name(".dockerignore")
            beside.write_text(advice.dockerignore, encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", remedy="choose another --write"
        ) from error


def _exit_code(advice: Advice, verification: Verification | None) -> ExitCode:
    if not advice.is_better:
        return ExitCode.NOTHING_BETTER
    if verification is None:
        return ExitCode.OK
    if not verification.comparison.equal:
        return ExitCode.CHECK_FAILED
    saving = verification.saving
    confirmed = saving is not None and saving.finding is Finding.GAIN
    return ExitCode.OK if confirmed else ExitCode.NOTHING_BETTER
