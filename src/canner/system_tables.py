"""Tables of systems in Markdown: one for each results file, and one of the gains in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOT_RUN = "not run"
SIGNIFICANT = 0.05
"""Below this p of the bootstrap a gain of several runs stands in bold."""
_SOURCES = ("protocol", "hardware", "date")
_PARTS = ("train", "dev", "test")
_COUNTED = ("sentences", "tokens", "words of entities", "pairs", "steps")
"""How the names of figures end that are counts."""
_PAPERS_SYSTEM = "CAN_last"
_OUTDATED = "†"
"""Marks a row whose translator, say, was trained anew since its runs."""


def table(result: Mapping[str, Any]) -> str:
    """One results file as a heading, a table, and a line that says where the figures come from.

    Rows that have no run, and no figure of the paper's, are named below it.
    """
    paper = result.get("paper") or {}
    idle = [
        row for row in result["rows"] if not (row["metrics"] or row.get("failed") or _figures(paper, row))
    ]
    idle = idle if len(idle) < len(result["rows"]) else []
    columns = _columns(result["rows"], paper)
    paper_columns = [name for name in columns if any(name in _figures(paper, row) for row in result["rows"])]
    tested = any("against" in row for row in result["rows"])
    header = ["system", *columns, *(f"{name} (paper)" for name in paper_columns)]
    header += ["gain", "of each run", "runs"] if tested else ["runs"]
    lines = [f"### {cell(result['title'])}", "", *_header(header)]
    for row in (row for row in result["rows"] if row not in idle):
        name = f"**{cell(row['system'])}**" if row.get("best_on_dev") else cell(row["system"])
        cells = [name + _mark(row)]
        cells += [_figure(row, name) for name in columns]
        cells += [_paper_figure(_figures(paper, row).get(name)) for name in paper_columns]
        cells += [_gain_and_share(row), _gains_by_run(row)] if tested else []
        lines.append(_line([*cells, _num_runs(row)]))
    if idle:
        lines += ["", f"{NOT_RUN.capitalize()}: {'; '.join(cell(row['system']) for row in idle)}."]
    if sources := _sources(result):
        lines += ["", "; ".join(sources) + "."]
    return "\n".join(lines)


def _sources(result: Mapping[str, Any]) -> list[str]:
    """Where the figures of a results file come from: data, protocol, machine, command."""
    data = [text for text in (cell(result.get("data") or ""), _counts(result)) if text]
    sources = [f"data: {'; '.join(data)}"] if data else []
    sources += [f"{key}: {cell(result[key])}" for key in _SOURCES if result.get(key)]
    if chosen := [
        f"{cell(row['system'])}: {_point(row['chosen'])}" for row in result["rows"] if "chosen" in row
    ]:
        sources.append(f"chosen on dev: {'; '.join(chosen)}")
    paper = result.get("paper")
    if isinstance(paper, Mapping) and isinstance(paper.get("note"), str):
        sources.append(f"paper: {cell(paper['note'])}")
    if outdated := sorted({path for row in result["rows"] for path in row.get("outdated", ())}):
        sources.append(f"{_OUTDATED}: made with an earlier {' or '.join(outdated)} than the present one")
    if result.get("command"):
        sources.append(f"command: `{result['command']}`")
    return sources


def _point(chosen: Mapping[str, Mapping[str, Any]]) -> str:
    """What a row took of the grid; a point for each training subset, where there are several."""
    points = [
        " and ".join(f"{key.split('.')[-1].replace('_', ' ')} {value}" for key, value in point.items())
        for point in chosen.values()
    ]
    return " / ".join(dict.fromkeys(points))


def _counts(result: Mapping[str, Any]) -> str:
    """How many sentences and entities the parts of the corpus have, and the digests of their files."""
    corpus = result.get("corpus") or {}
    parts = [f"{part} {_counts_of_part(corpus[part])}" for part in _PARTS if part in corpus]
    return f"whole files: {', '.join(parts)}" if parts else ""


def _counts_of_part(part: Mapping[str, Any]) -> str:
    seen = f" ({part['in_train']:,} of them in train, too)" if part.get("in_train") else ""
    seen += f", {part['held_out']} held out by each run" if part.get("held_out") else ""
    files = ", ".join(f"{name} {digest}" for name, digest in part["sha256"].items())
    return f"{part['sentences']:,} sentences{seen}, {part['entities']:,} entities ({files})"


def gains(results: Sequence[Mapping[str, Any]], *, briefly: bool = False) -> str:
    """A line for each plain tagger: what the paper's CAN_last adds, and the system that is best on dev.

    Args:
        results: contents of results files; those that are no headline, or mark no system as best, add nothing.
        briefly: only the first plain tagger of each table, that without encoder and character language model.

    Returns:
        A table, or nothing if there is no line.
    """
    lines = [
        line for result in results if result.get("headline", True) for line in _gains_of(result, briefly)
    ]
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
    return "\n".join([*_header(header), *lines])


def cell(value: Any) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _gains_of(result: Mapping[str, Any], briefly: bool) -> Iterator[str]:
    rows, paper = {row["system"]: row for row in result["rows"]}, result.get("paper")
    first, _ = _without_budget(next(iter(rows), ""))
    for best in result["rows"]:
        if not best.get("best_on_dev"):
            continue
        base = best["against"]["system"] if "against" in best else best["system"]
        name, budget = _without_budget(base)
        if briefly and name != first:
            continue
        can_last = rows.get(f"{name} + {_PAPERS_SYSTEM}{budget}")
        if can_last is None and name == first:  # where the name of the first row goes without saying
            can_last = rows.get(f"{_PAPERS_SYSTEM}{budget}")
        is_plain = best["system"] == base
        yield _line(
            [
                cell(result["title"]),
                cell(base),
                _figure(rows[base], "f1") + _mark(rows[base]),
                _paper_figure(_figures(paper, rows[base]).get("f1")),
                _gain_if_run(can_last),
                _paper_gain(_figures(paper, rows[base]), _figures(paper, can_last or {})),
                ("none" if is_plain else cell(best["system"].removeprefix(f"{name} + ").removesuffix(budget)))
                + _of_how_many(best),
                "–" if is_plain else _gain_if_run(best),
            ]
        )


def _of_how_many(best: Mapping[str, Any]) -> str:
    """Says among how many of our rows one was chosen, if some were not run, or not as often."""
    return " (among {} of {})".format(*best["chosen_among"]) if "chosen_among" in best else ""


def _gain_if_run(row: Mapping[str, Any] | None) -> str:
    """The gain of a row and of how many runs, in bold if significant and not of one; a dash: no row, or no test."""
    if row is None or (row["metrics"] and "against" not in row):
        return "–"
    if "against" not in row:
        return _without_figures(row)
    against, tested = row["against"], row["against"].get("runs")
    runs = "" if tested is None else f", {tested} run{'s' if tested > 1 else ''}"
    is_bold = against["p"] < SIGNIFICANT and tested != 1
    gain = f"**{_points(against)}**" if is_bold else _points(against)
    return f"{gain} {_interval(against)}{runs}{_mark(row)}"


def _mark(row: Mapping[str, Any]) -> str:
    return f" {_OUTDATED}" if row.get("outdated") else ""


def _without_budget(system: str) -> tuple[str, str]:
    """A row's name without its number of sentences, and that: "A", ", 100 sentences"."""
    plain, comma, budget = system.rpartition(", ")
    return (plain, comma + budget) if comma and budget.endswith(" sentences") else (system, "")


def _columns(rows: Sequence[Mapping[str, Any]], paper: Any) -> list[str]:
    """Every metric of the rows, in order of appearance; where nothing has been run the paper's, or F1."""
    found = dict.fromkeys(name for row in rows for name in row["metrics"])
    return list(found or dict.fromkeys(name for row in rows for name in _figures(paper, row)) or ["f1"])


def _figures(paper: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    figures = paper.get(row.get("system")) if isinstance(paper, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def _without_figures(row: Mapping[str, Any]) -> str:
    return "failed" if row.get("failed") else NOT_RUN


def _figure(row: Mapping[str, Any], name: str) -> str:
    """Mean and deviation; a dash where the runs have no such figure."""
    if not row["metrics"]:
        return _without_figures(row)
    metric = row["metrics"].get(name)
    if metric is None:
        return "–"
    if name.endswith(_COUNTED):
        return f"{metric['mean']:,.0f}"
    several = len(metric.get("values") or ()) > 1
    return f"{metric['mean']:.2f} ± {metric['sd']:.2f}" if several else f"{metric['mean']:.2f}"


def _paper_figure(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


def _paper_gain(plain: Mapping[str, Any], can: Mapping[str, Any]) -> str:
    return f"{can['f1'] - plain['f1']:+.2f}" if "f1" in plain and "f1" in can else ""


def _gain(row: Mapping[str, Any]) -> str:
    """F1 points above the baseline, their 95 % interval and p value, and that which reckons with other trainings."""
    against = row.get("against")
    if not against:
        return ""
    with_runs = f" ({_p(against['p_with_runs'])})" if "p_with_runs" in against else ""
    return f"{_points(against)} {_interval(against)}, p {_p(against['p'])}{with_runs}"


def _points(against: Mapping[str, Any]) -> str:
    return f"{against['difference']:+.2f}"


def _interval(against: Mapping[str, Any]) -> str:
    return f"[{against['low']:+.2f}, {against['high']:+.2f}]"


def _p(value: float) -> str:
    return "≤ 0.001" if value <= 0.001 else format(value, ".3f")


def _gain_and_share(row: Mapping[str, Any]) -> str:
    """The gain, of how many runs if of fewer than the row has, and its share of the upper bound's."""
    against = row.get("against", {})
    tested, finished = against.get("runs"), num_finished(row)
    some = f" ({tested} of {finished} runs)" if tested is not None and tested < finished else ""
    share, unseen = against.get("share_of_upper_bound"), against.get("unseen")
    some += f"; unseen {_points(unseen)} {_interval(unseen)}" if unseen else ""
    return _gain(row) + some + (f"; {share:.0f} % of the upper bound's" if share is not None else "")


def _gains_by_run(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{gain:+.2f}" for gain in row.get("against", {}).get("by_run", {}).values())


def _num_runs(row: Mapping[str, Any]) -> str:
    """Finished runs, of how many if some are missing, and those that went wrong."""
    number = num_finished(row)
    text = f"{number} of {row['planned']}" if number < row.get("planned", number) else str(number)
    kinds = {"failed": "failed", "collapsed": "collapsed", "cut_off": "cut off"}
    wrong = [f"{len(row[kind])} {said}" for kind, said in kinds.items() if row.get(kind)]
    return f"{text} ({', '.join(wrong)})" if wrong else text


def num_finished(row: Mapping[str, Any]) -> int:
    """How many of a row's runs have figures."""
    return max((len(metric.get("values") or ()) for metric in row["metrics"].values()), default=0)


def _header(names: Sequence[str]) -> list[str]:
    return [_line(names), _line(["---"] + ["---:"] * (len(names) - 1))]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
