"""`canner report`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from canner.cli.console import emit, note


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("report")(report)


def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder of results files, or of one comparison, which is printed.")
    ] = Path("results"),
    readme: Annotated[Path, typer.Option(help="File whose tables are rebuilt.")] = Path("README.md"),
    page: Annotated[Path, typer.Option(help="Page of all results.")] = Path("docs/results.md"),
    models: Annotated[
        Path, typer.Option(help="Folder of bundles, whose cards get the figures of their own.")
    ] = Path("models"),
    stdout: Annotated[bool, typer.Option("--stdout", help="Print the tables; write nothing.")] = False,
) -> None:
    """Build the page of results with its plots, the tables in the README, and the figures on the models' cards.

    All figures come from the results files alone.

    Plots need the extra `plots` (matplotlib).

    Examples:

        canner report

        canner report results --stdout

        canner report runs/comparison
    """
    from canner.report.markers import around_markers, update_card, update_readme
    from canner.report.page import figures_of_bundle, results_in_brief, results_page, table_with_legend
    from canner.report.page import report as build
    from canner.tables import planned_results
    from canner.tables.by_labels import BY_LABELS
    from canner.text.files import write_lines

    if (own := folder / "results.json").is_file():
        emit(table_with_legend(own), None)
        return
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise ValueError(f"expected a folder of results, got {found}: {folder}")
    planned = planned_results()
    if stdout:
        emit(build(folder, planned=planned, corpora=BY_LABELS).splitlines(), None)
        return
    around_markers(readme)  # or nothing is written
    if not any(folder.glob("*.json")):
        raise ValueError(f"expected results files (.json) in {folder}, got none; nothing is written")
    page.parent.mkdir(parents=True, exist_ok=True)
    figures = _draw(folder, page.parent / "figures")
    write_lines(page, results_page(folder, _seen_from(page, figures), planned, BY_LABELS).splitlines())
    in_brief = results_in_brief(folder, _seen_from(readme, figures), planned, BY_LABELS)
    changed = update_readme(readme, in_brief)
    note(f"{page}: written; {readme}: {'results rebuilt' if changed else 'already up to date'}")
    for card in sorted(models.glob("*/README.md")):
        if update_card(card, figures_of_bundle(folder, f"{models.name}/{card.parent.name}")):
            note(f"{card}: figures rebuilt")


def _draw(folder: Path, pictures: Path) -> list[Path]:
    """Draws what the results of a folder are enough for, and gives the pictures."""
    from canner.report.label_curve import draw_label_curve
    from canner.report.layer_plots import draw_layers
    from canner.report.objection_plot import draw_objections
    from canner.report.results_file import results_of
    from canner.tables.by_labels import BY_LABELS

    by_name = {result.name: result for result in results_of(folder)}
    return [
        *draw_label_curve(by_name, BY_LABELS, pictures),
        *draw_layers(folder, pictures),
        *draw_objections(by_name, pictures),
    ]


def _seen_from(page: Path, figures: Sequence[Path]) -> list[str]:
    """Paths of pictures as a page names them."""
    return [Path(os.path.relpath(path, page.parent)).as_posix() for path in figures]
