"""What rebuilds will do, for a scenario or a bare Dockerfile and context; no engine is asked.

The states to build come from scratch copies or from folders that are only read; what a builder
does with them is the cache model's word.
"""

from bench.predicting.outlook import Cause, Outlook, Rebuild, look_ahead, step_name
from bench.predicting.plain import read_dockerfile, read_state
from bench.predicting.rows import rows_of
from bench.predicting.scenario import scenario_states
from bench.predicting.state import BuildState, client_of
from bench.predicting.subjects import PlainRequest, Subject, plain_subjects, scenario_subjects

__all__ = [
    "BuildState",
    "Cause",
    "Outlook",
    "PlainRequest",
    "Rebuild",
    "Subject",
    "client_of",
    "look_ahead",
    "plain_subjects",
    "read_dockerfile",
    "read_state",
    "rows_of",
    "scenario_states",
    "scenario_subjects",
    "step_name",
]
