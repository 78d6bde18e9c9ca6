"""The cache as the model sees it: the set of everything that was ever built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model.outcomes import Predicted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.keys import Key
    from bench.cache_model.outcomes import Prediction, StepPlace

_STORED = frozenset(
    {Predicted.HIT, Predicted.MISS, Predicted.DEPENDS, Predicted.MERGED, Predicted.BASE}
)


class History:
    """Everything that was built on one cache, in order: A, then B, then A again is a hit.

    Looking up never changes it; `add` takes a build in.
    """

    def __init__(self) -> None:
        self.builds = 0
        self._exact: dict[str, Key] = {}
        self._loose: dict[str, list[Key]] = {}
        self._children: dict[str, list[Key]] = {}

    def __contains__(self, key: Key) -> bool:
        return key.exact in self._exact

    def candidates(self, key: Key) -> list[Key]:
        """Return the keys built before that may turn out equal to ``key``, the latest first."""
        found = self._loose.get(key.loose, ())
        return [one for one in reversed(found) if one.exact != key.exact and key.may_equal(one)]

    def children(self, parent: Key | None) -> list[Key]:
        """Return what was built on ``parent`` before, the latest last."""
        return self._children.get(parent.exact if parent else "", [])

    def keys(self) -> list[Key]:
        """Return every key, in the order in which it was first built."""
        return list(self._exact.values())

    def add(self, prediction: Prediction, outcomes: Mapping[StepPlace, str] | None = None) -> None:
        """Take in a build that was made (or is assumed to have been).

        Args:
            prediction: what was predicted; its keys are the ones the builder stored.
            outcomes: what the engine did with each step, where it is known: a step that failed or
                was not run has left nothing. Without it, every step counts as built.

        """
        self.builds += 1
        outcome_of = {decision.place: decision.outcome for decision in prediction.decisions}
        for place, key in prediction.keys.items():
            if outcomes is not None and outcomes.get(place, "hit") in {"failed", "not-run"}:
                continue
            if outcome_of.get(place, Predicted.HIT) in _STORED:
                self._add_key(key)

    def _add_key(self, key: Key) -> None:
        siblings = self._children.setdefault(key.parent.exact if key.parent else "", [])
        if key.exact in self._exact:
            # Built again: it is now the latest of what stands on its parent.
            siblings[:] = [one for one in siblings if one.exact != key.exact]
        else:
            self._exact[key.exact] = key
            self._loose.setdefault(key.loose, []).append(key)
        siblings.append(key)
