"""``bench schema`` describes what is written in the file, every key with its meaning."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from bench.changes import OPERATIONS
from bench.cli.schema import schema


def printed() -> dict[str, Any]:
    result = CliRunner().invoke(schema)
    assert result.exit_code == 0
    document: dict[str, Any] = json.loads(result.output)
    return document


def tables(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"scenario.toml": document, **document["$defs"]}


def test_keys_are_those_of_the_file() -> None:
    document = printed()
    assert {"variant", "change", "expect", "verdict", "probe", "access", "base"} <= set(
        document["properties"]
    )
    assert sorted(document["required"]) == ["context", "variant"]
    assert document["$schema"].endswith("2020-12/schema")


def test_every_table_and_key_is_described_and_closed() -> None:
    for name, table in tables(printed()).items():
        assert table["description"], name
        assert table["additionalProperties"] is False, name
        for key, entry in table["properties"].items():
            assert entry.get("description"), (name, key)


def test_every_operation_is_a_table_with_its_key_required() -> None:
    defined = [table for table in printed()["$defs"].values() if "required" in table]
    required = {key for table in defined for key in table["required"]}
    assert set(OPERATIONS) <= required


def test_either_dockerfile_or_reorder_and_at_least_one_of_hit_and_miss() -> None:
    document = printed()
    assert document["$defs"]["Variant"]["oneOf"]
    assert document["$defs"]["Expect"]["anyOf"]
