"""Folders of what was computed of sentences, filled shard by shard, by one process or by several that take turns."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from canner.text.accents import all_composed

LOCK = ".lock"
"""File by which processes take turns."""
_POLL_SECONDS = 0.05


class OutOfTimeError(Exception):
    """The time for a folder was up before all its sentences were in it; those finished are kept."""


def sentence_key(tokens: Sequence[str]) -> str:
    """The content hash by which a sentence is found, however its accents are written."""
    text = json.dumps(all_composed(tokens), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def shard_name(keys: Sequence[str]) -> str:
    """The name of the shard of these sentences: of its content, so that builders need not agree on a number."""
    return f"shard-{hashlib.sha256(''.join(keys).encode()).hexdigest()[:16]}"


def fill(
    folder: Path,
    missing: Sequence[Sequence[str]],
    add: Callable[[Sequence[Sequence[str]]], None],
    *,
    doing: str,
    shard_size: int,
    deadline: float | None,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Adds sentences to a folder, a shard at a time; processes that fill one folder take turns, a shard each.

    Args:
        folder: is there.
        missing: sentences that it lacked when it was last looked at.
        add: writes those of a shard's sentences that are still missing; called while no other process writes.
        doing: what is done to a sentence, in a word of the past: "translated".
        shard_size: sentences of a shard.
        deadline: on the clock of `time.monotonic`; the shard in hand is finished, and one in any case, unless another
            process is at work all the time.
        progress: called with sentences done and sentences to do, after each shard.

    Raises:
        ValueError: if the folder cannot be written to, or the disk is full (what was finished stays).
        OutOfTimeError: at the deadline.
    """
    for start in range(0, len(missing), shard_size):
        with _turn(folder, deadline):
            try:
                add(missing[start : start + shard_size])
            except OSError as error:
                raise ValueError(
                    f"{folder}: expected room for another shard, got {error}; free space and build again: "
                    "the sentences finished so far are kept"
                ) from None
        done = min(start + shard_size, len(missing))
        if progress is not None:
            progress(done, len(missing))
        if deadline is not None and time.monotonic() >= deadline and done < len(missing):
            raise OutOfTimeError(f"{doing} {done} of {len(missing)} sentences")
        if done < len(missing):
            time.sleep(2 * _POLL_SECONDS)  # who waits for a turn looks in between


@contextmanager
def _turn(folder: Path, deadline: float | None) -> Iterator[None]:
    """Waits, at most to the deadline, until no other process works on the folder; then lets others wait.

    Raises:
        ValueError: if the folder cannot be written to.
        OutOfTimeError: at the deadline.
    """
    lock = FileLock(
        folder / LOCK, timeout=-1.0 if deadline is None else max(0.0, deadline - time.monotonic())
    )
    try:
        lock.acquire(poll_interval=_POLL_SECONDS)
    except Timeout:
        raise OutOfTimeError(f"another process is still at work in {folder}") from None
    except OSError as error:
        raise ValueError(f"{folder}: expected a folder to write to, got {error}") from None
    try:
        yield
    finally:
        lock.release()
