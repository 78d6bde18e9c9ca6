"""Layer sizes out of an image's history, as recorded from real engines."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from bench.builders import BUILDERS, make_builder
from bench.builders.images import (
    HistoryEntry,
    ImageFacts,
    image_facts,
    match_sizes,
    new_layer_bytes,
)
from tests.builders.contexts import plain_request

if TYPE_CHECKING:
    from pathlib import Path

    import docker

# `FROM base / RUN : / RUN mkdir / COPY / RUN true / ENV / WORKDIR /w / WORKDIR /w / RUN with an
# ARG / CMD`: what made it, its bytes, and how many layers the image had after it.
CLASSIC = (
    ("cachebench: base layer", 1_982_298, 1),
    ("cachebench: base layer", 0, 2),
    ("/bin/sh -c : nothing", 0, 2),
    ("/bin/sh -c mkdir /d", 0, 3),
    ("/bin/sh -c #(nop) COPY file:54b20459f18d2d8ca23893 in /f ", 1000, 4),
    ("/bin/sh -c true", 0, 4),
    ("/bin/sh -c #(nop)  ENV A=1", 0, 4),
    ("/bin/sh -c #(nop) WORKDIR /w", 0, 5),
    ("/bin/sh -c #(nop) WORKDIR /w", 0, 5),
    ("|1 B=2 /bin/sh -c cat /f /f > /b.txt", 2000, 6),
    ('/bin/sh -c #(nop)  CMD ["x"]', 0, 6),
)
BUILDKIT = (
    ("cachebench: base layer", 1_982_298),
    ("cachebench: base layer", 0),
    ("WORKDIR /w", 0),
    ("WORKDIR /w", 0),
    ("COPY f /f # buildkit", 1000),
    ("RUN /bin/sh -c true # buildkit", 0),
    ("ENV A=1", 0),
    ("RUN |1 B=2 /bin/sh -c cat /f /f > /b.txt # buildkit", 2000),
    ('CMD ["x"]', 0),
)


def test_buildkit_keeps_layers_that_hold_nothing() -> None:
    history = [HistoryEntry("<missing>", made_by, size) for made_by, size in BUILDKIT]

    assert match_sizes(history, 7) == (1_982_298, 0, 0, 0, 1000, 0, 2000)


def test_the_classic_builder_leaves_out_layers_that_hold_nothing() -> None:
    history = [HistoryEntry(str(n), text, size) for n, (text, size, _) in enumerate(CLASSIC)]
    counts = {str(n): count for n, (_, _, count) in enumerate(CLASSIC)}

    sizes = match_sizes(history, 6, lambda entry: counts[entry.image])

    assert sizes == (1_982_298, 0, 0, 1000, 0, 2000)


def test_a_history_that_fits_no_count_of_layers_gives_no_sizes() -> None:
    history = [HistoryEntry("<missing>", made_by, size) for made_by, size, _ in CLASSIC]

    assert match_sizes(history, 12) is None
    assert match_sizes(history, 6) is None, "rather no figure than one of the wrong layer"


@pytest.mark.engine
@pytest.mark.parametrize("builder", BUILDERS)
def test_every_layer_has_the_size_of_the_instruction_that_made_it(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path, builder: str
) -> None:
    """Empty layers and instructions that make none lie between those with bytes."""
    tag = f"localhost:1/cachebench-test-images:{secrets.token_hex(6)}"
    lines = ["RUN : {0}", "RUN mkdir /d", "COPY a /a", "RUN true", "WORKDIR /w", "WORKDIR /w"]
    text = "\n".join([f"FROM {busybox_image}", *lines, "COPY b /b", ""]).format(tag)
    files = {"a": "a" * 500_000, "b": "b" * 1_500_000}
    build = make_builder(builder, any_engine).build(plain_request(tmp_path, text, files, tag))
    try:
        facts = image_facts(any_engine, build.image_id or "")
    finally:
        any_engine.images.remove(tag, force=True)

    assert facts is not None
    assert facts.layer_bytes is not None
    assert len(facts.layer_bytes) == len(facts.layers)
    big = [round(size / 1000, -2) for size in facts.layer_bytes]
    assert big[1:] == ([0, 500, 0, 1500] if builder == "classic" else [0, 0, 500, 0, 0, 0, 1500])


def test_a_push_moves_the_layers_that_are_not_there_yet() -> None:
    image = ImageFacts("id", 60, ("a", "b", "c"), (10, 20, 30))

    assert new_layer_bytes(image, ["a"]) == 50
    assert new_layer_bytes(image, ["a", "b", "c"]) == 0
    assert new_layer_bytes(ImageFacts("id", 60, ("a",), None), []) is None
