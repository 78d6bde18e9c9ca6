"""What a rebuild repeats, from two states and the real model; what real logs say of it."""

# ruff: noqa: RUF001 - between numbers people read a dash

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.cache_model import find_profile
from bench.errors import UsageError
from bench.explain import (
    FUTURE,
    LOGGED,
    Earlier,
    Place,
    Rebuild,
    Request,
    changed_words,
    explain_log,
    explain_rebuild,
    profile_of_log,
    read_log,
    read_states,
    sentences,
    summary,
)
from bench.predicting import client_of
from tests.explain.cases import CASES, LINKED, SHOP, Built
from tests.explain.repositories import DOCKERFILE, git, make_repository, write

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURES = Path(__file__).parent / "fixtures"
ENGINES = ("20.10.24", "28.5.2-graphdriver", "28.5.2-containerd")


def told(
    place: Place,
    earlier: Earlier,
    *,
    builder: str = "buildkit",
    log: str | None = None,
    build_args: Mapping[str, str] | None = None,
    before: Mapping[str, str] | None = None,
    target: str | None = None,
) -> tuple[Rebuild, list[str]]:
    """Return the rebuild, and all that is said of it, stage by stage."""
    profile = find_profile(builder)
    recorded = None
    if log is not None:
        recorded = read_log(FIXTURES / f"rawjson-buildx-0.29.1-engine-{log}.jsonl")
        profile = profile_of_log(recorded, profile)
    states = read_states(place, earlier, client_of(profile))
    request = Request(profile, build_args or {}, before or build_args or {}, target)
    if recorded is None:
        rebuild = explain_rebuild(states.before, states.after, request)
    else:
        rebuild = explain_log(recorded, states.before, states.after, request)
    voice = FUTURE if recorded is None else LOGGED
    lines: list[str] = []
    for one in sentences(rebuild.accounts, voice, hint=rebuild.hints(place)):
        if one.heading and one.heading not in lines:
            lines.append(one.heading)
        lines.append(one.text)
    return rebuild, lines


def folders(tmp_path: Path, before: Built, after: Built) -> tuple[Place, Earlier]:
    old = before.write(tmp_path / "before")
    new = after.write(tmp_path / "after")
    return Place.of(new / "Dockerfile", new), Earlier(context=old)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop")


def since_one(shop: Path, **how: str) -> tuple[Rebuild, list[str]]:
    return told(Place.of(shop / "Dockerfile", shop), Earlier("one"), **how)  # type: ignore[arg-type]


def test_an_edited_readme(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n"})

    rebuild, lines = since_one(shop)
    assert lines == [
        "build",
        "steps 2–4 will hit",
        "step 5 COPY . . will miss: README.md changed (.dockerignore does not list it)",
        "step 6 RUN cat src/App.java > /app.jar will miss because step 5 does",
        "stage 1",
        "step 3 RUN echo $VERSION > /version will hit",
        "step 5 COPY --from=build /app.jar /app/app.jar will hit if RUN cat src/App.java > "
        "/app.jar (step 6 of build) makes the same bytes again, else miss",
        "step 6 RUN cat /app/app.jar will hit if step 5 does, else miss",
    ]
    assert summary(rebuild) == (
        f"4 of 8 steps will hit, 2 depend on what RUN makes ({find_profile('buildkit').title})"
    )


def test_without_the_run_that_decides_it_is_told_what_is_copied(shop: Path) -> None:
    """As in records, which hold the model's words alone."""
    write(shop, {"README.md": "# Other\n"})
    rebuild, _ = since_one(shop)

    copied = next(one for one in rebuild.accounts if one.outcome == "depends")
    known = dataclasses.replace(copied, origin=None)
    assert [one.text.partition(" will ")[2] for one in sentences([known], FUTURE)] == [
        "hit if what it takes from stage build comes out the same again, else miss"
    ]


def test_an_edited_readme_on_the_classic_builder(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n"})

    _, lines = since_one(shop, builder="classic")
    assert lines[:4] == [
        "build",
        "steps 2–4 will hit",
        "step 5 COPY . . will miss: README.md changed (.dockerignore does not list it)",
        "step 6 RUN cat src/App.java > /app.jar will miss because step 5 does",
    ]
    assert lines[4:6] == ["stage 1", "steps 2–4 will hit"]


def test_a_new_port_repeats_what_copies_the_dockerfile(shop: Path) -> None:
    write(shop, {"Dockerfile": DOCKERFILE.replace("80", "81")})

    assert (
        "step 5 COPY . . will miss: Dockerfile changed (the Dockerfile itself: list it in "
        ".dockerignore)" in since_one(shop)[1]
    )
    write(shop, {".dockerignore": ".git\nDockerfile\n.dockerignore\n"})
    git(shop, "add", ".dockerignore")
    git(shop, "commit", "-qm", "ignore it")
    git(shop, "tag", "-f", "one")
    rebuild, lines = since_one(shop)
    assert lines == ["build", "steps 2–6 will hit", "stage 1", "steps 3 and 5–6 will hit"]
    place = Place.of(shop / "Dockerfile", shop)
    assert changed_words(rebuild, place) == (
        "Dockerfile changed (.dockerignore keeps it out of the context)"
    )


def test_a_new_port_on_the_classic_builder_is_a_step_of_its_own(shop: Path) -> None:
    write(shop, {"Dockerfile": DOCKERFILE.replace("80", "81")})

    lines = since_one(shop, builder="classic")[1]
    assert "step 4 EXPOSE 81 will miss: it was `EXPOSE 80`" in lines
    assert "steps 5–6 will miss because step 4 does" in lines


def test_needed_files_are_named_without_a_hint(shop: Path) -> None:
    write(shop, {"src/App.java": "class Other {}\n", "pom.xml": "<other/>"})

    lines = since_one(shop)[1]
    assert lines[2:4] == [
        "step 3 COPY pom.xml . will miss: pom.xml changed",
        "steps 4–6 will miss because step 3 does",
    ]


def test_many_files_are_counted(shop: Path) -> None:
    write(shop, {f"src/N{number}.java": "x" for number in range(12)})

    assert (
        "step 5 COPY . . will miss: src/N0.java, src/N1.java, src/N10.java and 9 more files were "
        "added" in since_one(shop)[1]
    )


def test_a_build_argument_is_named_with_its_values(shop: Path) -> None:
    rebuild, lines = told(
        Place.of(shop / "Dockerfile", shop),
        Earlier("one"),
        build_args={"VERSION": "2"},
        before={"VERSION": "1"},
    )
    assert lines[3:] == [
        "step 3 RUN echo $VERSION > /version will miss: the build argument VERSION changed from 1 "
        "to 2",
        "steps 5–6 will miss because step 3 does",
    ]
    place = Place.of(shop / "Dockerfile", shop)
    assert changed_words(rebuild, place) == "build argument VERSION changed"


def test_another_base_image(shop: Path) -> None:
    write(shop, {"Dockerfile": DOCKERFILE.replace("FROM busybox AS", "FROM busybox:2 AS")})

    lines = since_one(shop)[1]
    assert lines[1] == (
        "step 2 WORKDIR /src will miss: nothing was built on the base image busybox:2 before"
    )
    assert lines[2] == "steps 3–6 will miss because step 2 does"


def test_a_target_leaves_stages_out(shop: Path) -> None:
    write(shop, {"README.md": "# Other\n"})

    assert since_one(shop, target="build")[1][-1].startswith("step 6 RUN cat src/App.java")
    with pytest.raises(UsageError, match="there is no stage 'biuld'"):
        since_one(shop, target="biuld")


def test_what_the_model_does_not_understand_is_told_and_not_guessed(shop: Path) -> None:
    write(shop, {"Dockerfile": "FROM busybox\nCOPY --parents . /x\nRUN true\n"})
    git(shop, "commit", "-qam", "odd")
    git(shop, "tag", "-f", "one")

    rebuild, lines = since_one(shop)
    assert lines == [
        "step 2 COPY --parents . /x cannot be told: the model does not understand line 2: the flag "
        "--parents is not known",
        "step 3 RUN true cannot be told: step 2 is not understood",
    ]
    assert summary(rebuild).startswith("0 of 2 steps will hit, 2 cannot be told")
    assert "line 2" in rebuild.prediction.problems[0]


def test_what_was_assumed_is_noted(shop: Path) -> None:
    write(shop, {"Dockerfile": "FROM busybox\nCOPY pom.xml .\n"})
    git(shop, "commit", "-qam", "relative")
    git(shop, "tag", "-f", "one")

    rebuild, _ = told(
        Place.of(shop / "Dockerfile", shop), Earlier("one"), build_args={"VERSOIN": "2"}
    )
    unused, directory, bases = rebuild.notes
    assert unused == "no ARG of the Dockerfile takes the build argument VERSOIN"
    assert "working directory of busybox" in directory
    assert bases == "base images are taken as unchanged: no engine is asked"


@pytest.mark.parametrize("engine", ENGINES)
def test_the_log_of_an_edited_readme(tmp_path: Path, engine: str) -> None:
    place, earlier = folders(tmp_path, *CASES["readme"])

    rebuild, lines = told(place, earlier, log=f"{engine}-readme")
    assert lines == [
        "build",
        "steps 2–4 hit",
        "step 5 COPY . . missed: README.md changed (.dockerignore does not list it)",
        "step 6 RUN cat src/app.txt > /out missed because step 5 did",
        "stage 1",
        "steps 3–4 hit",
    ]
    assert rebuild.disagreements == ()
    assert summary(rebuild).startswith("5 of 7 steps hit (")


# Engine 20.10 knows no COPY --link and refused that build.
AGREEING = [
    (engine, case)
    for engine in ENGINES
    for case in ("unchanged", "source", "expose", "one-stage", "build-arg", "linked")
    if (engine, case) != ("20.10.24", "linked")
]


@pytest.mark.parametrize(("engine", "case"), AGREEING)
def test_the_model_agrees_with_every_recorded_log(tmp_path: Path, engine: str, case: str) -> None:
    before, after = CASES[case]
    place, earlier = folders(tmp_path, before, after)

    args = {"build_args": after.build_args, "before": {"VERSION": "1"}} if after.build_args else {}
    rebuild, lines = told(place, earlier, log=f"{engine}-{case}", **args)  # type: ignore[arg-type]
    assert rebuild.disagreements == ()
    assert not any("though" in line or "inferred" in line for line in lines)


def test_the_log_of_an_artefact_that_came_out_otherwise(tmp_path: Path) -> None:
    place, earlier = folders(tmp_path, *CASES["source"])

    assert told(place, earlier, log="28.5.2-graphdriver-source")[1][-1] == (
        "step 4 COPY --from=build /out /app/out missed: RUN cat src/app.txt > /out (step 6 of "
        "build) made other bytes"
    )


def test_a_log_on_a_cache_without_the_earlier_state(tmp_path: Path) -> None:
    (before,) = CASES["cold"]
    place, earlier = folders(tmp_path, before, before)

    rebuild, lines = told(place, earlier, log="28.5.2-graphdriver-cold")
    assert lines == [
        "build",
        "steps 2–6 missed, though a hit was due since the earlier state: it was not built on this "
        "cache, or its entry is gone (inferred)",
        "stage 1",
        "steps 3–4 missed, though a hit was due since the earlier state: it was not built on this "
        "cache, or its entry is gone (inferred)",
    ]
    assert len(rebuild.disagreements) == 7


def test_a_log_on_a_cache_that_holds_more(tmp_path: Path) -> None:
    """The last build returned to a state that had been built two builds before."""
    _, before, after = CASES["returned"]
    place, earlier = folders(tmp_path, before, after)

    rebuild, lines = told(place, earlier, log="28.5.2-graphdriver-returned")
    assert lines[2] == (
        "steps 5–6 hit, though a miss was due since the earlier state: the cache holds more"
    )
    assert [one.predicted for one in rebuild.disagreements] == ["miss", "miss"]


def test_the_log_of_a_failed_build(tmp_path: Path) -> None:
    place, earlier = folders(tmp_path, *CASES["failed"])

    rebuild, lines = told(place, earlier, log="28.5.2-graphdriver-failed")
    assert lines[1:4] == [
        "steps 2–4 hit or did not run (the log of a failed build does not tell which)",
        "step 5 COPY . . missed: Dockerfile changed (the Dockerfile itself: list it in "
        ".dockerignore)",
        "step 6 RUN cat src/nothing.txt > /out failed",
    ]
    assert summary(rebuild).startswith("the build failed: failed to build: failed to solve: proc")
    assert rebuild.disagreements == ()


def test_a_log_that_links_needs_rules_that_do(tmp_path: Path) -> None:
    place, earlier = folders(tmp_path, Built(LINKED), Built(LINKED))
    log = read_log(FIXTURES / "rawjson-buildx-0.29.1-engine-28.5.2-containerd-linked.jsonl")
    profile = find_profile("buildkit-28")
    states = read_states(place, earlier, client_of(profile))

    assert profile_of_log(log, profile) is find_profile("buildkit-28-containerd")
    with pytest.raises(UsageError, match="containerd image store") as caught:
        explain_log(log, states.before, states.after, Request(profile))
    assert "buildkit-28-containerd" in caught.value.remedy


def test_only_buildkit_writes_such_logs(tmp_path: Path) -> None:
    place, earlier = folders(tmp_path, Built(SHOP), Built(SHOP))

    name = find_profile("classic").name
    with pytest.raises(UsageError, match=f"{re.escape(name)} makes no such logs"):
        told(place, earlier, builder="classic", log="28.5.2-graphdriver-readme")


def test_the_earlier_dockerfile_may_lie_elsewhere(tmp_path: Path) -> None:
    new = Built(SHOP).write(tmp_path / "new")
    old = Built(SHOP).write(tmp_path / "old")
    (old / "Dockerfile").rename(old / "Dockerfile.old")
    place = Place.of(new / "Dockerfile", new)

    with pytest.raises(UsageError, match="the earlier context has no such Dockerfile") as caught:
        told(place, Earlier(context=old))
    assert "--since-dockerfile" in caught.value.remedy
    _, lines = told(place, Earlier(context=old, dockerfile=old / "Dockerfile.old"))
    assert lines[2] == (
        "step 5 COPY . . will miss: Dockerfile.old was renamed to Dockerfile (.dockerignore does "
        "not list them)"
    )


def test_a_dockerfile_outside_of_both_contexts_is_seen_by_neither(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (Built(SHOP).write(tmp_path / name) / "Dockerfile").unlink()
    outside = tmp_path / "web.Dockerfile"
    outside.write_text(SHOP)
    place = Place.of(outside, tmp_path / "new")

    _, lines = told(place, Earlier(context=tmp_path / "old"))
    assert lines == ["build", "steps 2–6 will hit", "stage 1", "steps 3–4 will hit"]
    earlier = tmp_path / "old.Dockerfile"
    earlier.write_text(SHOP.replace("FROM BASE AS", "# a comment\nFROM BASE AS"))
    rebuild, lines = told(place, Earlier(context=tmp_path / "old", dockerfile=earlier))
    assert lines == ["build", "steps 2–6 will hit", "stage 1", "steps 3–4 will hit"]
    assert changed_words(rebuild, place) == f"{outside} changed"
