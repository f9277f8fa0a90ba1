"""Batches of sentences of similar length, so that little of a batch is padding."""

from __future__ import annotations

import random
from collections.abc import Sequence


def bucket_by_length(
    lengths: Sequence[int],
    *,
    max_tokens: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
) -> list[list[int]]:
    """Groups indices into batches of similar length.

    Args:
        lengths: length of each item, in tokens.
        max_tokens: most tokens in a batch, padding included (an item longer than that is a batch of its own).
        batch_size: most items in a batch.
        seed, epoch: together they fix the order; another epoch, another order.
        shuffle: mix ties of length and the order of batches; without it batches go from short to long.

    Returns:
        Batches of indices; each index occurs exactly once.

    Raises:
        ValueError: neither `max_tokens` nor `batch_size` is given.
    """
    if max_tokens is None and batch_size is None:
        raise ValueError("expected max_tokens or batch_size, got neither; give one")
    rng = random.Random(f"{seed}-{epoch}")
    # Jitter of ±10 % (and at least half a token) changes the neighbours from epoch to epoch.
    jitter = [rng.uniform(-0.5, 0.5) * max(1.0, 0.2 * n) if shuffle else 0.0 for n in lengths]
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i] + jitter[i], i))
    batches: list[list[int]] = []
    batch: list[int] = []
    longest = 0
    for index in order:
        longest_with = max(longest, lengths[index])
        too_many = batch_size is not None and len(batch) >= batch_size
        too_large = max_tokens is not None and longest_with * (len(batch) + 1) > max_tokens
        if batch and (too_many or too_large):
            batches.append(batch)
            batch, longest_with = [], lengths[index]
        batch.append(index)
        longest = longest_with
    if batch:
        batches.append(batch)
    if shuffle:
        rng.shuffle(batches)
    return batches
