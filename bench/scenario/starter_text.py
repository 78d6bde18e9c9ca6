"""The text of a first scenario file, with comments for somebody who has never seen one."""

from __future__ import annotations

import re
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tomlkit

if TYPE_CHECKING:
    from bench.dockerfile import Dockerfile
    from bench.scenario.choosing import Choice, Chosen
    from bench.scenario.intake import Intake
    from bench.scenario.metadata import Move, PortEdit

_DOWNLOADS = re.compile(
    r"\b(?:apt|apt-get|apk|yum|dnf|microdnf|zypper|tdnf|npm|npx|yarn|pnpm|bun|pip3?|pipenv|poetry|"
    r"uv|conda|mamba|mvnw?|gradlew?|go|cargo|curl|wget|git|gem|bundle|composer|dotnet|nuget|mix|"
    r"cabal|stack|sbt|lein|rustup|deno|dart|flutter|swift)\b"
)
_MOST_LEFT_OUT = 10
_WIDTH = 96


@dataclass(frozen=True)
class Starter:
    """Everything that a first scenario says."""

    title: str
    context: str
    dockerfile_path: str
    dockerfile: Dockerfile
    choice: Choice
    commits: int
    """How many commits the weights count; 0 where they are guessed."""
    no_history: str = ""
    """What git says where there is no history."""
    taken: list[Intake] = field(default_factory=list)
    move: Move | None = None
    port: PortEdit | None = None


def render(starter: Starter, folder: str) -> str:
    """Return the scenario file; ``folder`` is what the commands in its comments name."""
    sections = [
        _head(starter, folder),
        _network(starter.dockerfile),
        _variants(starter),
        _changes(starter),
        _expectation(starter),
    ]
    return "\n".join(sections)


def quoted(text: str) -> str:
    """Return ``text`` as a TOML string, on one line."""
    return tomlkit.item(text).as_string()


def _comment(text: str) -> str:
    """Return ``text`` as comment lines; names in it are quoted already, so no line ends in them."""
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"# {line}\n" for line in lines)


def _table(kind: str, /, **keys: str) -> str:
    return f"[[{kind}]]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def _inline(step: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {quoted(value)}" for key, value in step.items()) + " }"


def _list(values: list[str] | tuple[str, ...]) -> str:
    return "[" + ", ".join(quoted(value) for value in values) + "]"


def _head(starter: Starter, folder: str) -> str:
    place = _one_line(shlex.quote(folder))
    return (
        _comment(
            "A first scenario, written by bench init: what does a change of each file cost, and "
            "what does the build cache save? Change and add to it as you like; scenarios/README.md "
            "of cachebench explains every key."
        )
        + f"#\n#     bench plan {place}\n#     bench run {place}\n\n"
        + f"title = {quoted(starter.title)}\n"
        + 'question = "Which changes does the build cache help with, and what does each cost?"\n\n'
        + _comment(
            "The build context: the project itself, relative to this folder. It is only read; "
            "builds work on a copy."
        )
        + f"context = {quoted(starter.context)}\n\n"
        + _comment("The variant that the others are compared with.")
        + 'baseline = "as-written"\n'
    )


def _one_line(text: str) -> str:
    return quoted(text) if re.search(r"[\x00-\x1f\x7f]", text) else text


def _network(dockerfile: Dockerfile) -> str:
    runs = [
        one.text
        for stage in dockerfile.stages
        for one in stage.instructions
        if one.keyword == "RUN"
    ]
    found = next((match for text in runs if (match := _DOWNLOADS.search(text))), None)
    if found is not None:
        return (
            _comment(
                f"Some RUN calls {found[0]}, which may download, so RUN gets the network. The time "
                "of a download is measured too. Where nothing is downloaded, leave this out: then "
                "RUN has no network."
            )
            + 'network = "default"\n'
        )
    return _comment("RUN has no network. Where it has to download:") + '# network = "default"\n'


def _variants(starter: Starter) -> str:
    text = _comment(
        "Variants are the Dockerfiles that are measured. To compare another one, put it beside "
        "this file and add a [[variant]] with its name."
    )
    text += _table("variant", name='"as-written"', dockerfile=quoted(starter.dockerfile_path))
    text += _build_args(starter.dockerfile)
    if starter.move is not None:
        text += "\n" + _moved(starter.move)
    return text


def _build_args(dockerfile: Dockerfile) -> str:
    missing = [
        name
        for one in dockerfile.global_args
        for name in one.arguments
        if "=" not in name and f"${name}" in _froms(dockerfile)
    ]
    if not missing:
        return ""
    pairs = ", ".join(f'{name} = "..."' for name in missing)
    return (
        _comment("FROM needs a build argument that the Dockerfile gives no value. Fill it in here:")
        + f"# build_args = {{ {pairs} }}\n"
    )


def _froms(dockerfile: Dockerfile) -> str:
    return " ".join(stage.base for stage in dockerfile.stages).replace("{", "")


def _moved(move: Move) -> str:
    listed = ", ".join(move.keywords)
    where = "on top of" if move.edge == "before" else "at the end of"
    stage = str(move.stage) if isinstance(move.stage, int) else quoted(move.stage)
    reorder = (
        f'{{ of = "as-written", stage = {stage}, move = {_list(move.keywords)}, '
        f"{move.edge} = {quoted(move.place)} }}"
    )
    return _comment(
        f"The same Dockerfile with {listed} {where} the final stage. They only describe the image, "
        "so it is the same image. Does their place matter?"
    ) + _table("variant", name=quoted(move.name), reorder=reorder)


def _changes(starter: Starter) -> str:
    text = _comment(
        "Changes are what a developer does between two builds; each rebuild has exactly one. "
        "{id} and {port} are new every time, so that no cache knows the content. The weight says "
        "how often a change happens against the others."
    )
    text += _origin(starter)
    for chosen in starter.choice.chosen:
        text += _edit(chosen) + "\n"
    text += _left_out(starter.choice.left_out)
    if starter.port is not None:
        step = {"dockerfile": starter.port.old, "with": starter.port.new}
        text += _comment("Another port in EXPOSE.")
        text += _table("change", name='"edit-port"', weight="1", steps=f"[{_inline(step)}]") + "\n"
    text += _comment("No change: everything should come from the cache.")
    return text + _table("change", name='"none"', weight="0", steps="[{ none = true }]")


def _origin(starter: Starter) -> str:
    if not starter.choice.chosen:
        text = "The Dockerfile takes in no file of the context that could be edited for a trial."
    elif starter.commits:
        text = (
            "These are the files that changed most often, of those that COPY and ADD take in; the "
            f"weights count the commits among the last {starter.commits} of the project."
        )
    else:
        fault = f" ({_one_line(starter.no_history)})" if starter.no_history else ""
        text = (
            f"There is no git history of these files{fault}, so the weights are a guess: code "
            "changes ten times as often as the list of dependencies. Mend them."
        )
    return _comment(text) + "\n"


def _edit(chosen: Chosen) -> str:
    return _table(
        "change",
        name=quoted(chosen.name),
        title=quoted(" ".join(chosen.path.split())),
        weight=str(chosen.weight),
        steps=f"[{_inline(chosen.edit.step)}]",
    )


def _left_out(left_out: dict[str, str]) -> str:
    if not left_out:
        return ""
    text = _comment("Left out, because no edit of them is surely harmless:")
    for path, reason in list(left_out.items())[:_MOST_LEFT_OUT]:
        name = quoted(path.encode("utf-8", "backslashreplace").decode())
        text += f"#   {name}: {reason}\n"
    if len(left_out) > _MOST_LEFT_OUT:
        text += f"#   and {len(left_out) - _MOST_LEFT_OUT} more\n"
    return text + "\n"


def _expectation(starter: Starter) -> str:
    text = _comment(
        "Expectations are checked on every run, which then ends with status 1 where one is broken. "
        "For example, without the # in front:"
    )
    example = _table("expect", variant='"as-written"', change='"none"', miss="[]")
    for chosen in starter.choice.chosen[:1]:
        missing = [one.reference for one in starter.taken if chosen.path in one.files]
        example += "\n" + _table(
            "expect",
            variant='"as-written"',
            change=quoted(chosen.name),
            miss=_list(missing),
            hit="[]",
        )
    return text + "".join(f"# {line}".rstrip() + "\n" for line in example.splitlines())
