"""``bench explain``: why steps missed, or will."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bench.builders.protocol import BuildOutcome
from bench.cache_model import PROFILES, find_profile
from bench.errors import UsageError
from bench.explain import (
    FUTURE,
    LOGGED,
    Earlier,
    Place,
    Request,
    Untracked,
    changed_words,
    explain_log,
    explain_rebuild,
    profile_of_log,
    read_log,
    read_states,
    rebuild_document,
    run_document,
    sentences,
    shortened,
    summary,
)
from bench.predicting import client_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.explain import Rebuild, Sentence
    from bench.explain.recorded import Group, RunExplanation

_DEFAULT_BUILDER = "buildkit"
_VERSIONS = [name for name in PROFILES if "-" in name]
_STYLES = {"hit": "green", "miss": "yellow", "depends": "cyan", "failed": "red", "unknown": "red"}
_LISTED_BUILDS = 6


@click.command(
    epilog="""\b
Examples:
  bench explain results/java-iotd-20261124-101500
  bench explain results/java-iotd-20261124-101500 --change edit-source --builder classic
  bench explain --since HEAD
  bench explain --dockerfile docker/web.Dockerfile --context . --since v1.2 --builder classic
  docker buildx build --progress=rawjson . 2> build.jsonl
  bench explain --rawjson build.jsonl --since HEAD~1"""
)
@click.argument("run", metavar="[RUN]", required=False, type=click.Path(path_type=Path))
@click.option("--variant", help="Of a run: only this variant.")
@click.option("--change", help="Of a run: only the builds after this change.")
@click.option("--build", type=click.IntRange(0), help="Of a run: only the build of this number.")
@click.option(
    "--builder",
    help="Of a run: only this builder. Else whose rules to follow: classic, buildkit, buildah, or "
    f"one of {', '.join(_VERSIONS)}.  [default: {_DEFAULT_BUILDER}]",
)
@click.option(
    "--dockerfile",
    type=click.Path(path_type=Path),
    help="The Dockerfile; it may lie outside of the context.  [default: Dockerfile in the context]",
)
@click.option(
    "--context",
    type=click.Path(path_type=Path),
    help="The build context as it is now.  [default: the Dockerfile's folder, or the current one]",
)
@click.option("--since", metavar="REV", help="Git revision whose state was built before.")
@click.option(
    "--since-context",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder with the context that was built before, instead of --since.",
)
@click.option(
    "--since-dockerfile",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The Dockerfile that was built before, where it was another file than now.",
)
@click.option(
    "--untracked",
    type=click.Choice([one.value for one in Untracked]),
    default=Untracked.ADDED.value,
    show_default=True,
    help="With --since: files that git neither tracks nor ignores are new since then (added), or "
    "were there already (kept).",
)
@click.option(
    "--build-arg",
    "build_args",
    multiple=True,
    metavar="K[=V]",
    help="Build argument, as docker build takes it; repeat for several.",
)
@click.option(
    "--since-build-arg",
    "build_args_before",
    multiple=True,
    metavar="K[=V]",
    help="Build argument of the build before, where it was another one than now.",
)
@click.option("--target", help="Stage to build.  [default: the last]")
@click.option(
    "--rawjson",
    type=click.Path(path_type=Path),
    metavar="LOG",
    help="Log of a build that was made, by docker buildx build --progress=rawjson.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every miss of every build.")
def explain(
    run: Path | None,
    variant: str | None,
    change: str | None,
    build: int | None,
    builder: str | None,
    as_json: bool,
    **tree: Any,
) -> None:
    """Say in plain words why steps of a build missed the cache, or will.

    \b
    Three uses:
      RUN                    a folder of bench run: every miss that was recorded
      --since REV            a working tree: what a rebuild will repeat, if the
                             state of that git revision was built before
      --rawjson LOG --since  a build that was made: its log, and the state before

    Steps are counted inside their stage; FROM is step 1. Nothing is built and nothing is written.
    """  # noqa: D301  # \b is click's mark for text to leave as it stands
    out = _Output(Console(), as_json=as_json)
    options = _TreeOptions.of(builder=builder, **tree)
    if run is not None:
        options.refuse_with_run()
        from bench.explain.recorded import Chosen, explain_run  # brings pandas along

        out.run(explain_run(run, Chosen(variant, change, builder, build)))
        return
    for name, value in (("--variant", variant), ("--change", change), ("--build", build)):
        if value is not None:
            raise UsageError(f"{name} chooses from a run", remedy="name the folder of a run")
    options.explain(out)


@dataclass(frozen=True)
class _TreeOptions:
    """The options that describe two states of a working tree."""

    builder: str | None
    dockerfile: Path | None
    context: Path | None
    since: str | None
    since_context: Path | None
    since_dockerfile: Path | None
    untracked: Untracked
    build_args: dict[str, str]
    build_args_before: dict[str, str]
    target: str | None
    rawjson: Path | None

    @classmethod
    def of(cls, **values: Any) -> _TreeOptions:
        given = values["build_args"]
        values["build_args"] = _build_args(given)
        values["build_args_before"] = _build_args((*given, *values["build_args_before"]))
        values["untracked"] = Untracked(values["untracked"])
        return cls(**values)

    def refuse_with_run(self) -> None:
        given = {
            "--dockerfile": self.dockerfile,
            "--context": self.context,
            "--since": self.since,
            "--since-context": self.since_context,
            "--since-dockerfile": self.since_dockerfile,
            "--build-arg": self.build_args,
            "--since-build-arg": self.build_args_before,
            "--target": self.target,
            "--rawjson": self.rawjson,
        }
        for name, value in given.items():
            if value:
                raise UsageError(
                    f"{name} goes with a working tree, not with a run",
                    remedy="leave out either the option or the folder of the run",
                )

    def explain(self, out: _Output) -> None:
        if (self.since is None) == (self.since_context is None):
            raise UsageError(
                "say what to explain: the folder of a run, or what the working tree is compared "
                "with"
                if self.since is None
                else "--since and --since-context both name the earlier state",
                remedy="for instance bench explain --since HEAD, or bench explain --help",
            )
        context = self.context or (self.dockerfile.parent if self.dockerfile else Path())
        place = Place.of(self.dockerfile or context / "Dockerfile", context)
        log = None if self.rawjson is None else read_log(self.rawjson)
        profile = find_profile(self.builder or _DEFAULT_BUILDER)
        if log is not None and self.builder is None:
            profile = profile_of_log(log, profile)
        earlier = Earlier(self.since, self.since_context, self.since_dockerfile, self.untracked)
        states = read_states(place, earlier, client_of(profile))
        request = Request(profile, self.build_args, self.build_args_before, self.target)
        if log is None:
            rebuild = explain_rebuild(states.before, states.after, request)
        else:
            rebuild = explain_log(log, states.before, states.after, request)
        voice = FUTURE if log is None else LOGGED
        said = sentences(rebuild.accounts, voice, hint=rebuild.hints(place))
        out.rebuild(rebuild, place, said, (*states.notes, *rebuild.notes))


def _build_args(words: Sequence[str]) -> dict[str, str]:
    """Return build arguments; one without a value has that of the environment, or is not given."""
    found = {}
    for word in words:
        name, has_value, value = word.partition("=")
        if not name:
            raise UsageError(f"{word!r} is no build argument", remedy="write NAME=VALUE")
        if has_value:
            found[name] = value
        elif name in os.environ:
            found[name] = os.environ[name]
        else:
            found.pop(name, None)
    return found


@dataclass(frozen=True)
class _Output:
    """Prints explanations: wrapped on a terminal, one line each elsewhere."""

    console: Console
    as_json: bool

    def run(self, explanation: RunExplanation) -> None:
        """Print a run's explanation."""
        if self.as_json:
            self._json(run_document(explanation))
            return
        from bench.explain.recorded import grouped

        info, builds = explanation.info, explanation.builds
        misses = sum(len(build.misses) for build in builds)
        self._line(
            f"{info.scenario} on Engine {info.engine.label}: {len(builds)} builds, {misses} misses",
            style="bold",
        )
        for pair, groups in grouped(builds).items():
            self._line(pair, style="bold")
            for group in groups:
                if not group.is_quiet:
                    self._group(group)
            quiet = [f"{group.title} ({_numbers(group)})" for group in groups if group.is_quiet]
            if quiet:
                self._line(f"every step hit: {', '.join(quiet)}", indent=2, style=_STYLES["hit"])
        if explanation.unexplained:
            count = explanation.unexplained
            self._line(
                f"{count} build{' was' if count == 1 else 's were'} recorded without reasons; run "
                "it again to have all misses explained"
            )

    def _group(self, group: Group) -> None:
        record = group.first.record
        ended = f"{record.hits} of {record.hits + record.misses} steps hit"
        if record.outcome is not BuildOutcome.OK:
            ended = f"{record.outcome}: {record.error.splitlines()[0] if record.error else ''}"
        values = "" if group.is_exact else f" (names and values of build {record.build})"
        self._line(f"{group.title} ({_numbers(group)}): {ended}{values}", indent=2)
        self._sentences(group.first.sentences(), indent=4)

    def rebuild(
        self, rebuild: Rebuild, place: Place, said: Sequence[Sentence], notes: Sequence[str]
    ) -> None:
        """Print what a rebuild repeats or repeated."""
        if self.as_json:
            self._json(rebuild_document(rebuild, said, notes))
            return
        self._line(f"since {rebuild.before.label}: {changed_words(rebuild, place)}")
        self._line(summary(rebuild), style="bold")
        self._sentences(said, indent=2, with_texts=True)
        for text in notes:
            self._line(f"note: {text}", style="dim")

    def _sentences(
        self, said: Sequence[Sentence], *, indent: int, with_texts: bool = False
    ) -> None:
        stage = None
        for sentence in said:
            if sentence.heading and sentence.stage_index != stage:
                stage = sentence.stage_index
                self._line(sentence.heading, indent=indent)
            deeper = indent + 2 if sentence.heading else indent
            self._line(sentence.text, indent=deeper, style=_STYLES.get(sentence.outcome, ""))
            if with_texts and len(sentence.steps) > 1 and sentence.outcome != "hit":
                for account in sentence.accounts:
                    self._line(
                        f"{account.step}  {shortened(account.text)}", indent=deeper + 2, style="dim"
                    )

    def _line(self, text: str, *, indent: int = 0, style: str = "") -> None:
        text = text.encode("utf-8", "replace").decode()  # names need not be text
        line = Text(text, style=style)
        if self.console.is_terminal:
            # What does not fit goes on below, a little deeper.
            width = max(20, self.console.width - indent - 2)
            first, *rest = line.wrap(self.console, width)
            self.console.print(Padding(first, (0, 0, 0, indent)))
            for more in rest:
                self.console.print(Padding(more, (0, 0, 0, indent + 2)))
        else:
            self.console.print(" " * indent + text, markup=False, highlight=False, soft_wrap=True)

    @staticmethod
    def _json(document: dict[str, Any]) -> None:
        click.echo(json.dumps(document, indent=1))


def _numbers(group: Group) -> str:
    """Name the builds of a group: ``build 3``, ``3 builds: 3, 7, 11``."""
    found = [str(build.record.build) for build in group.builds]
    if len(found) == 1:
        return f"build {found[0]}"
    more = len(found) - _LISTED_BUILDS
    shown = ", ".join(found[:_LISTED_BUILDS]) + (f" and {more} more" if more > 0 else "")
    return f"{len(found)} builds: {shown}"
