"""Tables of systems in Markdown: one for each results file, and one of the gains in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOT_RUN = "not run"
_BOOTSTRAP = (
    "gain: F1 over the plain row of the same kind, with 95 % interval and p of a paired bootstrap over the test "
    "sentences, all runs pooled"
)
_SOURCES = ("data", "protocol", "hardware", "date")
_PAPERS_SYSTEM = "CAN_last"


def table(result: Mapping[str, Any]) -> str:
    """One results file as a heading, a table, and a line that says where the figures come from."""
    paper = result.get("paper") or {}
    columns = list(result.get("columns") or _columns(result["rows"]))
    paper_columns = [name for name in columns if any(name in _figures(paper, row) for row in result["rows"])]
    tested = any("against" in row for row in result["rows"])
    header = ["system", *columns, *(f"{name} (paper)" for name in paper_columns)]
    header += ["gain", "runs"] if tested else ["runs"]
    lines = [f"### {cell(result['title'])}", "", *_header(header)]
    for row in result["rows"]:
        cells = [f"**{cell(row['system'])}**" if row.get("best_on_dev") else cell(row["system"])]
        cells += [_figure(row["metrics"], name) for name in columns]
        cells += [_paper_figure(_figures(paper, row).get(name)) for name in paper_columns]
        cells += [_gain_and_share(row.get("against"))] if tested else []
        lines.append(_line([*cells, _num_runs(row)]))
    sources = [f"{key}: {cell(result[key])}" for key in _SOURCES if result.get(key)]
    if tested:
        sources.insert(0, f"{_BOOTSTRAP}; bold: best on dev")
    if isinstance(paper, Mapping) and isinstance(paper.get("note"), str):
        sources.append(f"paper: {cell(paper['note'])}")
    if result.get("command"):
        sources.append(f"command: `{result['command']}`")
    return "\n".join([*lines, "", "; ".join(sources) + "."]) if sources else "\n".join(lines)


def gains(results: Sequence[Mapping[str, Any]]) -> str:
    """A line for each plain tagger against which others were tested: what CAN_last adds, and the best on dev.

    Args:
        results: contents of results files; those without a test add nothing.

    Returns:
        A table, or nothing if there is no line.
    """
    lines = [line for result in results for line in _gains_of(result)]
    if not lines:
        return ""
    header = ["data", "plain tagger", "F1", "CAN_last", "in the paper", "best on dev", "its gain", "runs"]
    return "\n".join([*_header(header), *lines, "", f"{_BOOTSTRAP}."])


def cell(value: Any) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _gains_of(result: Mapping[str, Any]) -> Iterator[str]:
    rows, paper = {row["system"]: row for row in result["rows"]}, result.get("paper")
    tested: dict[str, list[Mapping[str, Any]]] = {}
    for row in result["rows"]:
        if "against" in row:
            tested.setdefault(row["against"]["system"], []).append(row)
    for base, others in tested.items():
        best = next((row for row in others if row.get("best_on_dev")), None)
        if best is None:
            continue
        can_last = next((row for row in others if _added(row["system"], base) == _PAPERS_SYSTEM), {})
        yield _line(
            [
                cell(result["title"]),
                cell(base),
                _figure(rows[base]["metrics"], "f1"),
                _gain(can_last.get("against")) or NOT_RUN,
                _paper_gain(_figures(paper, rows[base]), _figures(paper, can_last)),
                cell(_added(best["system"], base)),
                _gain(best["against"]),
                _num_runs(best),
            ]
        )


def _added(system: str, base: str) -> str:
    """What a row's name says beyond that of its plain tagger: "A + CAN, 100 sentences" over "A, 100 sentences"."""
    plain, *budget = base.rsplit(", ", maxsplit=1)
    if budget and not budget[0].endswith(" sentences"):
        plain, budget = base, []
    return system.removeprefix(f"{plain} + ").removesuffix(f", {budget[0]}" if budget else "")


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every metric of the rows, in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row["metrics"]))


def _figures(paper: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    figures = paper.get(row.get("system")) if isinstance(paper, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def _figure(metrics: Mapping[str, Any], name: str) -> str:
    """Mean and deviation; a dash where the runs have no such figure."""
    if not metrics:
        return NOT_RUN
    metric = metrics.get(name)
    if metric is None:
        return "–"
    several = len(metric.get("values") or ()) > 1
    return f"{metric['mean']:.2f} ± {metric['sd']:.2f}" if several else f"{metric['mean']:.2f}"


def _paper_figure(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


def _paper_gain(plain: Mapping[str, Any], can: Mapping[str, Any]) -> str:
    """The paper's gain, of the F1 that our `f1` stands for: over all types where it has several."""
    for name in ("Overall f1", "f1"):
        if name in plain and name in can:
            return f"{can[name] - plain[name]:+.2f}"
    return ""


def _gain(against: Mapping[str, Any] | None) -> str:
    """F1 points above the baseline, their 95 % interval and p value."""
    if not against:
        return ""
    p_value = "≤ 0.001" if against["p"] <= 0.001 else format(against["p"], ".3f")
    return f"{against['difference']:+.2f} [{against['low']:+.2f}, {against['high']:+.2f}], p {p_value}"


def _gain_and_share(against: Mapping[str, Any] | None) -> str:
    share = (against or {}).get("share_of_upper_bound")
    return _gain(against) + (f"; {share:.0f} % of the upper bound's" if share is not None else "")


def _num_runs(row: Mapping[str, Any]) -> str:
    """Finished runs, of how many if some are missing, and those that went wrong."""
    number = max((len(metric.get("values") or ()) for metric in row["metrics"].values()), default=0)
    text = f"{number} of {row['planned']}" if row.get("planned", number) != number else str(number)
    wrong = [f"{len(row[kind])} {kind}" for kind in ("failed", "collapsed") if row.get(kind)]
    return f"{text} ({', '.join(wrong)})" if wrong else text


def _header(names: Sequence[str]) -> list[str]:
    return [_line(names), _line(["---"] + ["---:"] * (len(names) - 1))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
