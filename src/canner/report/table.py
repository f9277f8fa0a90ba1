"""The table of one results file, in Markdown, with a line that says where its figures come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canner.experiment.results_schema import Results, Row, Split
from canner.report.cells import (
    NOT_RUN,
    OUTDATED,
    as_line,
    cell,
    figure,
    header_lines,
    interval,
    mark,
    p_value,
    paper_figure,
    points,
)

_SPLITS = ("train", "dev", "test")


def table(result: Results) -> str:
    """One results file as a heading, a table, and a line that says where the figures come from.

    Rows that have no run, and no figure of the paper's, are named below it.
    """
    reported = {row.system: result.reported(row.system) for row in result.rows}
    idle = [row for row in result.rows if not (row.metrics or row.failed or reported[row.system])]
    idle = idle if len(idle) < len(result.rows) else []
    columns = _columns(result.rows, reported)
    paper_columns = [name for name in columns if any(name in figures for figures in reported.values())]
    tested = any(row.against for row in result.rows)
    header = ["system", *columns, *(f"{name} (paper)" for name in paper_columns)]
    header += ["gain", "of each run", "runs"] if tested else ["runs"]
    lines = [f"### {cell(result.title)}", "", *header_lines(header)]
    for row in (row for row in result.rows if row not in idle):
        name = f"**{cell(row.system)}**" if row.best_on_dev else cell(row.system)
        cells = [name + mark(row)]
        cells += [figure(row, name) for name in columns]
        cells += [paper_figure(reported[row.system].get(name)) for name in paper_columns]
        cells += _gain(row) if tested else []
        lines.append(as_line([*cells, _num_runs(row)]))
    if idle:
        lines += ["", f"{NOT_RUN.capitalize()}: {'; '.join(cell(row.system) for row in idle)}."]
    if sources := _sources(result):
        lines += ["", "; ".join(sources) + "."]
    return "\n".join(lines)


def _columns(rows: Sequence[Row], reported: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Every metric of the rows, in order of appearance; where nothing has been run the paper's, or F1."""
    found = dict.fromkeys(name for row in rows for name in row.metrics)
    return list(found or dict.fromkeys(name for figures in reported.values() for name in figures) or ["f1"])


def _gain(row: Row) -> list[str]:
    """F1 points above the baseline with what the tests say of them, and those of each run.

    Of how many runs they are, if of fewer than the row has; their share of the upper bound's.
    """
    gain = row.against
    if gain is None:
        return ["", ""]
    text = f"{points(gain)} {interval(gain)}, p {p_value(gain.p)}"
    if gain.p_with_runs is not None:
        text += f" ({p_value(gain.p_with_runs)})"
    if gain.runs < row.num_finished:
        text += f" ({gain.runs} of {row.num_finished} runs)"
    if gain.unseen:
        text += f"; unseen {points(gain.unseen)} {interval(gain.unseen)}"
    if gain.share_of_upper_bound is not None:
        text += f"; {gain.share_of_upper_bound:.0f} % of the upper bound's"
    return [text, ", ".join(f"{points:+.2f}" for points in gain.by_run.values())]


def _num_runs(row: Row) -> str:
    """Finished runs, of how many if some are missing, and those that went wrong."""
    number = row.num_finished
    text = f"{number} of {row.planned}" if number < row.planned else str(number)
    kinds = {"failed": row.failed, "collapsed": row.collapsed, "cut off": row.cut_off}
    wrong = [f"{len(runs)} {said}" for said, runs in kinds.items() if runs]
    return f"{text} ({', '.join(wrong)})" if wrong else text


def _sources(result: Results) -> list[str]:
    """Where the figures of a results file come from: data, protocol, machine, command."""
    data = [text for text in (cell(result.data), _counts(result)) if text]
    sources = [f"data: {'; '.join(data)}"] if data else []
    said = {"protocol": result.protocol, "hardware": result.hardware, "date": result.date}
    sources += [f"{key}: {cell(text)}" for key, text in said.items() if text]
    if chosen := [f"{cell(row.system)}: {_point(row.chosen)}" for row in result.rows if row.chosen]:
        sources.append(f"chosen on dev: {'; '.join(chosen)}")
    if isinstance(note := (result.paper or {}).get("note"), str):
        sources.append(f"paper: {cell(note)}")
    if outdated := sorted({path for row in result.rows for path in row.outdated}):
        sources.append(f"{OUTDATED}: made with an earlier {' or '.join(outdated)} than the present one")
    if result.command:
        sources.append(f"command: `{result.command}`")
    return sources


def _point(chosen: Mapping[str, Mapping[str, object]]) -> str:
    """What a row took of the grid; a point for each training subset, where there are several."""
    points = [
        " and ".join(f"{key.split('.')[-1].replace('_', ' ')} {value}" for key, value in point.items())
        for point in chosen.values()
    ]
    return " / ".join(dict.fromkeys(points))


def _counts(result: Results) -> str:
    """How many sentences and entities the splits of the corpus have, and the digests of their files."""
    counts = [
        f"{split} {_counts_of_split(result.corpus[split])}" for split in _SPLITS if split in result.corpus
    ]
    return f"whole files: {', '.join(counts)}" if counts else ""


def _counts_of_split(split: Split) -> str:
    seen = f" ({split.in_train:,} of them in train, too)" if split.in_train else ""
    seen += f", {split.held_out} held out by each run" if split.held_out else ""
    files = ", ".join(f"{name} {digest}" for name, digest in split.sha256.items())
    return f"{split.sentences:,} sentences{seen}, {split.entities:,} entities ({files})"
