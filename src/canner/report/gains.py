"""The gains of many results files in one table, in Markdown: what CAN_last adds, and what is best on dev."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from canner.experiment.results_schema import Results, Row
from canner.report.cells import (
    SIGNIFICANT,
    as_line,
    cell,
    figure,
    header_lines,
    interval,
    mark,
    paper_figure,
    points,
    without_figures,
)

_PAPERS_SYSTEM = "CAN_last"


def gains(results: Sequence[Results], *, briefly: bool = False) -> str:
    """A line for each plain tagger: what the paper's CAN_last adds, and the system that is best on dev.

    Args:
        results: results files; those that are no headline, or mark no system as best, add nothing.
        briefly: only the first plain tagger of each table, that without encoder and character language model.

    Returns:
        A table, or nothing if there is no line.
    """
    lines = [line for result in results if result.headline for line in _gains_of(result, briefly)]
    if not lines:
        return ""
    header = [
        "data",
        "plain tagger",
        "F1",
        "in the paper",
        "CAN_last",
        "in the paper",
        "best on dev",
        "its gain",
    ]
    return "\n".join([*header_lines(header), *lines])


def _gains_of(result: Results, briefly: bool) -> Iterator[str]:
    rows = {row.system: row for row in result.rows}
    first, _ = _without_budget(next(iter(rows), ""))
    for best in (row for row in result.rows if row.best_on_dev):
        base = best.against.system if best.against else best.system
        name, budget = _without_budget(base)
        if briefly and name != first:
            continue
        can_last = rows.get(f"{name} + {_PAPERS_SYSTEM}{budget}")
        if can_last is None and name == first:  # where the name of the first row goes without saying
            can_last = rows.get(f"{_PAPERS_SYSTEM}{budget}")
        is_plain, plain = best.system == base, result.reported(base)
        yield as_line(
            [
                cell(result.title),
                cell(base),
                figure(rows[base], "f1") + mark(rows[base]),
                paper_figure(plain.get("f1")),
                _gain_if_run(can_last),
                _paper_gain(plain, result.reported(can_last.system) if can_last else {}),
                ("none" if is_plain else cell(best.system.removeprefix(f"{name} + ").removesuffix(budget)))
                + _of_how_many(best),
                "–" if is_plain else _gain_if_run(best),
            ]
        )


def _without_budget(system: str) -> tuple[str, str]:
    """A row's name without its number of sentences, and that: "A", ", 100 sentences"."""
    plain, comma, budget = system.rpartition(", ")
    return (plain, comma + budget) if comma and budget.endswith(" sentences") else (system, "")


def _gain_if_run(row: Row | None) -> str:
    """The gain of a row and of how many runs, in bold if significant and not of one; a dash: no row, or no test."""
    if row is None or (row.metrics and not row.against):
        return "–"
    if not row.against:
        return without_figures(row)
    gain, several = row.against, row.against.runs > 1
    shown = f"**{points(gain)}**" if gain.p < SIGNIFICANT and several else points(gain)
    return f"{shown} {interval(gain)}, {gain.runs} run{'s' if several else ''}{mark(row)}"


def _paper_gain(plain: Mapping[str, float], can: Mapping[str, float]) -> str:
    return f"{can['f1'] - plain['f1']:+.2f}" if "f1" in plain and "f1" in can else ""


def _of_how_many(best: Row) -> str:
    """Says among how many of our rows one was chosen, if some were not run, or not as often."""
    return " (among {} of {})".format(*best.chosen_among) if best.chosen_among else ""
