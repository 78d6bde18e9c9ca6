"""Which files are edited: the most often changed, or what looks like source and dependencies."""

from __future__ import annotations

from collections import Counter

from pydantic import TypeAdapter

from bench.changes.fields import Name
from bench.dockerfile import parse
from bench.scenario.choosing import Choice, change_name, choose
from bench.scenario.history import History
from bench.scenario.intake import intakes


def chosen(
    files: dict[str, str], counts: dict[str, int] | None = None, dockerfile: str = "COPY . ."
) -> Choice:
    taken = intakes(parse(f"FROM a\n{dockerfile}\n"), files)
    history = History(sum((counts or {}).values()), Counter(counts or {}))
    return choose(taken, history, lambda path: files[path].encode())


def weights(choice: Choice) -> dict[str, int]:
    return {one.path: one.weight for one in choice.chosen}


def test_the_most_often_changed_files_are_chosen_and_weighted_by_how_often() -> None:
    files = dict.fromkeys(["a.py", "b.py", "c.py", "d.py", "never.py"], "x\n")
    counts = {"a.py": 2, "b.py": 9, "c.py": 5, "d.py": 1, "gone.py": 50}
    assert weights(chosen(files, counts)) == {"b.py": 9, "c.py": 5, "a.py": 2}


def test_files_that_no_instruction_takes_are_not_chosen() -> None:
    files = {"src/a.py": "x\n", "README.md": "x\n"}
    counts = {"README.md": 90, "src/a.py": 1}
    assert weights(chosen(files, counts, "COPY src .")) == {"src/a.py": 1}


def test_an_instruction_that_takes_none_of_them_adds_its_own() -> None:
    files = dict.fromkeys(["src/a.py", "src/b.py", "src/c.py", "requirements.txt"], "x\n")
    counts = {"src/a.py": 9, "src/b.py": 8, "src/c.py": 7, "requirements.txt": 1}
    choice = chosen(files, counts, "COPY requirements.txt .\nCOPY src .")
    assert weights(choice) == counts


def test_files_that_cannot_be_edited_are_passed_over_and_told() -> None:
    choice = chosen({"package-lock.json": "{}", "a.js": "x\n"}, {"package-lock.json": 9, "a.js": 1})
    assert weights(choice) == {"a.js": 1}
    assert "lock file" in choice.left_out["package-lock.json"]


def test_without_a_history_one_source_and_one_manifest_are_ten_to_one() -> None:
    files = dict.fromkeys(
        [
            "README.md",
            "node_modules/main.js",
            "test/app.js",
            "lib/deep/index.js",
            "server.js",
            "style.css",
        ],
        "x\n",
    )
    files["package.json"] = '{"version": "1.0.0"}'
    assert weights(chosen(files)) == {"server.js": 10, "package.json": 1}
    assert list(weights(chosen({"README.md": "x\n", "logo.bin": "x"}))) == ["README.md"]


def test_a_manifest_without_a_harmless_edit_is_told() -> None:
    choice = chosen({"package.json": "{}", "a.js": "x\n"})
    assert weights(choice) == {"a.js": 10}
    assert "no version or description" in choice.left_out["package.json"]


def test_a_history_of_other_files_counts_as_none() -> None:
    assert weights(chosen({"a.py": "x\n"}, {"other.py": 3})) == {"a.py": 10}


def test_files_that_cannot_be_read_are_left_out() -> None:
    taken = intakes(parse("FROM a\nCOPY . .\n"), ["a.py"])
    assert choose(taken, History(), lambda _: None).left_out == {"a.py": "cannot be read"}


def test_names_are_unique_and_can_be_used() -> None:
    adapter: TypeAdapter[str] = TypeAdapter(Name)
    taken: set[str] = {"none", "edit-port"}
    for path in ["src/App.java", "x/App.java", "y/x/App.java", "port", "ü", "한/한", "a" * 300] * 2:
        name = adapter.validate_python(change_name(path, taken))
        assert name not in taken
        taken.add(name)
    assert change_name("src/App.java", set()) == "edit-app-java"
    assert change_name("x/App.java", {"edit-app-java"}) == "edit-x-app-java"
