"""Weights in eight bits differ by at most half a step of their row's scale."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.compression import compress, expand


@settings(max_examples=50, deadline=None)
@given(
    shape=st.sampled_from([(1, 1), (3, 5), (4, 2, 3)]),
    size=st.floats(1e-6, 1e4),
    seed=st.integers(0, 1000),
)
def test_eight_bits_are_off_by_half_a_step_of_the_row_at_most(shape, size, seed):
    weights = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * size
    weights[0] = 0.0  # a row without any weight has no scale
    stored = compress({"w": weights}, "int8")
    assert stored["w"].dtype == torch.int8
    assert stored["w"].shape == weights.shape
    (found,) = expand(stored).values()
    step = weights.flatten(1).abs().amax(dim=1) / 127
    error = (found - weights).flatten(1).abs().amax(dim=1)
    assert bool((error <= step * 0.501 + 1e-12).all())
    assert bool((found[0] == 0).all())


def test_vectors_stay_in_half_precision_and_names_survive():
    weights = {"a.weight": torch.randn(3, 4), "a.bias": torch.randn(3), "scalar": torch.tensor(2.5)}
    stored = compress(weights, "int8")
    assert {stored[name].dtype for name in ("a.bias", "scalar")} == {torch.float16}
    found = expand(stored)
    assert found.keys() == weights.keys()
    assert all(tensor.dtype == torch.float32 for tensor in found.values())
    torch.testing.assert_close(found["a.bias"], weights["a.bias"], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_floats_pass_through(precision):
    weights = {"w": torch.tensor([[1.0, -0.5], [0.25, 2.0]])}
    assert torch.equal(expand(compress(weights, precision))["w"], weights["w"])


def test_eight_bits_without_their_scale_are_refused():
    stored = compress({"w": torch.randn(2, 2)}, "int8")
    del stored["w#scale"]
    with pytest.raises(ValueError, match="expected a scale for w, got none"):
        expand(stored)
