"""Layer sizes out of an image's history, as recorded from real engines."""

from __future__ import annotations

from bench.builders.images import ImageFacts, match_sizes, new_layer_bytes

# `FROM base / WORKDIR /w / WORKDIR /w / COPY / RUN true / ENV / RUN with an ARG / CMD`.
CLASSIC = (
    ("cachebench: base layer", 1_982_298),
    ("cachebench: base layer", 0),
    ("/bin/sh -c #(nop) WORKDIR /w", 0),
    ("/bin/sh -c #(nop) WORKDIR /w", 0),
    ("/bin/sh -c #(nop) COPY file:54b20459f18d2d8ca23893 in /f ", 1000),
    ("/bin/sh -c true", 0),
    ("/bin/sh -c #(nop)  ENV A=1", 0),
    ("|1 B=2 /bin/sh -c cat /f /f > /b.txt", 2000),
    ('/bin/sh -c #(nop)  CMD ["x"]', 0),
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
    assert match_sizes(BUILDKIT, 7) == (1_982_298, 0, 0, 0, 1000, 0, 2000)


def test_the_classic_builder_leaves_out_layers_that_hold_nothing() -> None:
    sizes = match_sizes(CLASSIC, 5)

    assert sizes is not None
    assert [size for size in sizes if size] == [1_982_298, 1000, 2000]
    assert len(sizes) == 5


def test_a_history_that_fits_no_count_of_layers_gives_no_sizes() -> None:
    assert match_sizes(CLASSIC, 12) is None


def test_a_push_moves_the_layers_that_are_not_there_yet() -> None:
    image = ImageFacts("id", 60, ("a", "b", "c"), (10, 20, 30))

    assert new_layer_bytes(image, ["a"]) == 50
    assert new_layer_bytes(image, ["a", "b", "c"]) == 0
    assert new_layer_bytes(ImageFacts("id", 60, ("a",), None), []) is None
