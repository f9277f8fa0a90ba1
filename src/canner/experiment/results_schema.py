"""What a results file holds: `results/<name>.json`, and `results.json` in the folder of a comparison.

F1 and gains are in percent; a run is named by its subset and seed ("subset 0, seed 1"). A key of which there is
nothing to say may be missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from canner.data.bundle import save_json
from canner.text.config import Config, one_line

Paper = dict[str, dict[str, float] | str]
"""Figures of a paper by row and name; under "note", what is to be said of them."""


class Metric(Config):
    """A figure of a row.

    Attributes:
        mean, sd: over the runs; the deviation of the sample, 0 for one run.
        values: that of each run.
    """

    mean: float
    sd: float
    values: tuple[float, ...]


class Tested(Config):
    """A gain and its paired bootstrap over sentences.

    Attributes:
        difference, low, high: the gain and its 95 % interval.
        p: two-sided.
    """

    difference: float
    low: float
    high: float
    p: float


class Gain(Config):
    """What a row gains over another, by the runs that both have.

    Attributes:
        system: the other row, a plain one.
        difference, low, high, p: as of `Tested`.
        p_with_runs: that reckons with other seeds, too; None for a gain of one run.
        unseen: the same test without the sentences that stand in the training set, where a twentieth or more does.
        runs: how many.
        by_run, dev_by_run: the gain of each on the test and on the development set.
        share_of_upper_bound: in percent, what it is of the upper bound's gain.
    """

    system: str
    difference: float
    low: float
    high: float
    p: float
    p_with_runs: float | None = None
    unseen: Tested | None = None
    runs: int
    by_run: dict[str, float]
    dev_by_run: dict[str, float]
    share_of_upper_bound: float | None = None


class Made(Config):
    """How a row was made that was scored alone.

    Attributes:
        command, hardware, date: its own.
        files: what was read, each with the first twelve digits of its SHA-256.
    """

    command: str = ""
    hardware: str = ""
    date: str = ""
    files: dict[str, str] = Field(default_factory=dict)


class Row(Config):
    """A row of a table.

    Attributes:
        system: its name.
        metrics: its figures; none if no run has any.
        seeds, minutes: the runs that have figures, and how long each took.
        collapsed: runs that found next to nothing.
        planned: how many runs there should be; 0: not said.
        outdated: bundles that are others now than when its runs were made (†).
        failed: runs whose loss was not finite, with what was said.
        cut_off: runs that the limit of epochs ended too early.
        against: its gain over the plain row.
        chosen: what it took of the grid, by the first run of each subset.
        reads_english, upper_bound: whether it reads a translation; whether that is another system's.
        best_on_dev: whether it is the one that gains most on the development set.
        chosen_among: among how many of how many it was chosen, if not all were run, or often enough, or with the
            present bundles.
        bundle, made: of a row that scores a translator or a tagger (`recipes/score_*.py`): its folder, and how that
            row alone was made.
    """

    system: str
    metrics: dict[str, Metric]
    seeds: tuple[str, ...] = ()
    minutes: tuple[float, ...] = ()
    collapsed: tuple[str, ...] = ()
    planned: int = 0
    outdated: tuple[str, ...] = ()
    failed: dict[str, str] = Field(default_factory=dict)
    cut_off: tuple[str, ...] = ()
    against: Gain | None = None
    chosen: dict[str, dict[str, Any]] = Field(default_factory=dict)
    reads_english: bool = False
    upper_bound: bool = False
    best_on_dev: bool = False
    chosen_among: tuple[int, int] | None = None
    bundle: str | None = None
    made: Made | None = None

    @property
    def num_finished(self) -> int:
        """How many of its runs have figures."""
        return max((len(metric.values) for metric in self.metrics.values()), default=0)

    @property
    def num_ended(self) -> int:
        """How many of its runs have figures, or failed."""
        return self.num_finished + len(self.failed)


class Split(Config):
    """A whole split of a corpus.

    Attributes:
        sha256: its files, each with the first twelve digits of its SHA-256.
        sentences, tokens, entities: how many.
        in_train: how many sentences stand in the training set, too.
        held_out: how many sentences each run holds out.
    """

    sha256: dict[str, str]
    sentences: int
    tokens: int
    entities: int
    in_train: int = 0
    held_out: int = 0


class Results(Config):
    """A results file.

    Attributes:
        name, title: its own.
        rows: of the table.
        data, protocol: in words.
        command, hardware, date: how it was made.
        paper: the paper's figures.
        files: what was read, as in `Made`.
        headline: whether its gains are among those of all tables.
        corpus: the splits that there are, "train", "dev" and "test".
        grid: what was chosen from.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    data: str = ""
    protocol: str = ""
    command: str = ""
    hardware: str = ""
    paper: Paper | None = None
    date: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    headline: bool = True
    corpus: dict[str, Split] = Field(default_factory=dict)
    grid: dict[str, tuple[Any, ...]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _gains_are_over_rows(self) -> Results:
        systems = {row.system for row in self.rows}
        for row in self.rows:
            if row.against and row.against.system not in systems - {row.system}:
                raise ValueError(f"expected 'against' to name another row, got {row.against.system!r}")
        return self

    def reported(self, system: str) -> Mapping[str, float]:
        """The paper's figures of a row; none, if it has none."""
        figures = (self.paper or {}).get(system)
        return figures if isinstance(figures, dict) else {}

    @classmethod
    def read(cls, path: Path) -> Results:
        """Reads and checks a file.

        Raises:
            ValueError: if the file is not JSON, or not what a results file holds.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise ValueError(
                f"expected a results file in {path}, got one that is wrong: {one_line(error)}; run its command again"
            ) from None

    def save(self, path: Path) -> None:
        """Writes the file, whole or not at all."""
        save_json(path, self.model_dump(mode="json", exclude_unset=True))
