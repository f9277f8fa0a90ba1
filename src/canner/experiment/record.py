"""What a run leaves in its folder, and what of it is read again: scores, counts, what it was made from."""

from __future__ import annotations

import contextlib
import functools
import logging
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canner.data.bundle import save_json, save_text
from canner.experiment.environment import environment
from canner.experiment.inputs import inputs_of
from canner.experiment.tagger import TaggerExperiment, train_tagger
from canner.experiment.toml import dotted_keys, is_written, read_json, to_toml
from canner.training.run_files import COUNTS, ENVIRONMENT, EXPERIMENT, FIT, INPUTS, LOG, METRICS, RESUME
from canner.training.run_state import DivergedError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Record:
    """A finished run.

    Attributes:
        scores: precision, recall, F1 of dev and test, as `train_tagger` gives them; empty for one that failed.
        counts: true positives, predicted and gold entities of each test sentence [N, 3]; None for one that failed.
        minutes: of training.
        failure: why there are no scores; None for a run that went well.
        environment: machine, versions, date and command of the run.
        outdated: bundles that it was made with and that are others now, with the digests that they had.
        epochs, best_epoch: how many were trained, and that of the best development F1, counted from 1; None: not known.
    """

    scores: Mapping[str, Mapping[str, Any]]
    counts: NDArray[np.int64] | None
    minutes: float
    failure: str | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    outdated: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    best_epoch: int | None = None

    @property
    def dev_f1(self) -> float:
        """F1 on the development set; -1 for a run that failed."""
        return -1.0 if self.failure is not None else float(self.scores["dev"]["f1"])

    def figures(self) -> dict[str, float]:
        """The numbers that a table shows: of the test set, with Weibo's subsets."""
        part = self.scores["test"]
        result = {name: float(part[name]) for name in ("precision", "recall", "f1")}
        for subset, values in part.get("subsets", {}).items():
            if subset != "Overall":  # which is all of them: `f1`
                result[f"{subset} f1"] = float(values["f1"])
        result["dev f1"] = float(self.scores["dev"]["f1"])
        return result


def run_and_record(
    experiment: TaggerExperiment,
    folder: Path,
    *,
    stores: Path | None = None,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> dict[str, Any]:
    """One training with its full configuration and environment in its folder.

    Returns:
        The scores.

    Raises:
        DamagedStateError: if what an earlier call left of it cannot be read.
        DivergedError: if training diverged, which is recorded too, for comparisons to show.
        OutOfTimeError: if the time was up before training could start; call again to go on.
        KeyboardInterrupt: if training was interrupted; its state is saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inputs = inputs_of(experiment)
    begun = (folder / INPUTS).exists() or (folder / RESUME).exists()
    if begun and not _goes_on(inputs, folder):
        start_again(folder)
    for name in (METRICS, COUNTS):
        (folder / name).unlink(missing_ok=True)
    save_text(folder / EXPERIMENT, to_toml(experiment))
    save_json(folder / ENVIRONMENT, environment(device))
    save_json(folder / INPUTS, inputs)
    try:
        run = train_tagger(
            experiment, folder, stores=stores, max_minutes=max_minutes, device=device, progress=progress
        )
    except DivergedError as error:
        save_json(folder / METRICS, {"stopped": "diverged", "failure": str(error)})
        raise
    if run.fit.stopped == "interrupted":
        raise KeyboardInterrupt
    return run.scores


def start_again(folder: Path) -> None:
    """Removes what an unfinished run of a folder would go on from."""
    for name in (RESUME, LOG):
        (folder / name).unlink(missing_ok=True)


def read_record(experiment: TaggerExperiment, folder: Path) -> Record | None:
    """What an earlier call left of this run; None if it is not finished, or was made from other bundles.

    What cannot be read is trained again, which is said.

    Raises:
        ValueError: if the folder holds a run of another configuration.
    """
    if not (folder / EXPERIMENT).exists() or _is_of_another(experiment, folder):
        return None
    if not ((folder / METRICS).exists() and (folder / INPUTS).exists()):
        return None
    inputs = inputs_of(experiment)
    try:
        if read_json(folder / INPUTS) == inputs:
            return _read_finished(folder)
        _say_once(f"{folder} was made from other data or bundles than there are now, and does not count")
        return None
    except (ValueError, KeyError, TypeError, OSError) as error:
        logger.warning("%s: the run is damaged and is trained again: %s", folder, error)
        return None


def _is_of_another(experiment: TaggerExperiment, folder: Path) -> bool:
    """Whether a folder is of another run that came to nothing.

    Raises:
        ValueError: it is of another run, which would be lost.
    """
    known = _known_settings(folder)
    if not known:
        logger.warning("%s: the run is damaged and is trained again: %s says nothing", folder, EXPERIMENT)
        return True
    if is_written(experiment, known):
        return False
    if not ((folder / METRICS).exists() or (folder / RESUME).exists()):
        return True
    raise ValueError(
        f"{folder}: expected the run of this configuration, got one of another{_difference(experiment, known)}; "
        "remove this folder to train it anew, or take another for the runs (canner reproduce --runs, canner train -o)"
    )


def _difference(experiment: TaggerExperiment, known: Mapping[str, Any]) -> str:
    """The first setting in which they differ, in brackets; one that the folder did not know has its default."""
    with contextlib.suppress(ValueError, TypeError):  # a setting that is no more
        known = tomllib.loads(to_toml(TaggerExperiment(**known)))
    ours, theirs = dotted_keys(tomllib.loads(to_toml(experiment))), dotted_keys(known)
    for key in (*theirs, *ours):
        if ours.get(key) != theirs.get(key):
            said = ["nothing" if key not in of else repr(of[key])[:60] for of in (ours, theirs)]
            return f" ({key}: {said[0]} asked for, {said[1]} there)"
    return ""


@functools.cache
def _say_once(text: str) -> None:
    """What would be said each time that a folder is looked at."""
    logger.info(text)


def _known_settings(folder: Path) -> dict[str, Any]:
    """Those of the run of a folder; none, if their file is damaged."""
    try:
        return tomllib.loads((folder / EXPERIMENT).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _goes_on(inputs: Mapping[str, str], folder: Path) -> bool:
    """Whether an unfinished run of a folder can be taken up."""
    if not _was_made_from(inputs, folder):
        logger.info("%s was made from other data or bundles: training starts again", folder)
        return False
    if not _known_settings(folder):
        logger.warning("%s: %s says nothing: training starts again", folder, EXPERIMENT)
        return False
    return True


def _was_made_from(inputs: Mapping[str, str], folder: Path) -> bool:
    try:
        return read_json(folder / INPUTS) == inputs
    except ValueError:  # a damaged file
        return False


def _read_finished(folder: Path) -> Record | None:
    found = read_json(folder / METRICS)
    if found["stopped"] in ("time", "interrupted"):
        return None
    made = read_json(folder / ENVIRONMENT)
    if "failure" in found:
        return Record({}, None, 0.0, found["failure"], made)
    part = np.array(read_json(folder / COUNTS)["test"], dtype=np.int64)
    if part.ndim != 2 or part.shape[1] != 3:
        raise ValueError(f"expected three counts of each sentence in {COUNTS}, got an array {part.shape}")
    scores = {name: found[name] for name in ("dev", "test")}
    fit = read_json(folder / FIT)
    epochs, best_epoch = int(fit["epochs"]), int(fit["best_epoch"]) + 1
    minutes = float(found.get("minutes", 0.0))
    record = Record(scores, part, minutes, None, made, epochs=epochs, best_epoch=best_epoch)
    record.figures()  # what a table needs is there
    return record
