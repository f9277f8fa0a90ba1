"""How one cell of a table is written: a figure, a gain with its interval and p, the number of runs."""

from __future__ import annotations

from collections.abc import Sequence

from canner.experiment.results_schema import Gain, Row, Tested

NOT_RUN = "not run"
SIGNIFICANT = 0.05
"""Below this p of the bootstrap a gain of several runs stands in bold."""
OUTDATED = "†"
"""Marks a row whose translator, say, was trained anew since its runs."""
_COUNTED = ("sentences", "tokens", "words of entities", "pairs", "steps")
"""How the names of figures end that are counts."""


def header_lines(names: Sequence[str]) -> list[str]:
    """The head of a table: a line of its names, and one that says that all but the first are numbers."""
    return [as_line(names), as_line(["---"] + ["---:"] * (len(names) - 1))]


def as_line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def cell(text: str) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(text.split()).replace("|", "\\|")


def mark(row: Row) -> str:
    """What follows the name, or the figure, of an outdated row."""
    return f" {OUTDATED}" if row.outdated else ""


def figure(row: Row, name: str) -> str:
    """Mean and deviation; a dash where the runs have no such figure."""
    if not row.metrics:
        return without_figures(row)
    metric = row.metrics.get(name)
    if metric is None:
        return "–"
    if name.endswith(_COUNTED):
        return f"{metric.mean:,.0f}"
    several = len(metric.values) > 1
    return f"{metric.mean:.2f} ± {metric.sd:.2f}" if several else f"{metric.mean:.2f}"


def without_figures(row: Row) -> str:
    """Why a row has none."""
    return "failed" if row.failed else NOT_RUN


def paper_figure(value: float | None) -> str:
    """A figure of the paper; nothing, where it has none."""
    return "" if value is None else f"{value:.2f}"


def points(gain: Gain | Tested) -> str:
    """F1 points above the baseline."""
    return f"{gain.difference:+.2f}"


def interval(gain: Gain | Tested) -> str:
    """Their 95 % interval."""
    return f"[{gain.low:+.2f}, {gain.high:+.2f}]"


def p_value(value: float) -> str:
    """A p value, as far as ten thousand resamples tell it."""
    return "≤ 0.001" if value <= 0.001 else format(value, ".3f")
