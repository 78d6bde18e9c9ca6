"""What is written of a proof: one JSON file for each builder, and one table of all of them."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conformance.targets import Target
    from tests.orderings.subjects import Proof, Unlike

_NAMED = 6
_HEAD = """\
# Legal orderings make the same image

How `python -m tests.orderings.proof` counts. Every Dockerfile is built as it is written, on a cache
of its own, and a second time without the cache. *Legal* are the orderings of its instructions that
`bench.orderings` allows by the rules of the one builder, the written one among them. A sample of
them is *built*: all, or those in which the most is turned round and others drawn so that each is
as likely as any other, as many as the time for one application allows. The first one of every
sample is built *without the cache*; of the others those steps run whose place in the order matters
to the builder: *steps run*, of all steps that were looked up. *Equal* is an image whose config and
whose merged root file system (type, mode, owner, size, content, extended attributes, targets of
links; not times) are those of the first.

*Not deterministic* are files that differ between the two builds of the Dockerfile as written; they
are no difference. The second of these builds has one comment more, so that what depends on the
text of the Dockerfile, where that is copied into the image, is among them.
"""


@dataclass
class Summary:
    """All that was proved on one builder. ``kind`` is ``applications`` or ``generated``."""

    kind: str
    target: Target
    seed: int
    proofs: list[Proof] = field(default_factory=list)

    @property
    def unlike(self) -> list[Unlike]:
        """Every counter-example."""
        return [one for proof in self.proofs for one in proof.unlike]

    def line(self) -> str:
        """Return it in one line."""
        built = [one for one in self.proofs if one.built]
        return (
            f"{self.target.label} {self.kind}: {len(self.proofs)} Dockerfiles, {len(built)} built "
            f"in {sum(one.built for one in built)} legal orderings, "
            f"{sum(one.equal for one in built)} equal, {len(self.unlike)} not"
        )

    def row(self, proof: Proof) -> str:
        """Return one Dockerfile in one line."""
        if proof.skipped:
            return f"{proof.name}: {proof.skipped}"
        return (
            f"{proof.name}: {proof.legal} legal, {proof.built} built, {proof.equal} equal, "
            f"{len(proof.unlike)} not, {proof.steps_run} of {proof.steps} steps run, "
            f"{len(proof.nondeterministic)} files not deterministic"
            + "".join(f"\n    {one.ordering.stages} {one.words}" for one in proof.unlike)
        )

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it; of generated Dockerfiles only those that tell something."""
        built = [one for one in self.proofs if one.built]
        return {
            "kind": self.kind,
            "builder": self.target.builder,
            "engine": self.target.version.partition("+")[0],
            "image_store": self.target.image_store,
            "seed": self.seed,
            "dockerfiles": len(self.proofs),
            "dockerfiles_built": len(built),
            "skipped": _counted(one.skipped for one in self.proofs if one.skipped),
            "orderings_built": sum(one.built for one in built),
            "orderings_uncached": sum(one.uncached for one in built),
            "orderings_equal": sum(one.equal for one in built),
            "steps": sum(one.steps for one in built),
            "steps_run": sum(one.steps_run for one in built),
            "proofs": [
                _proof_document(one)
                for one in self.proofs
                if self.kind == "applications" or one.unlike
            ],
        }


def _proof_document(proof: Proof) -> dict[str, Any]:
    document = asdict(proof)
    document["unlike"] = [
        {"ordering": [list(steps) for steps in one.ordering.stages], "words": list(one.words)}
        for one in proof.unlike
    ]
    return document


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for reason in reasons:
        kind = reason.partition(":")[0]
        found[kind] = found.get(kind, 0) + 1
    return dict(sorted(found.items()))


def write(folder: Path, summaries: Iterable[Summary]) -> None:
    """Write the JSON file of every summary, and the table of all files that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for summary in summaries:
        document = summary.document()
        name = "-".join(document[key] for key in ("kind", "builder", "engine", "image_store"))
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    known = [json.loads(path.read_text()) for path in sorted(folder.glob("*-*-*.json"))]
    (folder / "README.md").write_text(markdown(known), encoding="utf-8")


def markdown(documents: list[dict[str, Any]]) -> str:
    """Return the tables of several summaries."""
    kinds = {kind: [one for one in documents if one["kind"] == kind] for kind in _TITLES}
    parts = [_HEAD]
    for kind, found in kinds.items():
        if found:
            parts += [_TITLES[kind], *_totals(found), ""]
    if kinds["applications"]:
        parts += ["## Every application", "", *_applications(kinds["applications"]), ""]
    return "\n".join(parts)


_TITLES = {
    "applications": "## Applications\n",
    "generated": (
        "## Generated Dockerfiles\n\nThose of the generator of `tests/conformance`, on a base image"
        " of 2 MB: rich in everything that the builders know. Every other one is without RUN, since"
        " hardly anything may move across one.\n"
    ),
}


def _totals(documents: list[dict[str, Any]]) -> list[str]:
    rows = [
        "| Builder | Engine | Image store | Seed | Dockerfiles | With other orders "
        "| Orderings built | Without the cache | Steps run | Equal | Not equal |",
        "|---|---|---|" + "---:|" * 8,
    ]
    for one in documents:
        cells = [
            one["builder"],
            one["engine"],
            one["image_store"],
            one["seed"],
            one["dockerfiles"],
            one["dockerfiles_built"],
            one["orderings_built"],
            one["orderings_uncached"],
            f"{one['steps_run']} of {one['steps']}",
            one["orderings_equal"],
            one["orderings_built"] - one["orderings_equal"],
        ]
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return rows


def _applications(documents: list[dict[str, Any]]) -> list[str]:
    return [
        "| Application | Builder | Legal | Built | Equal | Not equal | Steps run "
        "| Not deterministic |",
        "|---|---|" + "---:|" * 5 + "---|",
        *sorted(
            _application(one["builder"], proof) for one in documents for proof in one["proofs"]
        ),
    ]


def _application(builder: str, proof: dict[str, Any]) -> str:
    unlike = "; ".join(word for one in proof["unlike"] for word in one["words"])
    cells = [
        proof["name"],
        builder,
        proof["legal"],
        proof["built"],
        proof["equal"],
        f"{len(proof['unlike'])}: {unlike}" if unlike else 0,
        f"{proof['steps_run']} of {proof['steps']}",
        proof["skipped"] or _files(proof),
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _files(proof: dict[str, Any]) -> str:
    """Return the files that are not deterministic; of many only how many there are of each kind."""
    paths = proof["nondeterministic"]
    shown = [f"`{path}`" for path in paths]
    if len(paths) > _NAMED:
        kinds = Counter(posixpath.splitext(path)[1] for path in paths)
        shown = [f"{count} `*{kind}`" for kind, count in kinds.most_common()]
    own = [f"`{path}` (the Dockerfile itself)" for path in proof["own_copies"]]
    return ", ".join([*shown, *own])
