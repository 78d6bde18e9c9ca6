from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.orderings.access import Access, AccessSource
from bench.tracing.concluding import RunFacts, StageFacts, conclude, shorten
from bench.tracing.paths import Links, ancestors, covered, is_below
from bench.tracing.touching import Touched


def run(
    *,
    read: set[str] | None = None,
    found: set[str] | None = None,
    entries: set[str] | None = None,
    listed: set[str] | None = None,
    written: set[str] | None = None,
    links: dict[str, str] | None = None,
    cwd: str = "/",
) -> RunFacts:
    seen = Touched(
        read=(read or set()) | (found or set()),
        found=found or set(),
        entries=entries or set(),
        listed=listed or set(),
        written=written or set(),
    )
    return RunFacts(seen, cwd, Links.of(links or {}))


def access(
    *runs: RunFacts, destinations: tuple[str, ...] = (), folders: tuple[str, ...] = ()
) -> Access:
    """Return what is concluded of the first of some RUNs."""
    facts = StageFacts(dict(enumerate(runs, start=2)), folders, destinations)
    return conclude(facts)[2]


def reads(*runs: RunFacts, destinations: tuple[str, ...] = ("/app",)) -> set[str]:
    """Return what the first RUN reads below the places where others write."""
    found = access(*runs, destinations=destinations).reads
    return {path for path in found if path.startswith("/app")}


def test_it_is_said_to_be_observed() -> None:
    assert access(run()).source is AccessSource.OBSERVED


def test_every_run_reads_who_its_user_is() -> None:
    others = access(run(found={"/etc/passwd"}), run(written={"/etc/hosts"}))
    assert set(others.reads) >= {"/etc/passwd", "/etc/group"}


def test_a_folder_that_was_listed_is_read_with_all_that_is_in_it() -> None:
    assert reads(run(listed={"/app/src"}, found={"/app/src/a"})) == {"/app/src"}


def test_of_a_working_directory_only_the_entry_is_read() -> None:
    assert reads(run(entries={"/app"}, cwd="/app")) == {"/app/."}


def test_a_folder_that_holds_a_file_which_is_read_is_there_with_that_file() -> None:
    assert reads(run(entries={"/app/d"}, found={"/app/d/x/y"})) == {"/app/d/.", "/app/d/x/y"}


def test_a_folder_that_others_may_make_is_read_with_all_that_is_in_it() -> None:
    assert reads(run(entries={"/app/d"})) == {"/app/d"}
    known = access(run(entries={"/app/d"}), destinations=("/app",), folders=("/app/d",))
    assert "/app/d/." in known.reads


def test_what_the_run_itself_wrote_is_not_read() -> None:
    found = access(run(written={"/app/d"}, found={"/app/d/x", "/app/y"}), destinations=("/app",))
    assert found.writes == ("/app/d",)
    assert {path for path in found.reads if path.startswith("/app")} == {"/app/y"}


def test_a_name_with_the_letters_of_a_pattern_is_its_folder() -> None:
    assert reads(run(found={"/app/pages/[id].tsx"})) == {"/app/pages"}
    assert access(run(written={"/app/*"})).writes == ("/app",)


def test_a_folder_stands_for_what_is_in_it_where_nobody_else_is() -> None:
    libraries = {f"/usr/lib/{name}" for name in "abc"}
    found = access(run(found=libraries | {"/app/x", "/app/y"}), destinations=("/app",))
    assert set(found.reads) == {"/usr", "/app/x", "/app/y", "/etc"}


def test_two_runs_in_one_folder_stay_apart() -> None:
    one, other = run(written={"/var/a/1", "/var/a/2"}), run(found={"/var/b/1", "/var/b/2"})
    found = conclude(StageFacts({2: one, 3: other}))
    assert found[2].writes == ("/var/a",)
    assert "/var/b" in found[3].reads


def test_a_destination_behind_a_link_is_named_as_the_instruction_names_it() -> None:
    """COPY x /link/ puts it where the RUN reads, but says so by another name."""
    one = run(found={"/real/x"}, links={"/link": "/real"})
    assert "/link" in access(one, destinations=("/link",)).reads
    writer = run(written={"/real/sub/x"}, links={"/link": "/real"})
    assert "/link/sub" in access(writer, destinations=("/link/sub",)).writes
    assert "/other" not in access(writer, destinations=("/other",)).writes


PATHS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(paths=st.sets(PATHS, max_size=12), foreign=st.sets(PATHS, max_size=6))
def test_shortening_says_more_but_nothing_that_others_touch(
    paths: set[str], foreign: set[str]
) -> None:
    short = shorten(paths, foreign)
    assert len(short) <= len(paths)
    assert all(covered(path, short) for path in paths)
    for path in short - paths:
        assert not any(is_below(path, one) or is_below(one, path) for one in foreign)
        assert any(path in ancestors(one) for one in paths)
