"""Where runs are made: in this process, or several at a time in processes of their own."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

import torch

from canner.data.shard_folder import OutOfTimeError
from canner.experiment.comparison import PlannedRun
from canner.experiment.machine import processors
from canner.experiment.record import run_and_record, start_again
from canner.training.run_state import DamagedStateError, DivergedError

logger = logging.getLogger(__name__)


_MOST_SAID = 300
"""Characters of an error that are told."""


class BrokenOffError(Exception):
    """A run came to no end, and the next may: the device had no more memory, or what this one reads is damaged."""


Submit = Callable[[PlannedRun, Path, float | None], "Future[None]"]
"""Makes a run, with a folder of stores and the minutes that are left (None: all that it needs)."""


@contextlib.contextmanager
def pool(workers: int, *, device: str, progress: bool) -> Iterator[Submit]:
    """Runs made here, one by one, or by so many workers, each with an equal share of the processor's threads.

    Args:
        workers: runs at a time.
        device: "cpu" or "cuda".
        progress: show that of a lone worker's runs.
    """
    if workers == 1:

        def here(run: PlannedRun, stores: Path, minutes: float | None) -> Future[None]:
            future: Future[None] = Future()
            try:
                _work(run, stores, minutes, device, progress)
                future.set_result(None)
            except BrokenOffError as error:
                future.set_exception(error)
            return future

        yield here
        return
    threads = max(1, processors() // workers)
    # Spawned: a forked process inherits threads and CUDA in a state that neither survives.
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)  # closed here, or with this process: workers are to end
    with (
        receiver,
        sender,
        ProcessPoolExecutor(
            workers, mp_context=context, initializer=_start_worker, initargs=(threads, receiver)
        ) as processes,
    ):

        def there(run: PlannedRun, stores: Path, minutes: float | None) -> Future[None]:
            with _deaf_to_ctrl_c():
                return processes.submit(_work_there, run, stores, minutes, device)

        try:
            yield there
        except BaseException:
            sender.close()
            processes.shutdown(wait=True, cancel_futures=True)
            raise


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """For processes that are started meanwhile, which would end amid an import; here Ctrl-C comes when it is over."""
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    mask = signal.pthread_sigmask(
        signal.SIG_BLOCK, {signal.SIGINT}
    )  # theirs, too; other threads here still hear it
    handler = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if heard:
        signal.raise_signal(signal.SIGINT)


def _let_go_of_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


_at_work, _told_to_end = threading.Event(), threading.Event()
"""Of this process, a worker: whether it is making a run, and whether it is to end."""


def _start_worker(threads: int, parent: Connection) -> None:
    torch.set_num_threads(threads)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    signal.signal(signal.SIGTERM, _end)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Connection) -> None:
    """Ends this worker when its parent says so or is no more: else it would work on, and then wait, for nobody."""
    with contextlib.suppress(OSError):
        parent.poll(None)
    _told_to_end.set()
    if not _at_work.is_set():
        os._exit(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(number: int, frame: FrameType | None) -> None:
    if _at_work.is_set():
        raise KeyboardInterrupt
    os._exit(1)


def _work_there(run: PlannedRun, stores: Path, minutes: float | None, device: str) -> None:
    """Makes a run in a worker, which an interruption ends once the run's state is saved."""
    try:
        _at_work.set()
        _work(run, stores, minutes, device, progress=False)
    except KeyboardInterrupt:
        os._exit(1)
    finally:
        _at_work.clear()
        if _told_to_end.is_set():
            os._exit(1)


def _work(run: PlannedRun, stores: Path, minutes: float | None, device: str, progress: bool) -> None:
    make = functools.partial(
        run_and_record,
        run.experiment,
        run.folder,
        stores=stores,
        max_minutes=minutes,
        device=device,
        progress=progress,
    )
    broken = None
    try:
        with contextlib.suppress(DivergedError):  # recorded, and shown in the table
            try:
                make()
            except DamagedStateError as error:
                logger.warning("%s: training starts again: %s", run.folder, error)
                start_again(run.folder)
                make()
    except OutOfTimeError as error:
        logger.info("the time was up: %s", error)
    except (RuntimeError, MemoryError, ValueError) as error:
        broken = " ".join(str(error).split())[:_MOST_SAID] or repr(error)
    if broken is not None:  # the error is gone, and with it the frames that held what the run had in memory
        _let_go_of_memory()
        raise BrokenOffError(broken)
