"""``python -m tests.conformance``: hold the cache model against real builders."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from tests.conformance.campaign import Campaign
from tests.conformance.generate import SIZES
from tests.conformance.summary import write
from tests.conformance.targets import BUILDERS, ENGINES, OwnEngine, in_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.conformance.summary import Summary

_RESULTS = Path("results/conformance")
_REGRESSIONS = Path(__file__).parent / "regressions"
_EXAMPLE = """\
Example:
  python -m tests.conformance --cases 200 --seed 7 --engine sid-containerd --builder buildkit

Exit status: 0 everything agrees, 1 some step differs, 2 the engines cannot be had.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with in_memory():
            summaries = _run_all(options)
    except BenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for summary in summaries:
        _say(_last_line(summary))
    if options.results is not None:
        write(options.results, [summary.document() for summary in summaries])
        _say(f"written to {options.results}")
    return 1 if any(summary.disagreements for summary in summaries) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.conformance",
        description=__doc__,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cases", type=int, default=100, help="cases for each builder and engine")
    parser.add_argument("--seed", type=int, default=1, help="what decides the cases")
    parser.add_argument("--size", choices=sorted(SIZES), default="large", help="size of the cases")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES))
    parser.add_argument("--builder", action="append", choices=BUILDERS)
    parser.add_argument("--results", type=Path, help=f"write a summary here ({_RESULTS})")
    parser.add_argument(
        "--shrink", type=int, default=3, help="how many disagreements to shrink per builder"
    )
    parser.add_argument(
        "--rules",
        type=Path,
        help="folder of cases written by hand, one for a rule of the builders: built after them",
    )
    parser.add_argument(
        "--regressions",
        type=Path,
        default=_REGRESSIONS,
        help="folder of minimal cases: all are built first, new ones are put there",
    )
    parser.add_argument("--jobs", type=int, default=3, help="engines to run at the same time")
    return parser


def _run_all(options: argparse.Namespace) -> list[Summary]:
    engines = options.engine or list(ENGINES)
    builders = options.builder or list(BUILDERS)
    # The slowest ones first: classic, and Engine 20.10.
    pairs = [(engine, builder) for builder in builders for engine in engines]
    stopping = threading.Event()
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        running = [pool.submit(_run_one, *pair, options, stopping.is_set) for pair in pairs]
        try:
            return [one.result() for one in running]
        except BaseException:  # Ctrl-C and SIGTERM too: the engines end with the cases under way
            stopping.set()
            raise


def _run_one(
    name: str, builder: str, options: argparse.Namespace, stopped: Callable[[], bool]
) -> Summary:
    engine = OwnEngine(name, builder)
    try:
        campaign = Campaign(
            engine, options.seed, size=SIZES[options.size], say=_say, stopped=stopped
        )
        campaign.replay(options.regressions)
        if options.rules:
            campaign.replay(options.rules)
        campaign.run(range(options.first, options.first + options.cases))
        if options.shrink:
            campaign.keep_minimal(options.regressions, options.shrink)
    finally:
        engine.discard()
    return campaign.summary


def _last_line(summary: Summary) -> str:
    document = summary.document()
    failed = sum(summary.failed.values())
    return (
        f"{summary.target.label}: {summary.cases} cases, {summary.builds} builds "
        f"({failed} failed), {summary.steps} steps compared {document['by_prediction']}, "
        f"{summary.others} others, excluded {document['excluded_steps']}, "
        f"{summary.unknown} unknown, {len(summary.disagreements)} disagreements"
    )


_saying = threading.Lock()
_began = time.monotonic()


def _say(text: str) -> None:
    with _saying:
        sys.stdout.write(f"{time.monotonic() - _began:7.1f} s  {text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
