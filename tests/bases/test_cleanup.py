"""Which build-cache records are a run's own, and which are somebody else's."""

from __future__ import annotations

import datetime as dt

from bench.bases.cleanup import CacheRecord, Window, own_records

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
WINDOW = Window(DAY, DAY + dt.timedelta(seconds=10))


def record(name: str, description: str, *parents: str, at: float = 5.0) -> CacheRecord:
    return CacheRecord(name, parents, description, DAY + dt.timedelta(seconds=at))


BASE = record("base", "from local ", at=-100.0)
SALTED = record("salted", "from local ", "base")
STEP = record("step", "[1/2] COPY a b", "salted")
MARKER = record("marker", "mount / from exec /bin/sh -c : salt-marker-abc", "salted")
CONTEXT = record("context", "http url http://build-context-xyz")


def own(
    *records: CacheRecord, before: frozenset[str] | None = frozenset({"base"}), **settings: bool
) -> set[str]:
    return own_records(records, before=before, salts=["abc"], windows=[WINDOW], **settings)


def test_all_that_hangs_below_the_salted_base_is_the_run_s() -> None:
    assert own(BASE, SALTED, STEP, MARKER, CONTEXT) == {"salted", "step", "marker", "context"}


def test_what_another_builds_on_the_same_base_meanwhile_is_left_alone() -> None:
    other = record("other", "[1/2] RUN make", "base")
    marker_of_another = record("m2", "mount / from exec : salt-marker-def", "base")

    found = own(BASE, SALTED, STEP, MARKER, other, marker_of_another)

    assert found == {"salted", "step", "marker"}


def test_what_was_there_before_is_never_taken() -> None:
    assert own(BASE, SALTED, MARKER, before=frozenset({"base", "salted"})) == {"marker"}


def test_a_base_s_own_record_is_taken_only_if_it_came_with_the_run() -> None:
    new_base = record("base", "from local ")

    assert "base" in own(new_base, SALTED, MARKER, before=frozenset())
    user = record("user", "RUN x", "base")
    assert "base" not in own(new_base, SALTED, MARKER, user, before=frozenset())


def test_without_knowledge_of_before_nothing_above_a_salt_is_taken() -> None:
    assert own(BASE, SALTED, STEP, MARKER, before=None) == {"salted", "step", "marker"}


def test_contexts_count_only_while_the_run_was_building() -> None:
    late = record("late", "http url http://build-context-abc", at=20.0)
    unpacked = record("unpacked", "copy /context /")

    assert own(late, unpacked) == {"unpacked"}


def test_bases_that_cannot_be_marked_are_found_by_time_where_the_run_had_such() -> None:
    scratch = record("scratch", "from local ")
    salted, step = record("s2", "from local ", "base"), record("step2", "COPY a b", "s2")

    assert own(BASE, scratch, salted, step) == set()
    assert own(BASE, scratch, salted, step, unmarked_bases=True) == {"scratch", "s2", "step2"}


def test_what_somebody_uses_outside_the_run_s_builds_is_not_found_by_time() -> None:
    base, theirs = record("new", "from local "), record("theirs", "RUN x", "new", at=20.0)

    assert own(base, theirs, unmarked_bases=True) == set()


def test_cache_mounts_are_the_run_s_by_their_id_or_where_none_is_told_by_time() -> None:
    told = 'cached mount /c from exec make with id "/{}"'
    mine = record("mine", told.format("cachebench-abc-/c"), at=20.0)
    theirs = record("theirs", told.format("/c"))
    untold = record("untold", "cached mount /c from exec make")
    late = record("late", "cached mount /c from exec make", at=20.0)

    assert own(mine, theirs, untold, late) == {"mine", "untold"}
    assert own(mine, theirs, untold, late, before=frozenset({"untold"})) == {"mine"}
