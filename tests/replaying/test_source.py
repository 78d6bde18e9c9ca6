"""What a replay builds is found out from the commits, and every mistake names its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.errors import UsageError
from bench.replaying import Wanted, survey
from tests.commits.repositories import Repo

if TYPE_CHECKING:
    from bench.replaying import ReplaySource


def titles(source: ReplaySource) -> list[str]:
    return [step.title.partition(" ")[2] for step in source.steps]


def test_the_last_commits_are_built_oldest_first_with_the_dockerfile_of_each(six: Repo) -> None:
    source = survey(six.folder, Wanted(commits=3))
    (recipe,) = source.recipes

    assert titles(source) == ["Merge side", "Other command", "Back to the beginning"]
    assert [step.is_merge for step in source.steps] == [True, False, False]
    assert (recipe.name, recipe.tracked, recipe.place) == (
        "dockerfile",
        "Dockerfile",
        "Dockerfile",
    )
    texts = [source.dockerfile(recipe, step) or "" for step in source.steps]
    assert ["> end" in text for text in texts] == [False, True, False]


def test_names_of_commits_fit_records_and_are_unique(six: Repo) -> None:
    six.commit("Ünïcode & $(odd): " + "very long " * 20, {"README": "9"})
    six.commit("Ünïcode & $(odd): " + "very long " * 20, {"README": "10"})
    source = survey(six.folder, Wanted())
    names = [step.change for step in source.steps]

    assert len(set(names)) == len(names) == 8
    assert source.scenario().changes[-1].name == names[-1]
    assert "-unicode-odd-very-long" in names[-1]


def test_commits_that_touch_neither_context_nor_dockerfile_are_left_out(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "mono")
    text = "FROM a\nCOPY . .\n"
    repo.commit("one", {"web/x": "1", "api/x": "1", "docker/web.Dockerfile": text})
    repo.commit("api", {"api/x": "2"})
    repo.commit("web", {"web/x": "2"})
    repo.commit("file", {"docker/web.Dockerfile": text + "RUN x\n"})
    wanted = Wanted(context=Path("web"), dockerfiles=(Path("docker/web.Dockerfile"),))
    source = survey(repo.folder, wanted)

    assert titles(source) == ["one", "web", "file"]
    assert (source.recipes[0].tracked, source.recipes[0].place) == (
        "docker/web.Dockerfile",
        "Dockerfile",
    )


def test_a_dockerfile_from_outside_holds_for_every_commit(six: Repo, tmp_path: Path) -> None:
    for place in (tmp_path / "better/Dockerfile", six.folder / "Dockerfile.new"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("FROM alpine\nCOPY . .\n")
    wanted = Wanted(
        dockerfiles=(
            six.folder / "Dockerfile",
            tmp_path / "better/Dockerfile",
            six.folder / "Dockerfile.new",
        )
    )
    source = survey(six.folder, wanted)

    assert [one.name for one in source.recipes] == [
        "dockerfile",
        "better-dockerfile",
        "dockerfile-new",
    ]
    assert [one.tracked for one in source.recipes] == ["Dockerfile", None, None]
    assert source.dockerfile(source.recipes[1], source.steps[0]) == "FROM alpine\nCOPY . .\n"


def test_the_working_tree_is_not_used(six: Repo) -> None:
    six.write({"Dockerfile": "FROM dirty\n", "src/a": "dirty"})
    source = survey(six.folder, Wanted())

    assert "dirty" not in (source.dockerfile(source.recipes[0], source.steps[-1]) or "")


def test_images_are_those_of_every_commit_that_parses(six: Repo) -> None:
    six.commit("other base", {"Dockerfile": "FROM debian AS x\nFROM x\n"})
    six.commit("broken", {"Dockerfile": "FROM\n"})
    six.commit("latin", {"Dockerfile": b"FROM caf\xe9\n"})

    assert survey(six.folder, Wanted()).images() == ["alpine", "debian"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Wanted(commits=9), "only 6 commits touch the repository.*ask for --commits 6"),
        (Wanted(context=Path("docs")), "only 0 commits touch docs.*name another --context"),
        (Wanted(dockerfiles=(Path("no.Dockerfile"),)), "none of the 6 commits has this Dockerf"),
        (Wanted(dockerfiles=(Path("../no"),)), "there is no such file.*--dockerfile"),
    ],
)
def test_mistakes_are_told_with_their_remedy(six: Repo, wanted: Wanted, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        survey(six.folder, wanted)


def test_no_repository_and_no_commit_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name the folder of a git repository"):
        survey(tmp_path, Wanted())
    empty = Repo(tmp_path / "empty")
    with pytest.raises(UsageError, match="commit something first"):
        survey(empty.folder, Wanted())


def test_a_shallow_clone_says_where_its_history_ends(six: Repo, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    six.git("clone", "--quiet", "--depth=3", f"file://{six.folder}", str(clone))

    with pytest.raises(UsageError, match=r"shallow clone.*git fetch --unshallow"):
        survey(clone, Wanted(commits=5))
    assert titles(survey(clone, Wanted())) == ["Other command", "Back to the beginning"]
