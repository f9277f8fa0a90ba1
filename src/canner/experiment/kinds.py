"""The kinds of experiment that a configuration file can hold, read and run alike."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError

from canner.data.corpus import data_path
from canner.data.shard_folder import OutOfTimeError
from canner.experiment.claim import claimed, ending_of
from canner.experiment.comparison import ComparisonExperiment, plan
from canner.experiment.machine import workers_that_fit
from canner.experiment.record import run_and_record
from canner.experiment.runner import RunnerOptions, run_comparison
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import override, read_toml
from canner.text.bitext import read_bitext
from canner.text.config import Config, one_line
from canner.text.files import expand_path
from canner.training.aligner import AlignerExperiment, train_aligner
from canner.training.charlm import CharLMExperiment, train_charlm
from canner.training.translator import TranslatorExperiment, train_translator
from canner.training.vectors import VectorsExperiment, train_vectors
from canner.transfer.gloss import GlossConfig, train_gloss

logger = logging.getLogger(__name__)


class GlossExperiment(Config):
    """A word gloss, counted from parallel text."""

    kind: Literal["gloss"] = "gloss"
    train_source: str
    train_target: str
    max_pairs: int | None = Field(default=None, ge=1)
    gloss: GlossConfig = GlossConfig()
    seed: int = 1


Experiment = (
    TaggerExperiment
    | ComparisonExperiment
    | TranslatorExperiment
    | AlignerExperiment
    | CharLMExperiment
    | GlossExperiment
    | VectorsExperiment
)

_KINDS: dict[str, type[Config]] = {kind.model_fields["kind"].default: kind for kind in get_args(Experiment)}


@dataclass(frozen=True)
class Outcome:
    """How a run ended, and what came of it in a line for people."""

    stopped: str
    summary: str


def read_experiment(path: Path, assignments: Mapping[str, Any] | None = None) -> Experiment:
    """An experiment from a TOML file, with some of its keys set otherwise.

    Args:
        path: of the file; its `kind` says what is trained.
        assignments: dotted keys and values.

    Raises:
        ValueError: in one line, if the file is missing, is not TOML, or a key is unknown or has a wrong value.
    """
    assignments, values = assignments or {}, read_toml(path)
    kind = assignments.get("kind", values.get("kind", "tagger"))
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"{path}: expected kind {', '.join(_KINDS)}, got {kind!r}")
    values = override(values, assignments)
    try:
        return _KINDS[kind](**_with_default_tables(_KINDS[kind], values))  # type: ignore[return-value]
    except ValidationError as error:
        raise ValueError(f"{path}: {one_line(error)}") from None


_LENGTHS = ("decay_steps", "decay_epochs", "decay_minutes")
"""Ways to say how long a training is: who sets one does not get another's default."""


def _with_default_tables(kind: type[Config], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with what their tables leave out as the kind has it by default.

    Else a table of one key would have the defaults of any training, not of this kind's. A table that has every key
    which must have a value is left as it is: so files are written, without the keys that hold nothing.
    """
    filled = dict(values)
    for name, table in values.items():
        default = kind.model_fields[name].default if name in kind.model_fields else None
        if not (isinstance(default, BaseModel) and isinstance(table, Mapping)):
            continue
        if all(key in table or field.default is None for key, field in type(default).model_fields.items()):
            continue
        says_length = any(length in table for length in _LENGTHS)
        known = default.model_dump(exclude=set(_LENGTHS) if says_length else None)
        filled[name] = known | dict(table)
    return filled


def run_experiment(
    experiment: Experiment,
    folder: Path,
    *,
    command: str,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> Outcome:
    """Trains what an experiment describes; its folder gets the configuration, the environment and the bundle.

    Args:
        experiment: of any kind.
        folder: of the run; an unfinished run in it is taken up.
        command: what was typed, for results files.
        max_minutes: wall-clock budget, of translating and embedding too.
        device: "cpu" or "cuda".
        progress: show progress on a terminal.

    Raises:
        ValueError: if the folder holds a run of another configuration, or data do not fit.
        KeyboardInterrupt: if a comparison was interrupted.
    """
    if isinstance(experiment, ComparisonExperiment):
        plan(experiment, folder)  # or nothing is written
    # glosses and vectors are counted and trained on the processor, whatever the device
    on_processor = isinstance(experiment, GlossExperiment | VectorsExperiment)
    with claimed(folder, experiment, "cpu" if on_processor else device):
        return _run(
            experiment, folder, command=command, max_minutes=max_minutes, device=device, progress=progress
        )


def _run(
    experiment: Experiment,
    folder: Path,
    *,
    command: str,
    max_minutes: float | None,
    device: str,
    progress: bool,
) -> Outcome:
    if isinstance(experiment, ComparisonExperiment):
        options = RunnerOptions(workers_that_fit(device), max_minutes, device, progress)
        run_comparison(experiment, folder, command=command, options=options)
        return Outcome("finished", f"results in {folder / 'results.json'}")
    if isinstance(experiment, TaggerExperiment):
        try:
            scores = run_and_record(
                experiment, folder, max_minutes=max_minutes, device=device, progress=progress
            )
        except OutOfTimeError as error:
            return Outcome("time", f"the time was up: {error}; call again to go on")
        text = ", ".join(f"{name} F1 {round(part['f1'], 2)}" for name, part in scores.items())
        return Outcome(ending_of(folder) or "finished", text or "no sentences to score it on")
    if isinstance(experiment, GlossExperiment):
        return _run_gloss(experiment, folder)
    trained = _expanded(experiment)
    if isinstance(trained, VectorsExperiment):
        number = train_vectors(trained, folder)
        return Outcome("finished", f"vectors of {number} words")
    if isinstance(trained, TranslatorExperiment):
        fitted = train_translator(trained, folder, max_minutes=max_minutes, device=device, progress=progress)
    elif isinstance(trained, AlignerExperiment):
        fitted = train_aligner(trained, folder, max_minutes=max_minutes, device=device, progress=progress)
    else:
        assert isinstance(trained, CharLMExperiment)
        fitted = train_charlm(trained, folder, max_minutes=max_minutes, device=device, progress=progress)
    metric = trained.training.metric
    found = "none yet" if fitted.kept_metric is None else f"{fitted.kept_metric:.4g}"
    summary = f"{fitted.stopped} after {fitted.epochs} epochs; {trained.training.keep} {metric} {found}"
    return Outcome(fitted.stopped, summary)


def _run_gloss(experiment: GlossExperiment, folder: Path) -> Outcome:
    sides = (("train_source", experiment.train_source), ("train_target", experiment.train_target))
    pairs = read_bitext(*(data_path(path, key) for key, path in sides))[: experiment.max_pairs]
    gloss = train_gloss(pairs, seed=experiment.seed, config=experiment.gloss)
    gloss.save(folder)
    number = len(gloss.counted.entries)
    return Outcome("finished", f"{number} words from {len(pairs)} sentence pairs")


def _expanded(experiment: BaseModel) -> BaseModel:
    """The same with `$NAME` and `~` in its paths replaced."""
    return type(experiment)(**_expand_all(experiment.model_dump()))


def _expand_all(value: Any) -> Any:
    if isinstance(value, str):
        return expand_path(value)
    if isinstance(value, dict):
        return {key: _expand_all(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_expand_all(inner) for inner in value]
    return value
