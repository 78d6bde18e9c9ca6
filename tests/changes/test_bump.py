"""`bump` changes one value and keeps every other byte."""

from __future__ import annotations

import contextlib
import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.changes.bump import bump
from bench.changes.keys import parse_key
from bench.errors import ChangeError

JSON = b"""{
  "name" : "caf\xc3\xa9",\t"tags": ["a" , "b"],
  "dependencies": { "@types/node": "^20", "lodash.merge": "1.0" },
  "n": 3, "ok": true, "nothing": null, "list": [ {"v": "1"}, {"v" :"2"} ],
  "twin": 1, "twin": 2
}
"""
TOML = b"""# top
[package]
name = 'demo'   # keep me
version = "1.0"
[dependencies]
serde = { version = "1.0", features = ["derive"] }
[[bin]]
name = "a"
[[bin]]
name = "b" # second
[tool]
n = 1_000
on = true
"""
XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- <version>no</version> -->
<project xmlns="http://maven.apache.org/POM/4.0.0" a='x > y'>
  <version>
    1.0
  </version>
  <dependencies>
    <dependency><version>1</version></dependency>
    <dependency><version>2</version><scope/></dependency>
  </dependencies>
  <x:other xmlns:x="u">t</x:other>
</project>
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("name", "x", '"caf\u00e9"', '"x"'),
        ("tags[1]", "c", '"b"', '"c"'),
        ("dependencies.@types/node", "^21", '"^20"', '"^21"'),
        ('dependencies."lodash.merge"', "2", '"1.0"', '"2"'),
        ("n", 4, '"n": 3', '"n": 4'),
        ("n", "4", '"n": 3', '"n": 4'),
        ("n", "four", '"n": 3', '"n": "four"'),
        ("ok", False, "true", "false"),
        ("ok", "false", "true", "false"),
        ("nothing", 1.5, "null", "1.5"),
        ("list[1].v", 'q"\u00fc', '"v" :"2"', '"v" :"q\\"\u00fc"'),
        ("twin", 3, '"twin": 2', '"twin": 3'),
    ],
)
def test_json_value_changes_in_place(key: str, value: Any, old: str, new: str) -> None:
    text = JSON.decode()
    assert bump("a.json", JSON, key, value).decode() == text.replace(old, new, 1)


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("package.version", "2.{x}", '"1.0"', '"2.{x}"'),
        ("package.name", "it", "'demo'", '"it"'),
        ("dependencies.serde.version", "1.1", 'version = "1.0", f', 'version = "1.1", f'),
        ("dependencies.serde.features[0]", "rc", '"derive"', '"rc"'),
        ("bin[1].name", "c", '"b"', '"c"'),
        ("tool.n", "2000", "1_000", "2000"),
        ("tool.on", False, "true", "false"),
    ],
)
def test_toml_value_changes_in_place(key: str, value: Any, old: str, new: str) -> None:
    assert bump("Cargo.toml", TOML, key, value).decode() == TOML.decode().replace(old, new, 1)


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("project.version", "2 & 3", "    1.0\n", "    2 &amp; 3\n"),
        ("project.dependencies.dependency[1].version", 9, ">2<", ">9<"),
        ("project.@a", "it's", "'x > y'", "'it&apos;s'"),
        ("project.other", "u", ">t<", ">u<"),
    ],
)
def test_xml_value_changes_in_place(key: str, value: Any, old: str, new: str) -> None:
    assert bump("pom.xml", XML, key, value).decode() == XML.decode().replace(old, new, 1)


def test_xml_in_another_encoding_stays_in_it() -> None:
    content = '<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>'.encode("latin-1")
    changed = bump("a.xml", content, "a", "\u00fc\u20ac")
    assert changed.endswith(b"<a>\xfc&#8364;</a>")


def test_json_keeps_its_byte_order_mark_and_line_ends() -> None:
    assert bump("a.json", b'\xef\xbb\xbf{"a": 1}\r\n', "a", 2) == b'\xef\xbb\xbf{"a": 2}\r\n'


def test_format_is_told_by_name_else_by_content() -> None:
    assert bump("Cargo.lock", b'v = "1"\n', "v", "2") == b'v = "2"\n'
    assert bump("x.csproj", b"<a>1</a>", "a", "2") == b"<a>2</a>"
    assert bump("unknown", b' {"a":1}', "a", 2) == b' {"a":2}'
    assert bump("unknown.svg", b"<a>1</a>", "a", "2") == b"<a>2</a>"
    with pytest.raises(ChangeError, match="neither JSON, TOML nor XML"):
        bump("a.txt", b"text", "a", 2)


@pytest.mark.parametrize(
    ("name", "content", "key", "message"),
    [
        ("a.json", JSON, "dependencies.@types/nod", "no value at key"),
        ("a.json", JSON, "tags[2]", "no value at key"),
        ("a.json", JSON, "name.x", "no value at key"),
        ("a.json", JSON, "tags.x", "no value at key"),
        ("a.json", JSON, "tags", "no single value"),
        ("a.json", JSON, "a..b", "no dotted key"),
        ("a.json", b'{"a": 1,}', "a", "does not parse"),
        ("a.json", b'{"a": 1} x', "a", "does not parse"),
        ("a.json", b"", "a", "does not parse"),
        ("a.json", b'{"a": "\xff"}', "a", "not UTF-8"),
        ("a.json", b"[" * 100_000, "a", "nested too deeply"),
        ("a.toml", TOML, "package.vers", "no value at key"),
        ("a.toml", TOML, "package", "no single value"),
        ("a.toml", TOML, "bin[5].name", "no value at key"),
        ("a.toml", b"a = ", "a", "does not parse"),
        ("a.xml", XML, "project.versio", "no element"),
        ("a.xml", XML, "project.dependencies.dependency.version", "2 elements"),
        ("a.xml", XML, "project.dependencies", "no plain text"),
        ("a.xml", XML, "project.dependencies.dependency[1].scope", "no plain text"),
        ("a.xml", XML, "project.@b", "no attribute"),
        ("a.xml", b"<a>", "a", "does not parse"),
        ("a.xml", b"\xff\xfe<\0a\0>\0", "a", "UTF-16"),
        ("a.xml", b'<?xml version="1.0" encoding="nope"?><a>1</a>', "a", "does not parse"),
    ],
)
def test_what_cannot_be_bumped_is_said_with_a_remedy(
    name: str, content: bytes, key: str, message: str
) -> None:
    with pytest.raises(ChangeError, match=message) as caught:
        bump(name, content, key, "new")
    assert caught.value.remedy


def test_near_names_are_offered() -> None:
    for name, content, key, near in (
        ("a.json", JSON, "dependencies.@types/nod", "@types/node"),
        ("a.toml", TOML, "package.versio", "version"),
        ("a.xml", XML, "project.versio", "version"),
    ):
        with pytest.raises(ChangeError) as caught:
            bump(name, content, key, "new")
        assert repr(near) in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "key", "value"),
    [
        ("a.json", JSON, "n", 3),
        ("a.json", JSON, "n", "3"),
        ("a.toml", TOML, "package.version", "1.0"),
        ("a.xml", XML, "project.version", "1.0"),
    ],
)
def test_same_value_changes_nothing(name: str, content: bytes, key: str, value: Any) -> None:
    with pytest.raises(ChangeError, match="changes nothing"):
        bump(name, content, key, value)


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a", ("a",)),
        ("a.b[0][12].c", ("a", "b", 0, 12, "c")),
        ('"a.b".c', ("a.b", "c")),
        ("@types/node", ("@types/node",)),
        (r'"q\"\u0041"[1]', ('q"A', 1)),
    ],
)
def test_dotted_keys(key: str, parts: tuple[str | int, ...]) -> None:
    assert parse_key(key) == parts


@given(st.text(max_size=30))
def test_any_text_is_a_key_or_a_value_error(key: str) -> None:
    try:
        parts = parse_key(key)
    except ValueError:
        return
    assert parts


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
)
DOCUMENTS = st.dictionaries(
    st.text(),
    st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
)


@given(DOCUMENTS, st.data())
def test_any_json_document_changes_at_the_key_alone(document: Any, data: st.DataObject) -> None:
    document["old"] = "before"
    indent = data.draw(st.sampled_from([None, 0, 3]))
    text = json.dumps(document, indent=indent, ensure_ascii=data.draw(st.booleans()))
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    changed = json.loads(bump("x.json", content, "old", "after"))
    assert changed == {**document, "old": "after"}


@given(
    st.binary(max_size=60), st.sampled_from(["a.json", "a.toml", "a.xml", "a"]), st.text(max_size=8)
)
def test_arbitrary_content_is_changed_or_refused(content: bytes, name: str, key: str) -> None:
    with contextlib.suppress(ChangeError):
        assert bump(name, content, key, "new") != content


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc")), min_size=1))
def test_any_text_can_become_a_value_in_every_format(value: str) -> None:
    stripped = value.strip() or "x"
    assert json.loads(bump("a.json", b'{"a": "old value"}', "a", value))["a"] == value
    toml = bump("a.toml", b'a = "old value"', "a", value).decode()
    assert tomllib.loads(toml)["a"] == value
    if stripped != "old value":
        again = bump("a.xml", b"<a>old value</a>", "a", stripped)
        with_old = bump("a.xml", again, "a", "old value") if again.count(b"<") == 2 else b""
        assert with_old == b"<a>old value</a>"
