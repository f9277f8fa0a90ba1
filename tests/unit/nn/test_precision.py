"""Which number format is taken on which machine."""

from __future__ import annotations

import pytest
import torch

from canner.nn import precision
from canner.nn.precision import autocast


def dtype_within(asked: precision.Precision) -> torch.dtype:
    with autocast("cpu", asked):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


@pytest.mark.parametrize("has", [True, False])
def test_auto_takes_bfloat16_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch, has: bool) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: has)
    assert dtype_within("auto") == (torch.bfloat16 if has else torch.float32)
    assert dtype_within("float32") == torch.float32


def test_bfloat16_is_refused_on_a_processor_that_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: True)
    assert dtype_within("bfloat16") == torch.bfloat16
    monkeypatch.setattr(precision, "cpu_has_bfloat16", lambda: False)
    with pytest.raises(
        ValueError, match="expected a processor that has bfloat16, got one without; set precision"
    ):
        autocast("cpu", "bfloat16")
