"""Made-up orderings: few, many, searched, with names that try to break a chart."""

from __future__ import annotations

import random

from bench.orderings.counting import Count
from bench.report.compare import Setup
from bench.report.landscape import Built, Landscape
from bench.stats import summarise

SETUP = Setup("classic", "20.10.24 graphdriver")
LONG = "a-name-that-goes-on-and-on-until-nobody-reads-it-한국어"


def landscape(
    count: int,
    built: int,
    *,
    legal: int | None = None,
    complete: bool = True,
    name: str = "ordering",
    rounds: int = 6,
    builder: str = SETUP.builder,
) -> Landscape:
    """Return ``count`` orderings that were tried, ``built`` of which were built.

    The built ones are the fastest, the slowest, the written one (at four fifths), and others drawn.
    """
    dice = random.Random(count)  # noqa: S311 - sample data, not a secret
    seconds = sorted(
        3 + dice.choice([0.0, 0.2, 0.5, 0.9, 2.0]) + (dice.random() / 10 if count > 50 else 0)
        for _ in range(count)
    )
    tried = [(one, 1 - (one - 3) / 3 + dice.uniform(-0.05, 0.05)) for one in seconds]
    tried = sorted(((one, min(1.0, share)) for one, share in tried), key=lambda x: (x[0], -x[1]))
    written = count * 4 // 5
    chosen = [written, 0, count - 1, *(dice.randrange(count) for _ in range(built))]
    places = list(dict.fromkeys(chosen))[:built]
    return Landscape(
        setup=Setup(builder, SETUP.engine),
        legal=Count(legal or count),
        apart=Count(count if complete else legal or count),
        complete=complete,
        is_optimal=complete,
        bound_seconds=2.5,
        places=tuple(range(1, count + 1)),
        seconds=tuple(one for one, _ in tried),
        hit_shares=tuple(share for _, share in tried),
        written=tried[written],
        best_moved=("EXPOSE 80 now stands before WORKDIR /app",),
        built=tuple(
            Built(
                variant="as-written" if place == written else f"{name}-{number}",
                moved=() if place == written else ("A now stands before B",),
                seconds=tried[place][0],
                hit_share=tried[place][1],
                measured=summarise(
                    [tried[place][0] * dice.uniform(0.95, 1.2) for _ in range(rounds)]
                ),
                measured_hit_share=tried[place][1],
                is_written=place == written,
                is_best=place == 0,
            )
            for number, place in enumerate(places)
        ),
        source="the run a",
        foretold=True,
    )
