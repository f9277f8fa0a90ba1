"""When a results file is written anew: never where figures that stand in it would be lost; and rows added to one."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from canner.data.bundle import save_json
from canner.experiment.environment import hardware
from canner.experiment.results import digests
from canner.experiment.state import some_of
from canner.report.cells import num_ended, num_finished
from canner.report.results_file import read_results

_MADE = ("command", "hardware", "date", "files")
"""How a row, or a whole results file, was made."""


def publish(path: Path, found: Mapping[str, Any]) -> None:
    """Writes a results file, unless figures of the one that is there would be lost, or it says the same already.

    Where no run has finished or failed, nothing is written.
    """
    anything = any(row["metrics"] or row.get("failed") for row in found["rows"])
    if anything and not why_kept(path, found) and not _says(path, found):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_json(path, found)


def _says(path: Path, found: Mapping[str, Any]) -> bool:
    """Whether a results file has these figures already, whatever command wrote it, or asked for more runs of them."""
    try:
        before = read_results(path) if path.exists() else {}
    except ValueError:
        return False
    same = json.loads(json.dumps({**found, "command": before.get("command")}))
    for row, known in zip(same["rows"], before.get("rows", ()), strict=False):
        if row.get("planned", 0) > known.get("planned", 0) > 0:
            row["planned"] = known["planned"]
    return bool(same == before)


def more_seeds(path: Path, own: int) -> int | None:
    """With how many seeds some row of a results file has been run, if more than the table's own; else None."""
    try:
        rows = read_results(path)["rows"] if path.exists() else []
    except ValueError:  # said when the table is written
        return None
    most = max((num_ended(row) for row in rows), default=0)
    return most if most > own else None


def why_kept(path: Path, found: Mapping[str, Any]) -> str | None:
    """Why a results file is not to be replaced: a row would have no figures any more, or is to have fewer runs."""
    try:
        before = read_results(path)["rows"] if path.exists() else []
    except ValueError:  # a damaged file is worth less than new figures
        return None
    had, now = ({row["system"]: row for row in rows} for rows in (before, found["rows"]))
    both = [name for name in had if name in now]  # a row that the table no longer has goes
    fewer = [name for name in both if num_ended(had[name]) > now[name].get("planned", 0)]
    if fewer:
        most = max(num_ended(had[name]) for name in fewer)
        return f"it has more runs of {some_of(fewer)} than this call asks for: --seeds {most}"
    emptied = [name for name in both if num_finished(had[name]) and not num_finished(now[name])]
    if emptied:
        return (
            f"it has figures of {some_of(emptied)}, whose runs do not count here: data or settings are others; "
            "they are replaced once all of these rows are run anew"
        )
    return None


def made_now(row: Mapping[str, Any], files: Iterable[Path]) -> dict[str, Any]:
    """A row of what is scored alone, a translator say, that says by what command, when, where and from what it is made.

    Args:
        row: with its figures.
        files: that it reads.
    """
    made = {
        "command": shlex.join(["python", *sys.argv]),
        "hardware": hardware(),
        "date": date.today().isoformat(),
        "files": digests(files),
    }
    return {**row, "made": made}


def with_earlier_rows(path: Path, new: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows that are `made_now`, and those that stand in a results file, which all say how they were made.

    Args:
        path: of the results file, if there is one.
        new: the rows, each in the place of one of the same name.
    """
    before = read_results(path) if path.exists() else {"rows": []}
    made_before = {key: before[key] for key in _MADE if key in before}
    rows = {row["system"]: {"made": made_before, **row} for row in before["rows"]}
    return list((rows | {row["system"]: dict(row) for row in new}).values())


def made_in_all(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The machines and days of `with_earlier_rows`, for the results file."""
    joined = {"hardware": "; ", "date": ", "}
    said = {key: {row["made"][key] for row in rows if key in row["made"]} for key in joined}
    return {
        key: join.join(sorted({one for text in said[key] for one in text.split(join)}))
        for key, join in joined.items()
    }
