"""The alignment head: an attention between pieces."""

import pytest
import torch

from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig, AlignmentInputs, alignment_inputs
from canner.models.convs2s import ConvS2S, ConvS2SConfig

SIZES = ConvS2SConfig(embed_dim=6, hidden_dim=8, encoder_layers=1, decoder_layers=2, max_positions=16)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return ConvS2S(SIZES, num_source_pieces=20, num_target_pieces=20).eval()


@pytest.fixture
def head():
    torch.manual_seed(0)
    return AlignmentHead(AlignmentHeadConfig(dim=5, dropout=0.5), SIZES).eval()


def inputs_of(model, source, target) -> AlignmentInputs:
    source_BS, target_BU = torch.tensor(source), torch.tensor(target)
    encoded = model.encode(source_BS, source_BS != 0)
    hidden, _ = model.decoder.hidden_states(target_BU, encoded)
    return alignment_inputs(model, source_BS, encoded, target_BU, hidden)


def test_rows_are_distributions_over_real_pieces(model, head):
    attention = head(inputs_of(model, [[5, 6, 2, 0, 0], [5, 6, 7, 8, 2]], [[1, 5, 6, 2], [1, 9, 8, 2]]))
    assert attention.shape == (2, 3, 5)
    torch.testing.assert_close(attention.sum(dim=2), torch.ones(2, 3))
    assert not attention[0, :, 3:].any()


def test_padding_changes_nothing(model, head):
    alone = head(inputs_of(model, [[5, 6, 2]], [[1, 5, 6, 2]]))
    padded = head(inputs_of(model, [[5, 6, 2, 0, 0], [5, 6, 7, 8, 2]], [[1, 5, 6, 2], [1, 9, 8, 2]]))
    torch.testing.assert_close(padded[:1, :, :3], alone, atol=1e-5, rtol=1e-5)


def test_it_knows_the_piece_that_it_aligns_and_none_after_it(model):
    """Unlike the decoder's attention, which looks before the piece is chosen; no later piece is read."""
    one, other = (inputs_of(model, [[5, 6, 2]], [[1, 5, piece, 7, 2]]).target[0] for piece in (6, 9))
    changed = (one != other).any(dim=1).tolist()
    assert changed == [False, True, True, True]


def test_scores_by_their_definition(model, head):
    inputs = inputs_of(model, [[5, 6, 2]], [[1, 5, 2]])
    query = inputs.target[0] @ head.query.enter.weight.t() + head.query.enter.bias
    key = inputs.source[0] @ head.key.enter.weight.t() + head.key.enter.bias
    expected = torch.softmax(query @ key.t() / 5**0.5, dim=1)
    torch.testing.assert_close(head(inputs)[0], expected)


def test_inputs_are_the_states_before_and_after_each_piece_and_the_pieces(model):
    source, target = torch.tensor([[5, 6, 2]]), torch.tensor([[1, 7, 8, 9]])
    encoded = model.encode(source, source != 0)
    hidden, _ = model.decoder.hidden_states(target, encoded)
    inputs = inputs_of(model, source.tolist(), target.tolist())
    for t in range(
        3
    ):  # the state that produced piece t read the one before it; the next has read the piece itself
        piece = model.decoder.tokens.weight[target[0, t + 1]]
        torch.testing.assert_close(inputs.target[0, t], torch.cat([hidden[0, t], hidden[0, t + 1], piece]))
    for i in range(3):
        place = model.encoder.tokens.weight[source[0, i]] + model.encoder.positions.weight[i]
        torch.testing.assert_close(inputs.source[0, i], torch.cat([encoded.keys[0, i], place]))
