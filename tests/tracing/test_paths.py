from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.tracing.paths import Links, TooManyMeaningsError, ancestors, covered, is_below


def resolve(links: dict[str, str], path: str, *, follow: bool = True, base: str = "/") -> set[str]:
    return set(Links.of(links).resolve(path, base=base, follow=follow).paths)


def test_links_in_the_middle_and_at_the_end_are_followed() -> None:
    links = {"/lib": "usr/lib", "/usr/lib/so": "so.1", "/abs": "/lib/so"}
    assert resolve(links, "/lib/x") == {"/usr/lib/x"}
    assert resolve(links, "/abs") == {"/usr/lib/so.1"}
    assert resolve(links, "/abs", follow=False) == {"/abs"}
    assert resolve(links, "/lib/", follow=False) == {"/usr/lib"}


def test_dots_lead_up_from_where_a_link_led() -> None:
    assert resolve({"/a": "/b/c"}, "/a/../x") == {"/b/x"}
    assert resolve({}, "../../x", base="/app") == {"/x"}
    assert resolve({}, "./x//y/.", base="/app") == {"/app/x/y"}


def test_the_links_on_the_way_and_folders_left_again_are_told() -> None:
    resolved = Links.of({"/a": "b", "/b": "/c"}).resolve("/a/d/../x", follow=True)
    assert resolved.paths == {"/c/x"}
    assert resolved.passed == {"/a", "/b", "/c/d"}


def test_links_in_a_circle_lead_nowhere() -> None:
    assert resolve({"/a": "b", "/b": "a"}, "/a/x") == set()


def test_another_root_is_not_left() -> None:
    links = Links.of({"/jail/a": "/b", "/jail/b": "../../../c"})
    resolved = links.resolve("/a", follow=True, root="/jail")
    assert resolved.paths == {"/jail/c"}


def test_a_link_that_changes_means_all_that_it_ever_said() -> None:
    links = Links.of({"/now": "/one"})
    links.gone("/now")
    links.made("/now", "/two")
    assert links.resolve("/now/x", follow=True).paths == {"/now/x", "/one/x", "/two/x"}


def test_a_folder_takes_its_links_along() -> None:
    links = Links.of({"/a/l": "/x"})
    links.moved("/a", "/b")
    assert links.resolve("/b/l", follow=True).paths == {"/b/l", "/x"}


def test_what_is_above_and_below() -> None:
    assert ancestors("/a/b/c") == ["/a/b", "/a", "/"]
    assert ancestors("/") == []
    assert is_below("/a/b", "/a")
    assert is_below("/a", "/")
    assert not is_below("/ab", "/a")
    assert covered("/a/b", {"/a"})
    assert not covered("/a", {"/a/b"})


NAMES = st.sampled_from(["a", "b", "c"])
PARTS = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=5)
PLACES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.tuples(st.booleans(), PARTS.map("/".join))
CHANGES = st.lists(
    st.tuples(st.sampled_from(["folder", "link", "remove", "move"]), PLACES, TARGETS, PLACES),
    max_size=12,
)


@settings(max_examples=150)
@given(changes=CHANGES, paths=st.lists(st.tuples(PARTS.map("/".join), st.booleans()), max_size=6))
def test_a_path_never_means_a_file_that_was_not_thought_of(
    changes: list[tuple[str, str, tuple[bool, str], str]], paths: list[tuple[str, bool]]
) -> None:
    """Hold it against the kernel, after every one of many changes to a real folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(folder)
        links = Links()
        for change, place, (absolute, target), other in changes:
            _change(root, links, change, place, f"{root}/{target}" if absolute else target, other)
            for path, follow in paths:
                real = _kernel(f"{root}/{path}", follow=follow)
                meant = links.resolve(f"{root}/{path}", follow=follow).paths
                assert real is None or real in meant


@settings(max_examples=100)
@given(
    built=st.lists(st.tuples(PLACES, TARGETS), max_size=6),
    paths=st.lists(st.tuples(PARTS.map("/".join), st.booleans()), max_size=6),
)
def test_a_path_among_links_that_stay_means_exactly_one_file(
    built: list[tuple[str, tuple[bool, str]]], paths: list[tuple[str, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.realpath(folder)
        said: dict[str, str] = {}
        for place, (absolute, target) in built:
            path = Path(root, place)
            text = f"{root}/{target}" if absolute else target
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(text)
                said[_kernel(str(path), follow=False) or ""] = text
        links = Links.of(said)
        for name, follow in paths:
            real = _kernel(f"{root}/{name}", follow=follow)
            if real is not None:
                assert links.resolve(f"{root}/{name}", follow=follow).paths == {real}


def _kernel(path: str, *, follow: bool) -> str | None:
    """Return where the kernel says that a path leads; None where there is nothing."""
    try:
        opened = os.open(path, os.O_PATH | (0 if follow else os.O_NOFOLLOW))
    except OSError:
        return None
    try:
        return str(Path(f"/proc/self/fd/{opened}").readlink())
    finally:
        os.close(opened)


def _change(root: str, links: Links, change: str, place: str, target: str, other: str) -> None:
    """Change a real folder, and tell ``links`` what strace would tell."""
    path = Path(root, place)
    at = links.resolve(str(path), follow=False).paths
    with contextlib.suppress(OSError):
        if change == "folder":
            path.mkdir()
        elif change == "link":
            path.symlink_to(target)
            for one in at:
                links.made(one, target)
        elif change == "remove":
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
            for one in at:
                links.gone(one)
        else:
            to = links.resolve(f"{root}/{other}", follow=False).paths
            path.rename(f"{root}/{other}")
            for one in at:
                for new in to:
                    links.gone(new)
                    links.moved(one, new)


def test_the_kernel_is_asked_without_following_the_last_link(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("nowhere")
    assert _kernel(f"{tmp_path}/l", follow=False) == f"{tmp_path}/l"
    assert _kernel(f"{tmp_path}/l", follow=True) is None


def test_a_path_through_a_link_that_changes_all_the_time_is_refused() -> None:
    links = Links()
    for number in range(3000):
        links.made("/now", f"/{number}")
    with pytest.raises(TooManyMeaningsError):
        links.resolve("/now/x", follow=True)
