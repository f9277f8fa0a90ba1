"""Rows that are scored one at a time, a translator's say: each says how it was made, and the others keep theirs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from canner.experiment.environment import hardware
from canner.experiment.results import digests
from canner.experiment.results_schema import Made, Results, Row


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
        before = Results.read(path)
        made = Made(**before.model_dump(include=set(Made.model_fields), exclude_unset=True))
        rows = {row.system: row.model_copy(update={"made": row.made or made}) for row in before.rows}
    return list((rows | {row.system: row for row in new}).values())


def made_in_all(rows: Sequence[Row]) -> dict[str, str]:
    """The machines and days of `with_earlier_rows`, for the results file."""
    made = [row.made for row in rows if row.made]
    machines = {one for each in made for one in each.hardware.split("; ") if one}
    days = {one for each in made for one in each.date.split(", ") if one}
    return {"hardware": "; ".join(sorted(machines)), "date": ", ".join(sorted(days))}
