"""What commutes and what does not: one case for every row and rule of Dockerfile semantics.

A case is two instructions of one stage that starts from an image of which nothing is known, unless
it says otherwise. That the rules are those of real builders is held by `test_traps` and the proof.
"""

from __future__ import annotations

import pytest

from bench.cache_model import BaseImage, BuildInput, StepPlace, find_profile
from bench.dockerfile import parse
from bench.orderings.access import Access, AccessSource
from bench.orderings.commuting import ConflictKind, ObligationKind
from bench.orderings.legality import Conflict, partial_order
from bench.workspace.manifest import Entry, Manifest

BOTH = ("classic", "buildkit")
CLASSIC, BUILDKIT = ("classic",), ("buildkit",)
LINKED = "buildkit-28-containerd"
CONTEXT = Manifest(
    [
        Entry("a", "file", 0o644, 1, None, "1", 0),
        Entry("b", "file", 0o644, 1, None, "2", 0),
        Entry("tree", "dir", 0o755, 0, None, None, 0),
        Entry("tree/c", "file", 0o644, 1, None, "3", 0),
        Entry("tree/sub", "dir", 0o755, 0, None, None, 0),
        Entry("tree/sub/d", "file", 0o644, 1, None, "4", 0),
        Entry("x.go", "file", 0o644, 1, None, "5", 0),
    ]
)
KNOWN = {
    "known": BaseImage("known", env=(("PATH", "/usr/bin"), ("DIR", "/base")), inspected=True),
}


def last_two(
    text: str, builder: str, access: dict[int, Access] | None = None, build_args: str = ""
) -> tuple[Conflict | None, set[ObligationKind]]:
    """Judge the last two instructions of a Dockerfile, or of a stage on an unknown base."""
    dockerfile = parse(text if text.startswith("FROM") else f"FROM base\n{text}")
    stage = dockerfile.stages[-1]
    count = len(stage.instructions)
    build = BuildInput(dockerfile, CONTEXT, bases=KNOWN, build_args={"GIVEN": build_args})
    places = {StepPlace(stage.index, step): one for step, one in (access or {}).items()}
    order = partial_order(build, [find_profile(builder)], places).stages[-1]
    pair = (count - 1, count)
    premises = {one.kind for one in order.premises.get(pair, ())}
    return order.conflicts.get(pair), premises


def holds(text: str, builders: tuple[str, ...] = BOTH) -> None:
    for builder in BOTH:
        conflict, _ = last_two(text, builder)
        assert (conflict is not None) == (builder in builders), (builder, conflict)


FREE = (
    "LABEL a=1\nLABEL b=2",
    "EXPOSE 80\nEXPOSE 80 81",
    "STOPSIGNAL 9\nLABEL a=1",
    "HEALTHCHECK CMD c\nEXPOSE 80",
    'CMD ["a"]\nENTRYPOINT ["b"]',
    'ENTRYPOINT ["b"]\nCMD ["a"]',
    "CMD a\nENTRYPOINT b",
    'CMD ["a"]\nCOPY a /a',
    'ENTRYPOINT ["a"]\nWORKDIR /w',
    "MAINTAINER me\nUSER me",
    "LABEL a=1\nWORKDIR /w",
    "LABEL a=1\nRUN make",
    "RUN make\nEXPOSE 80",
    "RUN make\nSTOPSIGNAL 9",
    "RUN make\nHEALTHCHECK CMD c",
    "RUN make\nCMD start",
    "RUN make\nONBUILD RUN make",
    "RUN make\nMAINTAINER me",
    "ENV A=1\nENV B=2",
    "ENV A=1\nARG B=2",
    "ENV A=1\nCOPY a /a",
    "ENV A=1\nWORKDIR /w",
    "ENV A=1\nLABEL b=$B",
    "ENV A=1\nCMD echo $A",
    "ENV A=1\nENTRYPOINT echo $A",
    "ENV A=1\nHEALTHCHECK CMD echo $A",
    "ENV A=1\nONBUILD RUN echo $A",
    'ENV A=1\nSHELL ["a"]',
    "ARG A\nCOPY a /a",
    "ARG A\nEXPOSE 80",
    "USER 5\nCOPY a /a",
    "USER 5\nCMD start",
    "USER 5\nVOLUME /v",
    'SHELL ["a"]\nRUN ["make"]',
    'SHELL ["a"]\nCMD ["start"]',
    'SHELL ["a"]\nENTRYPOINT ["start"]',
    'SHELL ["a"]\nHEALTHCHECK CMD start',
    'SHELL ["a"]\nCOPY a /a',
    'SHELL ["a"]\nWORKDIR /a',
    "VOLUME /v\nVOLUME /v /w",
    "VOLUME /v\nCOPY a /w/a",
    "VOLUME /v\nWORKDIR /w",
    "ONBUILD RUN a\nCOPY a /a",
    "COPY a /x/a\nCOPY b /y/b",
    "COPY a /x/\nCOPY b /x/",
    "COPY a b /x/\nCOPY tree /x/",
    "COPY tree /x\nCOPY a /x/other",
    "COPY tree/ /x/\nCOPY tree/sub /x/more/",
    "COPY *.go /x/\nCOPY a /x/",
    "ADD tree /x/\nCOPY a /y/",
    "WORKDIR /w\nCOPY a b ./\nCOPY tree .",
    "COPY a x/\nCOPY b y/",
    "WORKDIR $D\nCOPY a one/\nCOPY b two/",
)


@pytest.mark.parametrize("text", FREE)
def test_these_change_places(text: str) -> None:
    holds(text, ())


FIXED = (
    # Settings of which there is one.
    ("CMD a\nCMD b", ConflictKind.CONFIG, "both set CMD"),
    ('ENTRYPOINT ["a"]\nENTRYPOINT ["b"]', ConflictKind.CONFIG, "both set ENTRYPOINT"),
    ("LABEL a=1 b=1\nLABEL b=2", ConflictKind.CONFIG, "the label b"),
    ("LABEL $K=1\nLABEL b=2", ConflictKind.CONFIG, "the label b"),
    ("STOPSIGNAL 1\nSTOPSIGNAL 2", ConflictKind.CONFIG, "STOPSIGNAL"),
    ("HEALTHCHECK CMD a\nHEALTHCHECK NONE", ConflictKind.CONFIG, "HEALTHCHECK"),
    ("MAINTAINER a\nMAINTAINER b", ConflictKind.CONFIG, "the author"),
    ("ONBUILD RUN a\nONBUILD RUN b", ConflictKind.CONFIG, "in the order in which they stand"),
    # The state of the build.
    ("USER a\nUSER b", ConflictKind.STATE, "the user"),
    ('SHELL ["a"]\nSHELL ["b"]', ConflictKind.STATE, "the shell"),
    ("WORKDIR /a\nWORKDIR /b", ConflictKind.STATE, "the working directory"),
    ("WORKDIR /a\nWORKDIR b", ConflictKind.STATE, "the working directory"),
    ("WORKDIR /a\nCOPY a .", ConflictKind.STATE, "the working directory"),
    ("WORKDIR /a\nADD a b/", ConflictKind.STATE, "the working directory"),
    ("WORKDIR /a\nCOPY a $D", ConflictKind.STATE, "the working directory"),
    ("WORKDIR /a\nRUN make", ConflictKind.STATE, "the working directory"),
    ("RUN make\nWORKDIR /a", ConflictKind.STATE, "the working directory"),
    ("USER a\nRUN make", ConflictKind.STATE, "the user"),
    ('USER a\nRUN ["make"]', ConflictKind.STATE, "the user"),
    ('SHELL ["a"]\nRUN make', ConflictKind.STATE, "the shell"),
    ('SHELL ["a"]\nCMD start', ConflictKind.STATE, "the shell"),
    ('SHELL ["a"]\nENTRYPOINT start', ConflictKind.STATE, "the shell"),
    # Variables.
    ("ENV A=1\nRUN make", ConflictKind.VARIABLE, "sees every variable, A too"),
    ("RUN make\nENV A=1 B=2", ConflictKind.VARIABLE, "A, B too"),
    ("ARG A\nRUN make", ConflictKind.VARIABLE, "A too"),
    ('ARG A\nRUN ["make"]', ConflictKind.VARIABLE, "A too"),
    ("ENV A=1\nENV A=2", ConflictKind.VARIABLE, "both set A"),
    ("ARG A\nENV A=2", ConflictKind.VARIABLE, "both set A"),
    ("ENV A=1\nARG A", ConflictKind.VARIABLE, "both set A"),
    ("ARG A=1\nARG A=2", ConflictKind.VARIABLE, "both set A"),
    ("ENV A=1\nENV B=$A", ConflictKind.VARIABLE, "uses A, which ENV sets"),
    ("ENV B=$A\nENV A=1", ConflictKind.VARIABLE, "uses A, which ENV sets"),
    ("ARG A\nARG B=${A}", ConflictKind.VARIABLE, "uses A, which ARG sets"),
    ("ENV A=1\nENV B=${C:-$A}", ConflictKind.VARIABLE, "uses A"),
    ("ENV $K=1\nENV A=1", ConflictKind.VARIABLE, "both set A"),
    ("ENV A=1\nLABEL a=$A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nEXPOSE $A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nSTOPSIGNAL $A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nUSER $A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nVOLUME $A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nWORKDIR /$A", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nCOPY $A /a", ConflictKind.VARIABLE, "uses A"),
    ("ENV A=1\nCOPY --chown=$A a /a", ConflictKind.VARIABLE, "uses A"),
    # Files.
    ("COPY a /x\nCOPY b /x", ConflictKind.FILES, "/x"),
    ("COPY a /x/\nCOPY tree /x/a", ConflictKind.FILES, "/x/a"),
    ("COPY a /x\nCOPY b /x/b", ConflictKind.FILES, "/x"),
    ("COPY . /x/\nCOPY a /x/", ConflictKind.FILES, "/x/a"),
    ("COPY tree/sub/ /x/\nCOPY a /x/d", ConflictKind.FILES, "/x/d"),
    ("COPY *.go /x/\nCOPY a /x/new.go", ConflictKind.FILES, "/x/new.go"),
    ("COPY * /x/\nCOPY a /x/", ConflictKind.FILES, "/x"),
    ("ADD a /x/\nCOPY b /x/", ConflictKind.FILES, "/x"),
    ("COPY $A /x/\nCOPY b /x/", ConflictKind.FILES, "/x"),
    ("COPY a $D/\nCOPY b /y/", ConflictKind.FILES, "is not known"),
    ("COPY a .\nCOPY b /y/", ConflictKind.FILES, "is not known"),
    ("ARG D=/x\nCOPY a $D/\nCOPY b /y/", ConflictKind.FILES, "is not known"),
    ("COPY a /bin/\nCOPY tree /usr/bin/a", ConflictKind.FILES, "/usr/bin/a"),
    ("COPY a /var/run/x\nCOPY b /run/x", ConflictKind.FILES, "/run/x"),
    ("COPY a /lib64/x\nCOPY b /usr/lib/x", ConflictKind.FILES, "/usr/lib/x"),
    ("COPY a /etc/passwd\nCOPY --chown=me b /b", ConflictKind.FILES, "/etc/passwd"),
    ("COPY --chown=5 a /x/a\nCOPY b /x/b", ConflictKind.FILES, "both may make the folder /x"),
    ("WORKDIR /x\nCOPY --chown=5 a /x/y/a", ConflictKind.FILES, "the folder /x"),
    ("COPY a /x\nWORKDIR /x", ConflictKind.FILES, "the folder /x"),
    # What a RUN does to files.
    ("COPY a /a\nRUN make", ConflictKind.RUN, "may read or write whatever COPY a /a writes"),
    ("RUN make\nADD a /a", ConflictKind.RUN, "may read or write whatever ADD a /a writes"),
    ("RUN make\nRUN install", ConflictKind.RUN, "whatever the earlier one writes"),
    # What is not understood.
    ("ADD https://example.org/x /x\nLABEL a=1", ConflictKind.UNKNOWN, "known only when"),
    ("COPY --parents a /x\nEXPOSE 80", ConflictKind.UNKNOWN, "--parents"),
    ("EXPOSE 80\nRUN --device=x make", ConflictKind.UNKNOWN, "--device"),
    ("LABEL a=1\nHEALTHCHECK --new=1 CMD x", ConflictKind.UNKNOWN, "--new"),
    ("LABEL a=${B#x}\nEXPOSE 80", ConflictKind.UNKNOWN, "operator"),
    ("LABEL a=1\nEXPOSE 80\\", ConflictKind.UNKNOWN, "go on with whatever follows"),
)


@pytest.mark.parametrize(("text", "kind", "why"), FIXED, ids=[text for text, _, _ in FIXED])
def test_these_keep_their_order_on_every_builder_and_say_why(
    text: str, kind: ConflictKind, why: str
) -> None:
    for builder in (*BOTH, "buildah", "classic-20.10", "buildkit-0.8", LINKED):
        conflict, _ = last_two(text, builder)
        assert conflict is not None, builder
        if builder in BOTH:
            assert (conflict.kind, why in conflict.why) == (kind, True), conflict


@pytest.mark.parametrize(
    ("text", "builders"),
    [
        # A folder that WORKDIR makes belongs to the user on BuildKit, to root on the classic one.
        ("USER 5\nWORKDIR /w", BUILDKIT),
        ("WORKDIR /w\nUSER 5", BUILDKIT),
        ("USER 5\nWORKDIR /w\nCOPY a /w/a", BUILDKIT),
        ("WORKDIR /w\nCOPY a /w/a", BUILDKIT),  # the base image may have a user
        ("FROM known\nWORKDIR /w\nCOPY a /w/a", ()),
        ("FROM scratch\nWORKDIR /w\nCOPY a /w/a", ()),
        ("USER root\nWORKDIR /w\nCOPY a /w/a", ()),
        ("USER 5\nWORKDIR /w\nCOPY --chown=5 a /w/a", CLASSIC),
        # What a RUN writes below a volume is lost on the classic builder.
        ("VOLUME /v\nRUN make", CLASSIC),
        ("RUN make\nVOLUME /v", CLASSIC),
        ("VOLUME /v\nCOPY a /v/a", CLASSIC),
        ("VOLUME $V\nCOPY a /a", CLASSIC),
        # An empty CMD counts as none there.
        ('CMD []\nENTRYPOINT ["a"]', CLASSIC),
        # Who owns what is made above a copied folder.
        ("COPY --chown=5 tree /x/y/\nCOPY a /x/a", BUILDKIT),
        ("COPY --chown=5 a /x/a\nCOPY --chown=5 tree /x/y/", CLASSIC),
        ("COPY --chown=5 a /x/a\nCOPY --chown=5 b /x/b", ()),
        # What the classic builder does not know.
        ("RUN --network=none make\nLABEL a=1", CLASSIC),
        ("COPY <<x /x\nx\nLABEL a=1", CLASSIC),
        ("RUN <<x\nmake\nx\nLABEL a=1", CLASSIC),
        ("COPY --link a /a\nLABEL a=1", CLASSIC),
    ],
)
def test_the_builders_differ(text: str, builders: tuple[str, ...]) -> None:
    holds(text, builders)


def test_the_folder_that_a_workdir_makes_first_belongs_to_it_in_every_ordering() -> None:
    """The two COPYs alone would each make /w for another owner."""
    text = "USER 5\nWORKDIR /w\nCOPY --chown=6 a ./\nCOPY --chown=7 b ./"

    assert last_two(text, "buildkit")[0] is None
    assert last_two(text.replace("COPY --chown=6 a", "RUN rm -r /w\nCOPY --chown=6 a"), "buildkit")[
        0
    ]


def test_here_documents_land_where_they_say() -> None:
    assert last_two("COPY <<one <<two /x/\n1\none\n2\ntwo\nCOPY a /x/", "buildkit")[0] is None
    assert last_two("COPY <<a /x/\n1\na\nCOPY a /x/", "buildkit")[0]


def test_a_here_document_uses_the_variables_in_it_unless_it_is_quoted() -> None:
    assert last_two("ENV A=1\nCOPY <<x /x\n$A\nx", "buildkit")[0]
    assert last_two('ENV A=1\nCOPY <<"x" /x\n$A\nx', "buildkit")[0] is None


def test_a_real_link_sets_the_folders_above_anew() -> None:
    text = "USER 5\nWORKDIR /w\nCOPY --link a ./a\nCOPY --chown=5 b ./b"

    assert last_two(text, LINKED)[0]
    assert last_two(text, "buildkit-28")[0] is None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("LABEL a=1\nEXPOSE 80", set()),
        ("ENV A=1\nENV B=2", {ObligationKind.ENV_ORDER}),
        ("ENV A=1\nARG B", {ObligationKind.ENV_ORDER}),
        ("COPY a /x\nCOPY b /y", {ObligationKind.LINKS}),
        ("COPY a /x/\nCOPY b /x/", {ObligationKind.LINKS, ObligationKind.CONTEXT}),
        ("COPY <<x /x\nx\nCOPY <<y /y\ny", {ObligationKind.LINKS}),
        ("FROM scratch\nCOPY a /x\nCOPY b /y", set()),
        ("FROM scratch\nCOPY a /x/\nCOPY b /x/", {ObligationKind.CONTEXT}),
        ("FROM scratch AS one\nFROM one\nCOPY a /x\nCOPY b /y", {ObligationKind.LINKS}),
        ("FROM scratch\nCOPY --from=x /a /\nCOPY a /x\nCOPY b /y", {ObligationKind.LINKS}),
    ],
)
def test_what_a_change_of_places_relies_on(text: str, kinds: set[ObligationKind]) -> None:
    assert last_two(text, "buildkit") == (None, kinds)


def test_the_classic_builder_makes_the_working_directory_again_after_a_run() -> None:
    assert last_two("RUN make\nLABEL a=1", "classic")[1] == {ObligationKind.FOLDERS}
    assert last_two("RUN make\nLABEL a=1", "buildkit")[1] == set()


def test_a_base_may_lack_the_working_directory_that_it_names() -> None:
    """The classic builder makes it with whatever comes first, which is not before WORKDIR."""
    for text in ("LABEL a=1\nWORKDIR /w", "LABEL a=1\nCOPY --chown=5 a /x/y/a"):
        assert last_two(text, "classic") == (None, {ObligationKind.FOLDERS})
        assert last_two(f"FROM scratch\n{text}", "classic") == (None, set())
        assert last_two(text, "buildkit") == (None, set())
    assert last_two("LABEL a=1\nCOPY a /x/y/a", "classic") == (None, set())


def test_a_link_in_the_context_is_one_that_no_instruction_shows() -> None:
    dockerfile = parse("FROM scratch\nCOPY a /x\nCOPY b /y")
    link = Entry("link", "symlink", 0o777, 0, "/y", None, 0)
    build = BuildInput(dockerfile, Manifest([*CONTEXT.values(), link]))

    order = partial_order(build, [find_profile("buildkit")]).stages[0]

    assert {one.kind for one in order.premises[2, 3]} == {ObligationKind.LINKS}


# What is known of the files of a RUN frees it.


def known(reads: str = "", writes: str = "") -> Access:
    return Access(tuple(reads.split()), tuple(writes.split()), AccessSource.DECLARED)


@pytest.mark.parametrize(
    ("text", "reads", "writes", "free"),
    [
        ("COPY a /x/a\nRUN make", "", "/y", True),
        ("RUN make\nCOPY a /x/a", "/y", "/z", True),
        ("COPY a /x/a\nRUN make", "/x/a", "", False),
        ("COPY a /x/a\nRUN make", "/x", "", False),
        ("COPY a /x/a\nRUN make", "/x/*", "", False),
        ("COPY a /x/a\nRUN make", "/x/*.go", "", False),  # it finds /x made or not
        ("COPY a /x/a\nRUN make", "", "/x/b", False),  # it finds /x made or not
        ("WORKDIR /x\nCOPY a a\nRUN make", "/x/*.go", "/x/b", True),
        ("WORKDIR /x\nCOPY a a.go\nRUN make", "/x/*.go", "/x/b", False),
        ("WORKDIR /x\nCOPY . .\nRUN make", "/x/other", "/y", True),
        ("WORKDIR /x\nCOPY . .\nRUN make", "/x/a", "/y", False),
        ("COPY a /opt/a\nRUN make", "", "/opt/b", True),  # every image has /opt
        ("FROM scratch\nCOPY a /opt/a\nRUN make", "", "/opt/b", False),
        ("COPY a /usr/local/bin/make\nRUN make", "", "", False),
        ("COPY a /etc/hosts\nRUN make", "", "", False),
        ("ENV PATH=/tools\nCOPY a /tools/make\nRUN make", "", "", False),
        ("ENV A=1\nRUN make", "", "", False),
        ("USER a\nRUN make", "", "", False),
        ("WORKDIR /w\nRUN make", "", "", False),
        ("COPY a /src/a\nRUN --mount=target=/src make", "", "/out", False),
        ("COPY a $D\nRUN make", "/y", "/z", False),
    ],
)
def test_a_run_whose_files_are_known_changes_places_with_what_it_does_not_touch(
    text: str, reads: str, writes: str, free: bool
) -> None:
    stage = parse(text if text.startswith("FROM") else f"FROM base\n{text}").stages[0]
    runs = {
        step: known(reads, writes)
        for step, one in enumerate(stage.instructions, start=1)
        if one.keyword == "RUN"
    }
    conflict, kinds = last_two(text, "buildkit", runs)

    assert (conflict is None) == free, conflict
    assert not free or ObligationKind.ACCESS in kinds


@pytest.mark.parametrize(
    ("first", "second", "free"),
    [
        (known("/a", "/b"), known("/c", "/d"), True),
        (known("/a", "/b"), known("/a", "/d"), True),
        (known("/a", "/b"), known("/b", "/d"), False),
        (known("/d", "/b"), known("/c", "/d"), False),
        (known("/a", "/b"), known("/c", "/b/x"), False),
        (known("/a", "/b"), None, False),
        (None, known("/a", "/b"), False),
    ],
)
def test_two_runs_need_both_to_be_known(
    first: Access | None, second: Access | None, free: bool
) -> None:
    runs = {step: one for step, one in {2: first, 3: second}.items() if one is not None}

    assert (last_two("RUN one\nRUN two", "buildkit", runs)[0] is None) == free


def test_two_runs_that_share_a_cache_mount_keep_their_order() -> None:
    both = {2: known("", "/a"), 3: known("", "/b")}
    mount = "RUN --mount=type=cache,target=/{} {}"
    shared = f"{mount.format('cache', 'one')}\n{mount.format('cache', 'two')}"
    apart = f"{mount.format('cache', 'one')}\n{mount.format('other', 'two')}"
    named = f"{mount.format('c,id=x', 'one')}\n{mount.format('d,id=x', 'two')}"

    assert "cache mount" in str(last_two(shared, "buildkit", both)[0])
    assert "cache mount x" in str(last_two(named, "buildkit", both)[0])
    assert last_two(apart, "buildkit", both)[0] is None


def test_where_a_copy_from_a_stage_lands_can_be_declared() -> None:
    text = "COPY a /x/\nCOPY --from=s /out /x/"

    assert "/x/a" in str(last_two(text, "buildkit")[0])
    conflict, kinds = last_two(text, "buildkit", {3: known("", "/x/out")})
    assert conflict is None
    assert ObligationKind.ACCESS in kinds
    assert last_two(text, "buildkit", {3: known("", "/x/a")})[0]


def test_a_volume_and_a_run_that_is_known_keep_their_order_on_the_classic_builder() -> None:
    """The RUN makes the volume's mount point, declared or not."""
    assert last_two("VOLUME /v\nRUN make", "classic", {3: known("", "/x")})[0]
