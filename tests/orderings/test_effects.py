"""What each instruction reads and writes, and what is certain where it stands."""

from __future__ import annotations

import pytest

from bench.cache_model import BaseImage, BuildInput, StepPlace, find_profile
from bench.dockerfile import parse
from bench.orderings.access import Access, AccessSource
from bench.orderings.effects import Effects, Fact, Files
from bench.orderings.reading import read_effects
from bench.orderings.regions import EVERYTHING, Region
from bench.workspace.manifest import Entry, Manifest

BASES = {
    "known": BaseImage(
        "known",
        env=(("PATH", "/usr/bin:/tools"), ("HOME", "/h")),
        working_dir="/start",
        user="me",
        inspected=True,
    ),
    "triggering": BaseImage(
        "triggering",
        on_build=("WORKDIR /built", "ENV WHERE=/there", "USER you"),
        inspected=True,
    ),
    "guessed": BaseImage("guessed", env=(("HOME", "/h"),), working_dir="/start"),
}
CONTEXT = Manifest(
    [
        Entry("a", "file", 0o644, 1, None, "1", 0),
        Entry("dir", "dir", 0o755, 0, None, None, 0),
        Entry("dir/x", "file", 0o644, 1, None, "2", 0),
        Entry("dir/y", "dir", 0o755, 0, None, None, 0),
        Entry("dir/y/z", "file", 0o644, 1, None, "3", 0),
        Entry("link", "symlink", 0o777, 0, "dir", None, 0),
    ]
)


def last(text: str, builder: str = "buildkit", access: Access | None = None) -> Effects:
    """Read the last instruction of a Dockerfile, or of a stage on an image nobody looked at."""
    dockerfile = parse(text if text.startswith("FROM") else f"FROM base\n{text}")
    stage = dockerfile.stages[-1]
    place = StepPlace(stage.index, len(stage.instructions))
    build = BuildInput(dockerfile, CONTEXT, bases=BASES)
    effects = read_effects(build, find_profile(builder), {place: access} if access else {})
    found = effects[-1].effects[-1]
    assert found.place == place
    return found


def files(text: str, builder: str = "buildkit", access: Access | None = None) -> Files:
    found = last(text, builder, access).files
    assert found is not None
    return found


def shown(regions: tuple[Region, ...] | None) -> list[str]:
    return [one.shown for one in regions or ()]


@pytest.mark.parametrize(
    ("line", "reads", "writes"),
    [
        ("WORKDIR /a", {Fact.USER}, {Fact.WORKDIR}),
        ("WORKDIR a", {Fact.USER, Fact.WORKDIR}, {Fact.WORKDIR}),
        ("USER a", set(), {Fact.USER}),
        ('SHELL ["a"]', set(), {Fact.SHELL}),
        ("CMD a", {Fact.SHELL}, {Fact.CMD}),
        ('CMD ["a"]', set(), {Fact.CMD}),
        ("ENTRYPOINT a", {Fact.SHELL}, {Fact.ENTRYPOINT}),
        ("RUN a", {Fact.SHELL, Fact.USER, Fact.WORKDIR}, set()),
        ('RUN ["a"]', {Fact.USER, Fact.WORKDIR}, set()),
        ("COPY a /a", set(), set()),
        ("COPY a a", {Fact.WORKDIR}, set()),
        ("VOLUME /a", set(), {Fact.VOLUMES}),
        ("STOPSIGNAL 9", set(), {Fact.STOPSIGNAL}),
        ("HEALTHCHECK CMD a", set(), {Fact.HEALTHCHECK}),
        ("ONBUILD RUN a", set(), {Fact.ONBUILD}),
        ("MAINTAINER a", set(), {Fact.AUTHOR}),
        ("EXPOSE 80", set(), set()),
        ("LABEL a=1", set(), set()),
        ("ENV a=1", set(), set()),
        ("ARG a", set(), set()),
    ],
)
def test_what_of_the_state_each_instruction_touches(
    line: str, reads: set[Fact], writes: set[Fact]
) -> None:
    found = last(line)

    assert set(found.reads) == reads
    assert set(found.writes) == writes
    assert not found.barrier


def test_the_classic_builder_reads_volumes_in_a_run_and_no_user_in_a_workdir() -> None:
    assert Fact.VOLUMES in last("RUN a", "classic").reads
    assert last("WORKDIR /a", "classic").reads == frozenset()


@pytest.mark.parametrize(
    ("line", "reads", "writes"),
    [
        ("ENV A=1 B=$C", {"C"}, {"A", "B"}),
        ("ENV A=${B:-$C}", {"B", "C"}, {"A"}),
        ("ENV A=\\$B", {"B"}, {"A"}),
        ("ARG A=$B C", {"B"}, {"A", "C"}),
        ("LABEL $K=$V", {"K", "V"}, set()),
        ("EXPOSE $P 80", {"P"}, set()),
        ("COPY --chown=$U $S /$D", {"U", "S", "D"}, set()),
        ("CMD echo $A", set(), set()),
        ("HEALTHCHECK CMD echo $A", set(), set()),
        ("ONBUILD RUN echo $A", set(), set()),
    ],
)
def test_which_variables_each_instruction_touches(
    line: str, reads: set[str], writes: set[str]
) -> None:
    found = last(line)

    assert set(found.names_read or ()) == reads
    assert set(found.names_written or ()) == writes


def test_a_run_reads_any_variable_and_an_env_of_an_uncertain_name_writes_any() -> None:
    assert last("RUN a").names_read is None
    assert last("ENV $K=1").names_written is None
    assert last("LABEL $K=1").labels is None
    assert last("ENV K=x\nLABEL $K=1").labels == frozenset({"x"})


@pytest.mark.parametrize(
    ("text", "always", "now"),
    [
        ("COPY a /x", ["/x"], ["/x"]),
        ("COPY a /x/", ["/x"], ["/x/a"]),
        ("COPY a dir /x/", ["/x"], ["/x/a", "/x/x", "/x/y"]),
        ("COPY dir /x", ["/x"], ["/x/x", "/x/y"]),
        ("COPY . /x", ["/x"], ["/x/a", "/x/dir", "/x/link"]),
        ("COPY dir/* /x/", ["/x"], []),
        ("COPY a* /x/", ["/x"], ["/x/a*"]),
        ("COPY link /x/", ["/x"], []),
        ("COPY nothing /x/", ["/x"], []),
        ("COPY --from=s /a /x/", ["/x"], []),
        ("ADD a /x/", ["/x"], []),
        ("ADD dir /x/", ["/x"], ["/x/x", "/x/y"]),
        ("COPY $A /x/", ["/x"], []),
        ("ENV A=a\nCOPY $A /x/", ["/x"], ["/x/a"]),
        ("WORKDIR /w\nCOPY a .", ["/w"], ["/w/a"]),
        ("WORKDIR /w\nCOPY a /w/.", ["/w"], ["/w/a"]),
        ("WORKDIR /w\nWORKDIR v\nCOPY a ../u", ["/w/u"], ["/w/u"]),
        ("COPY <<x <<y /x/\n1\nx\n2\ny", ["/x/x", "/x/y"], []),
        ("COPY <<x /x\n1\nx", ["/x"], []),
    ],
)
def test_where_a_copy_puts_files(text: str, always: list[str], now: list[str]) -> None:
    found = files(text)

    assert shown(found.writes) == always
    assert shown(found.writes_now) == now


def test_a_file_that_is_ignored_is_no_file_of_the_classic_builder() -> None:
    dockerfile = parse("FROM base\nCOPY . /x/")
    manifest = Manifest(CONTEXT.values(), sent_although_ignored=["a"])
    build = BuildInput(dockerfile, manifest)

    for builder, names in (("classic", ["/x/dir", "/x/link"]), ("buildkit", ["/x/a", "/x/dir"])):
        (stage,) = read_effects(build, find_profile(builder), {})
        assert stage.effects[0].files is not None
        assert shown(stage.effects[0].files.writes_now)[: len(names)] == names


@pytest.mark.parametrize(
    ("text", "builder", "made"),
    [
        ("COPY a /x/y/z", "buildkit", {"/x": "0:0 755", "/x/y": "0:0 755"}),
        ("COPY a /x/", "buildkit", {"/x": "0:0 755"}),
        ("COPY a /x", "buildkit", {}),
        ("COPY a /", "buildkit", {}),
        ("COPY --chown=5 a /x/y", "buildkit", {"/x": "5 755"}),
        ("COPY --chown=5 dir /x/y", "buildkit", {"/x": "5 755", "/x/y": "5 755"}),
        ("COPY --chown=5 dir /x/y", "classic", {"/x": "0:0 755", "/x/y": "5 755"}),
        ("COPY --chown=5 a /x/y", "classic", {"/x": "5 755"}),
        ("COPY --chown=5 --from=s /a /x/y/", "classic", {"/x": None, "/x/y": None}),
        ("COPY --chown=root a /x/y", "buildkit", {"/x": "0:0 755"}),
        ("COPY --chown=$U a /x/y", "buildkit", {"/x": None}),
        ("COPY --chmod=700 a /x/y", "buildkit", {"/x": None}),
        ("WORKDIR /x/y", "buildkit", {"/x": None, "/x/y": None}),
        ("WORKDIR /x/y", "classic", {"/x": "0:0 755", "/x/y": "0:0 755"}),
        ("USER 5\nWORKDIR /x", "buildkit", {"/x": "5 755"}),
        ("FROM known\nWORKDIR x", "buildkit", {"/start": "me 755", "/start/x": "me 755"}),
        ("FROM triggering\nWORKDIR x", "buildkit", {"/built": "you 755", "/built/x": "you 755"}),
        ("FROM scratch\nWORKDIR /x", "buildkit", {"/x": "0:0 755"}),
    ],
)
def test_which_folders_are_made_and_whose_they_are(
    text: str, builder: str, made: dict[str, str | None]
) -> None:
    found = files(text, builder)

    assert {region.shown: looks for region, looks in found.makes.items()} == made


def test_the_users_of_the_image_are_read_for_a_name_alone() -> None:
    passwd = ["/etc/passwd", "/etc/group"]
    assert shown(files("COPY --chown=me a /x").reads) == passwd
    assert shown(files("COPY --chown=5:me a /x").reads) == passwd
    assert shown(files("COPY --chown=5:6 a /x").reads) == []
    assert shown(files("USER me\nWORKDIR /x").reads) == passwd
    assert shown(files("USER me\nWORKDIR /x", "classic").reads) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("COPY a x", "the working directory of base/x"),
        ("FROM guessed\nCOPY a x", "the working directory of guessed/x"),
        ("FROM known\nCOPY a x", "/start/x"),
        ("FROM known\nCOPY a $HOME/x", "/h/x"),
        ("FROM known\nARG HOME\nCOPY a $HOME/x", "what line 3 copies to"),
        ("FROM known\nARG HOME\nENV HOME=/k\nCOPY a $HOME/x", "/k/x"),
        ("FROM known\nARG B\nENV HOME=/k/$B\nCOPY a $HOME/x", "what line 4 copies to"),
        ("FROM guessed\nCOPY a $HOME/x", "what line 2 copies to"),
        ("FROM triggering\nCOPY a x", "/built/x"),
        ("FROM triggering\nCOPY a $WHERE/x", "/there/x"),
        ("FROM known AS one\nWORKDIR deep\nFROM one\nCOPY a x", "/start/deep/x"),
        ("FROM scratch AS one\nONBUILD WORKDIR /on\nFROM one\nCOPY a x", "/on/x"),
        ("WORKDIR $D\nWORKDIR x\nCOPY a y", "what line 2 names/x/y"),
        ("WORKDIR /w\nCOPY --new a b\nCOPY a x", "the working directory after line 3/x"),
        ("ARG IMAGE=known\nFROM $IMAGE\nCOPY a x", "/start/x"),
    ],
)
def test_a_place_is_certain_where_the_text_or_a_known_base_decides_it(
    text: str, place: str
) -> None:
    dockerfile = parse(text if text.startswith(("FROM", "ARG")) else f"FROM base\n{text}")
    stages = read_effects(
        BuildInput(dockerfile, CONTEXT, bases=BASES), find_profile("buildkit"), {}
    )
    found = stages[-1].effects[-1].files

    assert found is not None
    assert shown(found.writes) == [place]


def test_a_run_may_touch_everything_unless_its_files_are_known() -> None:
    assert files("RUN a").writes == (EVERYTHING,)
    known = Access(("/in",), ("/out",), AccessSource.OBSERVED)

    found = files("FROM known\nRUN --mount=type=cache,target=cache a", access=known)

    assert shown(found.writes) == ["/out", "/start/cache"]
    assert {"/in", "/etc", "/usr/lib", "/tools"} <= set(shown(found.reads))


@pytest.mark.parametrize(
    "line",
    [
        "ADD https://example.org/a /a",
        "ADD git@example.org:a.git /a",
        "ADD --checksum=x a /a",
        "COPY --exclude=x a /a",
        "COPY --parents a /a",
        "RUN --device=x a",
        "RUN --mount=type=new a",
        "HEALTHCHECK --new=1 CMD a",
        "LABEL a=${B%x}",
        "ENV A=${B/x/y}",
        "EXPOSE 80\\",
        "RUN a \\",
        "RUN a \\\n# a comment\n",
        "LABEL a=1 \\\n\n",
    ],
)
def test_what_is_not_understood_reads_and_writes_everything(line: str) -> None:
    found = last(line)

    assert found.barrier
    assert (found.names_read, found.names_written, found.labels) == (None, None, None)
    assert found.files is not None
    assert found.files.writes == (EVERYTHING,)


def test_here_documents_are_beyond_builders_that_do_not_know_them() -> None:
    text = "RUN <<x\na\nx"
    assert not last(text, "buildkit-28").barrier
    assert "here-documents" in last(text, "buildkit-0.8").barrier
    assert "here-documents" in last(text, "classic").barrier
