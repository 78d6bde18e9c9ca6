"""Every miss has one root cause, with the very paths, names and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from bench.cache_model import BaseImage, History, Predicted, ReasonKind, StepPlace, predict
from bench.cache_model.profiles import BUILDKIT_28, CLASSIC_25
from tests.cache_model.states import build, context, file, folder, last, link, reason_of

if TYPE_CHECKING:
    from bench.cache_model import BuildInput, Profile
    from bench.workspace.manifest import Entry

FROM = "FROM base\n"
COPY_ALL = f"{FROM}COPY d /d\n"


class Row(NamedTuple):
    name: str
    before: BuildInput
    after: BuildInput
    step: int
    kind: str
    detail: str


def changed(name: str, before: list[Entry], after: list[Entry], kind: str, detail: str) -> Row:
    first, second = (build(COPY_ALL, context(*entries)) for entries in (before, after))
    return Row(name, first, second, 2, kind, detail)


def edited(name: str, before: str, after: str, step: int, kind: str, detail: str) -> Row:
    return Row(name, build(FROM + before), build(FROM + after), step, kind, detail)


A = file("d/a", "1")
ROWS = (
    changed("content", [A], [file("d/a", "2")], "file-content", "d/a changed"),
    changed(
        "mode",
        [A],
        [file("d/a", "1", 0o755)],
        "file-mode",
        "the mode of d/a changed from 644 to 755",
    ),
    changed("owner", [A], [file("d/a", "1", uid=5)], "file-owner", "the owner of d/a changed"),
    changed("added", [A], [A, file("d/b")], "file-added", "d/b was added"),
    changed("removed", [A, file("d/b")], [A], "file-removed", "d/b was removed"),
    changed("type", [A], [link("d/a", "x")], "file-type", "d/a is of another type now"),
    changed(
        "link",
        [A, file("d/b", "2"), link("d/l", "a")],
        [A, file("d/b", "2"), link("d/l", "b")],
        "file-content",
        "d/l changed",
    ),
    changed("renamed", [A], [file("d/z", "1")], "file-added", "d/a was renamed to d/z"),
    changed(
        "folder mode",
        [folder("d/e"), A],
        [folder("d/e", 0o700), A],
        "file-mode",
        "the mode of d/e changed from 755 to 700",
    ),
    changed(
        "many at once",
        [file(f"d/{name}", "1") for name in "abcdef"],
        [file(f"d/{name}", "2") for name in "abcdef"],
        "file-content",
        "d/a, d/b, d/c and 3 more files changed",
    ),
    changed(
        "several kinds",
        [A, file("d/b")],
        [file("d/a", "2"), file("d/c", "c")],
        "file-content",
        "d/a changed; d/c was added; d/b was removed",
    ),
    edited("command", "RUN one\n", "RUN two\n", 2, "instruction-text", "it was `RUN one`"),
    edited(
        "destination",
        "COPY a.txt /1\n",
        "COPY a.txt /2\n",
        2,
        "instruction-text",
        "it was `COPY a.txt /1`",
    ),
    edited(
        "another instruction",
        "RUN one\n",
        "COPY a.txt /1\n",
        2,
        "instruction-text",
        "where `RUN one` stood, `COPY a.txt /1` stands now",
    ),
    edited(
        "a new last instruction",
        "RUN one\n",
        "RUN one\nRUN two\n",
        3,
        "instruction-text",
        "`RUN two` is new: nothing was built after the step before it",
    ),
)


@pytest.mark.parametrize("profile", [CLASSIC_25, BUILDKIT_28], ids=lambda one: one.name)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_reason(row: Row, profile: Profile) -> None:
    prediction = last(profile, row.before, row.after)
    assert reason_of(prediction, 0, row.step) == (row.kind, row.detail)


def test_paths_are_listed_whole_even_where_the_words_count_them() -> None:
    before = build(COPY_ALL, context(*(file(f"d/{name}", "1") for name in "abcdef")))
    after = build(COPY_ALL, context(*(file(f"d/{name}", "2") for name in "abcdef")))
    reason = last(BUILDKIT_28, before, after).at(StepPlace(0, 2)).reason
    assert reason is not None
    assert reason.paths == tuple(f"d/{name}" for name in "abcdef")


@pytest.mark.parametrize("profile", [CLASSIC_25, BUILDKIT_28], ids=lambda one: one.name)
def test_a_build_argument_is_named_with_both_values(profile: Profile) -> None:
    text = f"{FROM}ARG VERSION\nRUN make\n"
    prediction = last(
        profile,
        build(text, build_args={"VERSION": "1"}),
        build(text, build_args={"VERSION": "2"}),
    )
    assert reason_of(prediction, 0, 3) == (
        "build-arg",
        "the build argument VERSION changed from 1 to 2",
    )


def test_the_values_of_what_looks_secret_are_not_shown() -> None:
    text = f"{FROM}ARG API_TOKEN\nRUN make\n"
    prediction = last(
        BUILDKIT_28,
        build(text, build_args={"API_TOKEN": "hunter1"}),
        build(text, build_args={"API_TOKEN": "hunter2"}),
    )
    _, detail = reason_of(prediction, 0, 3)
    assert "hunter" not in detail
    assert "API_TOKEN" in detail


def test_an_env_is_told_from_a_build_argument() -> None:
    prediction = last(
        BUILDKIT_28, build(f"{FROM}ENV V=1\nRUN make\n"), build(f"{FROM}ENV V=2\nRUN make\n")
    )
    assert reason_of(prediction, 0, 3) == ("instruction-text", "ENV V changed from 1 to 2")


def test_what_stands_on_a_miss_names_the_step_that_began() -> None:
    text = f"{FROM}COPY a.txt /a\nRUN one\nRUN two\n"
    prediction = last(CLASSIC_25, build(text, context(a="1")), build(text, context(a="2")))
    for step in (3, 4):
        reason = prediction.at(StepPlace(0, step)).reason
        assert reason is not None
        assert reason.kind is ReasonKind.PARENT_MISSED
        assert reason.origin == StepPlace(0, 2)


def test_the_step_that_began_may_be_in_another_stage() -> None:
    text = "FROM base AS x\nCOPY a.txt /a\nFROM x\nRUN one\n"
    prediction = last(CLASSIC_25, build(text, context(a="1")), build(text, context(a="2")))
    reason = prediction.at(StepPlace(1, 2)).reason
    assert reason is not None
    assert reason.origin == StepPlace(0, 2)


def test_a_changed_base_image_is_the_cause_of_the_first_step_on_it() -> None:
    def on(identity: str) -> BuildInput:
        return build(f"{FROM}RUN one\nRUN two\n", bases={"base": BaseImage("base", identity)})

    prediction = last(BUILDKIT_28, on("1"), on("2"))
    assert reason_of(prediction, 0, 2) == ("base-image", "the base image base changed")
    assert reason_of(prediction, 0, 3)[0] == "parent-missed"


def test_the_first_build_of_all_has_nothing_to_compare_with() -> None:
    prediction = predict(build(f"{FROM}RUN one\nRUN two\n"), BUILDKIT_28, History())
    assert reason_of(prediction, 0, 2) == ("first-build", "it was never built before")
    assert reason_of(prediction, 0, 3)[0] == "parent-missed"


def test_an_open_artefact_names_the_stage_and_the_step_that_decides() -> None:
    text = "FROM base AS x\nCOPY a.txt /a\nRUN make\nFROM base\nCOPY --from=x /out /out\n"
    prediction = last(BUILDKIT_28, build(text, context(a="1")), build(text, context(a="2")))
    decision = prediction.at(StepPlace(1, 2))
    assert decision.outcome is Predicted.DEPENDS
    assert decision.reason is not None
    assert decision.reason.kind is ReasonKind.ARTEFACT_CHANGED
    assert decision.reason.detail == "a hit if what it takes from stage x comes out the same again"
    assert decision.reason.origin == StepPlace(0, 3)


def test_a_certain_artefact_that_changed_is_a_miss() -> None:
    text = "FROM base AS x\nCOPY a.txt /a\nFROM base\nCOPY --from=x /a /b\n"
    prediction = last(BUILDKIT_28, build(text, context(a="1")), build(text, context(a="2")))
    assert prediction.at(StepPlace(1, 2)).outcome is Predicted.MISS
    assert reason_of(prediction, 1, 2) == (
        "artefact-changed",
        "what it takes from stage x changed",
    )


def test_a_step_of_its_own_cause_is_not_blamed_on_an_open_one_before_it() -> None:
    text = "FROM base AS x\nCOPY a.txt /a\nRUN make\nFROM base\nCOPY --from=x /o /o\nEXPOSE {}\n"
    prediction = last(
        CLASSIC_25,
        build(text.format(80), context(a="1")),
        build(text.format(81), context(a="2")),
    )
    assert prediction.at(StepPlace(1, 3)).outcome is Predicted.MISS
    assert reason_of(prediction, 1, 3) == ("instruction-text", "it was `EXPOSE 80`")


def test_an_artefact_that_came_out_otherwise_is_the_cause_once_it_is_seen() -> None:
    text = "FROM base AS x\nCOPY a.txt /a\nRUN make\nFROM base\nCOPY --from=x /o /o\nRUN t\n"
    history = History()
    history.add(predict(build(text, context(a="1")), BUILDKIT_28, history))
    seen = {StepPlace(1, 2): "miss", StepPlace(1, 3): "miss"}
    prediction = predict(build(text, context(a="2")), BUILDKIT_28, history, observed=seen)
    assert reason_of(prediction, 1, 2) == (
        "artefact-changed",
        "what it takes from stage x came out otherwise",
    )
    reason = prediction.at(StepPlace(1, 3)).reason
    assert reason is not None
    assert (reason.kind, reason.origin) == (ReasonKind.PARENT_MISSED, StepPlace(0, 3))


def test_a_copy_from_a_stage_is_not_compared_with_one_from_the_context() -> None:
    before = build("FROM base AS x\nCOPY a.txt /a\nFROM scratch\nCOPY --from=x /a /\n")
    after = build("FROM base AS x\nCOPY a.txt /a\nFROM scratch\nCOPY b.txt /\n")
    assert reason_of(last(CLASSIC_25, before, after), 1, 2) == (
        "instruction-text",
        "it was `COPY --from=x /a /`",
    )
