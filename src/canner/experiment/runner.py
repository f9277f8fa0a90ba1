"""Runs what a comparison still lacks: several runs at a time, within a budget of time, taken up after a kill."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from canner.experiment.comparison import Cell, ComparisonExperiment, PlannedRun, plan
from canner.experiment.corpus_facts import CorpusFacts
from canner.experiment.inputs import Identify
from canner.experiment.kept_runs import KeptRuns
from canner.experiment.record import Record, read_record
from canner.experiment.results_schema import Results
from canner.experiment.state import ComparisonState
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.workers import BrokenOffError, pool
from canner.training.progress import StepProgress
from canner.training.run_files import STORES

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
        systems, budgets, seeds: run only these now, and so many seeds; none: all. What earlier calls ran is reported
            all the same.
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
    seeds: int | None = None

    def check(self, config: ComparisonExperiment) -> None:
        """Refuses rows and budgets that a comparison does not have.

        Raises:
            ValueError: names what there is.
        """
        require_among("systems", self.systems, [system.name for system in config.systems])
        require_among("budgets", self.budgets, config.budgets)

    def wanted(self, config: ComparisonExperiment, folder: Path) -> list[Cell]:
        """The cells of a comparison whose runs are to be made now."""
        return [
            cell
            for cell in plan(config if self.seeds is None else config.with_first_seeds(self.seeds), folder)
            if (not self.systems or cell.system.name in self.systems)
            and (not self.budgets or cell.tries[0].experiment.data.num_sentences in self.budgets)
        ]


def require_among(what: str, asked: Sequence[object], known: Sequence[object]) -> None:
    """Refuses rows, say, that there are not.

    Raises:
        ValueError: names what there is.
    """
    if unknown := [item for item in asked if item not in known]:
        names = "; ".join(map(str, dict.fromkeys(known))) or "none: there is no choice here"
        raise ValueError(f"expected {what} among {names}, got {unknown[0]!r}")


def run_comparison(
    config: ComparisonExperiment,
    folder: str | Path,
    *,
    command: str,
    options: RunnerOptions | None = None,
    prepare: Callable[[Sequence[TaggerExperiment]], None] | None = None,
    publish: Callable[[Results], None] | None = None,
) -> Results:
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
        BrokenRunsError: if a run broke off, out of memory, say, or did not fit its data or bundles, or if its folder
            holds a run of another configuration; `results.json` has the others. If a worker was killed, it has those
            that were finished by then.
        ValueError: if no system can run, the corpus cannot be read, or another process is at work in the folder.
        KeyboardInterrupt: if a run was interrupted; call again to go on.
    """
    folder, options = Path(folder), options or RunnerOptions()
    deadline = None if options.max_minutes is None else time.monotonic() + 60 * options.max_minutes
    folder.mkdir(parents=True, exist_ok=True)
    options.check(config)
    cells = plan(config, folder)
    wanted, corpus = options.wanted(config, folder), CorpusFacts.of(config.base.data)
    if config.budgets:
        asked = (cell.tries[0].experiment.data for cell in wanted)
        corpus.require([data.num_sentences or 0 for data in asked if data.train == config.base.data.train])
    with _alone_in(folder):
        kept = KeptRuns.read(options.kept, options.identify)
        state = ComparisonState(config, wanted, cells, folder, command, corpus, kept, publish)
        state.read()
        if prepare is not None:
            prepare([cell.tries[0].experiment for cell in state.unfinished()])
            # kept runs that were counted while a prerequisite was missing are held against the new one
            state.records.clear()
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


def _make_what_is_left(state: ComparisonState, options: RunnerOptions, deadline: float | None) -> None:
    """Makes the runs that are left, and takes each in as it is finished."""
    first = len(state.waiting())  # of a grid; then come those of what it chose
    most = max(1, first, state.num_runs - state.num_finished - first)
    options = replace(options, workers=min(options.workers, most))
    state.say_what_is_left(options.workers)
    with StepProgress(state.config.name, enabled=options.progress and options.workers > 1) as bar:
        bar.advance_to(state.num_finished, state.num_runs)
        for run, record in _runs(state, options.stores or state.folder / STORES, options, deadline):
            state.add(run, record)
            bar.advance_to(state.num_finished, state.num_runs)


def _runs(
    state: ComparisonState, stores: Path, options: RunnerOptions, deadline: float | None
) -> Iterator[tuple[PlannedRun, Record]]:
    """Each run as it is finished, until none is missing or the time is up."""

    def left() -> float | None:
        return None if deadline is None else max(0.0, (deadline - time.monotonic()) / 60)

    broken = state.broken
    with pool(options.workers, device=options.device, progress=options.progress) as submit:
        pending: dict[Future[None], PlannedRun] = {}
        while True:
            busy = {run.folder for run in pending.values()} | broken.keys()
            waiting = [run for run in state.waiting() if run.folder not in busy]
            while waiting and len(pending) < options.workers and left() != 0.0:
                run = waiting.pop(0)
                logger.info("training %s", run.in_words)
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
        lacked = any("memory" in said.lower() for said in broken.values())
        raise BrokenRunsError(
            f"expected every run to come to its end, got {len(broken)} that broke off "
            f"({next(iter(broken.values()))}); what is finished is kept"
            + ("; call again with fewer at a time (--workers, or --threads 1)" if lacked else "")
        )
