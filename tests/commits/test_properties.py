"""Whatever commits change: each is in one group, and its group misses what it alone would miss."""

from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cache_model import History, Profile, find_profile, predict
from bench.commits import Commit, CommitHistory, PathChange, PathChangeKind, weighted_changes
from bench.dockerfile import parse
from bench.predicting import BuildState
from bench.workspace import ClientRule, Entry, IgnoreRules, Manifest

PATHS = ("a", "b", "d/e", "d/f", "g", "gone", "d/gone", "log/x")
PRESENT = ("a", "b", "d/e", "d/f", "g")
COPIES = ("COPY a .", "COPY d/ d/", "COPY . .", "COPY a b ./", "COPY d/e d/f ./", "RUN x")
PROFILES = (find_profile("classic"), find_profile("buildkit"))
RULES = {client: IgnoreRules(["log"], client) for client in ClientRule}

commits = st.lists(
    st.frozensets(st.sampled_from(PATHS), min_size=1, max_size=4), min_size=1, max_size=8
)
dockerfiles = st.lists(st.sampled_from(COPIES), min_size=1, max_size=5).map(
    lambda lines: "\n".join(["FROM x AS s", *lines, "FROM y", "COPY --from=s /a /a"])
)


def state_of(text: str) -> BuildState:
    entries = [Entry("d", "dir", 0o755, 0, None, None, 0)]
    for path in PRESENT:
        digest = hashlib.sha256(path.encode()).hexdigest()
        entries.append(Entry(path, "file", 0o644, 1, None, digest, 0))
    return BuildState(
        change="",
        dockerfile=parse(text),
        manifests=dict.fromkeys(ClientRule, Manifest(sorted(entries))),
    )


def history_of(changes: list[frozenset[str]]) -> CommitHistory:
    made = tuple(
        Commit(
            id=f"{number:040}",
            short=f"{number:07}",
            subject="",
            is_merge=False,
            changes=tuple(PathChange(path, PathChangeKind.CONTENT) for path in sorted(paths)),
        )
        for number, paths in enumerate(changes)
    )
    return CommitHistory("", "", made, len(made))


def outcomes(base: BuildState, after: BuildState, profile: Profile) -> list[str]:
    first = predict(base.input_for(profile), profile, History())
    known = History()
    known.add(first, {one.place: "miss" for one in first.decisions})
    later = predict(after.input_for(profile), profile, known)
    return [one.outcome.value for one in later.decisions]


@settings(max_examples=60)
@given(commits, dockerfiles)
def test_a_commit_misses_what_its_group_misses(changes: list[frozenset[str]], text: str) -> None:
    base, history = state_of(text), history_of(changes)
    groups = weighted_changes(history, base, PROFILES, rules=RULES)

    found = [commit.id for group in groups for commit in group.commits]
    assert sorted(found) == [commit.id for commit in history.commits]
    assert abs(sum(group.weight for group in groups) - 1) < 1e-9
    assert len({group.name for group in groups}) == len(groups)
    for group in groups:
        for commit in group.commits:
            alone = CommitHistory("", "", (commit,), 1)
            (own,) = weighted_changes(alone, base, PROFILES, rules=RULES)
            for profile in PROFILES:
                assert outcomes(base, own.state, profile) == outcomes(base, group.state, profile)
