"""``dockerignore``: leave files out of the context that no part of the image comes from.

Two kinds of files are proposed: those that no instruction takes in, which only make the context
larger, and those that are copied into stages whose own files are no part of the image and that
nothing there reads. What ends up in the image is never proposed: without it, it is another image.
That is told as a hint where it is worth one.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import TYPE_CHECKING

from bench.cache_model.files import clean
from bench.cache_model.wildcards import has_wildcards, matches
from bench.orderings.rewrites.base import EVERY_BUILDER, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.errors import UnprovableError
from bench.orderings.rewrites.paths import covers, join
from bench.orderings.rewrites.side import check_links, is_side_stage, needed_after
from bench.predicting.state import client_of
from bench.workspace.ignore import IgnoreRules, read_patterns

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.cache_model import StepPlace
    from bench.dockerfile import Stage
    from bench.orderings.rewrites.base import Facts

NAME = "dockerignore"
_JUNK = (
    *(".git", ".gitignore", ".gitattributes", ".github", ".gitlab-ci.yml", ".travis.yml"),
    *(".idea", ".vscode", "*.iml", ".DS_Store", "Thumbs.db", "*.swp", ".editorconfig"),
    *("docker-compose*.y*ml", "compose*.y*ml", "Dockerfile*", "*.md", "LICENSE*", "Makefile"),
    *("coverage", ".nyc_output", "htmlcov", ".coverage", ".pytest_cache", "__pycache__"),
    *(".mypy_cache", ".tox", ".venv", "*.log"),
)
"""What a context often holds and no program needs when it runs."""
_PLAIN = re.compile(r"\A[\w.@/][\w.,:@%+=/ -]*\Z")
_MOST = 40


def _look(facts: Facts) -> Iterator[Proposal | Refusal]:
    try:
        kept, reasons, hints = _kept(facts)
        unneeded = [path for path in facts.build.manifest if path not in kept]
        lines = _lines(facts, unneeded, kept)
        if lines:
            _check_ignore_file(facts)
            _check_others(facts)
            yield _proposal(facts, lines, reasons)
    except UnprovableError as error:
        yield Refusal(NAME, 0, str(error))
        return
    if hints:
        shown = ", ".join(hints[:8]) + (", …" if len(hints) > 8 else "")
        yield Refusal(NAME, 0, f"leaving out {shown} would change the image, which holds them")


def _kept(facts: Facts) -> tuple[set[str], list[str], list[str]]:
    """Return the paths of the context to keep, what that rests on, and the hints.

    Raises:
        UnprovableError: what some instruction takes in is not known.

    """
    kept: set[str] = set(facts.build.manifest.sent_although_ignored)
    reasons: list[str] = []
    hints: list[str] = []
    for stage in facts.dockerfile.stages:
        for place, instruction in facts.flow.places(stage):
            if instruction.keyword == "RUN":
                kept |= _mounted(facts, place)
            elif instruction.keyword in {"COPY", "ADD"} and instruction.flag("from") is None:
                taken = _taken_in(facts, place)
                if is_side_stage(facts, stage) and instruction.keyword == "COPY":
                    taken, why = _needed(facts, stage, place, taken)
                    reasons += why
                elif stage.index in facts.flow.target_line:
                    hints += [path for path in taken if _is_junk(path) and path not in hints]
                kept |= taken
    folders = {folder for path in kept for folder in _parents(path)}
    return kept | folders, reasons, _topmost(sorted(hints))


def _roots(facts: Facts, place: StepPlace) -> set[str]:
    """Return what the sources of a COPY or ADD name in the context."""
    tree = facts.flow.tree
    found: set[str] = set()
    for source in facts.flow.sources(place):
        path = clean(source)
        if has_wildcards(path):
            found |= {one for one in tree.nodes if matches(path, one)}
        else:
            found.add(path)
    return found


def _taken_in(facts: Facts, place: StepPlace) -> set[str]:
    """Return the paths of the context that a COPY or ADD takes in."""
    tree = facts.flow.tree
    found: set[str] = set()
    for root in _roots(facts, place):
        real = tree.resolve(root)
        found |= {root, real, *tree.below(real)} - {""}
    return found


def _needed(
    facts: Facts, stage: Stage, place: StepPlace, taken: set[str]
) -> tuple[set[str], tuple[str, ...]]:
    """Return what of the files that a side stage takes in it needs, and why; all if not known."""
    try:
        copied = facts.flow.copied(place)
        needed = needed_after(facts, stage, place)
        check_links(copied, needed.reads, facts.flow.tree)
    except UnprovableError:
        return taken, ()
    read = {
        source
        for path, source in copied.files.items()
        if any(covers(one, path) for one in needed.reads)
    }
    if not read:
        return taken, ()
    read |= _roots(facts, place) - {""}  # a source that is not there fails the build
    if read >= taken:
        return read, ()
    return read, (
        *needed.obligations,
        f"no file of stage {stage.label} itself is part of the image",
    )


def _mounted(facts: Facts, place: StepPlace) -> set[str]:
    """Return what a RUN mounts of the context."""
    found: set[str] = set()
    for mount in facts.flow.instruction(place).flag_values("mount"):
        fields = dict(part.partition("=")[::2] for part in mount.split(","))
        if fields.get("type", "bind") == "bind" and "from" not in fields:
            source = fields.get("source", fields.get("src", "/"))
            if "$" in source:
                raise UnprovableError("a RUN mounts a path of the context that is not known")
            path = clean(source)
            found |= {path, *facts.flow.tree.below(path)} - {""}
    return found


def _lines(facts: Facts, unneeded: list[str], kept: set[str]) -> list[str]:
    """Return the patterns that leave out what is not needed, the worthwhile ones first."""
    gone = set(unneeded) - {facts.ignore_file, facts.dockerfile.path, "Dockerfile"}
    whole = [path for path in _topmost(sorted(gone)) if path not in kept]
    if len(whole) > _MOST:
        whole = [path for path in whole if _is_junk(path) or facts.weights.get(path)]
    return [path for path in whole[:_MOST] if _PLAIN.match(path)]


def _topmost(paths: Iterable[str]) -> list[str]:
    known = set(paths)
    return [one for one in sorted(known) if not any(above in known for above in _parents(one))]


def _parents(path: str) -> Iterator[str]:
    while path := posixpath.dirname(path):
        yield path


def _is_junk(path: str) -> bool:
    return any(fnmatch.fnmatchcase(posixpath.basename(path), one) for one in _JUNK)


def _check_ignore_file(facts: Facts) -> None:
    """Refuse where the ignore file is itself copied and may be read: its text changes.

    Raises:
        UnprovableError: it may be a part of the image, or of what that is made of.

    """
    for stage in facts.dockerfile.stages:
        for place, instruction in facts.flow.places(stage):
            if instruction.keyword not in {"COPY", "ADD"} or instruction.flag("from") is not None:
                continue
            if not any(_selects(one, facts.ignore_file) for one in facts.flow.sources(place)):
                continue
            reads: tuple[str, ...] = ("/",)
            if is_side_stage(facts, stage):
                reads = needed_after(facts, stage, place).reads
            landed = join(facts.flow.destination(place), facts.ignore_file)
            if any(covers(one, landed) for one in reads):
                raise UnprovableError(
                    f"`{instruction.text}` takes in {facts.ignore_file} itself, so a changed one "
                    "may change the image"
                )


def _selects(source: str, path: str) -> bool:
    """Tell whether a source takes in a file right in the context, be it there or not."""
    cleaned = clean(source)
    return cleaned in {"", path} or matches(cleaned, path)


def _check_others(facts: Facts) -> None:
    """Refuse where the context has other Dockerfiles, which may need what this one does not.

    Raises:
        UnprovableError: naming one.

    """
    own = posixpath.basename(facts.dockerfile.path)
    for path in facts.build.manifest:
        name = posixpath.basename(path)
        is_other = fnmatch.fnmatchcase(name, "*Dockerfile*") and name != own
        if is_other and not name.endswith(".dockerignore"):
            raise UnprovableError(f"{path} may be built from the same context and need other files")


def _proposal(facts: Facts, lines: list[str], reasons: list[str]) -> Proposal:
    before = facts.dockerignore or ""
    text = before + ("\n" if before and not before.endswith("\n") else "") + "\n".join(lines) + "\n"
    gone = {path for path in facts.build.manifest if _is_below(path, lines)}
    for profile in facts.profiles:
        rules = IgnoreRules(read_patterns(text.encode()), client_of(profile))
        ignored = {path for path in facts.build.manifest if rules.ignores(path)}
        if ignored - facts.build.manifest.sent_although_ignored != gone:
            raise UnprovableError("with the patterns that are there already, others would go too")
    size = sum(facts.build.manifest[path].size for path in gone)
    shown = ", ".join(lines[:6]) + (", …" if len(lines) > 6 else "")
    return Proposal(
        rewrite=NAME,
        dockerfile_text=facts.dockerfile.text,
        dockerignore_text=text,
        reason=f"nothing of the image comes from {shown} ({size:,} bytes of the context), so no "
        "change of these need be sent or build anything again",
        obligations=(
            *dict.fromkeys(reasons),
            "no instruction of this Dockerfile takes these files into the image, and no other "
            "Dockerfile lies in the context",
        ),
        builders=EVERY_BUILDER,
    )


def _is_below(path: str, lines: list[str]) -> bool:
    return path in lines or any(folder in lines for folder in _parents(path))


DOCKERIGNORE = Rewrite(
    name=NAME,
    title="leave files out of the context that nothing of the image comes from",
    builders=EVERY_BUILDER,
    look=_look,
)
