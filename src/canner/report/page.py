"""Pages of results in Markdown: `docs/results.md`, and what the README and the cards of models show."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from canner.experiment.results_schema import Results
from canner.report import label_curve
from canner.report.benchmarks import speed_tables
from canner.report.by_labels import CorpusLine, f1_by_labels
from canner.report.cells import cell
from canner.report.gains import gains
from canner.report.legend import BY_LABELS_LEGEND, CURVE_LEGEND, GAINS_LEGEND, legend_of, legend_of_systems
from canner.report.results_file import Planned, results_of
from canner.report.table import table

NO_RESULTS = "No results yet."
_HEAD = """# Results

Built by `canner report` from the files in [`results/`](../results); do not edit. F1, precision and recall are
entity-level, in percent, as `conlleval` counts; `±` is the standard deviation over the runs. A stand-in is named as
such, and what has not been run says so.
"""


def table_with_legend(path: Path) -> list[str]:
    """One results file's table, and what its words mean; lines.

    Raises:
        ValueError: if it is not a results file.
    """
    shown = table(Results.read(path))
    legend = legend_of(shown)
    return [*shown.splitlines(), *(["", legend] if legend else [])]


def report(
    folder: Path,
    figures: Sequence[str] = (),
    planned: Sequence[Planned] = (),
    corpora: Sequence[CorpusLine] = (),
) -> str:
    """Results of a folder as Markdown: F1 by labels, gains, the tables that are planned in their order, others by name.

    Args:
        folder: of results files.
        figures: pictures to show, as paths seen from the page, each under the table whose name it has.
        planned: what there should be; where there is some of it, the rest is listed as not run.
        corpora: the lines of the table of F1 by labels.

    Raises:
        ValueError: if a file is not a results file, or two have one name.
    """
    results = results_of(folder, planned)
    found = {result.name for result in results}
    missing = [entry for entry in planned if entry.name not in found]
    missing = missing if len(missing) < len(planned) else []  # a folder of other results
    parts = []
    pictures = {Path(path).stem: path for path in figures}
    if by_labels := _by_labels(results, corpora, pictures):
        parts.append(f"### F1 by how much is labelled\n\n{by_labels}")
    if lines := gains(results):
        parts.append(f"### Gains over the plain tagger\n\n{lines}\n\n{GAINS_LEGEND}")
    for result in results:
        parts.append(table(result))
        if result.name in pictures:
            parts.append(_picture(result.title, pictures[result.name]))
    if missing:
        left = [f"- {cell(entry.title)}: `{entry.command}`" for entry in missing]
        parts.append("\n".join(["### Not run", "", *left]))
    return "\n\n".join(parts) if parts else NO_RESULTS


def results_in_brief(
    folder: Path,
    figures: Sequence[str] = (),
    planned: Sequence[Planned] = (),
    corpora: Sequence[CorpusLine] = (),
) -> str:
    """What the README shows of the results of a folder: F1 by labels, gains in brief, and pictures; see `report`.

    Where something that is planned is there, pictures are of that alone.
    """
    results = results_of(folder, planned)
    pictures = {Path(path).stem: path for path in figures}
    parts = [by_labels] if (by_labels := _by_labels(results, corpora, pictures)) else []
    left_out = {entry.name for entry in planned if not entry.in_readme}
    shown = [result for result in results if result.name not in left_out]
    if lines := gains(shown, briefly=True):
        parts.append(f"{lines}\n\n{GAINS_LEGEND} {legend_of_systems(lines)}")
    ours = {entry.name for entry in planned} & {result.name for result in results}
    pictured = [result for result in shown if result.name in pictures and (result.name in ours or not ours)]
    parts += [_picture(result.title, pictures[result.name]) for result in pictured]
    return "\n\n".join(parts) if parts else NO_RESULTS


def results_page(
    folder: Path,
    figures: Sequence[str] = (),
    planned: Sequence[Planned] = (),
    corpora: Sequence[CorpusLine] = (),
) -> str:
    """The whole page of results, with links to its tables; see `report`."""
    speed = speed_tables(folder)
    tables = f"{report(folder, figures, planned, corpora)}\n" + (
        f"\n## Speed and memory\n\n{speed}\n" if speed else ""
    )
    headings = [line.lstrip("# ") for line in tables.splitlines() if line.startswith("### ")]
    links = [f"- [{heading}](#{_anchor(heading)})" for heading in headings]
    return "\n".join([_HEAD, legend_of(tables), "", *links, "", tables])


def figures_of_bundle(folder: Path, bundle: str) -> str:
    """What all results say of one bundle alone (a translator, say), for its card; "" if they say nothing.

    Args:
        folder: of results files.
        bundle: its path as rows that score a bundle name it, "models/zh-en".
    """
    parts = []
    for result in results_of(folder):
        if own := tuple(row for row in result.rows if row.bundle == bundle):
            made = own[0].made.model_dump(exclude_unset=True) if own[0].made else {}  # by one command
            parts.append(table(result.model_copy(update={**made, "rows": own})))
    return "\n\n".join(parts)


def _by_labels(results: Sequence[Results], corpora: Sequence[CorpusLine], pictures: Mapping[str, str]) -> str:
    """The table of F1 by labels, if it has a line, and the curve, if it is drawn, with their legends."""
    lines = f1_by_labels({result.name: result for result in results}, corpora)
    parts = [lines, BY_LABELS_LEGEND] if lines else []
    if label_curve.NAME in pictures:
        parts += [_picture(label_curve.TITLE, pictures[label_curve.NAME]), CURVE_LEGEND]
    return "\n\n".join(parts)


def _anchor(heading: str) -> str:
    """Where a heading is found in its page, as GitHub has it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _picture(title: str, path: str) -> str:
    return f"![{cell(title)}]({path})"
