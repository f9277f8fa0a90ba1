"""Fusion, dropout and masking: small parts with exact expectations."""

import pytest
import torch

from canner.nn.dropout import Dropout, TokenDropout, WordDropout, drop
from canner.nn.fusion import Fusion
from canner.nn.masking import lengths_to_mask, mask_to_lengths, require_right_padding, reverse_padded


def test_fusion_is_the_concatenation_of_equation_11() -> None:
    states, aligned = torch.randn(2, 3, 4), torch.randn(2, 3, 6)
    fusion = Fusion(6, projection_dim=None, dropout=0.5, locked=False).eval()
    assert not list(fusion.parameters())
    fused = fusion(states, aligned)
    assert fused[..., :4].equal(states)
    assert fused[..., 4:].equal(aligned)
    assert fusion.added_dim == 6


def test_fusion_projects_when_asked_and_passes_states_when_there_is_nothing_to_join() -> None:
    states, aligned = torch.randn(2, 3, 4), torch.randn(2, 3, 6)
    fusion = Fusion(6, projection_dim=2, dropout=0.0, locked=False)
    assert fusion.projection is not None
    expected = (aligned @ fusion.projection.weight.t() + fusion.projection.bias).tanh()
    torch.testing.assert_close(fusion(states, aligned)[..., 4:], expected)
    assert fusion.added_dim == 2
    nothing = Fusion(0, projection_dim=2, dropout=0.0, locked=False)
    assert nothing(states, None) is states
    assert nothing.added_dim == 0
    with pytest.raises(ValueError, match="expected aligned features of width 6"):
        fusion(states, None)
    with pytest.raises(ValueError, match="expected aligned features of width 0"):
        nothing(states, aligned)


def test_dropout_keeps_the_expectation_and_is_the_identity_outside_training() -> None:
    torch.manual_seed(0)
    values = torch.ones(50, 40, 30)
    for locked in (False, True):
        dropout = Dropout(0.375, locked=locked)  # 96/256
        dropped = dropout(values)
        assert dropped.unique().tolist() == pytest.approx([0, 1 / 0.625])
        assert dropped.mean().item() == pytest.approx(1.0, abs=0.05)
        same_everywhere = bool((dropped == dropped[:, :1]).all())
        assert same_everywhere == locked
        assert dropout.eval()(values) is values


def test_token_dropout_drops_whole_tokens() -> None:
    torch.manual_seed(0)
    dropped = TokenDropout(0.25)(torch.ones(40, 50, 6))
    assert set(dropped.sum(dim=2).flatten().tolist()) == {0.0, 6.0}
    assert dropped.mean().item() == pytest.approx(0.75, abs=0.05)


def test_word_dropout_replaces_real_words_only() -> None:
    torch.manual_seed(0)
    mask = lengths_to_mask(torch.tensor([900, 100]))
    words = torch.where(mask, 7, 0)
    dropped = WordDropout(0.3, unk_id=1)(words, mask)
    assert dropped[~mask].unique().tolist() == [0]
    assert dropped[mask].unique().tolist() == [1, 7]
    assert (dropped[mask] == 1).float().mean().item() == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_dropout_refuses_impossible_rates(rate: float) -> None:
    with pytest.raises(ValueError, match="expected a dropout rate"):
        Dropout(rate, locked=False)


@pytest.mark.wrong_types
def test_masks() -> None:
    lengths = torch.tensor([3, 0, 2])
    mask = lengths_to_mask(lengths, 4)
    assert mask.tolist() == [[True, True, True, False], [False] * 4, [True, True, False, False]]
    assert mask_to_lengths(mask).equal(lengths)
    values = torch.arange(12.0).view(3, 4, 1)
    turned = reverse_padded(values, lengths)
    assert turned[:, :, 0].tolist() == [[2, 1, 0, 3], [4, 5, 6, 7], [9, 8, 10, 11]]
    assert reverse_padded(turned, lengths).equal(values)
    require_right_padding(mask)
    with pytest.raises(ValueError, match="after padding in row 1"):
        require_right_padding(torch.tensor([[True, False], [False, True]]))
    with pytest.raises(ValueError, match="dtype bool"):
        require_right_padding(torch.ones(1, 2))


@pytest.mark.parametrize("rate", [0.004, 0.15, 0.3, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_drop_drops_its_share_and_keeps_the_expectation(rate: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    values = torch.ones(400_003, dtype=dtype, requires_grad=True)  # no multiple of eight
    dropped = drop(values, rate, training=True)
    share = float((dropped == 0).float().mean())
    rounded = min(255, max(1, round(rate * 256))) / 256
    assert dropped.dtype == dtype
    assert abs(rounded - rate) <= 1 / 256
    assert share == pytest.approx(rounded, abs=4 * (rounded * (1 - rounded) / 4e5) ** 0.5)
    assert float(dropped.detach().float().mean()) == pytest.approx(1.0, abs=0.02 if rate < 0.95 else 0.2)
    dropped.float().sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, dropped == 0)


def test_drop_follows_the_seed_and_treats_neighbours_apart() -> None:
    draws = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        draws.append(drop(torch.ones(8000), 0.5, training=True) == 0)
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    # eight values come from one random number: no two of its bytes go together
    bytes_of_word = draws[0].view(-1, 8).float()
    correlation = torch.corrcoef(bytes_of_word.T) - torch.eye(8)
    assert float(correlation.abs().max()) < 0.15
    assert drop(torch.ones(3), 0.0, training=True).tolist() == [1, 1, 1]
    assert drop(torch.ones(3), 0.9, training=False).tolist() == [1, 1, 1]
