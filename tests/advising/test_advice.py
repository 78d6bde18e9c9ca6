"""What is advised: rewrites and orderings that save, with reasons, and nothing that does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.advising.consulting import Consultation
from bench.advising.project import Project
from bench.errors import UsageError
from bench.runner import Silent
from tests.advising.projects import edits, make_project

if TYPE_CHECKING:
    from pathlib import Path

    from bench.advising.advice import Advice

PIP = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["python", "main.py"]
"""
SOURCES = {"main.py": "print()\n", "requirements.txt": "requests==2.32.3\n"}


def consult(folder: Path, builder: str = "buildkit") -> Consultation:
    project = Project(dockerfile=folder / "Dockerfile", context=folder, builder=builder)
    return Consultation(project, folder.parent / "out", Silent())


def advise(folder: Path, builder: str = "buildkit", *names: str) -> Advice:
    return consult(folder, builder).advise(names or None)


@pytest.mark.parametrize("builder", ["classic", "buildkit"])
def test_what_a_package_manager_reads_is_copied_before_it(tmp_path: Path, builder: str) -> None:
    folder = make_project(
        tmp_path / "p",
        {**SOURCES, "Dockerfile": PIP, ".dockerignore": "Dockerfile\n.git\n"},
        [*edits("main.py", 8), {"requirements.txt": "requests==2.32.4\n"}],
    )

    advice = advise(folder, builder)

    # On the classic builder CMD, which nothing strikes, goes before all of them.
    lines = [line for line in advice.dockerfile.text.splitlines() if not line.startswith("CMD")]
    assert lines[2:] == [
        "COPY requirements.txt ./",
        "RUN pip install --no-cache-dir -r requirements.txt",
        "COPY . .",
    ]
    assert [one.rewrite for one in advice.proposals] == ["split-copy"]
    assert advice.after < advice.before / 2
    assert any("requirements" in text for text in advice.obligations)
    (pip,) = (one for one in advice.steps if one.text.startswith("RUN pip"))
    # Ten commits: all of them strike COPY . ., the first and the last the requirements.
    assert pip.before == pytest.approx(1.0)
    assert pip.after == pytest.approx(0.2)


def test_copies_that_change_often_move_behind_those_that_do_not(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY often /often/\nCOPY big /big/\nCOPY seldom /seldom/\n"
    sources = {"often/a": "a", "big/b": "b", "seldom/c": "c", "Dockerfile": text}
    folder = make_project(tmp_path / "p", sources, [*edits("often/a", 9), *edits("seldom/c", 1)])

    advice = advise(folder)

    assert advice.dockerfile.text.splitlines()[1:] == [
        "COPY big /big/",
        "COPY seldom /seldom/",
        "COPY often /often/",
    ]
    (reason,) = advice.reasons
    assert reason.startswith("COPY often /often/ now stands after COPY seldom /seldom/: COPY big")
    assert "runs after 9% of the commits, not after 91%" in reason


def test_a_dockerfile_that_is_as_good_as_can_be_is_left_as_it_is(tmp_path: Path) -> None:
    text = "FROM scratch\nCOPY seldom /seldom/\nCOPY often /often/\nEXPOSE 80\n"
    folder = make_project(
        tmp_path / "p", {"often/a": "a", "seldom/c": "c", "Dockerfile": text}, edits("often/a", 5)
    )

    advice = advise(folder)

    assert not advice.is_better
    assert advice.dockerfile.text == text
    assert advice.before == advice.after
    assert advice.obligations == ()


def test_without_a_history_every_file_counts_alike(tmp_path: Path) -> None:
    folder = tmp_path / "p"
    (folder / "many").mkdir(parents=True)
    (folder / "one").mkdir()
    for number in range(9):
        (folder / "many" / str(number)).write_text("x")
    (folder / "one" / "x").write_text("x")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY many /many/\nCOPY one /one/\n")

    consultation = consult(folder)
    advice = consultation.advise(None)

    assert consultation.history is None
    assert sorted(advice.ranking.weights) == [pytest.approx(0.1), pytest.approx(0.9)]
    assert advice.dockerfile.text == "FROM scratch\nCOPY one /one/\nCOPY many /many/\n"


def test_rewrites_can_be_left_out(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", {**SOURCES, "Dockerfile": PIP}, edits("main.py", 3))
    assert not consult(folder).advise(()).is_better


def test_a_context_of_which_nothing_is_copied_is_told(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "p", {"a": "a", "Dockerfile": "FROM scratch\nCMD x\n"})
    # The Dockerfile's own commit is one, and strikes nothing.
    advice = advise(folder)
    assert not advice.is_better
    (folder / ".git").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="no step takes in a file"):
        advise(folder)
