"""Tables of systems in Markdown: one for each results file, and one of the gains in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOT_RUN = "not run"
_BOOTSTRAP = (
    "gain: F1 over the plain row of the same kind, with 95 % interval and p of a paired bootstrap over the test "
    "sentences, all runs pooled that have one of the plain row with the same seed"
)
SYSTEMS = (
    "CAN_first and CAN_last read the first or the last attention layer of the ConvS2S translator (Eq. 7), CAN_aligned "
    "an alignment head on it, CAN_gloss the word gloss; they join what they read to the BiLSTM's states (Eq. 11) or, "
    "at the input, to the word vectors; "
    "with copies, and in CAN_aligned: what the translator copied is known to lie where it was copied from; "
    "scaled: every source token gets the same mass of attention, and the teacher's tags beside its states."
)
"""What the names of the systems mean."""
_SOURCES = ("data", "protocol", "hardware", "date")
_PAPERS_SYSTEM = "CAN_last"
_OUTDATED = "†"
"""Marks a row whose translator, say, was trained anew since its runs."""


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
        name = f"**{cell(row['system'])}**" if row.get("best_on_dev") else cell(row["system"])
        cells = [name + _mark(row)]
        cells += [_figure(row["metrics"], name) for name in columns]
        cells += [_paper_figure(_figures(paper, row).get(name)) for name in paper_columns]
        cells += [_gain_and_share(row)] if tested else []
        lines.append(_line([*cells, _num_runs(row)]))
    sources = [f"{key}: {cell(result[key])}" for key in _SOURCES if result.get(key)]
    if tested:
        sources.insert(0, f"{_BOOTSTRAP}; bold: best on dev of those that read our English")
    if isinstance(paper, Mapping) and isinstance(paper.get("note"), str):
        sources.append(f"paper: {cell(paper['note'])}")
    if outdated := sorted({path for row in result["rows"] for path in row.get("outdated", ())}):
        sources.append(f"{_OUTDATED}: made with an earlier {' or '.join(outdated)} than the present one")
    if result.get("command"):
        sources.append(f"command: `{result['command']}`")
    return "\n".join([*lines, "", "; ".join(sources) + "."]) if sources else "\n".join(lines)


def gains(results: Sequence[Mapping[str, Any]]) -> str:
    """A line for each plain tagger: what the paper's CAN_last adds, and the best on dev of ours.

    Args:
        results: contents of results files; those that are no headline, or mark no system as best, add nothing.

    Returns:
        A table, or nothing if there is no line.
    """
    lines = [line for result in results if result.get("headline", True) for line in _gains_of(result)]
    if not lines:
        return ""
    header = [
        "data",
        "plain tagger",
        "F1",
        "CAN_last",
        "in the paper",
        "ours, best on dev",
        "its gain",
        "its runs",
    ]
    marked = any(_OUTDATED in line for line in lines)
    note = (
        f" {_OUTDATED}: made with an earlier translator, or other part, than the present one."
        if marked
        else ""
    )
    return "\n".join([*_header(header), *lines, "", f"{_BOOTSTRAP}. {SYSTEMS}{note}"])


def cell(value: Any) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _gains_of(result: Mapping[str, Any]) -> Iterator[str]:
    rows, paper = {row["system"]: row for row in result["rows"]}, result.get("paper")
    first, _ = _without_budget(next(iter(rows), ""))
    for best in result["rows"]:
        if not best.get("best_on_dev"):
            continue
        base = best["against"]["system"]
        name, budget = _without_budget(base)
        can_last = rows.get(f"{name} + {_PAPERS_SYSTEM}{budget}")
        if can_last is None and name == first:  # where the name of the first row goes without saying
            can_last = rows.get(f"{_PAPERS_SYSTEM}{budget}")
        yield _line(
            [
                cell(result["title"]),
                cell(base),
                _figure(rows[base]["metrics"], "f1") + _mark(rows[base]),
                _gain_if_run(can_last),
                _paper_gain(_figures(paper, rows[base]), _figures(paper, can_last or {})),
                cell(best["system"].removeprefix(f"{name} + ").removesuffix(budget)),
                _gain(best) + _mark(best),
                _num_runs(best),
            ]
        )


def _gain_if_run(row: Mapping[str, Any] | None) -> str:
    """The gain of a row, if there is one; a dash where there is none, or nothing to test it against."""
    if row is None or (row["metrics"] and "against" not in row):
        return "–"
    return _gain(row) + _mark(row) if "against" in row else NOT_RUN


def _mark(row: Mapping[str, Any]) -> str:
    return f" {_OUTDATED}" if row.get("outdated") else ""


def _without_budget(system: str) -> tuple[str, str]:
    """A row's name without its number of sentences, and that: "A", ", 100 sentences"."""
    plain, comma, budget = system.rpartition(", ")
    return (plain, comma + budget) if comma and budget.endswith(" sentences") else (system, "")


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


def _gain(row: Mapping[str, Any]) -> str:
    """F1 points above the baseline, their 95 % interval and p value, and whether only some of the runs were tested.

    A test needs counts of a run and of the baseline's run with the same seed.
    """
    against = row.get("against")
    if not against:
        return ""
    p_value = "≤ 0.001" if against["p"] <= 0.001 else format(against["p"], ".3f")
    gain = f"{against['difference']:+.2f} [{against['low']:+.2f}, {against['high']:+.2f}], p {p_value}"
    tested, finished = against.get("runs"), _finished(row)
    return f"{gain} ({tested} of {finished} runs)" if tested is not None and tested < finished else gain


def _gain_and_share(row: Mapping[str, Any]) -> str:
    share = row.get("against", {}).get("share_of_upper_bound")
    return _gain(row) + (f"; {share:.0f} % of the upper bound's" if share is not None else "")


def _num_runs(row: Mapping[str, Any]) -> str:
    """Finished runs, of how many if some are missing, and those that went wrong."""
    number = _finished(row)
    text = f"{number} of {row['planned']}" if number < row.get("planned", number) else str(number)
    wrong = [f"{len(row[kind])} {kind}" for kind in ("failed", "collapsed") if row.get(kind)]
    return f"{text} ({', '.join(wrong)})" if wrong else text


def _finished(row: Mapping[str, Any]) -> int:
    """How many of a row's runs have figures."""
    return max((len(metric.get("values") or ()) for metric in row["metrics"].values()), default=0)


def _header(names: Sequence[str]) -> list[str]:
    return [_line(names), _line(["---"] + ["---:"] * (len(names) - 1))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
