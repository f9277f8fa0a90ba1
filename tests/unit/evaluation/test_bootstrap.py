"""Bootstrap intervals and tests against all resamples of small corpora, and against the t test."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from canner.evaluation import bootstrap
from canner.evaluation.bootstrap import f1_interval, paired_bootstrap_of_counts, paired_bootstrap_of_runs
from canner.evaluation.entities import score_entities, sentence_counts
from canner.text.entities import Entity

A, B, C = Entity(0, 1, "A"), Entity(1, 2, "A"), Entity(2, 3, "B")
GOLD = [[A, B], [A], [B, C], [C]]
FIRST = [[A], [B], [B], [C, A]]
SECOND = [[A, B], [A], [C], [B]]


def f1(gold: list[list[Entity]], predicted: list[list[Entity]], chosen: tuple[int, ...]) -> float:
    return score_entities([gold[i] for i in chosen], [predicted[i] for i in chosen]).micro.f1


def counts(*systems: list[list[Entity]], gold: list[list[Entity]] = GOLD) -> list[np.ndarray]:
    """Of each system on each sentence."""
    return [np.array([sentence_counts(*pair) for pair in zip(gold, one, strict=True)]) for one in systems]


ALL = list(product(range(4), repeat=4))


def test_interval_is_that_of_all_resamples() -> None:
    exact = [f1(GOLD, FIRST, chosen) for chosen in ALL]
    interval = f1_interval(GOLD, FIRST, confidence=0.8, num_samples=20_000, seed=3)
    assert interval.value == pytest.approx(f1(GOLD, FIRST, (0, 1, 2, 3)))
    # A percentile of few distinct values may fall on its neighbour: bracket it by nearby percentiles.
    for found, percent in ((interval.low, 10), (interval.high, 90)):
        low, high = np.percentile(exact, [percent - 1.5, percent + 1.5])
        assert low - 1e-6 <= found <= high + 1e-6


def test_p_value_is_that_of_all_resamples() -> None:
    observed = f1(GOLD, SECOND, (0, 1, 2, 3)) - f1(GOLD, FIRST, (0, 1, 2, 3))
    shifted = [f1(GOLD, SECOND, chosen) - f1(GOLD, FIRST, chosen) - observed for chosen in ALL]
    exact = float(np.mean(np.abs(shifted) >= abs(observed) - 1e-9))
    result = paired_bootstrap_of_counts(*counts(FIRST, SECOND), num_samples=20_000, seed=1)
    assert result.difference.value == pytest.approx(observed)
    assert result.p_value == pytest.approx(exact, abs=0.015)
    assert 0.02 < exact < 0.98


def of_runs(*right: int) -> np.ndarray:
    """Counts of runs that find so many of a hundred entities, spread evenly: over sentences nothing varies."""
    return np.array([[[hits, 100, 100]] * 50 for hits in right])


def test_where_only_trainings_vary_p_is_that_of_a_paired_t_test() -> None:
    result = paired_bootstrap_of_runs(of_runs(50, 50, 50), of_runs(53, 51, 51), num_samples=50_000, seed=2)
    gains = np.array([3.0, 1.0, 1.0])
    t = gains.mean() / (gains.std(ddof=1) / 3**0.5)
    exact = (
        1 - t / (2 + t**2) ** 0.5
    )  # the distribution of Student's t has this form for two degrees of freedom
    assert result.difference.value == pytest.approx(gains.mean())
    assert result.p_value == pytest.approx(exact, abs=0.01)
    assert 0.1 < exact < 0.2


def test_where_trainings_do_not_vary_the_test_is_that_over_sentences() -> None:
    first, second = counts(FIRST, SECOND)
    runs = paired_bootstrap_of_runs(np.stack([first] * 3), np.stack([second] * 3))
    alone = paired_bootstrap_of_counts(3 * first, 3 * second)
    assert runs.p_value == pytest.approx(alone.p_value)
    assert (runs.difference.low, runs.difference.high) == pytest.approx(
        (alone.difference.low, alone.difference.high)
    )


@pytest.mark.parametrize("seed", range(5))
def test_p_does_not_depend_on_the_draws(seed: int) -> None:
    """Tables are full of p near 0.05: those of few draws would be above it by one seed and below it by another."""
    result = paired_bootstrap_of_runs(of_runs(50, 50, 50), of_runs(53, 52, 51), seed=seed)
    t = 2 / (1 / 3**0.5)
    assert result.p_value == pytest.approx(1 - t / (2 + t**2) ** 0.5, abs=0.002)


def test_runs_that_differ_by_chance_alone_are_seldom_called_different() -> None:
    rng = np.random.default_rng(3)

    def runs(quality: float = 0.6) -> np.ndarray:
        """Three trainings of one system, each as good as its seed makes it, on 80 sentences with an entity each."""
        right = rng.random((3, 80)) < rng.normal(quality, 0.05, (3, 1))
        return np.stack([right, np.ones((3, 80)), np.ones((3, 80))], axis=2).astype(np.int64)

    p_values = [paired_bootstrap_of_runs(runs(), runs(), num_samples=300).p_value for _ in range(200)]
    assert sum(p < 0.05 for p in p_values) <= 16
    p_values = [paired_bootstrap_of_runs(runs(0.4), runs(0.8), num_samples=300).p_value for _ in range(20)]
    assert sum(p < 0.05 for p in p_values) >= 15  # what does differ is mostly found, with three runs already


def test_runs_are_two_or_more_on_the_same_sentences() -> None:
    two = of_runs(50, 51)
    for first, second in ((two[:1], two[:1]), (two, of_runs(50, 51, 52)), (two[0], two[0])):
        with pytest.raises(ValueError, match="two or more runs"):
            paired_bootstrap_of_runs(first, second)


def test_a_system_does_not_differ_from_itself() -> None:
    result = paired_bootstrap_of_counts(*counts(FIRST, FIRST))
    assert result.p_value == 1
    assert (result.difference.low, result.difference.high) == (0, 0)


def test_a_clear_difference_is_found_and_changes_sign_with_the_order() -> None:
    gold = [[A]] * 200
    bad = [[A] if index % 2 else [B] for index in range(200)]
    better = paired_bootstrap_of_counts(*counts(bad, gold, gold=gold))
    worse = paired_bootstrap_of_counts(*counts(gold, bad, gold=gold))
    assert better.difference.value == 50
    assert worse.difference.value == -50
    assert better.p_value == worse.p_value == pytest.approx(1 / 10_001)
    assert 40 < better.difference.low < 50 < better.difference.high < 60


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Predictions that are right with chance 0.7 have F1 70; nominal 90 % intervals hold it about that often."""
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(150):
        right = rng.random(80) < 0.7
        interval = f1_interval(
            [[A]] * 80, [[A] if hit else [B] for hit in right], confidence=0.9, num_samples=300, seed=trial
        )
        covered += interval.low <= 70 <= interval.high
    assert 0.80 < covered / 150 < 0.98


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = f1_interval(GOLD, FIRST, num_samples=500, seed=5)
    monkeypatch.setattr(bootstrap, "_CELLS_AT_A_TIME", 28)
    bootstrap._kept.cache_clear()
    assert f1_interval(GOLD, FIRST, num_samples=500, seed=5) == whole
    monkeypatch.setattr(bootstrap, "_CELLS_KEPT", 0)
    assert f1_interval(GOLD, FIRST, num_samples=500, seed=5) == whole


def test_of_very_many_sentences_fewer_resamples_are_drawn() -> None:
    numbers = (1, 10_000, 20_000, 100_000, 10**7)
    assert [bootstrap._enough_samples(number) for number in numbers] == [10_000, 10_000, 5_000, 1_000, 1_000]


def test_the_seed_decides() -> None:
    first = [f1_interval(GOLD * 20, FIRST * 20, num_samples=50, seed=seed) for seed in (0, 0, 1)]
    assert first[0] == first[1] != first[2]


def test_nothing_found_at_all() -> None:
    interval = f1_interval([[]], [[]])
    assert (interval.value, interval.low, interval.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"confidence": 1.0}, "confidence between 0 and 1"), ({"num_samples": 0}, "at least one sample")],
)
def test_bad_options(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        f1_interval(GOLD, FIRST, **options)  # type: ignore[arg-type]


def test_bad_corpora() -> None:
    with pytest.raises(ValueError, match="at least one sentence"):
        f1_interval([], [])
    with pytest.raises(ValueError, match="predictions for 4 sentences, got 1"):
        f1_interval(GOLD, [[]])
