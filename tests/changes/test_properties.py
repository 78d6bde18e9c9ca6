"""Whatever a change says, nothing outside of the scratch copy is written, and ids decide all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.changes import Change, ChangeIds, SourceState, apply_change
from bench.changes.trees import fingerprint
from bench.errors import ChangeError
from tests.changes.conftest import populate

IDS = ChangeIds(id="0f3a9c", port=20001, n=7, round=2)

NAMES = st.sampled_from(
    [
        *("..", ".", "", "src", "main.go", "app.js", "package.json", "Dockerfile", "new", "{id}"),
        *("out", "out-file", "up", "abs", "dangling", "loop", "inside", "hard", "secret", "etc"),
        *("\0", "~", "a b", "-rf", "x" * 300, "..\\..", "%2e%2e"),
    ]
)
PATHS = st.builds(
    lambda start, parts: start + "/".join(parts),
    st.sampled_from(["", "", "", "/", "//", "./", "../", "{TMP}/outside/"]),
    st.lists(NAMES, min_size=1, max_size=4),
)
TEXTS = st.sampled_from(["", "x", "{id}\n", "{port}", "const", "EXPOSE 80", "package main\n"])


def table(operation: str, /, **others: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({operation: PATHS, **others})


STEPS = st.one_of(
    table("append", text=TEXTS),
    table("prepend", text=TEXTS),
    table("replace", old=TEXTS, new=TEXTS),
    table("write", text=TEXTS),
    table("grow", bytes=st.integers(0, 100)),
    table("delete"),
    table("rename", to=PATHS),
    table("copy", to=PATHS),
    table("touch"),
    table("chmod", mode=st.sampled_from(["0755", "0644", "0600"])),
    table("bump", key=st.sampled_from(["version", "x"]), value=TEXTS),
    table("revert"),
    table("patch"),
    st.fixed_dictionaries({"dockerfile": TEXTS, "with": TEXTS}),
    st.fixed_dictionaries({"dockerignore": TEXTS}),
)


def build(base: Path) -> SourceState:
    """A tree full of ways out: links up, absolute, dangling, in a circle, and hard links."""
    outside = base / "outside"
    outside.mkdir()
    (outside / "secret").write_text("precious")
    (base / "scenario").mkdir()
    populate(base / "pristine")
    (base / "pristine" / "inside").symlink_to("src")
    root = base / "work"
    shutil.copytree(base / "pristine", root, symlinks=True)
    (root / "out").symlink_to("../outside")
    (root / "out-file").symlink_to("../outside/secret")
    (root / "up").symlink_to("..")
    (root / "abs").symlink_to(outside)
    (root / "dangling").symlink_to("../outside/not-yet")
    (root / "loop").symlink_to("loop")
    (root / "src" / "out").symlink_to("../../outside")
    (root / "src" / "secret").symlink_to("../secret")
    (root / "hard").hardlink_to(outside / "secret")
    return SourceState(
        root=root,
        dockerfile="Dockerfile",
        source=base / "pristine",
        pristine=base / "pristine",
        scenario=base / "scenario",
    )


def outside_of(base: Path) -> dict[str, Any]:
    # The folder that holds all of it, its link count and times included.
    names = {"outside", "pristine", "scenario"}
    prints = {name: fingerprint(base / name) for name in names}
    times = {name: (base / name).stat().st_mtime_ns for name in names}
    return {"prints": prints, "times": times, "entries": sorted(os.listdir(base))}  # noqa: PTH208


def parsed(base: Path, steps: list[dict[str, Any]]) -> Change | None:
    def spelled(value: Any) -> Any:
        return value.replace("{TMP}", str(base)) if isinstance(value, str) else value

    tables = [{key: spelled(one) for key, one in step.items()} for step in steps]
    try:
        return Change.model_validate({"name": "c", "steps": tables})
    except ValidationError:
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_hostile_changes_never_write_outside_of_the_scratch_copy(
    steps: list[dict[str, Any]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        state = build(base)
        before = outside_of(base)
        # One by one, so that a step that is refused does not keep the next from trying.
        for step in steps:
            change = parsed(base, [step])
            if change is None:
                continue
            with contextlib.suppress(ChangeError):
                apply_change(change, state, IDS)
        assert outside_of(base) == before


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, min_size=1, max_size=4), st.integers(0, 3))
def test_same_ids_give_the_same_tree_and_the_same_refusal(
    steps: list[dict[str, Any]], number: int
) -> None:
    results = []
    ids = ChangeIds(id=f"{number:x}", port=2000 + number, n=number, round=number)
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            base = Path(folder)
            state = build(base)
            change = parsed(Path("/absolute"), steps)
            if change is None:
                return
            try:
                apply_change(change, state, ids)
                said = ""
            except ChangeError as error:
                said = error.message.replace(folder, "")
            tree = {
                name: (one.kind, one.mode, one.content.replace(folder, ""))
                for name, one in fingerprint(state.root).items()
            }
            results.append((said, tree, state.build_args))
    assert results[0] == results[1]
