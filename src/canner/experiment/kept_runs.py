"""Finished runs of a comparison in one file beside its results, so that its table goes on on another machine."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from canner.data.bundle import save_text
from canner.experiment.comparison import Cell
from canner.experiment.inputs import Identify, inputs_here, inputs_of, trained_bundles
from canner.experiment.record import Record
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import is_read_as, read_json

logger = logging.getLogger(__name__)

_EPOCHS = ("epochs", "best_epoch")  # the first runs that were kept say nothing of them
_ENVIRONMENT = ("hardware", "date", "python", "packages", "commit")  # not the command: it may name paths


@dataclass
class KeptRuns:
    """Scores and counts of finished runs, each with its configuration and the digests of what it read.

    Attributes:
        path: of the file, which need not be there yet; None: nothing is kept.
        identify: of what differs wherever it is made.
        runs: an entry for each run, by its folder within the comparison's.
    """

    path: Path | None
    identify: Identify | None = None
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _added: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)
    _others: list[dict[str, Any]] | None = None

    @classmethod
    def read(cls, path: Path | None, identify: Identify | None = None) -> KeptRuns:
        """The runs of a file; none if there is no file. Single runs that are damaged do not count, which is said.

        Raises:
            ValueError: if the file as a whole is damaged.
        """
        kept = cls(path, identify)
        if path is not None and path.exists():
            advice = "fetch the file again (git checkout), or remove it: runs whose folders are here are taken in again"
            try:
                found = read_json(path)
            except ValueError as error:
                raise ValueError(f"{error}; {advice}") from None
            if not isinstance(found.get("runs"), dict):
                raise ValueError(f"expected an object with 'runs' in {path}, got none; {advice}")
            kept.runs = {key: entry for key, entry in found["runs"].items() if _is_whole(entry)}
            if damaged := sorted(found["runs"].keys() - kept.runs.keys()):
                logger.warning("%s: damaged, as if there were none: %s", path, ", ".join(damaged))
        return kept

    def find(self, key: str, experiment: TaggerExperiment) -> Record | None:
        """The record of a run; None if it is not kept, or was of another configuration or made from other inputs."""
        entry = self.runs.get(key)
        if entry is None:
            return None
        if not is_read_as(experiment, entry["experiment"]):
            self._say_refused(key, "of another configuration")
            return None
        if changed := self._changed_inputs(entry, experiment):
            self._say_refused(key, f"made with another version of {', '.join(sorted(changed))}")
            return None
        return _record(entry)

    def _say_refused(self, key: str, reason: str) -> None:
        """Says why kept runs do not count: each reason once."""
        if reason not in self._refused:
            logger.info("kept runs are not counted that are %s: %s, say", reason, key)
        self._refused.add(reason)

    def take_from_elsewhere(self, key: str, experiment: TaggerExperiment) -> Record | None:
        """The record of the same training in the file of another table, beside this one, which then has it, too."""
        for entry in self._beside():
            known = entry["experiment"]
            if "failure" in entry:
                continue
            if known.get("seed") == experiment.seed and known["data"]["test"] == list(experiment.data.test):
                alike = experiment.model_copy(update={"name": known.get("name")})
                if is_read_as(alike, known) and not self._changed_inputs(entry, alike):
                    self._added.add(key)
                    self.runs[key] = {**entry, "experiment": experiment.model_dump(mode="json")}
                    return _record(entry)
        return None

    def _beside(self) -> list[dict[str, Any]]:
        """The runs of the other files of the folder, read once; what is damaged counts as not there."""
        if self._others is None:
            self._others = []
            for path in sorted(self.path.parent.glob("*.json")) if self.path is not None else []:
                if path != self.path:
                    with contextlib.suppress(ValueError):
                        self._others += KeptRuns.read(path).runs.values()
        return self._others

    def outdated(self, cells: Sequence[Cell], folder: Path) -> dict[Path, Record]:
        """Records, by folder, of runs of these configurations and data, but made with other bundles than are here.

        Their `outdated` names these: a translator that was trained anew since, say.

        Args:
            cells: of the comparison.
            folder: of the comparison.
        """
        found: dict[Path, Record] = {}
        for _ in range(2):  # twice, since a finished grid makes more runs known
            dev_f1 = {path: record.dev_f1 for path, record in found.items()}
            for run in (run for cell in cells for run in cell.known_runs(dev_f1)):
                entry = self.runs.get(run.folder.relative_to(folder).as_posix())
                if entry is None or not is_read_as(run.experiment, entry["experiment"]):
                    continue
                changed = self._changed_inputs(entry, run.experiment)
                if changed and changed.keys() <= trained_bundles(run.experiment):
                    found[run.folder] = replace(_record(entry), outdated=changed)
        return found

    def add(self, key: str, experiment: TaggerExperiment, record: Record) -> None:
        """Takes in a finished run, in the place of one of before."""
        self._added.add(key)
        self.runs[key] = {
            "experiment": experiment.model_dump(mode="json"),
            "inputs": inputs_of(experiment, self.identify),
            "scores": record.scores,
            "counts": None if record.counts is None else _packed(record.counts),
            "minutes": record.minutes,
            **{name: value for name in _EPOCHS if (value := getattr(record, name)) is not None},
            "environment": {
                name: record.environment[name] for name in _ENVIRONMENT if name in record.environment
            },
            **({"failure": record.failure} if record.failure is not None else {}),
        }

    def write(self) -> None:
        """Adds the runs taken in to the file, a line a run, beside what others wrote meanwhile.

        An unfinished write leaves the former file.
        """
        if self.path is None or not self._added:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            others = KeptRuns.read(self.path)
            self.runs = others.runs | {key: self.runs[key] for key in self._added}
            save_text(self.path, f'{{"runs": {_lines(self.runs)}}}\n')
        self._added.clear()  # or the next write would put them over what others made of them since

    def _changed_inputs(self, entry: Mapping[str, Any], experiment: TaggerExperiment) -> dict[str, str]:
        """Data and bundles that an entry was made with and that are others here, with the digests that they had.

        For what is not here the digest is assumed that most kept runs have, so that no row mixes two.
        """
        now = inputs_here(experiment, self.identify)
        return {
            path: was
            for path, was in entry["inputs"].items()
            if (now[path] if path in now else self._assumed(path, was)) != was
        }

    def _assumed(self, path: str, otherwise: str) -> str:
        """The digest that most of the runs have of something that is not here."""
        digests = Counter(entry.get("inputs", {}).get(path) for entry in self.runs.values())
        del digests[None]
        return max(digests, key=lambda one: (digests[one], one), default=otherwise)


def _is_whole(entry: Any) -> bool:
    """Whether all that is asked of a run can be read, and its counts give the F1 that it says."""
    try:
        if not (entry["inputs"].items() and isinstance(entry["experiment"]["data"]["test"], list)):
            return False
        record = _record(entry)
        if not (isinstance(record.minutes, int | float) and isinstance(record.environment, dict)):
            return False
        if record.failure is not None:
            return True
        f1 = record.figures()["f1"]
        if record.counts is None:
            return False
        true, found, gold = record.counts.sum(axis=0)
        return abs(200 * true / max(1, found + gold) - f1) < 0.01
    except (AttributeError, KeyError, TypeError, ValueError, zlib.error):
        return False


def _record(entry: Mapping[str, Any]) -> Record:
    counts = _unpacked(entry["counts"]) if entry["counts"] is not None else None
    return Record(
        entry["scores"],
        counts,
        entry["minutes"],
        entry.get("failure"),
        entry.get("environment", {}),
        **{name: entry[name] for name in _EPOCHS if type(entry.get(name)) is int},
    )


def _lines(group: Mapping[str, Any]) -> str:
    entries = (f"{json.dumps(key)}: {json.dumps(group[key])}" for key in sorted(group))
    return "{\n" + ",\n".join(entries) + "\n}"


def _packed(counts: NDArray[np.int64]) -> str:
    """Counts [N, 3] of sentences as text: 16 bits each, row by row, compressed by zlib, in base 64."""
    return base64.b64encode(zlib.compress(counts.astype("<u2").tobytes(), 9)).decode("ascii")


def _unpacked(text: str) -> NDArray[np.int64]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<u2").reshape(-1, 3).astype(np.int64)
