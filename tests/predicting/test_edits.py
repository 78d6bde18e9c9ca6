"""Files that rebuild the same steps share an edit, however many they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model import PROFILES, find_profile
from bench.predicting.edits import MOST_SINGLY, Edit, after_edit, file_edits
from bench.workspace import ClientRule

if TYPE_CHECKING:
    from tests.predicting.conftest import MakeState

BUILDERS = (find_profile("classic"), find_profile("buildkit"))


def test_files_are_grouped_by_the_steps_that_take_them(make_state: MakeState) -> None:
    files = dict.fromkeys(("list", "src/a", "src/b", "src/.c", "README", "Dockerfile"), "")
    state = make_state("FROM a\nCOPY list .\nRUN x\nCOPY src/ src/\nCOPY R* list .\n", files)

    edits = file_edits([state], BUILDERS)

    assert [one.paths for one in edits] == [("list",), ("README",), ("src/a", "src/b", "src/.c")]
    assert [one.name for one in edits] == ["edit list", "edit README", "edit src/ (3 files)"]


def test_what_people_edit_stands_for_the_files_edited_like_it(make_state: MakeState) -> None:
    files = dict.fromkeys((".dockerignore", "Dockerfile", "main.py"), "")
    (edit,) = file_edits([make_state("FROM a\nCOPY . .\n", files)], BUILDERS)

    assert edit.paths == ("main.py", "Dockerfile", ".dockerignore")
    assert edit.name == "edit main.py or 2 more"


def test_what_another_stage_takes_of_a_copied_file_tells_files_apart(make_state: MakeState) -> None:
    text = "FROM scratch AS s\nCOPY . /\nFROM scratch\nCOPY --from=s /a /\n"
    edits = file_edits([make_state(text, {"a": "", "b": "", "c": ""})], BUILDERS)

    assert [one.paths for one in edits] == [("a",), ("b", "c")]


def test_many_files_are_not_edited_one_by_one(make_state: MakeState) -> None:
    text = "FROM scratch AS s\nCOPY . /\nFROM scratch\nCOPY --from=s /0 /\n"
    files = dict.fromkeys(map(str, range(MOST_SINGLY + 1)), "")

    assert len(file_edits([make_state(text, files)], BUILDERS)) == 1


def test_several_dockerfiles_tell_files_apart_together(make_state: MakeState) -> None:
    files = {"a": "", "b": ""}
    states = [make_state(f"FROM x\nCOPY {names} /\n", files) for names in ("a b", "a")]

    assert [one.paths for one in file_edits(states, BUILDERS)] == [("a",), ("b",)]


def test_an_edit_changes_one_file_in_every_manifest(make_state: MakeState) -> None:
    state = make_state("FROM a\nCOPY . .\n", {"a": "", "b": ""})
    after = after_edit(state, Edit(("b", "a")))

    assert after.change == "edit b or 1 more"
    for client in ClientRule:
        difference = state.manifests[client].diff(after.manifests[client])
        assert difference.hashed_paths == difference.paths == {"b"}


def test_every_profile_groups(make_state: MakeState) -> None:
    state = make_state("FROM a\nCOPY a /\nCOPY b /\n", {"a": "", "b": "", "c": ""})

    assert len(file_edits([state], list(PROFILES.values()))) == 2
