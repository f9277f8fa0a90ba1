"""Results as Markdown, built from the JSON files that the experiments left: `docs/results.md`, and in the README a few.

A results file holds `name`, `title`, `rows` (`system`, `metrics` of `mean`, `sd`, `values`, and `seeds`) and
says where its figures come from: `data`, `protocol`, `command`, `hardware`, `date`; `paper` may hold the
paper's figures as {system: {metric: number}}, `columns` the metrics to show. `tables.json` in the same folder
lists the tables in order, and which the README shows too; what has no results file yet is shown as "not run".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from canner.speed_tables import speed_tables

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"
PLAN = "tables.json"
NOT_RUN = "not run"
_TESTED = (
    "gain: F1 over the plain row of the same kind, with 95 % interval and p of a paired bootstrap over the test "
    "sentences, all runs pooled; bold: best on dev"
)
_HEAD = """# Results

Built by `canner report` from the files in [`results/`](../results); do not edit. F1, precision and recall are
entity-level, in percent, as `conlleval` counts; `±` is the standard deviation over the runs. A stand-in is named as
such, and what has not been run says so.
"""
_SOURCES = ("data", "protocol", "hardware", "date")


def report(folder: Path, *, readme: bool = False) -> str:
    """Results of a folder as Markdown, in the order of its `tables.json`, others after them by name.

    Args:
        folder: of results files.
        readme: only the tables that `tables.json` marks for the README.

    Raises:
        ValueError: if a file is not a results file.
    """
    results: dict[str, dict[str, Any]] = {}
    for path in _files(folder):
        result = read_results(path)
        if result["name"] in results:
            raise ValueError(
                f"expected one results file a name, got {result['name']!r} again in {path}; keep one of the two"
            )
        results[result["name"]] = result
    parts = []
    for entry in _plan(folder / PLAN):
        result = results.pop(entry["name"], {})
        if readme and not entry.get("readme"):
            continue
        parts.append(table(result, brief=readme) if result else _missing(entry))
    if not readme:
        parts.extend(table(results[name]) for name in sorted(results))
    return "\n\n".join(parts) if parts else "No results yet."


def results_page(folder: Path, figures: Sequence[str] = ()) -> str:
    """The whole page of results.

    Args:
        folder: of results files.
        figures: pictures to show, as paths seen from the page.
    """
    pictures = "".join(f"\n![{Path(path).stem}]({path})\n" for path in figures)
    speed = speed_tables(folder)
    return f"{_HEAD}\n{report(folder)}\n{pictures}" + (f"\n## Speed and memory\n\n{speed}\n" if speed else "")


def read_results(path: Path) -> dict[str, Any]:
    """Read and check one results file.

    Raises:
        ValueError: if the file is not JSON or lacks what a table needs.
    """
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected JSON in {path}, got {error}; run its command again") from error
    if not isinstance(result, dict) or not isinstance(result.get("rows"), list):
        raise ValueError(
            f"expected an object with 'name', 'title' and 'rows' in {path}; run its command again"
        )
    for key in ("name", "title"):
        if not isinstance(result.get(key), str):
            raise ValueError(f"expected a text {key!r} in {path}, got {result.get(key)!r}")
    for row in result["rows"]:
        if not isinstance(row, dict) or "system" not in row or not isinstance(row.get("metrics"), dict):
            raise ValueError(f"expected rows with 'system' and 'metrics' in {path}, got {str(row)[:80]}")
    return result


def table(result: Mapping[str, Any], *, brief: bool = False) -> str:
    """One results file as a heading, a table, and a line that says where the figures come from.

    Args:
        result: content of the file.
        brief: rows that have not been run are named below the table.
    """
    paper = result.get("paper") or {}
    columns = list(result.get("columns") or _columns(result["rows"]))
    paper_columns = [name for name in columns if any(name in _figures(paper, row) for row in result["rows"])]
    tested = any("against" in row for row in result["rows"])
    header = ["system", *columns, *(f"{name} (paper)" for name in paper_columns)]
    header += ["gain", "runs"] if tested else ["runs"]
    lines = [
        f"### {_cell(result['title'])}",
        "",
        _line(header),
        _line(["---"] + ["---:"] * (len(header) - 1)),
    ]
    left_out = [row["system"] for row in result["rows"] if brief and not row["metrics"]]
    for row in result["rows"]:
        if row["system"] in left_out:
            continue
        cells = [f"**{_cell(row['system'])}**" if row.get("best_on_dev") else _cell(row["system"])]
        cells += [_figure(row["metrics"].get(name)) for name in columns]
        cells += [_paper_figure(_figures(paper, row).get(name)) for name in paper_columns]
        cells += [_gain(row.get("against"))] if tested else []
        lines.append(_line([*cells, _num_runs(row)]))
    sources = [f"{key}: {_cell(result[key])}" for key in _SOURCES if result.get(key)]
    if tested:
        sources.insert(0, _TESTED)
    if left_out:
        sources.insert(0, f"{NOT_RUN}: {', '.join(map(_cell, left_out))}")
    if isinstance(paper, Mapping) and isinstance(paper.get("note"), str):
        sources.append(f"paper: {_cell(paper['note'])}")
    if result.get("command"):
        sources.append(f"command: `{result['command']}`")
    return "\n".join([*lines, "", "; ".join(sources) + "."]) if sources else "\n".join(lines)


def update_readme(readme: Path, text: str) -> bool:
    """Put the text between the markers of a README; return whether that changed the file.

    Raises:
        ValueError: if the markers are not there, once each and in order.
    """
    content = readme.read_text(encoding="utf-8")
    if content.count(BEGIN) != 1 or content.count(END) != 1 or content.index(BEGIN) > content.index(END):
        raise ValueError(f"expected the markers {BEGIN} and {END} once each in {readme}; put them back")
    before, rest = content.split(BEGIN)
    after = rest.split(END)[1]
    updated = f"{before}{BEGIN}\n{text}\n{END}{after}"
    if updated == content:
        return False
    partial = readme.with_name(readme.name + ".part")
    try:
        partial.write_text(updated, encoding="utf-8")
        partial.replace(readme)
    finally:
        partial.unlink(missing_ok=True)
    return True


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of results, got {folder}; run an experiment or name the folder")
    # Figures of benchmarks lie here too; they are no tables of systems.
    return sorted(
        path for path in folder.glob("*.json") if path.name != PLAN and not path.stem.endswith("-speed")
    )


def _plan(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"expected JSON in {path}, got {error}") from error
    if not isinstance(plan, list) or not all(
        isinstance(e, dict) and {"name", "title"} <= e.keys() for e in plan
    ):
        raise ValueError(f"expected a list of objects with 'name' and 'title' in {path}")
    return plan


def _missing(entry: Mapping[str, Any]) -> str:
    command = f": `{entry['command']}`" if entry.get("command") else ""
    return f"### {_cell(entry['title'])}\n\n{NOT_RUN}{command}"


def _columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every metric of the rows, in order of appearance."""
    return list(dict.fromkeys(name for row in rows for name in row["metrics"]))


def _figures(paper: Any, row: Mapping[str, Any]) -> Mapping[str, Any]:
    figures = paper.get(row["system"]) if isinstance(paper, Mapping) else None
    return figures if isinstance(figures, Mapping) else {}


def _figure(metric: Mapping[str, Any] | None) -> str:
    if not metric or metric.get("mean") is None:
        return NOT_RUN
    several = len(metric.get("values") or ()) > 1
    return f"{metric['mean']:.2f} ± {metric['sd']:.2f}" if several else f"{metric['mean']:.2f}"


def _paper_figure(value: Any) -> str:
    return "" if value is None else f"{value:.2f}"


def _gain(against: Mapping[str, Any] | None) -> str:
    """F1 points above the baseline, their 95 % interval and p value."""
    if not against:
        return ""
    share = against.get("share_of_upper_bound")
    return (
        f"{against['difference']:+.2f} [{against['low']:+.2f}, {against['high']:+.2f}], "
        f"p {'≤ 0.001' if against['p'] <= 0.001 else format(against['p'], '.3f')}"
        + (f"; {share:.0f} % of the upper bound's" if share is not None else "")
    )


def _num_runs(row: Mapping[str, Any]) -> str:
    """Finished runs, of how many if some are missing, and those that went wrong."""
    number = max((len(metric.get("values") or ()) for metric in row["metrics"].values()), default=0)
    text = f"{number} of {row['planned']}" if row.get("planned", number) != number else str(number)
    wrong = [f"{len(row[kind])} {kind}" for kind in ("failed", "collapsed") if row.get(kind)]
    return f"{text} ({', '.join(wrong)})" if wrong else text


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
