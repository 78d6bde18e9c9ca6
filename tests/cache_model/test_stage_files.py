"""The files of a stage as far as they are known: which artefacts are certain, and which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.cache_model import History, predict
from bench.cache_model.profiles import BUILDKIT_08, BUILDKIT_28, CLASSIC_25
from tests.cache_model.states import build, context, file, folder, last, letters, link

if TYPE_CHECKING:
    from bench.cache_model import Profile
    from bench.workspace.manifest import Entry

BOTH = pytest.mark.parametrize("profile", [CLASSIC_25, BUILDKIT_28], ids=lambda one: one.name)


def copied(profile: Profile, stage: str, source: str, *states: list[Entry], again: str = "") -> str:
    """Return what ``COPY --from`` of ``source`` does after the context or the stage changed."""
    final = f"FROM base\nCOPY --from=x {source} /got\n"
    first, second = (
        build(f"FROM base AS x\n{text}\n{final}", context(*entries))
        for text, entries in zip((stage, again or stage), states, strict=True)
    )
    return letters(last(profile, first, second)).split()[1]


ONE, TWO = [file("a", "1"), file("b", "b")], [file("a", "2"), file("b", "b")]


@BOTH
def test_a_file_that_was_copied_in_is_known(profile: Profile) -> None:
    assert copied(profile, "COPY a /a", "/a", ONE, TWO) == "bM"
    assert copied(profile, "COPY a /a\nCOPY b /b", "/b", ONE, TWO) == "bH"


@BOTH
def test_a_folder_holds_what_was_copied_into_it(profile: Profile) -> None:
    assert copied(profile, "COPY a /d/\nCOPY b /d/", "/d", ONE, TWO) == "bM"
    assert copied(profile, "COPY a /d/\nCOPY b /e/", "/e", ONE, TWO) == "bH"


@BOTH
def test_a_run_makes_everything_before_it_uncertain(profile: Profile) -> None:
    assert copied(profile, "COPY a /a\nRUN make", "/b", ONE, TWO) == "b?"


@BOTH
def test_what_is_copied_after_a_run_is_known_again(profile: Profile) -> None:
    assert copied(profile, "COPY a /a\nRUN make\nCOPY b /b", "/b", ONE, TWO) == "bH"


@BOTH
def test_files_of_the_base_are_the_same_as_long_as_the_base_is(profile: Profile) -> None:
    assert copied(profile, "COPY a /a", "/etc/passwd", ONE, TWO) == "bH"


@BOTH
def test_a_file_onto_a_usual_folder_lands_inside(profile: Profile) -> None:
    assert copied(profile, "COPY a /usr/local/bin", "/usr/local/bin/a", ONE, TWO) == "bM"


@BOTH
def test_the_contents_of_a_folder_are_copied_not_the_folder(profile: Profile) -> None:
    one, two = [file("d/a", "1"), file("d/b")], [file("d/a", "2"), file("d/b")]
    assert copied(profile, "COPY d /t", "/t/a", one, two) == "bM"
    assert copied(profile, "COPY d /t", "/t/b", one, two) == "bH"


def test_ownership_alone_is_a_stale_hit_before_0_11() -> None:
    stages = "COPY --chown=1 a /a", "COPY --chown=2 a /a"
    for profile, expected in ((BUILDKIT_08, "bH"), (BUILDKIT_28, "bM"), (CLASSIC_25, "bM")):
        assert copied(profile, stages[0], "/a", ONE, ONE, again=stages[1]) == expected


def test_a_mode_that_chmod_sets_is_the_artefacts() -> None:
    same = copied(BUILDKIT_28, "COPY --chmod=600 a /a", "/a", [file("a")], [file("a", mode=0o755)])
    assert same == "bH"


def test_an_archive_that_add_unpacks_is_a_symbol() -> None:
    one, two = [file("x.tar", "1")], [file("x.tar", "2")]
    assert copied(BUILDKIT_28, "ADD x.tar /u", "/u/in", one, two) == "b?"
    assert copied(BUILDKIT_28, "COPY x.tar /u", "/u", one, two) == "bM"


def test_a_named_owner_is_a_symbol() -> None:
    assert copied(BUILDKIT_28, "COPY --chown=me a /a", "/a", ONE, TWO) == "b?"


@BOTH
def test_a_wildcard_sees_only_what_it_matches_of_the_known_files(profile: Profile) -> None:
    one, two = [file("d/a.x", "1"), file("d/b.y", "1")], [file("d/a.x", "1"), file("d/b.y", "2")]
    assert copied(profile, "COPY d /d", "/d/*.x", one, two) == "bH"
    assert copied(profile, "COPY d /d", "/d/*.y", one, two) == "bM"
    assert copied(profile, "COPY d /d", "/d/*", one, two) == "bM"


@BOTH
def test_an_artefact_that_goes_through_two_stages(profile: Profile) -> None:
    text = (
        "FROM base AS x\nCOPY a /a\nFROM base AS y\nCOPY --from=x /a /b\n"
        "FROM base\nCOPY --from=y /b /c\n"
    )
    found = last(profile, build(text, context(*ONE)), build(text, context(*TWO)))
    # What was copied from a stage is a symbol of its own: equal as long as its bytes are.
    assert letters(found) == "bM bM b?"


def test_a_missing_file_of_a_stage_on_scratch_fails() -> None:
    text = "FROM scratch AS x\nCOPY a /a\nFROM base\nCOPY --from=x /nowhere /b\n"
    prediction = predict(build(text, context(*ONE)), BUILDKIT_28, History())
    assert letters(prediction) == "bM bU"
    assert "nowhere" in prediction.problems[0]


def test_workdir_makes_a_folder() -> None:
    stage = "WORKDIR /w"
    text = f"FROM scratch AS x\n{stage}\nFROM base\nCOPY --from=x /w /got\n"
    moved = text.replace("WORKDIR /w", "WORKDIR /w\nWORKDIR /w/in")
    assert letters(last(BUILDKIT_28, build(text), build(moved))).split()[1] == "bM"
    assert letters(last(BUILDKIT_28, build(text), build(text))).split()[1] == "bH"


def test_the_mode_of_a_source_folder_is_not_that_of_the_target() -> None:
    one, two = [folder("d"), file("d/a")], [folder("d", 0o700), file("d/a")]
    assert copied(BUILDKIT_28, "COPY d /t", "/t/a", one, two) == "bH"


@BOTH
def test_a_link_that_a_pattern_matches_is_copied_as_its_target_under_its_own_name(
    profile: Profile,
) -> None:
    one = [file("a", "1"), link("a-link", "a")]
    two = [file("a", "2"), link("a-link", "a")]
    assert copied(profile, "COPY *-link /d/", "/d/a-link", one, two) == "bM"
    assert copied(profile, "COPY *-link /d/", "/d/a-link", one, one) == "bH"


@BOTH
def test_what_an_archive_holds_says_nothing_of_what_is_beside_it(profile: Profile) -> None:
    files = [file("x.tar", "1"), file("a", "1")]
    stage = "WORKDIR /w\nCOPY a /w/in/a"
    text = "FROM scratch AS x\n{}" + stage + "\nFROM base\nCOPY --from=x /w /got\n"
    first = build(text.format("ADD x.tar /u/\n"), context(*files))
    second = build(text.format(""), context(*files))
    assert letters(last(profile, first, second)).split()[1] == "bH"


@BOTH
def test_files_that_nothing_took_before_are_looked_at_anew(profile: Profile) -> None:
    stage = "FROM scratch AS x\nWORKDIR /d\nCOPY a /d/\nWORKDIR /e\n"
    first = build(f"{stage}FROM base\nRUN x\n", context(*ONE))
    second = build(f"{stage}FROM base\nCOPY --from=x /d/a /got\n", context(*ONE))
    assert not last(profile, first, second).problems
