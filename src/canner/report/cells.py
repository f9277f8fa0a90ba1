"""How one cell of a table is written: a figure, a gain with its interval and p, the number of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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


def cell(value: Any) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(str(value).split()).replace("|", "\\|")


def mark(row: Mapping[str, Any]) -> str:
    """What follows the name, or the figure, of an outdated row."""
    return f" {OUTDATED}" if row.get("outdated") else ""


def figures_of_paper(paper: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the paper reports of a row."""
    figures = paper.get(row.get("system")) if isinstance(paper, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def figure(row: Mapping[str, Any], name: str) -> str:
    """Mean and deviation; a dash where the runs have no such figure."""
    if not row["metrics"]:
        return without_figures(row)
    metric = row["metrics"].get(name)
    if metric is None:
        return "–"
    if name.endswith(_COUNTED):
        return f"{metric['mean']:,.0f}"
    several = len(metric.get("values") or ()) > 1
    return f"{metric['mean']:.2f} ± {metric['sd']:.2f}" if several else f"{metric['mean']:.2f}"


def without_figures(row: Mapping[str, Any]) -> str:
    """Why a row has none."""
    return "failed" if row.get("failed") else NOT_RUN


def paper_figure(value: Any) -> str:
    """A figure of the paper; nothing, where it has none."""
    return "" if value is None else f"{value:.2f}"


def points(against: Mapping[str, Any]) -> str:
    """F1 points above the baseline."""
    return f"{against['difference']:+.2f}"


def interval(against: Mapping[str, Any]) -> str:
    """Their 95 % interval."""
    return f"[{against['low']:+.2f}, {against['high']:+.2f}]"


def p_value(value: float) -> str:
    """A p value, as far as ten thousand resamples tell it."""
    return "≤ 0.001" if value <= 0.001 else format(value, ".3f")


def num_ended(row: Mapping[str, Any]) -> int:
    """How many of a row's runs have figures, or failed."""
    return num_finished(row) + len(row.get("failed", ()))


def num_finished(row: Mapping[str, Any]) -> int:
    """How many of a row's runs have figures."""
    return max((len(metric.get("values") or ()) for metric in row["metrics"].values()), default=0)
