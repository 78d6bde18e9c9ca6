"""What must be true between the tables of a scenario file, whatever else is wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.changes.nearest import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.changes.change import Change
    from bench.scenario.draft import Draft, Entry
    from bench.scenario.models import Expect, Probe, Variant, Verdict
    from bench.scenario.problems import Location

    Named = Sequence[Entry[Variant] | Entry[Change] | Entry[Probe]]


def check_tables(draft: Draft) -> None:
    """Report on names, references between tables, and keys that exclude or need each other."""
    _unique(draft, draft.variant_entries, "variant")
    _unique(draft, draft.changes, "change")
    _unique(draft, draft.probes, "probe")
    _sources(draft)
    _references(draft)
    _expectations(draft)
    for base in draft.bases:
        if not base.raw:
            remedy = 'add standin = "RECIPE" or image = "OTHER-IMAGE", or leave the table out'
            draft.report(base.location, base.raw, "says nothing about the image", remedy)


def _unique(draft: Draft, entries: Named, what: str) -> None:
    first: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry.name is None:
            continue
        if entry.name in first:
            earlier = f"{what}[{first[entry.name]}]"
            message = f"is already the name of {earlier}"
            draft.report((*entry.location, "name"), entry.name, message, "give it another name")
        first.setdefault(entry.name, index)


def _names(entries: Named) -> list[str]:
    return [entry.name for entry in entries if entry.name is not None]


def _sources(draft: Draft) -> None:
    variants = _names(draft.variant_entries)
    for entry in draft.variant_entries:
        given = {"dockerfile", "reorder"} & entry.raw.keys()
        if len(given) != 1:
            message = "has both dockerfile and reorder" if given else "has no Dockerfile"
            remedy = "give exactly one of dockerfile and reorder"
            draft.report(entry.location, entry.name, message, remedy)
        reorder = entry.raw.get("reorder")
        source = reorder.get("of") if isinstance(reorder, dict) else None
        if isinstance(source, str):
            _known(draft, (*entry.location, "reorder", "of"), source, variants, "variant")


def _references(draft: Draft) -> None:
    variants, changes = _names(draft.variant_entries), _names(draft.changes)
    baseline = draft.raw.get("baseline")
    if isinstance(baseline, str):
        _known(draft, ("baseline",), baseline, variants, "variant")
    references: list[tuple[Location, str | None, str | None]] = []
    references += [(one.location, one.value.variant, one.value.change) for one in draft.expects]
    references += [(one.location, one.value.variant, one.value.change) for one in draft.verdicts]
    references += [(one.location, one.value.variant, None) for one in draft.probes]
    references += [(one.location, one.value.variant, None) for one in draft.accesses]
    for location, variant, change in references:
        _known(draft, (*location, "variant"), variant, variants, "variant")
        _known(draft, (*location, "change"), change, changes, "change")
    for verdict in draft.verdicts:
        _known(draft, (*verdict.location, "against"), verdict.value.against, variants, "variant")
        _compared(draft, verdict)


def _compared(draft: Draft, verdict: Entry[Verdict]) -> None:
    names = _names(draft.variant_entries)
    default = draft.raw.get("baseline", names[0] if names else None)
    against = verdict.value.against or default
    if against is not None and verdict.value.variant == against:
        key = "against" if verdict.value.against else "variant"
        message = "is compared with itself"
        draft.report((*verdict.location, key), against, message, "name two different variants")


def _known(
    draft: Draft, location: Location, name: str | None, names: Iterable[str], what: str
) -> None:
    known = list(names)
    if name is not None and name not in known:
        remedy = suggestion(name, known, f"{what}s")
        draft.report(location, name, f"names no {what} of this file", remedy)


def _expectations(draft: Draft) -> None:
    for entry in draft.expects:
        if not {"miss", "hit"} & entry.raw.keys():
            remedy = "add miss = [...] or hit = [...]; miss = [] says that everything hits"
            draft.report(entry.location, entry.raw, "expects nothing", remedy)
        _contradiction(draft, entry)


def _contradiction(draft: Draft, entry: Entry[Expect]) -> None:
    both = set(entry.value.miss or ()) & set(entry.value.hit or ())
    for reference in sorted(both):
        message = "is expected both to hit and to miss"
        draft.report((*entry.location, "hit"), reference, message, "leave it in one of the lists")
