"""Dropout on the CPU: the share, the scale and the independence that torch's own has."""

from __future__ import annotations

import pytest
import torch

from canner.nn.dropout import Dropout


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5, 0.9])
def test_share_scale_and_independence(rate: float) -> None:
    torch.manual_seed(7)
    dropped = Dropout(rate, locked=False)(torch.ones(20, 50, 401))
    zeros = (dropped == 0).flatten().double()
    deviation = (rate * (1 - rate) / len(zeros)) ** 0.5
    assert abs(float(zeros.mean()) - rate) < 5 * deviation
    # Four values share a random number: each place in it and neighbours must behave alike.
    for place in range(4):
        assert abs(float(zeros[place::4].mean()) - rate) < 10 * deviation
    for distance in (1, 2, 3, 4):
        pairs = torch.stack([zeros[:-distance], zeros[distance:]])
        assert abs(float(torch.corrcoef(pairs)[0, 1])) < 5 / len(zeros) ** 0.5
    kept = dropped[dropped != 0]
    assert torch.allclose(kept, torch.full_like(kept, 1 / (1 - rate)), rtol=1e-4)


def test_the_gradient_passes_where_values_pass() -> None:
    torch.manual_seed(1)
    values = torch.randn(3, 5, 7, requires_grad=True)
    dropped = Dropout(0.4, locked=False)(values)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad == 0, dropped == 0)
    assert torch.allclose(values.grad[dropped != 0], torch.tensor(1 / 0.6), rtol=1e-4)


def test_the_seed_decides_and_evaluation_changes_nothing() -> None:
    layer, values = Dropout(0.5, locked=False), torch.randn(2, 3, 5)
    torch.manual_seed(3)
    first = layer(values)
    torch.manual_seed(3)
    assert torch.equal(layer(values), first)
    assert not torch.equal(layer(values), first)
    assert layer.eval()(values) is values


def test_locked_dropout_drops_the_same_values_at_all_positions() -> None:
    dropped = Dropout(0.5, locked=True)(torch.ones(4, 6, 50)) == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert dropped.any()
