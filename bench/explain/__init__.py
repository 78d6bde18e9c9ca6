"""Why steps of a build missed, or will: for recorded runs, working trees and recorded logs.

Nothing in this package talks to an engine, and nothing is ever written. `bench.explain.recorded`,
for runs, is left to be imported by itself: it brings pandas along.
"""

from bench.explain.account import Account, of_observed, of_prediction, of_record
from bench.explain.comparing import Earlier, States, read_states
from bench.explain.documents import rebuild_document, run_document
from bench.explain.rawjson import BuildLog, read_log
from bench.explain.rebuild import (
    Rebuild,
    Request,
    explain_log,
    explain_rebuild,
    profile_of_log,
)
from bench.explain.revision import Untracked
from bench.explain.states import Place, State
from bench.explain.summaries import changed_words, summary
from bench.explain.wording import (
    FUTURE,
    LOGGED,
    PAST,
    Sentence,
    sentences,
    shortened,
    stage_name,
)

__all__ = [
    "FUTURE",
    "LOGGED",
    "PAST",
    "Account",
    "BuildLog",
    "Earlier",
    "Place",
    "Rebuild",
    "Request",
    "Sentence",
    "State",
    "States",
    "Untracked",
    "changed_words",
    "explain_log",
    "explain_rebuild",
    "of_observed",
    "of_prediction",
    "of_record",
    "profile_of_log",
    "read_log",
    "read_states",
    "rebuild_document",
    "run_document",
    "sentences",
    "shortened",
    "stage_name",
    "summary",
]
