"""Bootstrap over sentences, and over trainings: how sure a micro F1 is, and whether two taggers differ.

Sources: Efron and Tibshirani (1993); Berg-Kirkpatrick, Burkett and Klein (2012).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canner.evaluation.entities import check_parallel, sentence_counts
from canner.text.entities import Entity

Entities = Sequence[Sequence[Entity]]

_CELLS_AT_A_TIME = 2_000_000  # sentences × samples held in memory
_CELLS_KEPT = 100_000_000  # of these stay, a byte each, for the next test of the same sentences
_DRAWS = 100  # of what other trainings would give, for each resample of the sentences


@dataclass(frozen=True)
class Interval:
    """A value with its confidence interval, in the unit of the value."""

    value: float
    low: float
    high: float
    confidence: float


@dataclass(frozen=True)
class PairedTest:
    """Whether two systems differ on the same sentences.

    Attributes:
        difference: F1 of the second minus F1 of the first, in points, with its interval.
        p_value: two-sided: how often chance alone gives a difference as large.
    """

    difference: Interval
    p_value: float


def f1_interval(
    gold: Entities, predicted: Entities, *, confidence: float = 0.95, num_samples: int = 1000, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the micro F1 in percent.

    Args:
        gold: entities of each sentence.
        predicted: those found, in the same order.
        confidence: mass of the interval, between 0 and 1.
        num_samples: resamples drawn.
        seed: same seed, same interval.

    Raises:
        ValueError: if the numbers of sentences differ or are 0, or an option is out of range.
    """
    counts = _counts(gold, predicted)
    _check_options(confidence, num_samples)
    samples = np.concatenate(
        [_f1(weights @ counts) for weights in _resamples(len(counts), num_samples, seed)]
    )
    return _interval(float(_f1(counts.sum(0))), samples, confidence)


def paired_bootstrap_of_counts(
    counts_first: NDArray[np.int64],
    counts_second: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    num_samples: int | None = None,
    seed: int = 0,
) -> PairedTest:
    """Test whether the second system differs from the first in micro F1, resampling sentences for both alike.

    Both are given by true positives, predicted and gold entities of each sentence. Counts may be sums over several runs
    of a system (other seeds), whose F1 is then that of all runs together.

    Args:
        counts_first, counts_second: [N, 3], the same sentences in the same order.
        confidence, seed: as in `f1_interval`.
        num_samples: resamples drawn; None: 10,000, fewer of very many sentences.

    Raises:
        ValueError: if the shapes differ or there is no sentence, or an option is out of range.
    """
    if counts_first.shape != counts_second.shape or counts_first.shape[1:] != (3,) or not len(counts_first):
        raise ValueError(
            f"expected counts [N, 3] of the same sentences, got {counts_first.shape} and {counts_second.shape}"
        )
    num_samples = _enough_samples(len(counts_first)) if num_samples is None else num_samples
    _check_options(confidence, num_samples)
    samples = _differences(counts_first, counts_second, num_samples, seed)
    observed = float(_f1(counts_second.sum(0)) - _f1(counts_first.sum(0)))
    return _paired_test(observed, samples, confidence)


def paired_bootstrap_of_runs(
    counts_first: NDArray[np.int64],
    counts_second: NDArray[np.int64],
    *,
    confidence: float = 0.95,
    num_samples: int | None = None,
    seed: int = 0,
) -> PairedTest:
    """The same where other trainings are reckoned with, too: would the difference hold with other seeds?

    To the difference of each resample of sentences is added what the mean of R differences varies by: s / √R times
    draws of Student's t with R - 1 degrees of freedom, s being the standard deviation of the runs' differences. Where
    only trainings vary, p is that of a paired t test; where they do not vary, that of the bootstrap over sentences.

    Args:
        counts_first, counts_second: [R, N, 3], of R runs of each system; the n-th of both have one seed.
        confidence, seed: as in `f1_interval`.
        num_samples: resamples drawn; None: 10,000, fewer of very many sentences.

    Raises:
        ValueError: if the shapes differ, there are fewer than two runs, or no sentence, or an option is out of range.
    """
    shape = counts_first.shape
    if shape != counts_second.shape or len(shape) != 3 or shape[0] < 2 or not shape[1] or shape[2] != 3:
        raise ValueError(
            f"expected counts [R, N, 3] of two or more runs each on the same sentences, got {shape} and "
            f"{counts_second.shape}"
        )
    num_samples = _enough_samples(shape[1]) if num_samples is None else num_samples
    _check_options(confidence, num_samples)
    of_runs = _f1(counts_second.sum(axis=1)) - _f1(counts_first.sum(axis=1))
    spread = float(np.std(of_runs, ddof=1)) / shape[0] ** 0.5
    draws = np.random.default_rng([seed, 1]).standard_t(shape[0] - 1, (_DRAWS, num_samples))
    first, second = counts_first.sum(axis=0), counts_second.sum(axis=0)
    samples = _differences(first, second, num_samples, seed) + spread * draws
    return _paired_test(float(_f1(second.sum(0)) - _f1(first.sum(0))), samples, confidence)


def _enough_samples(num_sentences: int) -> int:
    """10,000; fewer where there are more than so many sentences, down to 1,000."""
    return max(1000, min(10_000, _CELLS_KEPT // num_sentences))


def _differences(
    counts_first: NDArray[np.int64], counts_second: NDArray[np.int64], num_samples: int, seed: int
) -> NDArray[np.float64]:
    """Difference in F1 of each resample of the sentences."""
    return np.concatenate(
        [
            _f1(weights @ counts_second) - _f1(weights @ counts_first)
            for weights in _resamples(len(counts_first), num_samples, seed)
        ]
    )


def _paired_test(observed: float, samples: NDArray[np.float64], confidence: float) -> PairedTest:
    """Of samples [..., resamples]."""
    # Resamples vary around the observed difference; moved to 0 they show what chance does. The tolerance
    # keeps ties of equal fractions ties; the added one keeps p above 0, which no finite sample can prove.
    num_samples = samples.shape[-1]
    extreme = num_samples * float((np.abs(samples - observed) >= abs(observed) - 1e-9).mean())
    return PairedTest(_interval(observed, samples, confidence), (extreme + 1) / (num_samples + 1))


def _counts(gold: Entities, predicted: Entities) -> NDArray[np.int64]:
    """True positives, predicted and gold entities of each sentence: [N, 3]."""
    check_parallel(gold, predicted)
    if not gold:
        raise ValueError("expected at least one sentence, got none")
    return np.array([sentence_counts(*pair) for pair in zip(gold, predicted, strict=True)], dtype=np.int64)


def _f1(counts: NDArray[Any]) -> NDArray[np.float64]:
    """Micro F1 in percent of counts [..., 3]."""
    total = counts[..., 1] + counts[..., 2]
    return 200 * counts[..., 0] / np.maximum(total, 1)


def _resamples(num_sentences: int, num_samples: int, seed: int) -> Iterable[NDArray[np.float64]]:
    """How often each sentence is drawn, in blocks [samples, sentences]; the same for the same seed."""
    if num_sentences * num_samples > _CELLS_KEPT:
        return _drawn(num_sentences, num_samples, seed)
    return (block.astype(np.float64) for block in _kept(num_sentences, num_samples, seed))


@lru_cache(maxsize=1)
def _kept(num_sentences: int, num_samples: int, seed: int) -> list[NDArray[np.uint8]]:
    """Resamples that the many tests of one table share; no sentence is ever drawn 256 times of so many."""
    return [block.astype(np.uint8) for block in _drawn(num_sentences, num_samples, seed)]


def _drawn(num_sentences: int, num_samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    block = max(1, _CELLS_AT_A_TIME // num_sentences)
    even = np.full(num_sentences, 1 / num_sentences)
    for begin in range(0, num_samples, block):
        drawn = rng.multinomial(num_sentences, even, size=min(block, num_samples - begin))
        yield drawn.astype(np.float64)


def _interval(value: float, samples: NDArray[np.float64], confidence: float) -> Interval:
    outside = 50 * (1 - confidence)
    low, high = np.percentile(samples, [outside, 100 - outside])
    return Interval(value, float(low), float(high), confidence)


def _check_options(confidence: float, num_samples: int) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"expected a confidence between 0 and 1, got {confidence}")
    if num_samples < 1:
        raise ValueError(f"expected at least one sample, got {num_samples}")
