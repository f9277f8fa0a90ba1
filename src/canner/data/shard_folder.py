"""Folders of what was computed of sentences, filled shard by shard by one process or by several."""

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
"""How the files begin by which processes know what others have in hand."""
_NUM_LOCKS = 64
_POLL_SECONDS = 0.1


class OutOfTimeError(Exception):
    """The time for a folder was up before all its sentences were in it; those finished are kept."""


def sentence_key(tokens: Sequence[str]) -> str:
    """The content hash by which a sentence is found, however its accents are written."""
    text = json.dumps(all_composed(tokens), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def shard_name(keys: Sequence[str]) -> str:
    """The name of the shard of these sentences: of its content, so that builders need not agree on a number."""
    return f"shard-{hashlib.sha256(''.join(keys).encode()).hexdigest()[:16]}"


def lock_of(folder: Path, shard: Sequence[Sequence[str]]) -> Path:
    """The file that is locked by who has these sentences in hand; there are few, which many shards share."""
    name = shard_name([sentence_key(tokens) for tokens in shard])
    return folder / f"{LOCK}-{int(name.removeprefix('shard-'), 16) % _NUM_LOCKS}"


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
    """Adds sentences to a folder, a shard at a time; processes that fill one folder share the shards.

    What another process has in hand is left to it, and looked at again at the end.

    Args:
        folder: is there.
        missing: sentences that it lacked when it was last looked at.
        add: writes those of a shard's sentences that are still missing; no other process has the same shard in hand.
        doing: what is done to a sentence, in a word of the past: "translated".
        shard_size: sentences of a shard.
        deadline: on the clock of `time.monotonic`; the shard in hand is finished, and one in any case, unless other
            processes have all in hand.
        progress: called with sentences done and sentences to do, after each shard.

    Raises:
        ValueError: if the folder cannot be written to.
        OutOfTimeError: at the deadline.
    """

    def out_of_time() -> bool:
        return deadline is not None and time.monotonic() >= deadline

    waiting = [missing[start : start + shard_size] for start in range(0, len(missing), shard_size)]
    done = 0
    while waiting:
        in_other_hands = []
        for shard in waiting:
            with _taken(lock_of(folder, shard)) as taken:
                if not taken:
                    in_other_hands.append(shard)
                    continue
                add(shard)
            done += len(shard)
            if progress is not None:
                progress(done, len(missing))
            if out_of_time() and done < len(missing):
                raise OutOfTimeError(f"{doing} {done} of {len(missing)} sentences")
        if len(in_other_hands) == len(waiting):
            if out_of_time():
                raise OutOfTimeError(f"another process is still at work in {folder}")
            time.sleep(_POLL_SECONDS)
        waiting = in_other_hands


@contextmanager
def _taken(path: Path) -> Iterator[bool]:
    """Locks a file, if no other process has.

    Raises:
        ValueError: if it cannot be written to.
    """
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise ValueError(f"{path.parent}: expected a folder to write to, got {error}") from None
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def writing_shard(folder: Path) -> Iterator[None]:
    """Says what to do where a shard could not be written.

    Raises:
        ValueError: if the disk is full.
    """
    try:
        yield
    except OSError as error:
        raise ValueError(
            f"{folder}: expected room for another shard, got {error}; free space and build again: the sentences "
            "finished so far are kept"
        ) from None
