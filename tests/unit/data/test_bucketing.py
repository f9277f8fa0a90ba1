"""Batches of similar length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.data.bucketing import bucket_by_length

lengths = st.lists(st.integers(0, 40), max_size=60)


@given(lengths, st.integers(1, 100), st.integers(0, 5), st.booleans())
def test_every_item_is_in_one_batch_within_the_budget(lengths, max_tokens, epoch, shuffle):
    batches = bucket_by_length(lengths, max_tokens=max_tokens, epoch=epoch, shuffle=shuffle)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert batch
        padded = max(lengths[i] for i in batch) * len(batch)
        assert padded <= max_tokens or len(batch) == 1


@given(lengths, st.integers(1, 9))
def test_batches_of_a_size_are_full_but_for_one(lengths, batch_size):
    sizes = [len(batch) for batch in bucket_by_length(lengths, batch_size=batch_size)]
    assert all(size <= batch_size for size in sizes)
    assert sum(size < batch_size for size in sizes) <= 1


@given(lengths)
def test_without_shuffling_batches_go_from_short_to_long(lengths):
    order = [lengths[i] for batch in bucket_by_length(lengths, batch_size=4, shuffle=False) for i in batch]
    assert order == sorted(order)


@given(lengths)
def test_both_limits_hold_together(lengths):
    for batch in bucket_by_length(lengths, max_tokens=50, batch_size=3):
        assert len(batch) <= 3
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= 50


def test_seed_and_epoch_fix_the_order():
    lengths = [(7 * i) % 23 for i in range(200)]
    first = bucket_by_length(lengths, max_tokens=60, seed=1, epoch=2)
    assert first == bucket_by_length(lengths, max_tokens=60, seed=1, epoch=2)
    assert first != bucket_by_length(lengths, max_tokens=60, seed=1, epoch=3)
    assert first != bucket_by_length(lengths, max_tokens=60, seed=2, epoch=2)


def test_little_is_padding_although_neighbours_change():
    lengths = [1 + (31 * i) % 50 for i in range(2000)]
    batches = bucket_by_length(lengths, max_tokens=600)
    padded = sum(max(lengths[i] for i in batch) * len(batch) for batch in batches)
    assert sum(lengths) / padded > 0.85


def test_a_limit_is_needed():
    with pytest.raises(ValueError, match="expected max_tokens or batch_size, got neither"):
        bucket_by_length([1, 2])
