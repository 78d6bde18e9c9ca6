"""Whatever stands in a Dockerfile: it is refused with one clear error, or predicted. Never else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from bench.cache_model import PROFILES, Predicted, find_profile
from bench.dockerfile import KEYWORDS, parse
from bench.errors import DockerfileError, UsageError
from bench.predicting import BuildState, look_ahead
from bench.predicting.assumptions import assumptions, unused_build_args
from bench.predicting.edits import after_edit, file_edits
from bench.workspace import ClientRule, Entry, Manifest

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.dockerfile import Dockerfile

PATHS = ("a", "b.txt", "d/e", "d/f/g", "Dockerfile", "ü", "-x", "a b")
VALUES = (
    *(
        "$A",
        "${A}",
        "${A:-b}",
        "${A:+$B}",
        "${A-}",
        "${A%b}",
        "\\$A",
        "$",
        "${A",
        "$1",
        "'x'",
        '"$A"',
    ),
    *("x", "80", "1:2", "/", ".", "./", "..", "/a/../b/", "//", "`", "\N{NO-BREAK SPACE}", "{id}"),
)
SOURCES = st.sampled_from(
    [
        *PATHS,
        *VALUES,
        "*",
        "d/*",
        "d/",
        "[a",
        "[!a]*",
        "?",
        "**",
        "../..",
        "http://x/y.tar",
        "nowhere",
    ]
)
VALUE = st.sampled_from([*VALUES, "a" * 300, "\t", "é", "%"])
FROMS = st.sampled_from(["--from=0", "--from=s", "--from=t", "--from=alpine", "--from=$A"])
FLAGS = st.lists(
    st.one_of(
        FROMS,
        st.sampled_from(
            ["--chown=1:2", "--chown=$A", "--chmod=644", "--chmod=u+x", "--link", "--x=1"]
        ),
    ),
    max_size=2,
).map(" ".join)
MOUNTS = st.sampled_from(
    [
        *("", "", "--mount=type=cache,target=/c", "--mount=type=bind,source=a,target=/b"),
        *("--mount=type=bind,from=s,source=$A,target=b,rw", "--mount=type=secret,id=x"),
        *("--mount=", "--mount=type=tmpfs,dst=/t", "--mount=type=cache,from=s,target=/c,id=$A"),
        *(
            "--mount=type=foo",
            "--network=none",
            "--mount=type=ssh",
            "--mount=from=nowhere,target=/x",
        ),
    ]
)


def line(keyword: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda one: " ".join([keyword, *(word for word in one if word)]))


HEREDOC = "<<E\n$A\n'x\nE"
LINES = st.one_of(
    line("FROM", st.sampled_from(["a", "s", "scratch", "$A", "b:1 AS t", "a AS s", "s AS t"])),
    line("COPY", FLAGS, SOURCES, VALUE),
    line("COPY", FLAGS, st.lists(SOURCES, min_size=1, max_size=3).map(" ".join), VALUE),
    line("ADD", FLAGS, SOURCES, VALUE),
    line("RUN", MOUNTS, VALUE),
    line("ARG", st.sampled_from(["A", "B=1", "A=$B", "B=", "A=1 B=$A"])),
    line("ENV", st.sampled_from(["A=$A", "A=1", "A 1 2", "B='x y'", "A=2 B=$A"])),
    line("WORKDIR", VALUE),
    line("USER", VALUE),
    st.sampled_from(
        [
            *('SHELL ["a", "-c"]', 'RUN ["a", "$A"]', "CMD x", "ENTRYPOINT []", "EXPOSE $A 80/udp"),
            *("LABEL a=$A b='c d'", "VOLUME /v $A", "STOPSIGNAL 9", "HEALTHCHECK NONE", "# x", ""),
            *(
                "HEALTHCHECK --interval=1s CMD x",
                "ONBUILD COPY a $A",
                "MAINTAINER x",
                "RUN a \\\n b",
            ),
            *("ONBUILD RUN x", f"COPY {HEREDOC.replace('<<E', '<<E /x', 1)}", f"RUN {HEREDOC}"),
            f"COPY a <<-'F' {PATHS[2]}\n\t$A\n\tF",
        ]
    ),
)
KEYWORD_LINES = line(
    "", st.sampled_from([*sorted(KEYWORDS), "FOO"]), st.lists(SOURCES, max_size=3).map(" ".join)
)
ANY = st.lists(st.one_of(LINES, KEYWORD_LINES, st.text(max_size=20)), max_size=8).map("\n".join)
LIKELY = st.tuples(
    st.sampled_from(["", "# escape=`\n", "# syntax=docker/dockerfile:1\n", "ARG A=s\n", "ARG A\n"]),
    st.lists(LINES, max_size=12),
).map(lambda one: one[0] + "\n".join(["FROM a AS s", *one[1]]))


def manifest_of(seed: str) -> Manifest:
    entries = [
        Entry("d", "dir", 0o755, 0, None, None, 0),
        Entry("d/f", "dir", 0o755, 0, None, None, 0),
    ]
    entries += [
        Entry(path, "file", 0o644, 1, None, hashlib.sha256(f"{seed}{path}".encode()).hexdigest(), 0)
        for path in PATHS
    ]
    entries.append(Entry("l", "symlink", 0o777, 0, "../d", None, 0))
    return Manifest(sorted(entries), {"Dockerfile"})


FIRST, LATER = manifest_of("first"), manifest_of("later")
# What the classic client sends where ignored folders hold files that are brought back.
BARE = Manifest([one for one in FIRST.values() if one.type != "dir"], {"Dockerfile"})


def state_of(
    dockerfile: Dockerfile, manifest: Manifest, target: str | None, build_args: dict[str, str]
) -> BuildState:
    return BuildState(
        change="",
        dockerfile=dockerfile,
        manifests=dict.fromkeys(ClientRule, manifest),
        build_args=build_args,
        target=target,
        base_layers={"a": "1"} if manifest is LATER else {},
    )


@settings(max_examples=600)
@given(
    st.one_of(LIKELY, LIKELY, LIKELY, LIKELY, ANY),
    st.one_of(LIKELY, LIKELY, LIKELY, LIKELY, ANY),
    st.sampled_from([None, None, None, "s", "0"]),
    st.dictionaries(
        st.sampled_from(["A", "B", "P", "HTTP_PROXY"]), st.text(max_size=5), max_size=3
    ),
    st.sampled_from([FIRST, BARE]),
)
@example("FROM a\nCOPY <<E /x\n$A\nE", "FROM a\nRUN <<E\n$A\nE", None, {}, FIRST)
@example("ARG A=s\nFROM $A AS s\nCOPY --from=s / /", "FROM scratch\nADD . .", "s", {"A": ""}, FIRST)
@example("FROM a\nCOPY d /x\nCOPY d* l d/f/ /y/", "FROM a\nCOPY . .", None, {}, BARE)
def test_any_text_is_refused_or_predicted(
    text: str, later: str, target: str | None, build_args: dict[str, str], first: Manifest
) -> None:
    try:
        states = [
            state_of(parse(text), first, target, build_args),
            state_of(parse(later), LATER, target, build_args),
            state_of(parse(text), first, target, build_args),
        ]
    except (DockerfileError, UsageError):
        event("refused")
        return
    event("predicted")
    for profile in PROFILES.values():
        outlook = look_ahead(states, profile, in_sequence=True)
        for state, rebuild in zip(states, (outlook.cold, *outlook.rebuilds), strict=True):
            count = len(state.dockerfile.global_args) + sum(
                len(stage.instructions) for stage in state.dockerfile.stages
            )
            assert len(rebuild.prediction.decisions) == count, profile.name
            is_unknown = [
                one for one in rebuild.prediction.decisions if one.outcome is Predicted.UNKNOWN
            ]
            assert bool(is_unknown) <= bool(rebuild.prediction.problems), profile.name
            assert all(cause.detail for cause in rebuild.causes)
        for one in outlook.rebuilds[1].prediction.decisions:
            # The same state once more: everything was built before.
            assert one.outcome not in {Predicted.MISS, Predicted.DEPENDS}, (profile.name, one)
    assumptions(states[0])
    unused_build_args(states[0])


@settings(max_examples=150)
@given(LIKELY)
def test_an_edit_of_any_file_of_a_group_rebuilds_the_same_steps(text: str) -> None:
    try:
        state = state_of(parse(text), FIRST, None, {})
    except DockerfileError:
        return
    profiles = [find_profile("classic"), find_profile("buildkit")]
    edits = file_edits([state], profiles)
    assert len({path for edit in edits for path in edit.paths}) == sum(
        len(edit.paths) for edit in edits
    )
    for edit in edits:
        alone = [type(edit)((path,)) for path in edit.paths]
        for profile in profiles:
            outlook = look_ahead([state, *(after_edit(state, one) for one in alone)], profile)
            outcomes = [
                [one.outcome for one in rebuild.prediction.decisions]
                for rebuild in outlook.rebuilds
            ]
            assert all(one == outcomes[0] for one in outcomes)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_what_is_not_understood_is_unknown_with_its_line(profile: Profile) -> None:
    dockerfile = parse("FROM a AS s\nRUN z\nFROM a\nRUN x\n\nCOPY nowhere /\nRUN y\nRUN z\n")
    state = state_of(dockerfile, FIRST, None, {})
    rebuild = look_ahead([state, state], profile).rebuilds[0]

    (problem,) = rebuild.prediction.problems
    assert problem.startswith("line 6: COPY nowhere /")
    outcomes = {one.line: one.outcome for one in rebuild.prediction.decisions}
    assert outcomes[4] is Predicted.HIT
    assert outcomes[6] is outcomes[7] is outcomes[8] is Predicted.UNKNOWN
    assert [(one.step, one.line) for one in rebuild.causes] == [("1:3 COPY nowhere /", 6)]
