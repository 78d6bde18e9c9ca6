"""Every build is predicted, and a step that does something else is found, named and counted."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from bench.builders.protocol import BuildOutcome, StepOutcome
from bench.dataset import read_tables
from bench.dataset.predictions import PredictionCounts
from bench.engine import EngineSpec, client_of, start, stop
from bench.runner import EngineSite, Phase, Silent, make_settings, run_scenario
from bench.runner import predictions as prediction_module
from bench.runner.predictions import as_sent
from bench.simulation import SimulatedSite, guessed_times
from bench.workspace import Entry, Manifest
from tests.runner.scenarios import DOCKERFILE, small_scenario
from tests.support.busybox import import_busybox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import docker

    from bench.builders.protocol import Build, BuildRequest
    from bench.journal import BuildRecord
    from bench.noise import Noise
    from bench.runner import PlannedBuild
    from bench.runner.events import Observer
    from bench.scenario import Scenario
    from bench.simulation.site import SimulatedWorkbench

BOTH = ("classic", "buildkit")


class ForgetfulSite(SimulatedSite):
    """A simulated engine that loses all of its cache before the builds of one phase."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(guessed_times())
        self._phase = phase

    @property
    def simulation(self) -> None:  # type: ignore[override]  # plays a real engine
        return None

    def workbench(
        self,
        run: str,
        scenario: Scenario,
        dockerfiles: Mapping[str, str],
        observer: Observer,
        *,
        optional: Sequence[str] = (),
    ) -> SimulatedWorkbench:
        workbench = super().workbench(run, scenario, dockerfiles, observer, optional=optional)
        build = workbench.build

        def forgetful(planned: PlannedBuild, request: BuildRequest) -> tuple[Build, Noise]:
            lost = planned.phase is self._phase
            request = dataclasses.replace(request, no_cache=lost)
            return build(planned, request)

        workbench.build = forgetful  # type: ignore[method-assign]
        return workbench


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return small_scenario(tmp_path / "small", "alpine")


def test_a_lost_cache_is_a_disagreement_that_is_named_and_counted(
    scenario: Scenario, tmp_path: Path
) -> None:
    settings = make_settings(
        scenario,
        builders=["simulated-buildkit"],
        variants=["as-written"],
        changes=["touch"],
        rounds=2,
    )

    result = run_scenario(scenario, settings, ForgetfulSite(Phase.CHANGE), tmp_path / "run")

    lost = [record for record in result.records if record.phase == "change"]
    assert [record.misses for record in lost] == [7, 7]
    assert len(result.disagreements) == 14
    first = result.disagreements[0]
    assert (first.variant, first.change, first.builder) == (
        "as-written",
        "touch",
        "simulated-buildkit",
    )
    assert (first.stage, first.step, first.text) == ("builder", 2, "WORKDIR /src")
    assert (first.predicted, first.observed) == ("hit", "miss")
    assert "builder:WORKDIR /src was predicted hit, observed miss" in first.sentence
    head = json.loads((tmp_path / "run/run.json").read_text())
    assert head["predictions"]["compared"] - head["predictions"]["agreed"] == 14
    assert len(head["predictions"]["disagreements"]) == 14
    assert head["predictions"]["disagreements"][0]["build"] == lost[0].build


def test_a_step_the_engine_had_answered_before_was_evicted(
    scenario: Scenario, tmp_path: Path
) -> None:
    """In the warm-up nothing had ever been answered from the cache: there it is unknown."""
    settings = make_settings(
        scenario,
        builders=["simulated-classic"],
        variants=["as-written"],
        changes=["touch"],
        rounds=1,
    )

    for phase, reason in ((Phase.CHANGE, "evicted"), (Phase.WARMUP, "unknown")):
        folder = tmp_path / phase
        result = run_scenario(scenario, settings, ForgetfulSite(phase), folder)
        record = next(one for one in result.records if one.phase == phase)
        missed = [step for step in record.steps if step.outcome is StepOutcome.MISS]
        assert {step.reason for step in missed} == {reason}
        assert {step.predicted for step in missed} == {"hit"}


def test_tables_hold_what_was_said_and_why_steps_missed(scenario: Scenario, tmp_path: Path) -> None:
    settings = make_settings(
        scenario, builders=["simulated-buildkit"], variants=["as-written"], rounds=1
    )

    run_scenario(scenario, settings, SimulatedSite(guessed_times()), tmp_path / "run")

    steps = read_tables(tmp_path / "run").steps
    assert steps["predicted"].notna().all()
    edit = steps[steps["change"] == "edit-source"].set_index("text")
    copy = edit.loc["COPY src/ src/"]
    assert (copy["predicted"], copy["reason"]) == ("miss", "file-content")
    assert copy["reason_detail"] == "src/main.txt changed"
    run = edit.loc["RUN cat src/main.txt > /out"]
    assert (run["reason"], run["reason_detail"]) == ("parent-missed", "step 5 of builder missed")
    artefact = edit.loc["COPY --from=builder /out ."]
    assert (artefact["predicted"], artefact["outcome"]) == ("depends", "miss")
    assert artefact["reason"] == "artefact-changed"
    assert artefact["reason_detail"] == "what it takes from stage builder came out otherwise"
    assert steps.loc[steps["outcome"] != "miss", "reason"].isna().all()
    assert not steps["reason_detail"].dropna().str.contains("invalid").any()  # no salted name


def test_a_fault_of_the_model_costs_no_measurement(
    scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once per cache, and the builds count as not predicted."""
    notes: list[str] = []

    class Told(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    def broken(*_: object, **__: object) -> None:
        raise LookupError("a fault")

    monkeypatch.setattr(prediction_module, "predict", broken)
    settings = make_settings(
        scenario, builders=["simulated-buildkit"], variants=["as-written"], rounds=1
    )
    result = run_scenario(
        scenario, settings, ForgetfulSite(Phase.COLD), tmp_path / "run", observer=Told()
    )

    assert result.failed == []
    assert result.complete
    assert result.predictions is None
    faults = [note for note in notes if "cache model failed (LookupError: a fault)" in note]
    assert len(faults) == 1


def test_the_manifest_as_sent_holds_the_salted_dockerfile() -> None:
    entry = Entry("Dockerfile", "file", 0o644, 3, None, "0" * 64, 1)
    other = entry._replace(path="a")
    manifest = Manifest([entry, other], ["Dockerfile"])

    sent = as_sent(manifest, "Dockerfile", "FROM säll\n")

    digest = hashlib.sha256("FROM säll\n".encode()).hexdigest()
    assert sent["Dockerfile"] == entry._replace(size=11, sha256=digest)
    assert sent["a"] == other
    assert sent.sent_although_ignored == {"Dockerfile"}
    assert manifest["Dockerfile"] == entry
    assert as_sent(manifest, "elsewhere", "x") is manifest


MOUNTS = """\
ARG WHICH={base}
FROM $WHICH AS deps
COPY deps.txt .
RUN cp deps.txt /deps
FROM scratch AS files
COPY --from=deps /deps /deps
FROM {base} AS builder
COPY deps.txt .
WORKDIR /src
COPY src/ src/
RUN cat src/main.txt > /out
FROM {base}
COPY --from=files /deps .
COPY --from=builder /out .
COPY . /all
EXPOSE 80
CMD ["cat", "/out"]
"""


@pytest.mark.engine
def test_predictions_agree_with_real_builds_step_by_step(
    any_engine: docker.DockerClient, busybox_image: str, tmp_path: Path
) -> None:
    """Also on a base named by an ARG, on scratch, and on a base that changes."""
    more = (
        f'[[change]]\nname = "new-base"\nsteps = [{{ base = "{busybox_image}" }}]\n'
        '[[variant]]\nname = "many"\ndockerfile = "Dockerfile.many"\n'
    )
    scenario = small_scenario(
        tmp_path / "small", busybox_image, more=more, extra={"Dockerfile.many": MOUNTS}
    )

    result = run_scenario(
        scenario,
        make_settings(
            scenario,
            builders=BOTH,
            variants=["as-written", "many"],
            changes=["edit-source", "chmod", "new-base"],
            rounds=1,
        ),
        EngineSite(any_engine),
        tmp_path / "run",
    )

    assert [one.sentence for one in result.disagreements] == []
    assert result.failed == []
    assert result.predictions is not None
    assert result.predictions.unknown == 0
    assert result.predictions.agreed == result.predictions.compared > 200
    assert result.predictions.depended > 0
    changed = [one for one in result.records if one.change == "new-base"]
    for record in changed:
        missed = [step for step in record.steps if step.outcome is StepOutcome.MISS]
        reasons = {step.reason: step.reason_detail for step in missed}
        assert reasons["base-image"] == f"the base image {busybox_image} changed"
        assert set(reasons) <= {"base-image", "parent-missed", "artefact-changed"}
    details = [step.reason_detail or "" for one in result.records for step in one.steps]
    assert not any("cachebench/run-" in detail for detail in details)  # no salted name is shown


@pytest.mark.engine
def test_a_failed_build_is_compared_up_to_where_it_broke_off(
    engine_client: docker.DockerClient, default_busybox_image: str, tmp_path: Path
) -> None:
    more = (
        '[[change]]\nname = "break"\nsteps = [{ write = "src/fail", text = "{id}" }]\n'
        '[[change]]\nname = "mend"\nsteps = [{ write = "src/fine", text = "{id}" }]\n'
    )
    scenario = small_scenario(
        tmp_path / "small",
        default_busybox_image,
        more=more,
        dockerfile=DOCKERFILE.replace("> /out", "> /out; test ! -e src/fail", 1),
    )
    settings = make_settings(
        scenario, builders=BOTH, variants=["as-written"], changes=["break", "mend"], rounds=2
    )

    result = run_scenario(scenario, settings, EngineSite(engine_client), tmp_path / "run")

    assert Counter((one.change, one.outcome) for one in result.records if one.change) == {
        ("break", BuildOutcome.FAILED): 4,
        ("mend", BuildOutcome.OK): 4,
    }
    assert [one.sentence for one in result.disagreements] == []
    broken = next(one for one in result.records if one.change == "break")
    assert {step.outcome for step in broken.steps} >= {StepOutcome.FAILED}
    assert all(step.predicted for step in broken.steps)


DOOMED = EngineSpec("forgetful")


@pytest.fixture
def own_engine() -> Iterator[docker.DockerClient]:
    """An engine whose cache may be pruned."""
    client = client_of(start(DOOMED).endpoint)
    yield client
    client.close()
    stop(DOOMED.name, purge=True)


class Prune(Silent):
    """Prunes the whole build cache of an engine once, after the warm-up."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    def finished(self, record: BuildRecord) -> None:
        if record.phase == Phase.WARMUP:
            api: Any = self._client.api
            api.post(api._url("/build/prune"), params={"all": "1"}).raise_for_status()


@pytest.mark.engine
def test_a_cache_that_is_pruned_meanwhile_is_found(
    own_engine: docker.DockerClient, tmp_path: Path
) -> None:
    scenario = small_scenario(tmp_path / "small", import_busybox(own_engine))
    settings = make_settings(
        scenario, builders=["buildkit"], variants=["as-written"], changes=["touch"], rounds=1
    )

    result = run_scenario(
        scenario, settings, EngineSite(own_engine), tmp_path / "run", observer=Prune(own_engine)
    )

    wrong = {(one.moment, one.predicted, one.observed) for one in result.disagreements}
    assert wrong == {("control", "hit", "miss")}
    control = next(one for one in result.records if one.phase == "control")
    assert {step.reason for step in control.steps if step.reason} == {"evicted"}
    assert result.predictions is not None
    assert result.predictions.compared - result.predictions.agreed == control.misses > 0
    change = next(one for one in result.records if one.phase == "change")
    assert (change.misses, change.disagreements) == (0, ())  # built again, and known again


def test_counts_add_up() -> None:
    one = PredictionCounts(compared=10, agreed=9, depended=2, unknown=0)

    assert one.sentence == "9 of 10 agree, 2 depended on an artefact"
    both = one + PredictionCounts(compared=1, agreed=1, unknown=3)
    assert both.sentence == "10 of 11 agree, 2 depended on an artefact, 3 not predicted"
