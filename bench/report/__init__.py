"""From run folders to a report: tables, the answer in words, and charts as PNG and SVG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from bench.dataset import load_dataset, write_tables
from bench.dataset.tables import write_atomically, write_csv
from bench.report.answer import Answer, answer
from bench.report.charts import charts, slug
from bench.report.document import document
from bench.report.lettering import undrawable
from bench.report.sheet import drawing, save
from bench.report.summary import comparisons_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.dataset import Dataset

__all__ = ["Answer", "ReportPaths", "write_report"]

REPORT_NAME = "report.md"
CHARTS = "charts"


@dataclass(frozen=True)
class ReportPaths:
    """What a report wrote, the answers it found, and what its reader should be warned of."""

    folder: Path
    documents: tuple[Path, ...]
    tables: tuple[Path, ...]
    charts: tuple[Path, ...]
    answers: tuple[Answer, ...]
    warnings: tuple[str, ...]

    @property
    def chart_folder(self) -> Path:
        """The folder that holds the charts."""
        return self.folder / CHARTS


def write_report(
    folders: Sequence[Path], out: Path, *, progress: Callable[[str], None] = lambda _: None
) -> ReportPaths:
    """Write the report of one or several runs into ``out``.

    Runs of several scenarios get one document and one folder of charts each. The names of all
    files depend on the scenario, builder and engine alone, so a second report replaces the first.

    Raises:
        RecordsError: a folder is no run or has no builds yet, or ``out`` cannot be written.
        UsageError: the runs cannot be reported together.

    """
    progress("reading the records")
    dataset = load_dataset(folders)
    scenarios = list(dict.fromkeys(run.scenario for run in dataset.runs))
    parts = [dataset.of_scenario(scenario) for scenario in scenarios]
    answers = [answer(part) for part in parts]
    tables = [*write_tables(dataset.tables, out)]
    tables.append(write_csv(comparisons_frame(answers), out / "comparisons.csv"))
    documents: list[Path] = []
    pictures: list[Path] = []
    for part, found in zip(parts, answers, strict=True):
        several = len(parts) > 1
        name = f"report-{slug(found.scenario)}.md" if several else REPORT_NAME
        place = PurePosixPath(CHARTS, slug(found.scenario)) if several else PurePosixPath(CHARTS)
        shown = []
        with drawing():
            for chart in charts(part, found.title):
                progress(f"drawing {chart.title}")
                pictures += save(chart.figure, out / place / chart.stem)
                shown.append((chart, place / f"{chart.stem}.png"))
        text = document(part, found, shown)
        documents.append(write_atomically(out / name, text.encode()))
    return ReportPaths(
        folder=out,
        documents=tuple(documents),
        tables=tuple(tables),
        charts=tuple(pictures),
        answers=tuple(answers),
        warnings=tuple(_warnings(dataset)),
    )


def _warnings(dataset: Dataset) -> list[str]:
    builds, steps = dataset.tables.builds, dataset.tables.steps
    texts = [run.title for run in dataset.runs]
    for frame, columns in ((builds, ("variant", "change")), (steps, ("text", "stage"))):
        for column in columns:
            texts += [str(value) for value in frame[column].unique()]
    missing = undrawable(texts)
    if not missing:
        return []
    shown = missing[:12] + ("…" if len(missing) > 12 else "")
    return [
        f"no installed font draws {shown}: charts show boxes there; install a font that does, "
        "such as Noto Sans CJK (package fonts-noto-cjk on Debian), and report again"
    ]
