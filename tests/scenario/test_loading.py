"""A sound file is read; of an unsound one every problem is told at once."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.errors import ExitCode, ScenarioError
from bench.scenario import load_scenario
from bench.scenario.loading import scenario_name
from bench.scenario.models import ScenarioFile
from tests.scenario.conftest import BODY, DOCKERFILE, HEAD, problems


def test_folder_and_file_give_the_same_scenario(folder: Path) -> None:
    scenario = load_scenario(folder)
    assert scenario == load_scenario(folder / "scenario.toml")
    assert scenario.name == "java-iotd"
    assert scenario.context == folder.resolve() / "app"
    assert scenario.directory == folder.resolve()
    assert [one.name for one in scenario.variants] == ["as-written", "metadata-first"]
    assert scenario.change("edit-source").weight == 80
    assert scenario.change("edit-port").weight == 1
    assert scenario.expects[0].hit is None
    assert scenario.verdicts[0].margin_fraction == pytest.approx(0.025)
    assert scenario.bases["diamol/maven"].standin == "maven"
    assert scenario.network == "none"
    assert scenario.title_in("ko") == "자바"
    assert scenario.title_in("fr") == scenario.title_in("en") == "Java"
    assert scenario.question_in("ko") == "Does it?"


def test_only_context_and_one_variant_are_needed(folder: Path) -> None:
    text = 'context = "app"\n[[variant]]\nname = "a"\ndockerfile = "Dockerfile"\n'
    (folder / "scenario.toml").write_text(text)
    scenario = load_scenario(folder)
    assert (scenario.title, scenario.baseline, scenario.changes) == ("java-iotd", "a", ())


def test_file_of_another_name_gives_the_scenario_its_name(folder: Path) -> None:
    (folder / "Second Try.toml").write_text(HEAD + BODY, encoding="utf-8")
    assert load_scenario(folder / "Second Try.toml").name == "second-try"


@pytest.mark.parametrize(
    ("folder_name", "name"),
    [
        ("java-iotd", "java-iotd"),
        ("My App_2", "my-app-2"),
        ("..", "scenario"),
        ("한국", "scenario"),
    ],
)
def test_scenario_name_fits_a_tag(folder_name: str, name: str) -> None:
    assert scenario_name(folder_name) == name


def test_relative_path_gives_absolute_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    scenario = load_scenario(Path("java-iotd"))
    assert scenario.name == "java-iotd"
    assert scenario.context.is_absolute()
    monkeypatch.chdir(folder)
    assert load_scenario(Path()).name == "java-iotd"


def reordered(place: str) -> str:
    return (HEAD + BODY).replace('before = "WORKDIR"', place)


def test_reorder_may_say_after_what(folder: Path) -> None:
    text = reordered('after = "WORKDIR"')
    (folder / "scenario.toml").write_text(text, encoding="utf-8")
    reorder = load_scenario(folder).variant("metadata-first").reorder
    assert reorder is not None
    assert (reorder.before, reorder.after) == (None, "WORKDIR")


@pytest.mark.parametrize(
    ("place", "key", "message"),
    [
        ('before = "COPY", after = "COPY"', "variant[1].reorder", "has both before and after"),
        ('after = "RUN"', "variant[1].reorder", "no instruction 'RUN' to move to"),
        ('after = ""', "variant[1].reorder.after", "is no usable text"),
        ("after = 1", "variant[1].reorder.after", "is no text"),
        ('aftr = "COPY"', "variant[1].reorder.aftr", "is not a known key"),
    ],
)
def test_reorder_with_a_wrong_place_is_told(
    folder: Path, place: str, key: str, message: str
) -> None:
    found = problems(folder, reordered(place))
    assert list(found) == [key]
    assert message in found[key].message


def test_context_may_be_the_users_own_project_elsewhere(folder: Path, tmp_path: Path) -> None:
    (folder / "app").rename(tmp_path / "project")
    for context in ("../project", str(tmp_path / "project")):
        text = (HEAD + BODY).replace('context = "app"', f'context = "{context}"')
        (folder / "scenario.toml").write_text(text, encoding="utf-8")
        assert load_scenario(folder).context == (tmp_path / "project").resolve()


def test_byte_order_mark_is_no_part_of_the_text(folder: Path) -> None:
    (folder / "scenario.toml").write_bytes(b"\xef\xbb\xbf" + (HEAD + BODY).encode())
    assert load_scenario(folder).title == "Java"


def single(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert len(caught.value.problems) == 1
    assert caught.value.exit_code == ExitCode.USAGE
    return str(caught.value)


def test_folder_without_scenario_file(folder: Path) -> None:
    assert "no scenario.toml in this folder" in single(folder / "app")


def test_path_that_is_not_there(tmp_path: Path) -> None:
    assert "no such file or folder" in single(tmp_path / "nope")
    assert str(tmp_path / "nope") in single(tmp_path / "nope")
    single(Path("a\0b"))
    single(Path("x" * 5000))


def test_syntax_error_tells_the_line(folder: Path) -> None:
    (folder / "scenario.toml").write_text('title = "a"\ncontext = app\n')
    assert "line 2, column 11: is not TOML" in single(folder)


def test_file_that_is_not_utf8_tells_the_byte(folder: Path) -> None:
    (folder / "scenario.toml").write_bytes(b'title = "\xe9"')
    assert "is not UTF-8: byte 9 is 0xe9" in single(folder)


def test_file_nested_too_deeply_or_with_a_number_too_long(folder: Path) -> None:
    (folder / "scenario.toml").write_text("a = " + "[" * 100_000)
    single(folder)
    (folder / "scenario.toml").write_text("a = " + "9" * 10_000)
    single(folder)


def test_every_problem_of_a_file_is_told_at_once(folder: Path) -> None:
    """Schema, names, files, Dockerfiles and changes: one reading tells all."""
    found = problems(
        folder,
        """
titel = "Java"
context = "app"
baseline = "as-writen"
[base."diamol/maven"]
standn = "maven"
[[variant]]
name = "as-written"
dockerfile = "Dockerfile"
target = "biulder"
[[variant]]
name = "as-written"
[[variant]]
name = "Not OK"
reorder = { of = "as-writte", stage = true, move = [] }
[[variant]]
name = "both"
dockerfile = "Dockerfile"
reorder = { of = "as-written", stage = 1, move = ["EXPOSE"] }
[[variant]]
name = "missing"
dockerfile = "Dockerfil"
[[variant]]
name = "wrong-move"
reorder = { of = "as-written", stage = 1, move = ["EXPOS"] }
[[change]]
name = "edit-source"
weight = -1
steps = [
  { append = "../App.java", text = "x" },
  { apend = "src/App.java", text = "x" },
  { append = "a", delete = "b" },
  { chmod = "src/App.java", mod = "0755" },
  { append = "src/Ap.java", text = "x" },
]
[[change]]
name = "empty"
steps = []
[[expect]]
variant = "as-written"
change = "edit-sorce"
builder = "clasic"
miss = ["builder:COPPY . .", "RUN mvn", "3:COPY"]
[[expect]]
variant = "as-written"
change = "edit-source"
[[verdict]]
variant = "nope"
change = "edit-source"
margin = "5"
[[probe]]
variant = "as-written"
timeout = "1"
""",
    )
    assert found.keys() == {
        "titel",
        "baseline",
        'base."diamol/maven".standn',
        "variant[0].target",
        "variant[1]",
        "variant[1].name",
        "variant[2].name",
        "variant[2].reorder.of",
        "variant[2].reorder.stage",
        "variant[2].reorder.move",
        "variant[3]",
        "variant[4].dockerfile",
        "variant[5].reorder",
        "change[0].weight",
        "change[0].steps[0].append",
        "change[0].steps[1]",
        "change[0].steps[2]",
        "change[0].steps[3].mode",
        "change[0].steps[3].mod",
        "change[0].steps[4].append",
        "change[1].steps",
        "expect[0].change",
        "expect[0].builder",
        "expect[0].miss[0]",
        "expect[0].miss[1]",
        "expect[0].miss[2]",
        "expect[1]",
        "verdict[0].ask",
        "verdict[0].variant",
        "verdict[0].margin",
        "probe[0].timeout",
    }
    for key, near in {
        "titel": "'title'",
        "baseline": "'as-written'",
        'base."diamol/maven".standn': "'standin'",
        "variant[0].target": "'builder'",
        "variant[2].reorder.of": "'as-written'",
        "change[0].steps[1]": "'append'",
        "change[0].steps[3].mod": "'mode'",
        "change[0].steps[4].append": "'src/App.java'",
        "expect[0].change": "'edit-source'",
        "expect[0].builder": "'classic'",
        "expect[0].miss[0]": "'COPY . .'",
    }.items():
        assert f"did you mean {near}?" in found[key].remedy


def test_error_text_has_a_line_for_each_problem_with_value_and_remedy(folder: Path) -> None:
    text = (HEAD + BODY).replace('builder = "classic"', 'builder = "clasic"')
    found = problems(folder, text.replace("weight = 80", "weight = -1"))
    assert len(found) == 2
    assert str(found["expect[0].builder"]) == (
        f'{folder / "scenario.toml"}: expect[0].builder = "clasic": '
        "is not a known value — did you mean 'classic'?"
    )


def keys_of(schema: dict[str, Any]) -> set[str]:
    found = set(schema.get("properties", {}))
    for one in schema.get("$defs", {}).values():
        found |= keys_of(one)
    return found


KEYS = st.sampled_from(sorted(keys_of(ScenarioFile.model_json_schema()))) | st.text(max_size=4)


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-5, 5),
        st.floats(),
        st.sampled_from(["", "a", "as-written", "app", "Dockerfile", "..", "\0", "5%", "0:FROM"]),
        st.text(max_size=5),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def toml(value: Any) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, list):
        return f"[{', '.join(toml(one) for one in value)}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value)


DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "title": VALUES,
        "context": st.just("app") | VALUES,
        "baseline": VALUES,
        "network": VALUES,
        "title_i18n": VALUES,
        "base": VALUES,
        **{
            table: st.lists(
                st.dictionaries(st.sampled_from(sorted(keys)), VALUES, max_size=5), max_size=3
            )
            | VALUES
            for table, keys in {
                "variant": {"name", "dockerfile", "reorder", "target", "build_args"},
                "change": {"name", "weight", "steps"},
                "expect": {"variant", "change", "builder", "miss", "hit"},
                "verdict": {"ask", "variant", "change", "against", "margin", "metric"},
                "probe": {"variant", "run", "expect_stdout", "timeout"},
                "access": {"variant", "step", "reads", "writes"},
            }.items()
        },
    },
)


def load_bytes(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "app").mkdir()
        (folder / "app" / "a").write_text("a")
        (folder / "Dockerfile").write_text(DOCKERFILE)
        (folder / "scenario.toml").write_bytes(content)
        try:
            load_scenario(folder)
        except ScenarioError as error:
            assert error.problems  # noqa: PT017 - that nothing else is raised is the point


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_any_document_is_read_or_refused_with_problems(document: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in document.items()]
    load_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))


def altered(document: Any, data: st.DataObject) -> Any:
    """Put something else in a place of the document, chosen at random."""
    if not isinstance(document, (dict, list)) or not document or data.draw(st.integers(0, 5)) == 0:
        return data.draw(VALUES)
    keys = sorted(document) if isinstance(document, dict) else range(len(document))
    place = data.draw(st.sampled_from(list(keys)))
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[place] = altered(document[place], data)
    return changed


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_sound_document_with_something_else_in_it_is_read_or_refused(data: st.DataObject) -> None:
    """Most of the file stays sound, so that the checks behind the schema are reached."""
    document = tomllib.loads(HEAD + BODY)
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from(sorted(document)))
        document[key] = altered(document[key], data)
    lines = [f"{json.dumps(key)} = {toml(value)}" for key, value in document.items()]
    load_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_problems(content: bytes) -> None:
    load_bytes(content)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_sound_file_with_anything_cut_out_is_read_or_refused(data: st.DataObject) -> None:
    content = (HEAD + BODY).encode()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    load_bytes(content[:start] + content[end:])
