"""Results files: read, checked, and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from canner.experiment.results_schema import Results


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


def results_of(folder: Path, planned: Sequence[Planned] = ()) -> list[Results]:
    """The results files of a folder: those that are planned in that order, others after them by name."""
    results: dict[str, Results] = {}
    for path in _files(folder):
        result = Results.read(path)
        if result.name in results:
            raise ValueError(
                f"expected one results file a name, got {result.name!r} again in {path}; keep one of the two"
            )
        results[result.name] = result
    first = [entry.name for entry in planned if entry.name in results]
    return [results[name] for name in dict.fromkeys([*first, *sorted(results)])]


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"expected a folder of results, got {folder}; run an experiment or name the folder")
    # Figures of benchmarks lie here too; they are no tables of systems.
    return sorted(path for path in folder.glob("*.json") if not path.stem.endswith("-speed"))
