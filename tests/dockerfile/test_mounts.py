from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dockerfile import has_cache_mounts, parse, rename_cache_mounts

TEXT = """\
FROM a
RUN --mount=type=cache,target=/root/.m2 mvn --mount=type=cache,target=/x package
RUN --network=none --mount=type=bind,target=/b \\
# between
    --mount=target=/c/,sharing=locked,type=cache,id=/root/.m2 \\
    go build
COPY a b
RUN --mount=type=bind,source=type=cache,target=/t true
RUN echo --mount=type=cache,target=/no
RUN --mount=TYPE=cache,DST=rel/../dir/ <<EOF
--mount=type=cache,target=/no
EOF
RUN --mount=type=cache,"target=/q" --mount=type=tmpfs,target=/t true
"""


def test_every_cache_mount_gets_an_id_of_its_own_and_nothing_else_changes() -> None:
    assert rename_cache_mounts(parse(TEXT), "s-") == (
        TEXT.replace("=/root/.m2 mvn", "=/root/.m2,id=s-/root/.m2 mvn")
        .replace("id=/root/.m2 \\", "id=s-/root/.m2 \\")
        .replace("DST=rel/../dir/", "DST=rel/../dir/,id=s-dir")
        .replace('"target=/q"', "target=/q,id=s-/q")
    )


def test_mounts_that_shared_a_cache_share_one_still() -> None:
    renamed = parse(rename_cache_mounts(parse(TEXT), "s-"))
    ids = [
        mount.rpartition("id=")[2]
        for one in renamed.stages[0].instructions
        for mount in one.flag_values("mount")
        if "id=" in mount
    ]
    assert ids == ["s-/root/.m2", "s-/root/.m2", "s-dir", "s-/q"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FROM a\nRUN --mount=type=cache,target=/c x", True),
        ("FROM a\nRUN --mount=type=bind,target=/c x", False),
        ("FROM a\nRUN echo --mount=type=cache,target=/c", False),
    ],
)
def test_cache_mounts_are_found(text: str, expected: bool) -> None:
    assert has_cache_mounts(parse(text)) is expected


@given(
    st.lists(
        st.sampled_from(
            [
                *("RUN --mount=type=cache,target=/a x", "RUN --mount=type=bind,target=/b \\\n x"),
                *(
                    "# c",
                    "COPY --link a b",
                    "RUN --mount=id=q,type=cache,dst=/c \\\n\n x",
                    "FROM b",
                ),
            ]
        )
    )
)
def test_lines_and_instructions_stay_where_they_are(pieces: list[str]) -> None:
    before = parse("\n".join(["FROM a", *pieces]))
    after = parse(rename_cache_mounts(before, "s-"))
    for old, new in zip(before.stages, after.stages, strict=True):
        assert [(o.line, o.end_line, o.keyword, o.arguments) for o in old.instructions] == [
            (n.line, n.end_line, n.keyword, n.arguments) for n in new.instructions
        ]
