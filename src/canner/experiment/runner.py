"""Runs what a comparison still lacks: several runs at a time, within a budget of time, taken up after a kill."""

from __future__ import annotations

import contextlib
import logging
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from canner.data.bundle import save_json
from canner.experiment.comparison import Cell, ComparisonExperiment, PlannedRun, plan
from canner.experiment.kept_runs import KeptRuns
from canner.experiment.record import Identify, Record, missing_bundles, read_record
from canner.experiment.summary import describe_corpus, summary
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.workers import BrokenOffError, pool
from canner.training.progress import StepProgress

logger = logging.getLogger(__name__)


class BrokenRunsError(ValueError):
    """Some runs broke off; the results of the others are written."""


@dataclass(frozen=True)
class RunnerOptions:
    """How runs are made.

    Attributes:
        workers: runs at a time, if so many are left, each in a process of its own with an equal share of the
            processor's threads.
        max_minutes: no run starts later, and running ones save their state; None: until all are finished.
        device: "cpu" or "cuda".
        progress: show progress on a terminal.
        stores: folder where comparisons share translations and embeddings; None: each has its own.
        kept: file of the finished runs of all calls and machines, which need not be made again; None: those in the
            folder alone.
        identify: of what is made anew on each machine (`KeptRuns`).
        systems, budgets: run only these now; none: all. What earlier calls ran is reported all the same.
    """

    workers: int = 1
    max_minutes: float | None = None
    device: str = "cpu"
    progress: bool = True
    stores: Path | None = None
    kept: Path | None = None
    identify: Identify | None = None
    systems: tuple[str, ...] = ()
    budgets: tuple[int, ...] = ()

    def check(self, config: ComparisonExperiment) -> None:
        """Refuses rows and budgets that a comparison does not have.

        Raises:
            ValueError: names what there is.
        """
        for kind, asked, known in (
            ("systems", self.systems, [system.name for system in config.systems]),
            ("budgets", self.budgets, config.budgets),
        ):
            if unknown := [item for item in asked if item not in known]:
                names = "; ".join(map(str, known)) or "none: there is no choice here"
                raise ValueError(f"expected {kind} among {names}, got {unknown[0]!r}")

    def wants(self, cell: Cell) -> bool:
        """Whether the runs of a cell are to be made now."""
        return (not self.systems or cell.system.name in self.systems) and (
            not self.budgets or cell.tries[0].experiment.data.num_sentences in self.budgets
        )


def run_comparison(
    config: ComparisonExperiment,
    folder: str | Path,
    *,
    command: str,
    options: RunnerOptions | None = None,
    prepare: Callable[[Sequence[TaggerExperiment]], None] | None = None,
    publish: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Trains and scores every system; finished runs of an earlier call are kept, unfinished ones taken up.

    Args:
        config: the comparison.
        folder: gets a folder for each run, and `results.json`, anew after every run.
        command: what was typed, for the results file.
        options: how the runs are made.
        prepare: called with what is wanted, to make what it reads; its time counts.
        publish: called with what `results.json` holds, after every run and at the end, however that comes.

    Returns:
        What `results.json` holds. Systems whose translator or vectors are not there are left out, which is said.

    Raises:
        BrokenRunsError: if a run broke off, out of memory, say; `results.json` has the others. If a worker was killed,
            it has those that were finished by then.
        ValueError: if no system can run, data or bundles do not fit together, or another process is at work in the
            folder.
        KeyboardInterrupt: if a run was interrupted; call again to go on.
    """
    folder, options = Path(folder), options or RunnerOptions()
    deadline = None if options.max_minutes is None else time.monotonic() + 60 * options.max_minutes
    folder.mkdir(parents=True, exist_ok=True)
    options.check(config)
    cells = plan(config, folder)
    wanted, corpus = [cell for cell in cells if options.wants(cell)], describe_corpus(config.base.data)
    with _alone_in(folder):
        kept = KeptRuns.read(options.kept, options.identify)
        state = _State(config, wanted, cells, folder, command, corpus, kept, publish)
        state.read()
        if prepare is not None:
            prepare([cell.tries[0].experiment for cell in state.unfinished()])
            state.records.clear()  # what was believed of a part that was not there is held against the one just made
            state.read()
        state.leave_out_impossible(in_time=deadline is None or time.monotonic() < deadline)
        try:
            _make_what_is_left(state, options, deadline)
        except BrokenProcessPool:
            raise BrokenRunsError(
                "expected the runs' processes to live, got one that was killed (out of memory?); "
                "call again with fewer at a time (--workers, or --threads 1): what is finished is kept"
            ) from None
        finally:
            results = state.write()
    return results


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keeps other processes out of the folder: two would train the same runs, and write each other's rows away."""
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(
            f"expected {folder} to be free, got a folder in which another process is at work; wait for it, or let "
            "one call make several runs at a time"
        ) from None


@dataclass
class _State:
    config: ComparisonExperiment
    wanted: Sequence[Cell]
    cells: Sequence[Cell]
    folder: Path
    command: str
    corpus: dict[str, Any]
    kept: KeptRuns
    publish: Callable[[dict[str, Any]], None] | None
    records: dict[Path, Record] = field(default_factory=dict)
    looked_for: set[Path] = field(default_factory=set)

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
        """Wants no more of the cells that lack a run and cannot be run; says why."""
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
            about += f"; at {mean:.1f} minutes each, that is {left * mean / 60 / workers:.1f} hours"
        logger.info("%s: %d runs of %d are to be made%s", self.config.name, left, self.num_runs, about)

    def read(self) -> None:
        """Takes in what earlier calls finished; twice, since a finished grid makes more runs known."""
        self.looked_for.clear()
        for _ in range(2):
            self._take_in()

    def _take_in(self) -> None:
        """Looks for finished runs among those that have become known."""
        for run in self.known(self.cells):
            if run.folder not in self.records and run.folder not in self.looked_for:
                self.looked_for.add(run.folder)
                if found := self._finished(run):
                    self.records[run.folder] = found

    def _finished(self, run: PlannedRun) -> Record | None:
        """The record of a run that is kept, that stands in its folder, or that another table has."""
        key = self._key(run)
        if (record := self.kept.find(key, run.experiment)) is not None:
            return record
        record = None if missing_bundles(run.experiment) else read_record(run.experiment, run.folder)
        if record is None:
            return self.kept.find_elsewhere(key, run.experiment)
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
        where = ", ".join([run.row, run.name, *(f"{key}={value}" for key, value in run.point.items())])
        logger.info("%d of %d: %s: %s", self.num_finished, self.num_runs, where, outcome)
        self._take_in()
        self.write()

    def write(self) -> dict[str, Any]:
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
        save_json(self.folder / "results.json", results)
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
        some = ", ".join(list(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        state = "finished" if Path(path).exists() else "there"
        logger.warning("left out, because %s is not %s: %s", path, state, some)
    return possible


def _make_what_is_left(state: _State, options: RunnerOptions, deadline: float | None) -> None:
    """Makes the runs that are left, and takes each in as it is finished."""
    first = len(state.waiting())  # of a grid; then come those of what it chose
    most = max(1, first, state.num_runs - state.num_finished - first)
    options = replace(options, workers=min(options.workers, most))
    state.say_what_is_left(options.workers)
    with StepProgress(state.config.name, enabled=options.progress and options.workers > 1) as bar:
        bar.advance_to(state.num_finished, state.num_runs)
        for run, record in _runs(state, options.stores or state.folder / "stores", options, deadline):
            state.add(run, record)
            bar.advance_to(state.num_finished, state.num_runs)


def _runs(
    state: _State, stores: Path, options: RunnerOptions, deadline: float | None
) -> Iterator[tuple[PlannedRun, Record]]:
    """Each run as it is finished, until none is missing or the time is up."""

    def left() -> float | None:
        return None if deadline is None else max(0.0, (deadline - time.monotonic()) / 60)

    broken: dict[Path, str] = {}
    with pool(options.workers, device=options.device, progress=options.progress) as submit:
        pending: dict[Future[None], PlannedRun] = {}
        while True:
            busy = {run.folder for run in pending.values()} | broken.keys()
            waiting = [run for run in state.waiting() if run.folder not in busy]
            while waiting and len(pending) < options.workers and left() != 0.0:
                run = waiting.pop(0)
                logger.info("training %s, %s", run.row, run.name)
                pending[submit(run, stores, left())] = run
            if not pending:
                break
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                run = pending.pop(future)
                try:
                    future.result()
                except BrokenOffError as error:
                    broken[run.folder] = str(error)
                    logger.warning("%s, %s broke off: %s", run.row, run.name, broken[run.folder])
                    continue
                record = read_record(run.experiment, run.folder)
                if record is not None:  # else its time was up
                    yield run, record
    if broken:
        raise BrokenRunsError(
            f"expected every run to come to its end, got {len(broken)} that broke off ({next(iter(broken.values()))}); "
            "call again, where memory lacks with fewer at a time (--workers, or --threads 1): what is finished is kept"
        )
