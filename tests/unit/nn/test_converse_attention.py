"""Converse attention against the sums written out, and the properties the two normalisations promise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.nn.converse_attention import converse_attention, converse_weights, coverage


def random_case(seed: int, B: int = 3, T: int = 4, S: int = 5, F: int = 2):
    generator = torch.Generator().manual_seed(seed)
    attention = torch.softmax(torch.randn(B, T, S, generator=generator, dtype=torch.float64), dim=-1)
    features = torch.randn(B, T, F, generator=generator, dtype=torch.float64)
    return attention, features


def loop(attention, features, normalise):
    """Equations 6 and 7 with explicit loops over sentences, source tokens, target words and features."""
    B, T, S = attention.shape
    F = features.shape[2]
    out = [[[0.0] * F for _ in range(S)] for _ in range(B)]
    for b in range(B):
        for i in range(S):
            total = sum(float(attention[b, j, i]) for j in range(T)) if normalise == "source" else 1.0
            for j in range(T):
                for f in range(F):
                    out[b][i][f] += float(attention[b, j, i]) * float(features[b, j, f]) / total
    return torch.tensor(out, dtype=torch.float64)


@pytest.mark.parametrize("normalise", ["raw", "source"])
def test_equals_explicit_loops(normalise):
    attention, features = random_case(0)
    torch.testing.assert_close(
        converse_attention(attention, features, normalise=normalise), loop(attention, features, normalise)
    )


def test_golden_value():
    # two target words, three source tokens; by hand: t_0 = .5*1 + .2*10, t_1 = .5*1 + .3*10, t_2 = .5*10
    attention = torch.tensor([[[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]]])
    features = torch.tensor([[[1.0], [10.0]]])
    raw = converse_attention(attention, features, normalise="raw")
    torch.testing.assert_close(raw, torch.tensor([[[2.5], [3.5], [5.0]]]))
    # the same divided by what each token received: .7, .8, .5
    torch.testing.assert_close(
        converse_attention(attention, features, normalise="source"),
        torch.tensor([[[2.5 / 0.7], [3.5 / 0.8], [10.0]]]),
    )
    torch.testing.assert_close(coverage(attention), torch.tensor([[0.7, 0.8, 0.5]]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    T=st.integers(1, 6),
    S=st.integers(1, 6),
    pad_t=st.integers(0, 3),
    pad_s=st.integers(0, 3),
    normalise=st.sampled_from(["raw", "source"]),
)
def test_padding_changes_nothing(seed, T, S, pad_t, pad_s, normalise):
    attention, features = random_case(seed, B=1, T=T, S=S)
    alone = converse_attention(attention, features, normalise=normalise)
    # rubbish in the padding, of the worst kind where it is a feature
    padded = torch.full((1, T + pad_t, S + pad_s), 7.0, dtype=torch.float64)
    padded[:, :T, :S] = attention
    padded_features = torch.full((1, T + pad_t, 2), float("nan"), dtype=torch.float64)
    padded_features[:, :T] = features
    target_mask = torch.arange(T + pad_t)[None] < T
    source_mask = torch.arange(S + pad_s)[None] < S
    batched = converse_attention(
        padded, padded_features, normalise=normalise, target_mask=target_mask, source_mask=source_mask
    )
    torch.testing.assert_close(batched[:, :S], alone)
    assert (batched[:, S:] == 0).all()
    received = coverage(padded, target_mask=target_mask, source_mask=source_mask)
    torch.testing.assert_close(received[:, :S], coverage(attention))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), normalise=st.sampled_from(["raw", "source"]))
def test_linear_in_the_features(seed, normalise):
    attention, features = random_case(seed)
    _, others = random_case(seed + 1)
    torch.testing.assert_close(
        converse_attention(attention, 2 * features + others, normalise=normalise),
        2 * converse_attention(attention, features, normalise=normalise)
        + converse_attention(attention, others, normalise=normalise),
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_source_weights_are_distributions_and_ignore_scale(seed):
    attention, features = random_case(seed)
    weights = converse_weights(attention, normalise="source")
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 5, dtype=torch.float64))
    torch.testing.assert_close(
        converse_attention(attention * 1e-30, features, normalise="source"),
        converse_attention(attention, features, normalise="source"),
    )
    # raw keeps the mass: what all source tokens received is what all target words gave
    torch.testing.assert_close(coverage(attention).sum(1), torch.full((3,), 4.0, dtype=torch.float64))


@pytest.mark.parametrize("normalise", ["raw", "source"])
def test_token_without_attention_gets_zeros(normalise):
    attention, features = random_case(3)
    attention[:, :, 2] = 0.0
    attention.requires_grad_()
    out = converse_attention(attention, features, normalise=normalise)
    assert (out[:, 2] == 0).all()
    out.sum().backward()
    assert torch.isfinite(attention.grad).all()


def test_no_target_words():
    out = converse_attention(torch.zeros(1, 0, 4), torch.zeros(1, 0, 3), normalise="source")
    assert out.shape == (1, 4, 3)
    assert (out == 0).all()


def test_identity_attention_copies_the_features():
    features = torch.randn(2, 4, 3)
    eye = torch.eye(4).expand(2, 4, 4)
    for normalise in ("raw", "source"):
        torch.testing.assert_close(converse_attention(eye, features, normalise=normalise), features)


@pytest.mark.wrong_types
def test_unknown_normalisation():
    attention, features = random_case(0)
    with pytest.raises(ValueError, match='expected normalise to be "raw" or "source", got \'softmax\''):
        converse_attention(attention, features, normalise="softmax")
