"""Several systems on the same data, over budgets of labels and seeds: which runs a table needs."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from canner.experiment.results_schema import Paper
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import dotted_keys, override, without_nothing
from canner.text.config import Config, one_line
from canner.training.run_files import STORES

_DATA_OF_ROWS = ("data.train", "data.num_sentences")
"""What of its data a row may set: the rest, and the seed, tells its runs apart, or is what rows are compared on."""


class System(Config):
    """A row of the table: how it differs from the base experiment.

    Attributes:
        name: of the row.
        change: keys of the experiment and their values, dotted as `--set` takes them, or as tables; what a table
            does not name stays as it is in the base.
        budgets: those of the comparison's budgets at which it runs; empty: at all.
        baseline: the row that it is tested against; None: the first row.
    """

    name: str
    change: dict[str, Any] = Field(default_factory=dict)
    budgets: tuple[int, ...] = ()
    baseline: str | None = None

    @field_validator("change")
    @classmethod
    def _without_nothing(cls, change: dict[str, Any]) -> dict[str, Any]:
        if nothing := [key for key, value in dotted_keys(change).items() if value is None]:
            raise ValueError(
                f"change.{nothing[0]}: expected a value, got None, which a run's TOML file cannot say; leave the "
                "setting out of the base, and set it in the other rows"
            )
        # As it comes back from a TOML file.
        return dict(without_nothing(change))


class ComparisonExperiment(Config):
    """Systems that share data and protocol, each run over budgets and seeds.

    Attributes:
        base: what all systems share.
        systems: the rows; the first is the baseline.
        budgets: numbers of training sentences; empty: as the base says.
        subset_seeds: each draws another subset, and holds out others (all systems see the same ones); ignored where
            nothing is drawn.
        seeds: each trains another model.
        grid: dotted keys and the values to try. Each system tries every combination with the first seed, and
            goes on with the one that is best on the development set.
        protocol: the name of the training protocol; results say how the base is trained with it, or without.
        corpus: the data in words, for the results file.
        paper: what the paper reports, for the results file.
        headline: whether its gains stand among those of all tables; not of a table whose rows are variants of each
            other.
    """

    kind: Literal["comparison"] = "comparison"
    name: str
    title: str
    base: TaggerExperiment
    systems: tuple[System, ...] = Field(min_length=1)
    budgets: tuple[int, ...] = ()
    subset_seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    seeds: tuple[int, ...] = Field(default=(1,), min_length=1)
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)
    protocol: str = ""
    corpus: str = ""
    paper: Paper | None = None
    headline: bool = True

    @field_validator("grid", mode="before")
    @classmethod
    def _dotted(cls, grid: Any) -> Any:
        return dotted_keys(grid) if isinstance(grid, Mapping) else grid

    @model_validator(mode="after")
    def _has_rows_of_their_own(self) -> ComparisonExperiment:
        names = [system.name for system in self.systems]
        for what, values in (
            ("systems", names),
            ("seeds", self.seeds),
            ("budgets", self.budgets),
            ("subset_seeds", self.subset_seeds),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"expected {what} of their own, got {', '.join(map(str, values))}")
        if not all(name.strip() for name in names):
            raise ValueError("expected a name for each system, got one without")
        for system in self.systems:
            if system.baseline is not None and system.baseline not in names:
                raise ValueError(
                    f"system {system.name!r}: expected a baseline among {', '.join(names)}, "
                    f"got {system.baseline!r}"
                )
        if empty := [key for key, values in self.grid.items() if not values]:
            raise ValueError(f"grid.{empty[0]}: expected values to try, got none; list some or leave it out")
        return self

    @model_validator(mode="after")
    def _leaves_alone_what_rows_share(self) -> ComparisonExperiment:
        free: tuple[str, ...] = _DATA_OF_ROWS[:1] if self.budgets else _DATA_OF_ROWS
        if self.base.data.num_held_out is not None:
            free = ()
        points = [{key: value} for key, values in self.grid.items() for value in values]
        changes = (*points, *(system.change for system in self.systems))
        keys = [key for change in changes for key in dotted_keys(change)]
        if wrong := [key for key in keys if key == "seed" or (key.startswith("data.") and key not in free)]:
            raise ValueError(
                f"expected systems and a grid that leave {wrong[0]} alone, got one that sets it; the base does, or "
                "the comparison's own seeds, subset_seeds and budgets"
            )
        return self

    @model_validator(mode="after")
    def _has_sentences_to_choose_and_to_compare_on(self) -> ComparisonExperiment:
        data = self.base.data
        if not data.test:
            raise ValueError(
                "expected test sentences, got none: what decides when training stops is no test; name a file in "
                "base.data.test"
            )
        if data.num_held_out is None and not data.dev:
            raise ValueError(
                "expected development sentences, got none; name a file in base.data.dev, or say in "
                "base.data.num_held_out how many of the training sentences shall decide when training stops"
            )
        if data.num_held_out is not None and self.budgets and min(self.budgets) <= data.num_held_out:
            raise ValueError(
                f"expected budgets above num_held_out ({data.num_held_out}), got {min(self.budgets)}; some sentences "
                "must be left to learn from"
            )
        return self

    @property
    def num_seeds(self) -> int:
        """Runs of a row with one budget: each drawing of sentences, if there are some, with each seed."""
        return len(self.seeds) * len(self.drawings)

    @property
    def drawings(self) -> tuple[int, ...]:
        """The seeds of the drawings: of subsets and of what is held out; one where nothing is drawn."""
        data = self.base.data
        return self.subset_seeds if self.budgets or data.num_sentences or data.num_held_out else (0,)

    def with_first_seeds(self, number: int) -> ComparisonExperiment:
        """The same with so many of its seeds; of its training subsets, where these stand for the seeds."""
        kind = "subset_seeds" if self.budgets else "seeds"
        return self.model_copy(update={kind: getattr(self, kind)[:number]})

    def baseline_of(self, system: System) -> str | None:
        """The row that a system is tested against; None for one that is its own."""
        name = system.baseline or self.systems[0].name
        return None if name == system.name else name


@dataclass(frozen=True)
class PlannedRun:
    """One training of a comparison.

    Attributes:
        row: of the table.
        experiment: all of its configuration.
        folder_of_row: where the runs of its row are trained.
        point: the combination of the grid that it tries.
    """

    row: str
    experiment: TaggerExperiment
    folder_of_row: Path
    point: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Within its row: the seeds of its subset of the data and of its training."""
        return f"subset {self.experiment.data.subset_seed}, seed {self.experiment.seed}"

    @cached_property
    def folder(self) -> Path:
        """Where it is trained."""
        last = f"subset{self.experiment.data.subset_seed}-seed{self.experiment.seed}"
        if self.point:
            settings = (f"{key.split('.')[-1]} {value}" for key, value in self.point.items())
            last += f"-{slug(' '.join(settings))}"
        return self.folder_of_row / last

    def with_seed(self, seed: int) -> PlannedRun:
        """The same training with another seed."""
        return replace(self, experiment=self.experiment.model_copy(update={"seed": seed}))

    @property
    def in_words(self) -> str:
        """Row, name and point of the grid, to tell runs apart."""
        return ", ".join([self.row, self.name, *(f"{key}={value}" for key, value in self.point.items())])


@dataclass(frozen=True)
class Cell:
    """The runs of one system with one training set: first the grid with one seed, then the other seeds.

    Attributes:
        system: which.
        row: its row in the table: the system, and its budget where there are several.
        tries: one run for each combination of the grid, all with the first seed.
        other_seeds: those that the chosen combination is repeated with.
    """

    system: System
    row: str
    tries: tuple[PlannedRun, ...]
    other_seeds: tuple[int, ...]

    @property
    def num_runs(self) -> int:
        """Runs in all."""
        return len(self.tries) + len(self.other_seeds)

    def chosen(self, dev_f1: Mapping[Path, float]) -> PlannedRun | None:
        """The try that is best on the development set, the first of equals; None while some of several are unfinished.

        Args:
            dev_f1: development F1 of each finished run, by folder; below 0 for one that failed.
        """
        if len(self.tries) == 1:
            return self.tries[0]
        if any(run.folder not in dev_f1 for run in self.tries):
            return None
        return max(self.tries, key=lambda run: dev_f1[run.folder])

    def known_runs(self, dev_f1: Mapping[Path, float]) -> tuple[PlannedRun, ...]:
        """The runs that are known to be needed: the tries, and, once one of these is chosen, the other seeds."""
        chosen = self.chosen(dev_f1)
        return self.tries if chosen is None else self.tries + self._repeated(chosen)

    def counted_runs(self, dev_f1: Mapping[Path, float]) -> tuple[PlannedRun, ...]:
        """The runs that the table is about: the chosen combination with every seed."""
        chosen = self.chosen(dev_f1)
        return () if chosen is None else (chosen, *self._repeated(chosen))

    def _repeated(self, chosen: PlannedRun) -> tuple[PlannedRun, ...]:
        return tuple(chosen.with_seed(seed) for seed in self.other_seeds)


def plan(config: ComparisonExperiment, folder: Path) -> list[Cell]:
    """The cells of a comparison, systems side by side within a budget and subset.

    Raises:
        ValueError: if the change of a system is no valid experiment.
    """
    cells = []
    budgets: Sequence[int | None] = config.budgets or (None,)
    for budget, subset_seed, system in itertools.product(budgets, config.drawings, config.systems):
        if budget is not None and system.budgets and budget not in system.budgets:
            continue
        row = system.name if len(budgets) == 1 else f"{system.name}, {budget} sentences"
        cells.append(_cell(config, system, row, folder / slug(row), budget, subset_seed))
    places = [run.folder for cell in cells for run in cell.tries]
    if len(set(places)) < len(places) or folder / STORES in {place.parent for place in places}:
        raise ValueError(
            "expected systems and grid values that differ in more than case and punctuation, and none called "
            "stores, got two for one folder; name them otherwise"
        )
    return cells


def _cell(
    config: ComparisonExperiment,
    system: System,
    row: str,
    folder: Path,
    budget: int | None,
    subset_seed: int,
) -> Cell:
    first_seed, *other_seeds = config.seeds
    changes: dict[str, Any] = {"seed": first_seed, "data.subset_seed": subset_seed}
    if budget is not None:
        changes["data.num_sentences"] = budget
    tries = []
    for values in itertools.product(*config.grid.values()):
        point = dict(zip(config.grid, values, strict=True))
        experiment = _experiment(config.base, system, {**changes, **system.change, **point})
        tries.append(PlannedRun(row, experiment, folder, point))
    return Cell(system, row, tuple(tries), tuple(other_seeds))


def _experiment(base: TaggerExperiment, system: System, changes: Mapping[str, Any]) -> TaggerExperiment:
    try:
        return TaggerExperiment(**override(without_nothing(base.model_dump(mode="json")), changes))
    except ValidationError as error:
        raise ValueError(f"system {system.name!r}: {one_line(error)}") from None


def slug(text: str) -> str:
    """A text as a folder's name; where letters are lost, a digest keeps different texts apart."""
    plain = re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
    if re.fullmatch(r"[a-z0-9 .,+_()=-]*", text.lower()) and plain:
        return plain
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".strip("-")
