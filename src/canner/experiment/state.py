"""Where a comparison stands: which of its runs are finished, which are to be made, and its results file."""

from __future__ import annotations

import logging
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from canner.experiment.comparison import Cell, ComparisonExperiment, PlannedRun
from canner.experiment.corpus_facts import CorpusFacts
from canner.experiment.inputs import missing_bundles
from canner.experiment.kept_runs import KeptRuns
from canner.experiment.record import Record, read_record
from canner.experiment.results_schema import Results
from canner.experiment.summary import summary
from canner.text.wording import some_of

logger = logging.getLogger(__name__)


@dataclass
class ComparisonState:
    """What is wanted of a comparison, and what of it is finished.

    Attributes:
        config, folder, command: of the comparison.
        wanted, cells: the cells whose runs are to be made, and all.
        corpus: what is known of its data.
        kept: runs that need not be made again.
        publish: called with what `results.json` holds, whenever it is written.
        records: of the finished runs, by folder.
        looked_for: folders in which there was no finished run.
        broken: why runs broke off, or cannot be made, by folder.
    """

    config: ComparisonExperiment
    wanted: Sequence[Cell]
    cells: Sequence[Cell]
    folder: Path
    command: str
    corpus: CorpusFacts
    kept: KeptRuns
    publish: Callable[[Results], None] | None
    records: dict[Path, Record] = field(default_factory=dict)
    looked_for: set[Path] = field(default_factory=set)
    broken: dict[Path, str] = field(default_factory=dict)

    def known(self, cells: Sequence[Cell]) -> list[PlannedRun]:
        """Runs known to be needed: those of the first seed of all cells, then of the second, …

        So the systems can be compared at any time.
        """
        dev_f1 = self.dev_f1
        staged = [
            (max(0, index + 1 - len(cell.tries)), run)
            for cell in cells
            for index, run in enumerate(cell.known_runs(dev_f1))
        ]
        return [run for _, run in sorted(staged, key=lambda pair: pair[0])]

    @property
    def dev_f1(self) -> dict[Path, float]:
        """Development F1 of each finished run, by folder."""
        return {folder: record.dev_f1 for folder, record in self.records.items()}

    def unfinished(self) -> list[Cell]:
        """The wanted cells that lack a run."""
        dev_f1 = self.dev_f1
        return [
            cell for cell in self.wanted if any(run.folder not in dev_f1 for run in cell.known_runs(dev_f1))
        ]

    def leave_out_impossible(self, *, in_time: bool) -> None:
        """Drops wanted cells that lack a run and read what is not there; says which.

        Args:
            in_time: whether there is time for a run; if not, it is no error that none is possible.
        """
        unfinished = self.unfinished()
        possible = _possible(unfinished, needed=in_time and len(unfinished) == len(self.wanted))
        left_out = [cell for cell in unfinished if cell not in possible]
        self.wanted = [cell for cell in self.wanted if cell not in left_out]

    def waiting(self) -> list[PlannedRun]:
        """Runs to be made."""
        return [run for run in self.known(self.wanted) if run.folder not in self.records]

    @property
    def num_runs(self) -> int:
        return sum(cell.num_runs for cell in self.wanted)

    @property
    def num_finished(self) -> int:
        return sum(run.folder in self.records for run in self.known(self.wanted))

    def say_what_is_left(self, workers: int) -> None:
        """How many runs are to be made, and how long they may take, by the runs of the table that are finished."""
        if not (left := self.num_runs - self.num_finished):
            return
        minutes = [record.minutes for record in self.records.values() if record.failure is None]
        about = f", {workers} at a time" if workers > 1 else ""
        if minutes:
            mean = statistics.fmean(minutes)
            total = left * mean / workers
            told = f"{total / 60:.1f} hours" if total >= 60 else f"{total:.1f} minutes"
            about += f"; at {mean:.1f} minutes each, that is {told}"
        logger.info("%s: %d runs of %d are to be made%s", self.config.name, left, self.num_runs, about)

    def read(self) -> None:
        """Takes in what earlier calls finished; twice, since a finished grid makes more runs known."""
        self.looked_for.clear()
        for _ in range(2):
            self._take_in()

    def _take_in(self) -> None:
        """Looks for finished runs among those that have become known."""
        wanted = {run.folder for run in self.known(self.wanted)}
        for run in self.known(self.cells):
            if run.folder not in self.records and run.folder not in self.looked_for:
                self.looked_for.add(run.folder)
                if found := self._finished(run, wanted=run.folder in wanted):
                    self.records[run.folder] = found

    def _finished(self, run: PlannedRun, *, wanted: bool) -> Record | None:
        """The record of a run that is kept, that stands in its folder, or that another table has."""
        key = self._key(run)
        if (record := self.kept.find(key, run.experiment)) is not None:
            return record
        record = None
        try:
            if not missing_bundles(run.experiment):
                record = read_record(run.experiment, run.folder)
        except ValueError as error:  # the folder holds another run
            if wanted and run.folder not in self.broken:
                self.broken[run.folder] = str(error)
                logger.warning("%s, %s cannot be made: %s", run.row, run.name, error)
        if record is None:
            return self.kept.take_from_elsewhere(key, run.experiment)
        self.kept.add(key, run.experiment, record)
        return record

    def _key(self, run: PlannedRun) -> str:
        return run.folder.relative_to(self.folder).as_posix()

    def add(self, run: PlannedRun, record: Record) -> None:
        self.records[run.folder] = record
        self.kept.add(self._key(run), run.experiment, record)
        if record.failure is not None:
            outcome = f"failed: {record.failure}"
        else:
            outcome = f"F1 {record.figures()['f1']:.2f}, dev {record.dev_f1:.2f}"
        logger.info("%d of %d: %s: %s", self.num_finished, self.num_runs, run.in_words, outcome)
        self._take_in()
        self.write()

    def write(self) -> Results:
        self.kept.write()
        self.looked_for.clear()
        self._take_in()  # what another process has finished meanwhile
        results = summary(
            self.config,
            self.cells,
            self.records,
            command=self.command,
            corpus=self.corpus,
            outdated=self.kept.outdated(self.cells, self.folder),
        )
        results.save(self.folder / "results.json")
        if self.publish is not None:
            self.publish(results)
        return results


def _possible(cells: Sequence[Cell], *, needed: bool) -> list[Cell]:
    """The cells whose bundles are there; says which are not.

    Raises:
        ValueError: none can run, but one is needed (not where there is no time, or something asked for is finished).
    """
    possible: list[Cell] = []
    without: dict[str, dict[str, None]] = {}
    for cell in cells:
        for path in (lacking := missing_bundles(cell.tries[0].experiment)):
            without.setdefault(path, {})[cell.system.name] = None
        possible += [] if lacking else [cell]
    if cells and not possible and needed:
        read = ", ".join(sorted(without))
        raise ValueError(
            f"expected what systems read, found none of {read}; make it first, in the root (recipes/README.md)"
        )
    for path, names in without.items():
        state = "finished" if Path(path).exists() else "there"
        logger.warning("left out, because %s is not %s: %s", path, state, some_of(list(names)))
    return possible
