"""ConvS2S: causal, blind to padding, the same step by step as all at once."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.models.convs2s import ConvS2S, ConvS2SConfig, _ScaleGradient

V = 13


def model(**sizes) -> ConvS2S:
    torch.manual_seed(11)
    config = ConvS2SConfig(
        **{
            "embed_dim": 8,
            "hidden_dim": 10,
            "encoder_layers": 2,
            "decoder_layers": 3,
            "max_positions": 32,
            **sizes,
        }
    )
    return ConvS2S(config, num_source_pieces=V, num_target_pieces=V).eval()


def source(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(3, V, (len(lengths), max(lengths)))
    mask = torch.arange(max(lengths))[None] < torch.tensor(lengths)[:, None]
    return ids.masked_fill(~mask, 0), mask


def test_the_decoder_is_causal():
    made = model()
    ids, mask = source([6, 4])
    target = torch.randint(1, V, (2, 8))
    logits, attentions = made(ids, mask, target)
    for t in range(1, 8):
        changed = target.clone()
        changed[:, t:] = (changed[:, t:] + 1) % V
        other, other_attentions = made(ids, mask, changed)
        torch.testing.assert_close(other[:, :t], logits[:, :t], atol=1e-6, rtol=0)
        for one, two in zip(attentions, other_attentions, strict=True):
            torch.testing.assert_close(one[:, :t], two[:, :t], atol=1e-6, rtol=0)
        assert (other[:, t] - logits[:, t]).abs().max() > 1e-3


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=4), st.integers(0, 9), st.sampled_from([1, 3, 5]))
def test_padding_never_changes_a_result(lengths, extra, width):
    made = model(kernel_width=width)
    ids, mask = source(lengths)
    wide_ids, wide_mask = (torch.nn.functional.pad(x, (0, extra)) for x in (ids, mask))
    target = torch.randint(1, V, (len(lengths), 5))
    logits, attentions = made(wide_ids, wide_mask, target)
    for row, length in enumerate(lengths):
        alone, alone_attentions = made(
            ids[row : row + 1, :length], mask[row : row + 1, :length], target[row : row + 1]
        )
        torch.testing.assert_close(alone[0], logits[row], atol=1e-5, rtol=1e-5)
        for one, two in zip(alone_attentions, attentions, strict=True):
            torch.testing.assert_close(one[0], two[row, :, :length], atol=1e-5, rtol=1e-5)


def test_attention_rows_sum_to_one_over_real_tokens_in_every_layer():
    ids, mask = source([7, 1, 3])
    _, attentions = model()(ids, mask, torch.randint(1, V, (3, 4)))
    assert len(attentions) == 3
    for attention in attentions:
        torch.testing.assert_close(attention.sum(-1), torch.ones(3, 4))
        assert float(attention[~mask[:, None].expand_as(attention)].detach().abs().max()) == 0


@pytest.mark.parametrize("width", [1, 3, 5])
@pytest.mark.parametrize("hypotheses", [1, 3])
def test_steps_give_what_the_whole_gives(width, hypotheses):
    made = model(kernel_width=width)
    ids, mask = source([6, 2])
    encoded = made.encode(ids, mask)
    target = torch.randint(1, V, (2, hypotheses, 9))
    state, logits, attentions = made.decoder.start(2 * hypotheses, encoded.keys), [], []
    for t in range(9):
        step_logits, attention, state = made.decoder.step(target[:, :, t], encoded, state)
        logits.append(step_logits)
        attentions.append(attention)
    for m in range(hypotheses):
        whole, layers = made(ids, mask, target[:, m])
        torch.testing.assert_close(torch.stack(logits, dim=2)[:, m], whole, atol=1e-5, rtol=1e-5)
        together = torch.stack(attentions, dim=1)[:, :, m].transpose(1, 2)  # [B, L, T, S]
        torch.testing.assert_close(together, torch.stack(layers, dim=1), atol=1e-5, rtol=1e-5)


def test_selected_hypotheses_go_on_from_their_own_past():
    made = model()
    ids, mask = source([5, 4])
    encoded = made.encode(ids, mask)
    prefixes = torch.randint(1, V, (2, 2, 3))
    state = made.decoder.start(4, encoded.keys)
    for t in range(3):
        _, _, state = made.decoder.step(prefixes[:, :, t], encoded, state)
    # Sentence 1 alone, its hypotheses swapped.
    rows = torch.tensor([3, 2])
    logits, _, _ = made.decoder.step(
        torch.tensor([[7, 8]]), encoded.select(torch.tensor([1])), state.select(rows)
    )
    for place, (m, token) in enumerate(((1, 7), (0, 8))):
        whole, _ = made(ids[1:], mask[1:], torch.cat([prefixes[1, m], torch.tensor([token])])[None])
        torch.testing.assert_close(logits[0, place], whole[0, -1], atol=1e-5, rtol=1e-5)


def test_values_are_keys_plus_embeddings():
    made = model()
    ids, mask = source([4])
    encoded = made.encode(ids, mask)
    embedded = made.encoder.tokens(ids) + made.encoder.positions.weight[:4]
    torch.testing.assert_close(encoded.values, (encoded.keys + embedded) / math.sqrt(2))


def test_gradients_into_the_encoder_are_scaled_by_the_number_of_attentions():
    x = torch.randn(4, requires_grad=True)
    (3 * _ScaleGradient.apply(x, 0.25)).sum().backward()
    torch.testing.assert_close(x.grad, torch.full((4,), 0.75))
    made = model(decoder_layers=3, dropout=0.0)
    ids, mask = source([5])
    gradients = []
    for training in (True, False):
        made.train(training)
        made.zero_grad()
        logits, _ = made(ids, mask, torch.tensor([[1, 4, 5]]))
        logits.sum().backward()
        gradients.append(made.encoder.leave.bias.grad.clone())
    # In training the whole gradient of the encoder's outputs is divided by 2 · 3.
    torch.testing.assert_close(gradients[0] * 6, gradients[1], atol=1e-5, rtol=1e-4)


def test_fifteen_layers_are_possible():
    made = model(decoder_layers=15)
    _, attentions = made(*source([3]), torch.tensor([[1, 5]]))
    assert len(attentions) == 15


def test_a_source_beyond_the_positions_is_refused():
    with pytest.raises(ValueError, match="expected at most 32 source pieces, got 33; split the sentence"):
        model().encode(*source([33]))


def test_dropout_is_off_in_evaluation_and_on_in_training():
    made = model(dropout=0.5)
    ids, mask = source([5])
    target = torch.tensor([[1, 4]])
    assert torch.equal(made(ids, mask, target)[0], made(ids, mask, target)[0])
    made.train()
    assert not torch.equal(made(ids, mask, target)[0], made(ids, mask, target)[0])
