"""Several systems on the same data, over budgets of labels and seeds: a table in one run."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from canner.data.bundle import save_json
from canner.experiment.results import Row, environment, results_json, summarise
from canner.experiment.tagger import TaggerExperiment, train_tagger
from canner.experiment.toml import one_line, override, read_json, to_toml, without_nothing
from canner.text.config import Config

logger = logging.getLogger(__name__)


class System(Config):
    """A row of the table: how it differs from the base experiment.

    Attributes:
        name: of the row.
        change: dotted keys of the experiment and their values, as `--set` takes them.
        budgets: those of the comparison's budgets at which it runs; empty: at all.
    """

    name: str
    change: dict[str, Any] = Field(default_factory=dict)
    budgets: tuple[int, ...] = ()

    @field_validator("change")
    @classmethod
    def _without_nothing(cls, change: dict[str, Any]) -> dict[str, Any]:
        # As it comes back from a TOML file.
        return dict(without_nothing(change))


class ComparisonExperiment(Config):
    """Systems that share data and protocol, each run over budgets and seeds.

    Attributes:
        base: what all systems share.
        systems: the rows; the first is the baseline.
        budgets: numbers of training sentences; empty: as the base says.
        subset_seeds: each draws another subset (all systems see the same ones); ignored without a budget.
        seeds: each trains another model.
        protocol: the training protocol in a word, for the results file.
        corpus: the data in words, for the results file.
        paper: what the paper reports, for the results file.
    """

    kind: Literal["comparison"] = "comparison"
    name: str
    title: str
    base: TaggerExperiment
    systems: tuple[System, ...] = Field(min_length=1)
    budgets: tuple[int, ...] = ()
    subset_seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    protocol: str = ""
    corpus: str = ""
    paper: dict[str, Any] | None = None


@dataclass(frozen=True)
class PlannedRun:
    """One training of a comparison."""

    row: str
    name: str
    experiment: TaggerExperiment
    folder: Path


def plan(config: ComparisonExperiment, folder: Path) -> list[PlannedRun]:
    """Every run of a comparison, systems side by side within a budget and subset.

    Raises:
        ValueError: if the change of a system is no valid experiment.
    """
    runs = []
    budgets: Sequence[int | None] = config.budgets or (None,)
    subset_seeds = config.subset_seeds if config.budgets or config.base.data.num_sentences else (0,)
    for budget in budgets:
        for subset_seed in subset_seeds:
            for seed in config.seeds:
                for system in config.systems:
                    if budget is not None and system.budgets and budget not in system.budgets:
                        continue
                    changes: dict[str, Any] = {"seed": seed, "data.subset_seed": subset_seed}
                    if budget is not None:
                        changes["data.num_sentences"] = budget
                    row = system.name if len(budgets) == 1 else f"{system.name}, {budget} sentences"
                    name = f"subset {subset_seed}, seed {seed}"
                    experiment = _experiment(config.base, system, {**changes, **system.change})
                    place = folder / f"{_slug(row)}" / f"subset{subset_seed}-seed{seed}"
                    runs.append(PlannedRun(row, name, experiment, place))
    return runs


def run_comparison(
    config: ComparisonExperiment,
    folder: str | Path,
    *,
    command: str,
    device: str = "cpu",
    progress: bool = True,
) -> dict[str, Any]:
    """Trains and scores every system; finished runs of an earlier, interrupted call are kept.

    Args:
        config: the comparison.
        folder: gets a folder for each run, and `results.json`.
        command: what was typed, for the results file.
        device: "cpu" or "cuda".
        progress: show progress bars on a terminal.

    Returns:
        What `results.json` holds.

    Raises:
        ValueError: if data or bundles are missing or do not fit together.
        KeyboardInterrupt: if a run was interrupted; call again to go on.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    runs = plan(config, folder)
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for number, run in enumerate(runs, 1):
        found = _finished(run)
        if found is None:
            logger.info("run %d of %d: %s, %s", number, len(runs), run.row, run.name)
            found = run_and_record(
                run.experiment, run.folder, stores=folder / "stores", device=device, progress=progress
            )
        scores.setdefault(run.row, {})[run.name] = figures(found)
        logger.info("%s, %s: test F1 %.2f", run.row, run.name, found.get("test", found["dev"])["f1"])
        results = _results(config, scores, command)
        save_json(folder / "results.json", results)
    save_json(folder / "environment.json", environment())
    return results


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

    Raises:
        KeyboardInterrupt: if training was interrupted; its state is saved.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "experiment.toml").write_text(to_toml(experiment), encoding="utf-8")
    save_json(folder / "environment.json", environment())
    run = train_tagger(
        experiment, folder, stores=stores, max_minutes=max_minutes, device=device, progress=progress
    )
    if run.fit.stopped == "interrupted":
        raise KeyboardInterrupt
    return run.scores


def figures(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """The numbers of a run that a table shows: of the test part (else dev), with Weibo's subsets."""
    part = scores.get("test", scores["dev"])
    result = {name: float(part[name]) for name in ("precision", "recall", "f1")}
    for subset, values in part.get("subsets", {}).items():
        result[f"{subset} f1"] = float(values["f1"])
    result["dev f1"] = float(scores["dev"]["f1"])
    return result


def _results(
    config: ComparisonExperiment, scores: Mapping[str, Mapping[str, Mapping[str, float]]], command: str
) -> dict[str, Any]:
    rows: list[Row] = [summarise(row, runs) for row, runs in scores.items()]
    return results_json(
        name=config.name,
        title=config.title,
        rows=rows,
        data=config.corpus,
        protocol=config.protocol,
        command=command,
        paper=config.paper,
    )


def _experiment(base: TaggerExperiment, system: System, changes: Mapping[str, Any]) -> TaggerExperiment:
    try:
        return TaggerExperiment(**override(without_nothing(base.model_dump(mode="json")), changes))
    except ValidationError as error:
        raise ValueError(f"system {system.name!r}: {one_line(error)}") from None


def _finished(run: PlannedRun) -> dict[str, Any] | None:
    """The scores of a run that an earlier call finished with the same configuration."""
    metrics, config = run.folder / "metrics.json", run.folder / "experiment.toml"
    if not metrics.exists() or not config.exists():
        return None
    if config.read_text(encoding="utf-8") != to_toml(run.experiment):
        raise ValueError(
            f"{run.folder}: expected the run of this configuration, got one of another; "
            "choose another output folder, or remove this one"
        )
    found = read_json(metrics)
    return found if found.get("stopped") not in ("time", "interrupted") else None


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()
