"""The cache as the model sees it: the set of everything that was ever built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.cache_model.outcomes import Predicted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.cache_model.keys import Key
    from bench.cache_model.outcomes import Prediction, StepPlace
    from bench.cache_model.stage_files import StageFiles

_STORED = frozenset(
    {Predicted.HIT, Predicted.MISS, Predicted.DEPENDS, Predicted.MERGED, Predicted.BASE}
)
_LEFT_NOTHING = frozenset({"failed", "not-run"})


class History:
    """Everything that was built on one cache, in order: A, then B, then A again is a hit.

    Looking up never changes it; `add` takes a build in.
    """

    def __init__(self) -> None:
        self.builds = 0
        self.distinct: set[frozenset[str]] = set()
        """Pairs of keys whose artefacts turned out to be unlike."""
        self._known: dict[str, Key] = {}
        self._loose: dict[str, list[Key]] = {}
        self._children: dict[str, list[Key]] = {}
        self._bases: dict[str, Key] = {}
        self._files: dict[str, StageFiles] = {}

    def __contains__(self, key: Key) -> bool:
        return key.exact in self._known

    def canonical(self, key: Key) -> Key | None:
        """Return the key under which ``key`` is stored, or None if it was never built.

        It is another one where an artefact turned out equal to an earlier one.
        """
        return self._known.get(key.exact)

    def candidates(self, key: Key) -> list[Key]:
        """Return the keys built before that may turn out equal to ``key``, the latest first."""
        if not key.has_artefacts:
            return []
        found = self._loose.get(key.loose, ())
        return [one for one in reversed(found) if key.may_equal(one, self.distinct)]

    def children(self, parent: Key | None) -> list[Key]:
        """Return what was built on ``parent`` before, the latest last."""
        return self._children.get(parent.exact if parent else "", [])

    def files(self, key: Key) -> StageFiles | None:
        """Return the files that were stored with ``key``: those of the build that made it.

        They are not always those a step would make today: a key may leave out what files hold,
        as that of BuildKit 0.8 leaves out owners.
        """
        return self._files.get(key.exact)

    def base_named(self, name: str) -> Key | None:
        """Return the latest base image of that name that something was built on."""
        return self._bases.get(name)

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
            if outcomes is not None and outcomes.get(place) in _LEFT_NOTHING:
                continue
            if outcome_of.get(place, Predicted.HIT) in _STORED:
                self._add_key(key)
        for exact, files in prediction.files.items():
            self._files.setdefault(exact, files)
        self._known.update(prediction.aliases)
        self.distinct |= prediction.distinct

    def _add_key(self, key: Key) -> None:
        siblings = self._children.setdefault(key.parent.exact if key.parent else "", [])
        if key.exact in self._known:
            # Built again: it is now the latest of what stands on its parent.
            siblings[:] = [one for one in siblings if one.exact != key.exact]
        else:
            self._known[key.exact] = key
            if key.has_artefacts:
                self._loose.setdefault(key.loose, []).append(key)
        siblings.append(key)
        if key.keyword == "FROM":
            self._bases[key.shown] = key
