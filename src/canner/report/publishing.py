"""When a results file is written anew: never where figures that stand in it would be lost; and rows added to one."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from canner.experiment.environment import hardware
from canner.experiment.results import digests
from canner.experiment.results_schema import Made, Results, Row
from canner.experiment.state import some_of
from canner.report.results_file import read_results


def publish(path: Path, found: Results) -> None:
    """Writes a results file, unless figures of the one that is there would be lost, or it says the same already.

    Where no run has finished or failed, nothing is written.
    """
    anything = any(row.metrics or row.failed for row in found.rows)
    if anything and not why_kept(path, found) and not _says(path, found):
        path.parent.mkdir(parents=True, exist_ok=True)
        found.save(path)


def _says(path: Path, found: Results) -> bool:
    """Whether a results file has these figures already, whatever command wrote it, or asked for more runs of them."""
    if (before := _read_if_whole(path)) is None or len(before.rows) != len(found.rows):
        return False
    rows = tuple(
        row.model_copy(update={"planned": known.planned}) if row.planned > known.planned > 0 else row
        for row, known in zip(found.rows, before.rows, strict=True)
    )
    return found.model_copy(update={"command": before.command, "rows": rows}) == before


def _read_if_whole(path: Path) -> Results | None:
    """A results file, if it is there and whole: a damaged one is worth less than new figures."""
    try:
        return read_results(path) if path.exists() else None
    except ValueError:
        return None


def more_seeds(path: Path, own: int) -> int | None:
    """With how many seeds some row of a results file has been run, if more than the table's own; else None."""
    before = _read_if_whole(path)
    most = max((row.num_ended for row in before.rows), default=0) if before else 0
    return most if most > own else None


def why_kept(path: Path, found: Results) -> str | None:
    """Why a results file is not to be replaced: a row would have no figures any more, or is to have fewer runs."""
    if (before := _read_if_whole(path)) is None:
        return None
    now = {row.system: row for row in found.rows}
    # A row that the table no longer has goes.
    both = [(row, now[row.system]) for row in before.rows if row.system in now]
    fewer = [had for had, new in both if had.num_ended > new.planned]
    if fewer:
        most = max(row.num_ended for row in fewer)
        named = some_of([row.system for row in fewer])
        return f"it has more runs of {named} than this call asks for: --seeds {most}"
    emptied = [had.system for had, new in both if had.num_finished and not new.num_finished]
    if emptied:
        return (
            f"it has figures of {some_of(emptied)}, whose runs do not count here: data or settings are others; "
            "they are replaced once all of these rows are run anew"
        )
    return None


def made_now(row: Row, files: Iterable[Path]) -> Row:
    """A row of what is scored alone, a translator say, that says by what command, when, where and from what it is made.

    Args:
        row: with its figures.
        files: that it reads.
    """
    made = Made(
        command=shlex.join(["python", *sys.argv]),
        hardware=hardware(),
        date=date.today().isoformat(),
        files=digests(files),
    )
    return row.model_copy(update={"made": made})


def with_earlier_rows(path: Path, new: Sequence[Row]) -> list[Row]:
    """Rows that are `made_now`, and those that stand in a results file, which all say how they were made.

    Args:
        path: of the results file, if there is one.
        new: the rows, each in the place of one of the same name.
    """
    rows = {}
    if path.exists():
        before = read_results(path)
        made = Made(**before.model_dump(include=set(Made.model_fields), exclude_unset=True))
        rows = {row.system: row.model_copy(update={"made": row.made or made}) for row in before.rows}
    return list((rows | {row.system: row for row in new}).values())


def made_in_all(rows: Sequence[Row]) -> dict[str, str]:
    """The machines and days of `with_earlier_rows`, for the results file."""
    made = [row.made for row in rows if row.made]
    machines = {one for each in made for one in each.hardware.split("; ") if one}
    days = {one for each in made for one in each.date.split(", ") if one}
    return {"hardware": "; ".join(sorted(machines)), "date": ", ".join(sorted(days))}
