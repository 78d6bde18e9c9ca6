"""``bench schema``: the JSON Schema of a scenario file."""

from __future__ import annotations

import json

import click

from bench.scenario.models import ScenarioFile


@click.command(
    epilog="""\b
Examples:
  bench schema > scenario.schema.json"""
)
def schema() -> None:
    """Print the JSON Schema of scenario.toml, for editors and other tools.

    It describes what is written in the file; `bench plan` also checks what a schema cannot say
    (names, files, Dockerfiles).
    """
    document = ScenarioFile.model_json_schema(by_alias=True, mode="validation")
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
