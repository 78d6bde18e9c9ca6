"""When a miss could have been avoided by ``.dockerignore``, and what is said then."""

from __future__ import annotations

import pytest

from bench.cache_model import ReasonKind
from bench.explain.account import Account
from bench.explain.ignorable import Hints, is_dockerfile, is_ignorable


def copied(*paths: str, text: str = "COPY . .", kind: str = ReasonKind.FILE_CONTENT) -> Account:
    return Account("0", 0, 3, 3, "COPY", text, "miss", reason=kind, detail="…", paths=paths)


def own(path: str) -> bool:
    return path == "docker/Dockerfile"


@pytest.mark.parametrize(
    "path",
    [
        *("README.md", "readme", "docs/api/v1.txt", "a/b/NOTES.md", "LICENSE", "CHANGELOG.rst"),
        *(".git/index", ".gitignore", ".dockerignore", ".github/workflows/ci.yml", ".DS_Store"),
        *("Dockerfile", "docker/web.Dockerfile", "Dockerfile.dev", "compose.yaml", "x.log"),
        *("docker-compose.override.yml", "app/__pycache__/x.pyc", "node_modules/a/index.js"),
    ],
)
def test_what_a_build_can_do_without(path: str) -> None:
    assert is_ignorable(path)


@pytest.mark.parametrize(
    "path",
    [
        *("src/App.java", "pom.xml", "package.json", ".env", "changes.py", "licenses/list.txt"),
        *("app/readme_parser.py", "Makefile", "notice_board.js", "gitignore", "dockerfiles.go"),
    ],
)
def test_what_a_build_may_need(path: str) -> None:
    assert not is_ignorable(path)


def test_dockerfiles_by_name() -> None:
    assert is_dockerfile("a/Dockerfile")
    assert is_dockerfile("web.Containerfile")
    assert not is_dockerfile("dockerfile_test.go")


@pytest.mark.parametrize("has_file", [True, None])
def test_an_ignorable_file_is_one_that_the_ignore_file_does_not_list(has_file: bool | None) -> None:
    hints = Hints(own, has_ignore_file=has_file)

    assert hints(copied("README.md")) == " (.dockerignore does not list it)"
    assert hints(copied("README.md", ".git/index")) == " (.dockerignore does not list them)"


def test_without_an_ignore_file_that_is_said() -> None:
    hints = Hints(own, has_ignore_file=False)

    assert hints(copied("README.md")) == " (there is no .dockerignore that keeps it out)"
    assert "write a .dockerignore that lists it" in hints(copied("docker/Dockerfile"))


def test_the_dockerfile_itself_has_a_remedy_of_its_own() -> None:
    assert Hints(own, has_ignore_file=True)(copied("docker/Dockerfile")) == (
        " (the Dockerfile itself: list it in .dockerignore)"
    )
    assert Hints(own, has_ignore_file=True)(copied("other/Dockerfile")) == (
        " (.dockerignore does not list it)"
    )
    assert Hints(own, has_ignore_file=True)(copied("docker/Dockerfile", "README.md")) == (
        " (.dockerignore does not list them)"
    )


def test_over_a_tar_the_dockerfile_is_sent_whatever_is_ignored() -> None:
    hint = Hints(sends_dockerfile=True)(copied("Dockerfile"))

    assert hint == (
        " (the Dockerfile itself: docker buildx leaves it out if .dockerignore lists it)"
    )


@pytest.mark.parametrize(
    "account",
    [
        copied("README.md", "src/App.java"),
        copied("src/App.java"),
        copied(),
        copied("README.md", text="COPY README.md LICENSE /docs/"),
        copied("README.md", text='COPY ["./README.md", "/"]'),
        copied("README.md", kind=ReasonKind.BUILD_ARG),
    ],
)
def test_no_hint_where_the_miss_was_due(account: Account) -> None:
    """A file that is needed changed too, or the instruction asks for the file by name."""
    assert Hints(own, has_ignore_file=True)(account) == ""
