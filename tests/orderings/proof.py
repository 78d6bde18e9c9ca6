"""``python -m tests.orderings.proof``: legal orderings, built for real, make the same image.

Each Dockerfile is built as it is written, once more without the cache (what differs then is not
deterministic), and in a sample of its legal orderings; every image is compared with the first.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bench.engine import client_of, ensure_engine
from bench.engine.describe import describe
from bench.errors import BenchError
from tests.conformance.case import to_json
from tests.conformance.dialect import dialect_of
from tests.conformance.generate import SIZES
from tests.conformance.targets import BUILDERS, ENGINES, OwnEngine, Target, in_memory
from tests.orderings.application_subjects import application_subjects, scenario_folders
from tests.orderings.generated_subjects import GeneratedEngine, GeneratedSubject, generated_case
from tests.orderings.proof_summary import Summary, write
from tests.orderings.subjects import Proving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.orderings.subjects import Unlike

_COUNTEREXAMPLES = Path(__file__).parent / "counterexamples"
_CASES_PER_ENGINE = {"graphdriver": 120, "containerd": 20}
"""After so many cases the engine is thrown away; see `tests.conformance.campaign`."""
_PROGRESS = 10
_EXAMPLE = """\
Example:
  python -m tests.orderings.proof --generated 200 --seed 7 --builder buildkit
  python -m tests.orderings.proof --applications --scenario java-iotd --results results/orderings

Exit status: 0 every image is equal, 1 some image differs, 2 the engines cannot be had.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    summaries: list[Summary] = []
    try:
        if options.applications:
            summaries += _applications(options)
        if options.generated:
            with in_memory():
                summaries += _generated(options)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for summary in summaries:
        _say(summary.line())
    if options.results is not None:
        write(options.results, summaries)
        _say(f"written to {options.results}")
    return 1 if any(summary.unlike for summary in summaries) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.orderings.proof",
        description=__doc__,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--applications", action="store_true", help="build the scenarios")
    parser.add_argument("--scenario", action="append", help="only the scenario of that name")
    parser.add_argument(
        "--every-variant", action="store_true", help="build not only the scenarios' baselines"
    )
    parser.add_argument("--generated", type=int, default=0, help="build so many generated cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--size", choices=sorted(SIZES), default="large", help="size of the cases")
    parser.add_argument("--seed", type=int, default=1, help="what decides cases and samples")
    parser.add_argument("--sample", type=int, default=12, help="orderings for each Dockerfile")
    parser.add_argument(
        "--seconds", type=float, default=300.0, help="for the orderings of one application"
    )
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES))
    parser.add_argument("--builder", action="append", choices=BUILDERS)
    parser.add_argument("--results", type=Path, help="write a summary to this folder")
    parser.add_argument(
        "--counterexamples",
        type=Path,
        default=_COUNTEREXAMPLES,
        help="where orderings of generated cases that make another image are kept",
    )
    return parser


def _applications(options: argparse.Namespace) -> list[Summary]:
    client = client_of(ensure_engine(install=False))
    info = describe(client)
    summaries = []
    for builder in options.builder or BUILDERS:
        target = Target("default", info.version, info.image_store, builder)
        summary = Summary("applications", target, options.seed)
        for folder in scenario_folders():
            if options.scenario and folder.name not in options.scenario:
                continue
            with application_subjects(
                client, builder, folder, every_variant=options.every_variant
            ) as subjects:
                for subject in subjects:
                    began = time.monotonic()
                    proof = Proving(subject).run(
                        options.sample, f"{options.seed} {subject.name}", options.seconds
                    )
                    summary.proofs.append(proof)
                    seconds = time.monotonic() - began
                    _say(f"{builder} {summary.row(proof)} in {seconds:.0f} s")
        summaries.append(summary)
    return summaries


def _generated(options: argparse.Namespace) -> list[Summary]:
    engines = options.engine or ["debian-12"]
    pairs = [(engine, one) for one in options.builder or BUILDERS for engine in engines]
    stopping = threading.Event()
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = [pool.submit(_generated_on, *pair, options, stopping.is_set) for pair in pairs]
        try:
            return [one.result() for one in running]
        except BaseException:  # Ctrl-C and SIGTERM too: the engines end with the cases under way
            stopping.set()
            raise


def _generated_on(
    name: str, builder: str, options: argparse.Namespace, stopped: Callable[[], bool]
) -> Summary:
    own = OwnEngine(name, builder)
    engine: GeneratedEngine | None = None
    target = own.target()
    summary = Summary("generated", target, options.seed)
    try:
        for number in range(options.first, options.first + options.generated):
            if stopped():
                break
            done = len(summary.proofs)
            if engine is not None and done % _CASES_PER_ENGINE[target.image_store] == 0:
                engine.close()
                own.discard()
                engine = None
            engine = engine or GeneratedEngine(own.client, target)
            _prove_case(engine, number, options, summary)
            if (done + 1) % _PROGRESS == 0:
                _say(summary.line())
    finally:
        if engine is not None:
            engine.close()
        own.discard()
    return summary


def _prove_case(
    engine: GeneratedEngine, number: int, options: argparse.Namespace, summary: Summary
) -> None:
    target = engine.target
    dialect = dialect_of(target.builder, target.version)
    size = SIZES[options.size]
    # Every other one is without RUN, across which hardly anything may move.
    case = generated_case(options.seed, number, dialect, size, runs=number % 2 == 0)
    subject = GeneratedSubject(engine, case)
    proving = Proving(subject, apart=0)  # the generator writes no times
    proof = proving.run(options.sample, case.name)
    summary.proofs.append(proof)
    for one in proof.unlike[:1]:
        nearest = proving.nearest(one)
        _say(f"{target.label}: {case.name} {nearest.ordering.stages}: {nearest.words[:3]}")
        _keep(options.counterexamples, subject, nearest, target)


def _keep(folder: Path, subject: GeneratedSubject, unlike: Unlike, target: Target) -> None:
    """Write a counter-example as a case with one ordering of it that may not be legal."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "dialect": dialect_of(target.builder, target.version).name,
        "found_on": target.label,
        "profile": target.profile.name,
        "ordering": [list(steps) for steps in unlike.ordering.stages],
        "differed": list(unlike.words),
    }
    text = to_json(subject.case, **about)
    (folder / f"{subject.case.name}.json").write_text(text, encoding="utf-8")


_saying = threading.Lock()
_began = time.monotonic()


def _say(text: str) -> None:
    with _saying:
        sys.stdout.write(f"{time.monotonic() - _began:7.1f} s  {text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
