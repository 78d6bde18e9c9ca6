"""``bench predict``: what every rebuild will do, without an engine."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cache_model import PROFILES, find_profile
from bench.cache_model.profiles import DEFAULT_PROFILES
from bench.cli.options import build_arguments, check_names
from bench.cli.predict_view import printable, show
from bench.errors import UsageError
from bench.predicting import PlainRequest, plain_subjects, rows_of, scenario_subjects
from bench.scenario import load_scenario
from bench.scenario.loading import SCENARIO_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.cache_model import Profile
    from bench.predicting import Outlook, Subject

_BUILDERS = tuple(dict.fromkeys([*DEFAULT_PROFILES, *PROFILES]))
_DEFAULT_BUILDERS = ("classic", "buildkit")


@click.command(
    epilog="""\b
Examples:
  bench predict scenarios/java-iotd
  bench predict scenarios/java-iotd --change edit-port --builder buildkit --json
  bench predict Dockerfile
  bench predict Dockerfile --context . --builder buildkit-0.8 --target builder
  bench predict old/Dockerfile --then new
  bench predict Dockerfile --then-build-arg VERSION=2"""
)
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--builder",
    "builders",
    multiple=True,
    type=click.Choice(_BUILDERS),
    metavar="BUILDER",
    help=f"Builder, or its rules in one version; repeat for several: {', '.join(_BUILDERS)}.  "
    "[default: classic and buildkit, newest rules]",
)
@click.option("--variant", "variants", multiple=True, help="Variant of a scenario.  [default: all]")
@click.option("--change", "changes", multiple=True, help="Change of a scenario.  [default: all]")
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Build context of a Dockerfile.  [default: its folder]",
)
@click.option(
    "--then",
    "thens",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Context of a later build; repeat for several, made one after the other.",
)
@click.option(
    "--then-dockerfile",
    "then_dockerfiles",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Dockerfile of a later build.  [default: at the same place in --then]",
)
@click.option(
    "--build-arg",
    "build_args",
    multiple=True,
    metavar="K=V",
    help="Build argument, for a Dockerfile; K alone takes the value from the environment.",
)
@click.option(
    "--then-build-arg",
    "then_build_args",
    multiple=True,
    metavar="K=V",
    help="Build argument of the later builds, beside the others.",
)
@click.option("--target", metavar="STAGE", help="Stage of a Dockerfile to build.  [default: last]")
@click.option("--cold", is_flag=True, help="Show the first build too, on an empty cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def predict(
    paths: tuple[Path, ...],
    builders: tuple[str, ...],
    variants: tuple[str, ...],
    changes: tuple[str, ...],
    context: Path | None,
    thens: tuple[Path, ...],
    then_dockerfiles: tuple[Path, ...],
    build_args: tuple[str, ...],
    then_build_args: tuple[str, ...],
    target: str | None,
    cold: bool,
    as_json: bool,
) -> None:
    """Say which steps of a rebuild will hit the cache, and why the others miss.

    PATH is the folder of a scenario, or a Dockerfile. Of a scenario: the rebuild after each
    change, for every variant. Of a Dockerfile: what an edit of each file of the context rebuilds;
    or, with --then, --then-dockerfile or --then-build-arg, the builds that come after the first.

    Nothing is built, no engine is asked, and your files are only read. A step that the cache model
    does not understand is shown as unknown, with its line; that is no error.
    """
    profiles = _profiles(builders)
    if _are_scenarios(paths):
        _refuse(
            "a scenario takes no",
            "write them into scenario.toml, or name a Dockerfile",
            context=context,
            then=thens,
            then_dockerfile=then_dockerfiles,
            build_arg=build_args,
            then_build_arg=then_build_args,
            target=target,
        )
        subjects = _of_scenarios(paths, variants, changes, profiles)
    else:
        _refuse(
            "a Dockerfile takes no",
            "name the folder of a scenario",
            variant=variants,
            change=changes,
        )
        request = PlainRequest(
            dockerfiles=tuple(dict.fromkeys(paths)),
            context=context,
            thens=thens,
            then_dockerfiles=then_dockerfiles,
            build_args=build_arguments(build_args),
            then_build_args=build_arguments(then_build_args),
            target=target,
        )
        subjects = plain_subjects(request, profiles)
    outlooks = [(one, one.outlook(profile)) for one in subjects for profile in profiles]
    if as_json:
        rows = [row for _, outlook in outlooks for row in rows_of(outlook, cold=cold)]
        # A file name need not be UTF-8: what is none is escaped, as JSON allows.
        text = json.dumps(rows, ensure_ascii=False, indent=1)
        click.echo(text.encode("utf-8", "backslashreplace").decode())
        _tell(f"note: {_name(one)}: {note}" for one in subjects for note in one.notes)
        _tell(_not_understood(outlooks))
    else:
        show(outlooks, is_assumed=set(builders) <= set(DEFAULT_PROFILES), cold=cold)


def _profiles(builders: Sequence[str]) -> tuple[Profile, ...]:
    found = [find_profile(name) for name in builders or _DEFAULT_BUILDERS]
    return tuple({profile.name: profile for profile in found}.values())


def _are_scenarios(paths: Sequence[Path]) -> bool:
    """Tell scenarios from Dockerfiles; both at once cannot be compared.

    Raises:
        UsageError: some are scenarios and some are Dockerfiles.

    """
    kinds = [_is_scenario(path) for path in paths]
    if len(set(kinds)) > 1:
        raise UsageError(
            f"{paths[kinds.index(True)]} is a scenario, and {paths[kinds.index(False)]} is none",
            remedy="name scenarios, or Dockerfiles",
        )
    return kinds[0]


def _is_scenario(path: Path) -> bool:
    if path.suffix == ".toml":
        return True
    if not os.path.isdir(path):  # noqa: PTH112 - answers False where a path cannot be looked at
        return False
    if not (path / SCENARIO_FILE).exists() and (path / "Dockerfile").exists():
        raise UsageError(
            f"{path}: there is no {SCENARIO_FILE} in this folder, but a Dockerfile",
            remedy=f"to predict that one: bench predict {path / 'Dockerfile'}",
        )
    return True


def _refuse(message: str, remedy: str, **options: object) -> None:
    given = [f"--{name.replace('_', '-')}" for name, value in options.items() if value]
    if given:
        raise UsageError(f"{message} {', '.join(given)}", remedy=remedy)


def _of_scenarios(
    paths: Sequence[Path],
    variants: Sequence[str],
    changes: Sequence[str],
    profiles: Sequence[Profile],
) -> list[Subject]:
    subjects = []
    for scenario in [load_scenario(path) for path in paths]:
        check_names(scenario, variants, changes)
        subjects += scenario_subjects(
            scenario,
            [one.name for one in scenario.variants if not variants or one.name in variants],
            [one.name for one in scenario.changes if not changes or one.name in changes],
            profiles,
        )
    return subjects


def _name(subject: Subject) -> str:
    return f"{subject.scenario} {subject.variant}".strip()


def _not_understood(outlooks: Sequence[tuple[Subject, Outlook]]) -> Iterable[str]:
    for subject, outlook in outlooks:
        for rebuild in (outlook.cold, *outlook.rebuilds):
            for problem in rebuild.prediction.problems:
                yield f"not understood: {_name(subject)} on {outlook.profile.name}: {problem}"


def _tell(messages: Iterable[str]) -> None:
    for message in dict.fromkeys(messages):
        click.echo(f"bench: {printable(message)}", err=True)
