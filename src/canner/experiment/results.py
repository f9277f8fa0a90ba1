"""Results files: figures over seeds, and what they were made from."""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

from canner.experiment.environment import hardware
from canner.experiment.results_schema import Metric, Paper, Results, Row
from canner.transfer.gloss import DICTIONARY_DIGEST


def summarise(system: str, runs: Mapping[str, Mapping[str, float]]) -> Row:
    """A row of a results file: mean, sample standard deviation (0 for one run) and values of each metric of a system.

    Args:
        system: the name of the row.
        runs: for each run (its name says the seed) its metrics.

    Raises:
        ValueError: if there is no run, or a metric is not a finite number.
    """
    if not runs:
        raise ValueError(f"expected one or more runs of {system!r}, got none")
    names = list(next(iter(runs.values())))
    for run, metrics in runs.items():
        broken = [name for name in names if not math.isfinite(metrics.get(name, math.nan))]
        if broken:
            raise ValueError(f"expected finite figures, got {broken[0]} missing or not finite in run {run!r}")
    figures = {name: _over_runs([float(run[name]) for run in runs.values()]) for name in names}
    return Row(system=system, metrics=figures, seeds=tuple(runs))


def _over_runs(values: Sequence[float]) -> Metric:
    return Metric(
        mean=round(statistics.fmean(values), 2),
        sd=round(statistics.stdev(values), 2) if len(values) > 1 else 0.0,
        values=tuple(round(value, 2) for value in values),
    )


def results_made_now(
    *,
    name: str,
    title: str,
    rows: Sequence[Row],
    data: str,
    protocol: str,
    command: str,
    paper: Paper | None = None,
    files: Iterable[Path] = (),
) -> Results:
    """A results file that this machine makes today.

    Args:
        name, title, rows, data, protocol, command, paper: as it has them.
        files: that were read, and those of models: their digests are kept.
    """
    read = digests(files)
    return Results(
        name=name,
        title=title,
        rows=tuple(rows),
        data=data,
        protocol=protocol,
        command=command,
        hardware=hardware(),
        paper=paper or None,
        date=date.today().isoformat(),
        **({"files": read} if read else {}),
    )


def digest(path: Path) -> str:
    """The first twelve digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def digests(files: Iterable[Path]) -> dict[str, str]:
    """Of several files, each by its name and that of its folder."""
    return {f"{path.parent.name}/{path.name}": digest(path) for path in files}


def weights_of(bundle: str | Path) -> Path:
    """The file of a bundle that its training made, by which one tells it from another of the same name."""
    found = [path for name in ("model.safetensors", "lexicon.json") if (path := Path(bundle) / name).exists()]
    if not found:
        raise ValueError(f"{bundle}: expected a bundle with weights or a lexicon, got none")
    return found[0]


def files_of_translator(bundle: str | Path) -> list[Path]:
    """The files of a translator that decide its English: weights or lexicon, and where a gloss says its dictionary."""
    config = Path(bundle) / "config.json"
    has_dictionary = config.exists() and DICTIONARY_DIGEST in json.loads(config.read_text(encoding="utf-8"))
    return [weights_of(bundle), *([config] if has_dictionary else [])]
