"""A table run otherwise than as it stands, with fewer seeds, without the grid, or tiny; or another made of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import TaggerExperiment
from canner.presets import TIMES
from canner.tables.protocols import AS_PRINTED
from canner.training.schedule import more_epochs


def varied(
    config: ComparisonExperiment, *, seeds: int | None = None, grid: bool = True, smoke: bool = False
) -> ComparisonExperiment:
    """The comparison as it is asked for: so many seeds, with or without the grid, or its tiny twin."""
    config = config if seeds is None else with_seeds(config, seeds)
    config = config if grid else without_grid(config)
    return smoke_twin(config) if smoke else config


def derived(
    table: ComparisonExperiment,
    name: str,
    title: str,
    systems: Sequence[System],
    *,
    base: TaggerExperiment | None = None,
    corpus: str | None = None,
    paper: dict[str, Any] | None = None,
    headline: bool = False,
) -> ComparisonExperiment:
    """A table that has another's data, seeds, grid and protocol, and rows and a name of its own.

    Args:
        table: the other.
        name: without the protocol, which is added.
        title, systems, paper, headline: of the new one.
        base, corpus: where they are not the other's.

    Raises:
        ValueError: if a row is to be tested against one that is not there.
    """
    own = {
        "name": f"{name}-{table.protocol}",
        "title": title,
        "base": (base or table.base).model_copy(update={"name": name}),
        "systems": tuple(systems),
        "corpus": corpus or table.corpus,
        "paper": paper,
        "headline": headline,
    }
    known = {field: getattr(table, field) for field in ComparisonExperiment.model_fields}
    return ComparisonExperiment(**{**known, **own})


def with_seeds(config: ComparisonExperiment, number: int) -> ComparisonExperiment:
    """The same with another number of seeds; of training subsets, where these stand for the seeds."""
    if config.budgets:
        return config.model_copy(update={"subset_seeds": tuple(range(number))})
    return config.model_copy(update={"seeds": tuple(range(1, number + 1))})


def without_grid(config: ComparisonExperiment) -> ComparisonExperiment:
    """The same with the base's own learning rate and batch size, under a name that says so."""
    if not config.grid:
        return config
    changes = {"name": f"{config.name}-no-grid", "title": f"{config.title}, no grid", "grid": {}}
    return config.model_copy(update=changes)


def with_more_epochs(config: ComparisonExperiment, *, early_stopping: bool = False) -> ComparisonExperiment:
    """The same trained with `more_epochs`, so many times as those of taggers for few labels."""
    more = more_epochs(config.base.training, TIMES, early_stopping=early_stopping)
    return config.model_copy(update={"base": config.base.model_copy(update={"training": more})})


def smoke_twin(config: ComparisonExperiment) -> ComparisonExperiment:
    """The twin that only shows that everything fits together: few sentences, one epoch, one seed, no grid."""
    data = config.base.data
    few = {"num_sentences": 20, "num_dev": 10}
    if data.num_held_out is not None:
        few = {"num_sentences": 30, "num_held_out": 10}
    data = data.model_copy(update={**few, "num_test": 10})
    training = config.base.training.model_copy(update={"max_epochs": 1, "min_epochs": 0})
    model = config.base.model.model_copy(update={"hidden_dim": 8})
    base = config.base.model_copy(update={"data": data, "training": training, "model": model})
    less = {"base": base, "budgets": (), "subset_seeds": (0,), "seeds": (1,), "grid": {}}
    systems = tuple(system.model_copy(update={"budgets": ()}) for system in config.systems)
    words = {
        "name": f"{config.name}-smoke",
        "title": f"{config.title}, smoke test",
        "corpus": f"20 training, 10 development and 10 test sentences of: {config.corpus}",
    }
    return config.model_copy(update={**less, "systems": systems, **words})


def rows_of_paper(config: ComparisonExperiment) -> tuple[str, ...]:
    """Names of the systems that the paper has figures of, and of what these are tested against; of a figure, all.

    Raises:
        ValueError: the paper has no such table.
    """
    if config.paper is None:
        raise ValueError(
            f"expected a table of the paper, got one beyond it: {config.title}; choose its rows by --system"
        )
    systems = [system for system in config.systems if not system.name.endswith(AS_PRINTED)]
    of_paper = [system for system in systems if system.name in config.paper] or systems
    wanted = {name for system in of_paper for name in (system.name, config.baseline_of(system))}
    return tuple(system.name for system in systems if system.name in wanted)
