"""Results files: read, checked, and put in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from canner.report.gains import gains
from canner.report.table import table


class Planned(NamedTuple):
    """A results file that there will be once its command has run.

    Attributes:
        name, title, command: as they stand in it.
        in_readme: whether the README shows its gains, or its picture; the page of results shows all.
    """

    name: str
    title: str
    command: str
    in_readme: bool = True


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
        if not isinstance(row["system"], str):
            raise ValueError(f"expected a text 'system' in {path}, got {str(row['system'])[:80]}")
    systems = [row["system"] for row in result["rows"]]
    for row in result["rows"]:
        if "against" in row and not (
            isinstance(row["against"], dict) and row["against"].get("system") in systems
        ):
            raise ValueError(
                f"expected 'against' to name another row in {path}, got {str(row['against'])[:80]}"
            )
    try:
        table(result), gains([result])
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise ValueError(
            f"expected all that a table shows in {path}, got {type(error).__name__}: {error}; run its command again"
        ) from None
    return result


def results_of(folder: Path, planned: Sequence[Planned] = ()) -> list[dict[str, Any]]:
    """Contents of the results files: those that are planned in that order, others after them by name."""
    results: dict[str, dict[str, Any]] = {}
    for path in _files(folder):
        result = read_results(path)
        if result["name"] in results:
            raise ValueError(
                f"expected one results file a name, got {result['name']!r} again in {path}; keep one of the two"
            )
        results[result["name"]] = result
    first = [entry.name for entry in planned if entry.name in results]
    return [results[name] for name in dict.fromkeys([*first, *sorted(results)])]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of results, got {folder}; run an experiment or name the folder")
    # Figures of benchmarks lie here too; they are no tables of systems.
    return sorted(path for path in folder.glob("*.json") if not path.stem.endswith("-speed"))
