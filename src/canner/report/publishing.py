"""When a results file is written anew: never where figures that stand in it would be lost; and rows added to one."""

from __future__ import annotations

from pathlib import Path

from canner.experiment.results_schema import Results
from canner.text.wording import some_of


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
        return Results.read(path) if path.exists() else None
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
