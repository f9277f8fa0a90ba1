"""A decoder layer's attention against loops over Eq. 2 and 3."""

import math

import pytest
import torch

from canner.nn.multistep_attention import MultistepAttention

B, T, S, D, E = 3, 4, 6, 5, 7
LENGTHS = [6, 2, 1]


@pytest.fixture
def example():
    torch.manual_seed(5)
    layer = MultistepAttention(D, E).eval()
    for linear in (layer.query, layer.output):
        torch.nn.init.normal_(linear.bias)
    mask = torch.arange(S)[None] < torch.tensor(LENGTHS)[:, None]
    return layer, torch.randn(B, T, D), torch.randn(B, T, E), torch.randn(B, S, E), torch.randn(B, S, E), mask


def test_attention_is_equation_3_in_loops(example):
    layer, hidden, previous, keys, values, mask = example
    output, attention = layer(hidden, previous, keys, values, mask)
    for b in range(B):
        for t in range(T):
            summary = layer.query.weight @ hidden[b, t] + layer.query.bias + previous[b, t]
            summary = summary / math.sqrt(2)
            scores = [math.exp((summary @ keys[b, i]).item()) for i in range(LENGTHS[b])]
            context = torch.zeros(E)
            for i, score in enumerate(scores):
                assert attention[b, t, i].item() == pytest.approx(score / sum(scores), abs=1e-5)
                context += score / sum(scores) * values[b, i]
            context = layer.output.weight @ (context * math.sqrt(LENGTHS[b])) + layer.output.bias
            torch.testing.assert_close(
                output[b, t], (hidden[b, t] + context) / math.sqrt(2), atol=1e-5, rtol=1e-5
            )


def test_rows_sum_to_one_over_real_tokens(example):
    _, attention = example[0](*example[1:])
    torch.testing.assert_close(attention.sum(-1), torch.ones(B, T))
    assert torch.equal(attention[1, :, 2:], torch.zeros(T, S - 2))


def test_padding_changes_nothing(example):
    layer, hidden, previous, keys, values, mask = example
    output, attention = layer(hidden, previous, keys, values, mask)
    keys, values = keys.clone(), values.clone()
    keys[~mask], values[~mask] = 1e3, -1e3
    again, attention_again = layer(hidden, previous, keys, values, mask)
    torch.testing.assert_close(again, output)
    torch.testing.assert_close(attention_again, attention)
    alone, attention_alone = layer(hidden[1:2], previous[1:2], keys[1:2, :2], values[1:2, :2], mask[1:2, :2])
    torch.testing.assert_close(alone, output[1:2])
    torch.testing.assert_close(attention_alone, attention[1:2, :, :2])


def test_many_targets_for_one_source_share_its_keys(example):
    """T steps and M hypotheses are the same axis: attention looks at one step at a time."""
    layer, hidden, previous, keys, values, mask = example
    output, attention = layer(hidden, previous, keys, values, mask)
    for t in range(T):
        one, row = layer(hidden[:, t : t + 1], previous[:, t : t + 1], keys, values, mask)
        torch.testing.assert_close(one, output[:, t : t + 1])
        torch.testing.assert_close(row, attention[:, t : t + 1])


def test_half_precision_values_still_sum_to_one(example):
    layer, *tensors, mask = example
    _, attention = layer.bfloat16()(*(t.bfloat16() for t in tensors), mask)
    assert attention.dtype == torch.float32
    torch.testing.assert_close(attention.sum(-1), torch.ones(B, T))
