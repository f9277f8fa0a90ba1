"""Pooling of pieces to words against loops over pieces, and what it must keep."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.nn.pooling import pool_attention, pool_decoder_attention


def loop(attention, source_words, target_words, num_source, num_target, how):
    """Word by word: sum over the source pieces of a word, then its target rows put together as named."""
    layers = attention.shape[0]
    out = torch.zeros(layers, num_target, num_source, dtype=attention.dtype)
    for layer in range(layers):
        for j in range(num_target):
            rows = [t for t, word in enumerate(target_words) if word == j]
            if not rows:
                continue
            rows = {"first": rows[:1], "last": rows[-1:]}.get(how, rows)
            for i in range(num_source):
                columns = [s for s, word in enumerate(source_words) if word == i]
                total = sum(float(attention[layer, t, s]) for t in rows for s in columns)
                out[layer, j, i] = total / len(rows) if how == "mean" else total
    return out


@st.composite
def cases(draw):
    source = [*sorted(draw(st.lists(st.integers(0, 4), max_size=7))), -1]
    target = sorted(draw(st.lists(st.integers(0, 4), max_size=7)))
    seed = draw(st.integers(0, 10_000))
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(2, len(target) + 1, len(source), generator=generator, dtype=torch.float64)
    return torch.softmax(scores, -1), source, target


@settings(max_examples=60, deadline=None)
@given(case=cases(), how=st.sampled_from(["mean", "first", "last"]))
def test_equals_loops(case, how):
    attention, source, target = case
    rows = attention[:, :-1]
    pooled = pool_attention(rows, source, target, num_source_words=5, num_target_words=5, target_pooling=how)
    torch.testing.assert_close(pooled, loop(rows, source, target, 5, 5, how))


@settings(max_examples=60, deadline=None)
@given(case=cases(), how=st.sampled_from(["mean", "first", "last"]))
def test_rows_lack_only_what_lay_on_eos(case, how):
    attention, source, target = case
    pooled = pool_attention(
        attention[:, :-1], source, target, num_source_words=5, num_target_words=5, target_pooling=how
    )
    eos = attention[:, :-1, -1:]
    missing = loop(eos, [0], target, 1, 5, how)[..., 0]
    present = torch.tensor([float(j in target) for j in range(5)], dtype=torch.float64)
    torch.testing.assert_close(pooled.sum(-1), present - missing)


@settings(max_examples=30, deadline=None)
@given(case=cases())
def test_reading_is_producing_one_step_later(case):
    attention, source, target = case
    produced, read = pool_decoder_attention(attention, source, target, num_source_words=5, num_target_words=5)
    torch.testing.assert_close(produced, loop(attention[:, :-1], source, target, 5, 5, "mean"))
    torch.testing.assert_close(read, loop(attention[:, 1:], source, target, 5, 5, "mean"))


def test_words_of_one_piece_stay_as_they_are():
    attention = torch.rand(3, 4, 5)
    pooled = pool_attention(attention, range(5), range(4), num_source_words=5, num_target_words=4)
    torch.testing.assert_close(pooled, attention)


def test_layers_are_independent():
    attention = torch.rand(3, 4, 5)
    arguments = {"num_source_words": 2, "num_target_words": 2}
    pooled = pool_attention(attention, [0, 0, 1, 1, -1], [0, 1, 1, 1], **arguments)
    for layer in range(3):
        alone = pool_attention(attention[layer : layer + 1], [0, 0, 1, 1, -1], [0, 1, 1, 1], **arguments)
        torch.testing.assert_close(pooled[layer], alone[0])


@pytest.mark.wrong_types
def test_errors_name_the_trouble():
    attention = torch.rand(1, 2, 3)
    with pytest.raises(ValueError, match="expected attention of 2 target and 2 source pieces"):
        pool_attention(attention, [0, 1], [0, 1], num_source_words=2, num_target_words=2)
    with pytest.raises(ValueError, match="expected word indices below 2, got 2"):
        pool_attention(attention, [0, 1, 2], [0, 1], num_source_words=2, num_target_words=2)
    with pytest.raises(ValueError, match="expected target_pooling"):
        pool_attention(
            attention, [0, 1, 1], [0, 1], num_source_words=2, num_target_words=2, target_pooling="max"
        )
    with pytest.raises(ValueError, match="expected attention of 3 decoder steps"):
        pool_decoder_attention(attention, [0, 1, 1], [0, 1], num_source_words=2, num_target_words=2)
