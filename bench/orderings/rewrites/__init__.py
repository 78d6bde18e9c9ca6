"""Named rewrites of a Dockerfile beyond moving whole instructions, each with its own proof.

`best_rewrites` makes all that can be shown to leave the image the same; single rewrites are in
`REWRITES`, each with ``proposals(facts)`` and ``why_not(facts)``.
"""

from bench.orderings.rewrites.applying import Rewritten, best_rewrites, facts_after
from bench.orderings.rewrites.base import Facts, Proposal, Refusal, Rewrite
from bench.orderings.rewrites.contents import read_contents
from bench.orderings.rewrites.registry import REWRITES, find_rewrite

__all__ = [
    "REWRITES",
    "Facts",
    "Proposal",
    "Refusal",
    "Rewrite",
    "Rewritten",
    "best_rewrites",
    "facts_after",
    "find_rewrite",
    "read_contents",
]
