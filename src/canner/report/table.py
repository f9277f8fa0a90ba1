"""The table of one results file, in Markdown, with a line that says where its figures come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from canner.report.cells import (
    NOT_RUN,
    OUTDATED,
    as_line,
    cell,
    figure,
    figures_of_paper,
    header_lines,
    interval,
    mark,
    num_finished,
    p_value,
    paper_figure,
    points,
)

_SOURCES = ("protocol", "hardware", "date")
_PARTS = ("train", "dev", "test")


def table(result: Mapping[str, Any]) -> str:
    """One results file as a heading, a table, and a line that says where the figures come from.

    Rows that have no run, and no figure of the paper's, are named below it.
    """
    paper = result.get("paper") or {}
    idle = [
        row
        for row in result["rows"]
        if not (row["metrics"] or row.get("failed") or figures_of_paper(paper, row))
    ]
    idle = idle if len(idle) < len(result["rows"]) else []
    columns = _columns(result["rows"], paper)
    paper_columns = [
        name for name in columns if any(name in figures_of_paper(paper, row) for row in result["rows"])
    ]
    tested = any("against" in row for row in result["rows"])
    header = ["system", *columns, *(f"{name} (paper)" for name in paper_columns)]
    header += ["gain", "of each run", "runs"] if tested else ["runs"]
    lines = [f"### {cell(result['title'])}", "", *header_lines(header)]
    for row in (row for row in result["rows"] if row not in idle):
        name = f"**{cell(row['system'])}**" if row.get("best_on_dev") else cell(row["system"])
        cells = [name + mark(row)]
        cells += [figure(row, name) for name in columns]
        cells += [paper_figure(figures_of_paper(paper, row).get(name)) for name in paper_columns]
        cells += [_gain_and_share(row), _gains_by_run(row)] if tested else []
        lines.append(as_line([*cells, _num_runs(row)]))
    if idle:
        lines += ["", f"{NOT_RUN.capitalize()}: {'; '.join(cell(row['system']) for row in idle)}."]
    if sources := _sources(result):
        lines += ["", "; ".join(sources) + "."]
    return "\n".join(lines)


def _columns(rows: Sequence[Mapping[str, Any]], paper: Any) -> list[str]:
    """Every metric of the rows, in order of appearance; where nothing has been run the paper's, or F1."""
    found = dict.fromkeys(name for row in rows for name in row["metrics"])
    return list(
        found or dict.fromkeys(name for row in rows for name in figures_of_paper(paper, row)) or ["f1"]
    )


def _gain(row: Mapping[str, Any]) -> str:
    """F1 points above the baseline, their 95 % interval and p value, and that which reckons with other trainings."""
    against = row.get("against")
    if not against:
        return ""
    with_runs = f" ({p_value(against['p_with_runs'])})" if "p_with_runs" in against else ""
    return f"{points(against)} {interval(against)}, p {p_value(against['p'])}{with_runs}"


def _gain_and_share(row: Mapping[str, Any]) -> str:
    """The gain, of how many runs if of fewer than the row has, and its share of the upper bound's."""
    against = row.get("against", {})
    tested, finished = against.get("runs"), num_finished(row)
    some = f" ({tested} of {finished} runs)" if tested is not None and tested < finished else ""
    share, unseen = against.get("share_of_upper_bound"), against.get("unseen")
    some += f"; unseen {points(unseen)} {interval(unseen)}" if unseen else ""
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
        sources.append(f"{OUTDATED}: made with an earlier {' or '.join(outdated)} than the present one")
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
