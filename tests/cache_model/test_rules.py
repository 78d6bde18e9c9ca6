"""The rules of the builders, one by one, each on the versions where it holds.

Every row is a pair of states and what the second build does: first the classic builder, then
BuildKit 0.8, then BuildKit of Engine 28 (graph driver). ``-`` is a builder that cannot build it.
The engines themselves are asked by the conformance suite; these rows say what the rule is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from bench.cache_model import BaseImage
from bench.cache_model.profiles import (
    BUILDKIT_08,
    BUILDKIT_28,
    BUILDKIT_28_CONTAINERD,
    CLASSIC_20,
    CLASSIC_26,
)
from tests.cache_model.states import build, context, file, folder, last, letters, link, outcomes

if TYPE_CHECKING:
    from bench.cache_model import BuildInput, Profile
    from bench.workspace.manifest import Entry


class Row(NamedTuple):
    name: str
    before: BuildInput
    after: BuildInput
    classic: str
    buildkit_08: str
    buildkit_28: str


def text(name: str, before: str, after: str, classic: str, older: str, newer: str) -> Row:
    return Row(name, build(before), build(after), classic, older, newer)


def files(
    name: str,
    dockerfile: str,
    before: list[Entry],
    after: list[Entry],
    classic: str,
    older: str,
    newer: str,
) -> Row:
    first, second = (build(dockerfile, context(*entries)) for entries in (before, after))
    return Row(name, first, second, classic, older, newer)


def _base(identity: str) -> dict[str, BaseImage]:
    return {"base": BaseImage("base", identity, content="files")}


FROM = "FROM base\n"
ROWS = (
    # Instructions that make no vertex: a link of the chain for the classic builder alone.
    text(
        "label",
        f"{FROM}LABEL a=1\nCOPY a.txt /a\n",
        f"{FROM}LABEL a=2\nCOPY a.txt /a\n",
        *("bMM", "bcH", "bcH"),
    ),
    text(
        "expose moved to the top",
        f"{FROM}COPY a.txt /a\nRUN true\nEXPOSE 80\n",
        f"{FROM}EXPOSE 80\nCOPY a.txt /a\nRUN true\n",
        *("bMMM", "bcHH", "bcHH"),
    ),
    text(
        "healthcheck",
        f"{FROM}HEALTHCHECK --interval=5s CMD true\nRUN true\n",
        f"{FROM}HEALTHCHECK --interval=6s CMD true\nRUN true\n",
        *("bMM", "bcH", "bcH"),
    ),
    text(
        "healthcheck written otherwise",
        f"{FROM}HEALTHCHECK --interval=60s --timeout=2s CMD true\nRUN true\n",
        f"{FROM}HEALTHCHECK --timeout=2000ms --interval=1m CMD true\nRUN true\n",
        *("bHH", "bcH", "bcH"),
    ),
    text(
        "comment",
        f"{FROM}RUN true\n",
        f"{FROM}# nothing\nRUN true\n",
        *("bH", "bH", "bH"),
    ),
    # ENV and ARG.
    text(
        "env before copy and run",
        f"{FROM}ENV V=1\nCOPY a.txt /a\nRUN true\n",
        f"{FROM}ENV V=2\nCOPY a.txt /a\nRUN true\n",
        *("bMMM", "bcHM", "bcHM"),
    ),
    text(
        "two envs swapped",
        f"{FROM}ENV A=1\nENV B=2\nRUN true\n",
        f"{FROM}ENV B=2\nENV A=1\nRUN true\n",
        *("bMMM", "bccM", "bccM"),
    ),
    text(
        "two envs merged into one",
        f"{FROM}ENV A=1\nENV B=2\nRUN true\n",
        f"{FROM}ENV A=1 B=2\nRUN true\n",
        *("bMM", "bcH", "bcH"),
    ),
    text(
        "arg that becomes env",
        f"{FROM}ARG V=1\nRUN true\n",
        f"{FROM}ENV V=1\nRUN true\n",
        *("bMM", "bcH", "bcH"),
    ),
    Row(
        "build argument, unused",
        build(f"{FROM}ARG V=1\nCOPY a.txt /a\nRUN true\n", build_args={"V": "1"}),
        build(f"{FROM}ARG V=1\nCOPY a.txt /a\nRUN true\n", build_args={"V": "2"}),
        *("bHHM", "bcHM", "bcHM"),
    ),
    Row(
        "build argument in a destination",
        build(f"{FROM}ARG V\nCOPY a.txt /$V\n", build_args={"V": "1"}),
        build(f"{FROM}ARG V\nCOPY a.txt /$V\n", build_args={"V": "2"}),
        *("bHM", "bcM", "bcM"),
    ),
    Row(
        "build argument that was never declared",
        build(f"{FROM}RUN true\n", build_args={"V": "1"}),
        build(f"{FROM}RUN true\n", build_args={"V": "2"}),
        *("bH", "bH", "bH"),
    ),
    Row(
        "proxy argument without ARG",
        build(f"{FROM}RUN true\n", build_args={"HTTP_PROXY": "1"}),
        build(f"{FROM}RUN true\n", build_args={"HTTP_PROXY": "2"}),
        *("bH", "bH", "bH"),
    ),
    Row(
        "argument after an env of its name",
        build(f"{FROM}ENV V=0\nARG V\nRUN true\n", build_args={"V": "1"}),
        build(f"{FROM}ENV V=0\nARG V\nRUN true\n", build_args={"V": "2"}),
        *("bHHH", "bccM", "bccM"),
    ),
    Row(
        "argument before an env of its name",
        build(f"{FROM}ARG V\nENV V=0\nRUN true\n", build_args={"V": "1"}),
        build(f"{FROM}ARG V\nENV V=0\nRUN true\n", build_args={"V": "2"}),
        *("bHHH", "bccH", "bccH"),
    ),
    Row(
        "argument of the parent stage",
        build("FROM base AS p\nARG V\nFROM p\nRUN true\n", build_args={"V": "1"}),
        build("FROM base AS p\nARG V\nFROM p\nRUN true\n", build_args={"V": "2"}),
        *("bH bH", "bc bM", "bc bM"),
    ),
    Row(
        "global argument that a stage takes over",
        build("ARG V=1\nFROM base\nARG V\nRUN true\n"),
        build("ARG V=2\nFROM base\nARG V\nRUN true\n"),
        *("c bHM", "c bcM", "c bcM"),
    ),
    Row(
        "first proxy argument without ARG",
        build(f"{FROM}RUN true\n"),
        build(f"{FROM}RUN true\n", build_args={"HTTP_PROXY": "1"}),
        # The classic builder marks a RUN that was given arguments, even if it names none of them.
        *("bM", "bH", "bH"),
    ),
    # WORKDIR, USER, SHELL.
    text(
        "workdir in two steps",
        f"{FROM}WORKDIR /a\nWORKDIR b\n",
        f"{FROM}WORKDIR /a\nWORKDIR /a/b\n",
        *("bHH", "bHH", "bHH"),
    ),
    text(
        "workdir before a relative copy",
        f"{FROM}WORKDIR /a\nCOPY a.txt .\n",
        f"{FROM}WORKDIR /b\nCOPY a.txt .\n",
        *("bMM", "bMM", "bMM"),
    ),
    text(
        "workdir with a trailing slash",
        f"{FROM}WORKDIR /a\nRUN true\n",
        f"{FROM}WORKDIR /a/\nRUN true\n",
        *("bHH", "bHM", "bHM"),
    ),
    text(
        "user before workdir",
        f"{FROM}USER 1\nWORKDIR /a\nCOPY a.txt /a\n",
        f"{FROM}USER 2\nWORKDIR /a\nCOPY a.txt /a\n",
        *("bMMM", "bcMM", "bcMM"),
    ),
    text(
        "shell before exec form and shell form",
        f'{FROM}SHELL ["/bin/sh", "-c"]\nRUN ["true"]\nRUN true\n',
        f'{FROM}SHELL ["/bin/sh", "-ec"]\nRUN ["true"]\nRUN true\n',
        *("bMMM", "bcHM", "bcHM"),
    ),
    text(
        "shell form and the same exec form",
        f"{FROM}RUN true\n",
        f'{FROM}RUN ["/bin/sh", "-c", "true"]\n',
        *("bH", "bH", "bH"),
    ),
    # COPY: names, destinations, flags.
    text(
        "leading dot of a source",
        f"{FROM}COPY a.txt /a\n",
        f"{FROM}COPY ./a.txt /a\n",
        *("bH", "bH", "bH"),
    ),
    text(
        "trailing slash of a destination",
        f"{FROM}COPY a.txt /a/\n",
        f"{FROM}COPY a.txt /a/a.txt\n",
        *("bM", "bM", "bM"),
    ),
    text(
        "destination that ends in a dot",
        f"{FROM}COPY a.txt /a\n",
        f"{FROM}COPY a.txt /a/.\n",
        *("bM", "bH", "bM"),
    ),
    text(
        "relative and absolute destination",
        f"{FROM}WORKDIR /a\nCOPY a.txt b/\n",
        f"{FROM}WORKDIR /a\nCOPY a.txt /a/b/\n",
        *("bHM", "bHH", "bHH"),
    ),
    text(
        "two sources swapped",
        f"{FROM}COPY a.txt b.txt /d/\n",
        f"{FROM}COPY b.txt a.txt /d/\n",
        *("bM", "bM", "bM"),
    ),
    text(
        "copy and add",
        f"{FROM}COPY a.txt /a\n",
        f"{FROM}ADD a.txt /a\n",
        *("bM", "bM", "bM"),
    ),
    text(
        "chown by number and by name",
        f"{FROM}COPY --chown=1 a.txt /a\n",
        f"{FROM}COPY --chown=daemon a.txt /a\n",
        *("bM", "bM", "bM"),
    ),
    text(
        "chmod with a leading zero",
        f"{FROM}COPY --chmod=644 a.txt /a\n",
        f"{FROM}COPY --chmod=0644 a.txt /a\n",
        *("bU", "bH", "bH"),
    ),
    text(
        "copy becomes linked on a graph driver",
        f"{FROM}COPY a.txt /a\n",
        f"{FROM}COPY --link a.txt /a\n",
        *("bU", "bU", "bH"),
    ),
    # Files of the context.
    files(
        "modification time",
        f"{FROM}COPY a /a\n",
        [file("a")],
        [file("a")._replace(mtime_ns=5)],
        "bH",
        "bH",
        "bH",
    ),
    files("content", f"{FROM}COPY a /a\n", [file("a", "1")], [file("a", "2")], "bM", "bM", "bM"),
    files("mode", f"{FROM}COPY a /a\n", [file("a")], [file("a", mode=0o755)], "bM", "bM", "bM"),
    files("owner", f"{FROM}COPY a /a\n", [file("a")], [file("a", uid=7)], "bM", "bH", "bM"),
    files(
        "mode of a folder",
        f"{FROM}COPY d /d\n",
        [folder("d"), file("d/a")],
        [folder("d", 0o700), file("d/a")],
        "bM",
        "bM",
        "bM",
    ),
    files(
        "empty folder added",
        f"{FROM}COPY d /d\n",
        [file("d/a")],
        [file("d/a"), folder("d/e")],
        "bM",
        "bM",
        "bM",
    ),
    files(
        "file that is not copied",
        f"{FROM}COPY a /a\n",
        [file("a")],
        [file("a"), file("z")],
        "bH",
        "bH",
        "bH",
    ),
    files(
        "link pointed elsewhere, target copied",
        f"{FROM}COPY l /a\n",
        [file("a", "1"), file("b", "2"), link("l", "a")],
        [file("a", "1"), file("b", "2"), link("l", "b")],
        *("bM", "bM", "bM"),
    ),
    files(
        "link to an equal file",
        f"{FROM}COPY l /a\n",
        [file("a", "1"), file("b", "1"), link("l", "a")],
        [file("a", "1"), file("b", "1"), link("l", "b")],
        *("bM", "bH", "bH"),
    ),
    files(
        "wildcard sees what it matches",
        f"{FROM}COPY *.x /a/\n",
        [file("a.x"), file("b.y")],
        [file("a.x"), file("b.y", "2")],
        "bH",
        "bH",
        "bH",
    ),
    files(
        "wildcard sees a new match",
        f"{FROM}COPY *.x /a/\n",
        [file("a.x")],
        [file("a.x"), file("b.x")],
        "bM",
        "bM",
        "bM",
    ),
    Row(
        "source renamed, same destination",
        build(f"{FROM}COPY a /x\n", context(file("a"))),
        build(f"{FROM}COPY b /x\n", context(file("b"))),
        *("bM", "bM", "bM"),
    ),
    Row(
        "the folder of a source renamed",
        build(f"{FROM}COPY d/a /x\n", context(file("d/a"))),
        build(f"{FROM}COPY e/a /x\n", context(file("e/a"))),
        *("bM", "bH", "bH"),
    ),
    text(
        "the Dockerfile in a whole context",
        f"{FROM}COPY . /a\n",
        f"# edited\n{FROM}COPY . /a\n",
        *("bM", "bM", "bM"),
    ),
    Row(
        "the ignored Dockerfile in a whole context",
        build(f"{FROM}COPY . /a\n", context(file("a"), ignored=("Dockerfile",))),
        build(f"#\n{FROM}COPY . /a\n", context(file("a"), ignored=("Dockerfile",))),
        # BuildKit cannot take it out of a tar body again.
        *("bH", "bM", "bM"),
    ),
    # Stages.
    text(
        "an unused stage",
        "FROM base AS u\nRUN true\nFROM base\nRUN true\n",
        "FROM base AS u\nRUN false\nFROM base\nRUN true\n",
        *("bM bH", "uu bH", "uu bH"),
    ),
    text(
        "the name of a stage",
        "FROM base AS x\nCOPY a.txt /a\nFROM base\nCOPY --from=x /a /a\n",
        "FROM base AS y\nCOPY a.txt /a\nFROM base\nCOPY --from=0 /a /a\n",
        *("bH bH", "bH bH", "bH bH"),
    ),
    text(
        "a copied artefact that is certainly the same",
        "FROM base AS x\nLABEL a=1\nCOPY a.txt /a\nFROM base\nCOPY --from=x /a /a\n",
        "FROM base AS x\nLABEL a=2\nCOPY a.txt /a\nFROM base\nCOPY --from=x /a /a\n",
        *("bMM bH", "bcH bH", "bcH bH"),
    ),
    text(
        "a copied artefact of a RUN that runs again",
        "FROM base AS x\nRUN make 1\nFROM base\nCOPY --from=x /a /a\nRUN true\n",
        "FROM base AS x\nRUN make 2\nFROM base\nCOPY --from=x /a /a\nRUN true\n",
        *("bM b??", "bM b??", "bM b??"),
    ),
    text(
        "a child of a stage that changed",
        "FROM base AS x\nRUN make 1\nFROM x\nRUN true\n",
        "FROM base AS x\nRUN make 2\nFROM x\nRUN true\n",
        *("bM bM", "bM bM", "bM bM"),
    ),
    Row(
        "a new base image",
        build(f"{FROM}COPY a.txt /a\n"),
        build("FROM other\nCOPY a.txt /a\n"),
        *("bM", "bM", "bM"),
    ),
    # Mounts and here-documents, of BuildKit alone.
    files(
        "bind mount of one file, another changed",
        f"{FROM}RUN --mount=type=bind,source=a,target=/a cat /a\n",
        [file("a"), file("b", "1")],
        [file("a"), file("b", "2")],
        "bU",
        "bH",
        "bH",
    ),
    files(
        "bind mount of one file that changed",
        f"{FROM}RUN --mount=type=bind,source=a,target=/a cat /a\n",
        [file("a", "1")],
        [file("a", "2")],
        "bU",
        "bM",
        "bM",
    ),
    text(
        "bind mount of the whole context, Dockerfile edited",
        f"{FROM}RUN --mount=type=bind,target=/c true\n",
        f"#\n{FROM}RUN --mount=type=bind,target=/c true\n",
        *("bU", "bM", "bM"),
    ),
    text(
        "default network of a RUN",
        f"{FROM}RUN true\n",
        f"{FROM}RUN --network=default true\n",
        *("bU", "bH", "bH"),
    ),
    text(
        "network of a RUN",
        f"{FROM}RUN true\n",
        f"{FROM}RUN --network=host true\n",
        *("bU", "bM", "bM"),
    ),
    text(
        "bind mount of what the RUN stands on, reached by other steps",
        "FROM base AS x\nCOPY a.txt /a\nCOPY b.txt /b\nFROM x\nRUN --mount=from=x,target=/x t\n",
        "FROM base AS x\nCOPY b.txt /b\nCOPY a.txt /a\nFROM x\nRUN --mount=from=x,target=/x t\n",
        # From 0.13 on the files of that state count, not the steps.
        *("bMM bU", "bMM bM", "bMM bH"),
    ),
    Row(
        "bind mount of the image that the RUN stands on, with a new empty layer",
        build(f"{FROM}RUN --mount=from=base,target=/x t\n", bases=_base("1")),
        build(f"{FROM}RUN --mount=from=base,target=/x t\n", bases=_base("2")),
        *("bU", "bM", "bH"),
    ),
    text(
        "id of a cache mount",
        f"{FROM}RUN --mount=type=cache,id=a,target=/c true\n",
        f"{FROM}RUN --mount=type=cache,id=b,target=/c true\n",
        *("bU", "bM", "bH"),
    ),
    text(
        "text of a here-document",
        f"{FROM}RUN <<EOF\necho 1\nEOF\n",
        f"{FROM}RUN <<EOF\necho 2\nEOF\n",
        *("bU", "bU", "bM"),
    ),
    text(
        "name and tabs of a here-document",
        f"{FROM}RUN <<EOF\necho 1\nEOF\n",
        f"{FROM}RUN <<-END\n\techo 1\nEND\n",
        *("bU", "bU", "bH"),
    ),
    text(
        "name of a script in a here-document",
        f"{FROM}RUN <<EOF\n#!/bin/sh\nEOF\n",
        f"{FROM}RUN <<END\n#!/bin/sh\nEND\n",
        *("bU", "bU", "bM"),
    ),
    text(
        "name of a here-document in a longer command",
        f"{FROM}RUN cat <<EOF | sort\n1\nEOF\n",
        f"{FROM}RUN cat <<END | sort\n1\nEND\n",
        *("bU", "bU", "bM"),
    ),
    text(
        "variable in a copied here-document",
        f"{FROM}ENV V=1\nCOPY <<EOF /f\n$V\nEOF\n",
        f"{FROM}ENV V=2\nCOPY <<EOF /f\n$V\nEOF\n",
        *("bMU", "bcU", "bcM"),
    ),
    text(
        "variable in a quoted here-document",
        f"{FROM}ENV V=1\nCOPY <<'EOF' /f\n$V\nEOF\n",
        f"{FROM}ENV V=2\nCOPY <<'EOF' /f\n$V\nEOF\n",
        *("bMU", "bcU", "bcH"),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_rule(row: Row) -> None:
    found = [
        letters(last(profile, row.before, row.after))
        for profile in (CLASSIC_26, BUILDKIT_08, BUILDKIT_28)
    ]
    assert found == [row.classic, row.buildkit_08, row.buildkit_28]


@pytest.mark.parametrize("profile", [CLASSIC_26, BUILDKIT_28], ids=lambda one: one.name)
def test_going_back_to_an_earlier_state_hits_everywhere(profile: Profile) -> None:
    """The cache is the set of everything that was ever built."""
    one = build(f"{FROM}COPY a.txt /a\nRUN true\n", context(a="1"))
    two = build(f"{FROM}COPY a.txt /a\nRUN true\n", context(a="2"))
    assert outcomes(profile, one, two, one) == ["bMM", "bMM", "bHH"]


def test_a_real_link_stands_on_nothing_but_its_files() -> None:
    """With the containerd store the merge of a linked COPY misses after a change before it."""
    first = build(f"{FROM}COPY a.txt /a\nCOPY --link b.txt /b\nRUN true\n", context(a="1", b="b"))
    edit = build(f"{FROM}COPY a.txt /a\nCOPY --link b.txt /b\nRUN true\n", context(a="2", b="b"))
    assert outcomes(BUILDKIT_28_CONTAINERD, first, edit) == ["bMMM", "bMMM"]


def test_a_real_link_onto_scratch_is_found_from_anywhere() -> None:
    onto_base = build(f"{FROM}COPY --link a.txt /a\n")
    onto_scratch = build("FROM scratch\nCOPY --link a.txt /a\n")
    assert outcomes(BUILDKIT_28_CONTAINERD, onto_base, onto_scratch)[1] == "bH"


def test_an_absolute_workdir_is_kept_as_written_by_older_classic_builders() -> None:
    states = build(f"{FROM}WORKDIR /a\n"), build(f"{FROM}WORKDIR /a/\n")
    assert letters(last(CLASSIC_20, *states)) == "bM"
    assert letters(last(CLASSIC_26, *states)) == "bH"


def test_a_linked_copy_onto_scratch_is_a_plain_one() -> None:
    linked = build("FROM scratch\nCOPY --link a.txt /a\n")
    plain = build("FROM scratch\nCOPY a.txt /a\n")
    assert outcomes(BUILDKIT_28_CONTAINERD, linked, plain)[1] == "bH"


def test_equal_keys_of_unlike_vertices_are_one_miss_and_one_hit() -> None:
    """Both stages copy the same bytes, from different places: the engine runs one of the two."""
    manifest = context(file("a", "same"), file("b", "same"))
    both = build(
        "FROM base AS p\nCOPY a /x\nFROM base AS q\nCOPY b /x\n"
        "FROM base AS r\nCOPY --from=p /x /y\nRUN true\n"
        "FROM base AS s\nCOPY --from=q /x /y\nRUN true\n"
        "FROM base\nCOPY --from=r /y /1\nCOPY --from=s /y /2\n",
        manifest,
    )
    (cold,) = outcomes(BUILDKIT_28, both)
    assert cold == "bM bM bMM bHH bMM"


def test_equal_steps_of_two_stages_are_one_vertex() -> None:
    both = build(
        "FROM base AS x\nCOPY a.txt /a\nFROM base AS y\nCOPY a.txt /a\nRUN true\n"
        "FROM base\nCOPY --from=x /a /x\nCOPY --from=y /a /y\n"
    )
    assert outcomes(BUILDKIT_28, both, both) == ["bM b=M bMM", "bH b=H bHH"]
    assert outcomes(CLASSIC_26, both, both) == ["bM bHM bMM", "bH bHH bHH"]
