"""A rebuild in a line or two: what differs, and how many steps hit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bench.builders.protocol import BuildOutcome
from bench.cache_model import Predicted
from bench.cache_model.differences import file_reason, listed
from bench.explain.account import HIT, MISS

if TYPE_CHECKING:
    from bench.explain.rebuild import Rebuild, Request
    from bench.explain.states import Place

_COUNTED = (HIT, MISS, Predicted.DEPENDS.value, Predicted.UNKNOWN.value)


def changed_words(rebuild: Rebuild, place: Place) -> str:
    """Say what differs between the two states, times left out: ``README.md changed``."""
    words = []
    if rebuild.dockerfile_changed and place.inside is None:
        words.append(f"{place.dockerfile} changed")
    arguments = _changed_arguments(rebuild.request)
    if arguments:
        words.append(f"build argument{'s' * (len(arguments) > 1)} {listed(arguments)} changed")
    if rebuild.changes.hashed_paths:
        words.append(file_reason(rebuild.before.manifest, rebuild.after.manifest).detail)
    elif rebuild.dockerfile_changed and place.inside is not None:
        words.append(f"{place.inside} changed (.dockerignore keeps it out of the context)")
    return "; ".join(words) or "nothing that a builder sees differs"


def summary(rebuild: Rebuild) -> str:
    """Say how many steps hit, and by whose rules the reasons were found."""
    found = Counter(account.outcome for account in rebuild.accounts)
    total = sum(found[outcome] for outcome in _COUNTED)
    hits = f"{found[HIT]} of {total} step{'' if total == 1 else 's'}"
    if rebuild.build is None:
        text = f"{hits} will hit"
    elif rebuild.build.outcome is BuildOutcome.OK:
        text = f"{hits} hit"
    else:
        text = f"the build failed: {rebuild.build.error}"
    depends, unknown = found[Predicted.DEPENDS.value], found[Predicted.UNKNOWN.value]
    text += f", {depends} depend{'s' if depends == 1 else ''} on what RUN makes" if depends else ""
    text += f", {unknown} cannot be told" if unknown else ""
    return f"{text} ({rebuild.request.profile.title})"


def _changed_arguments(request: Request) -> list[str]:
    """Return the names of the build arguments that are others than before."""
    now, before = request.build_args, request.build_args_before
    return sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
