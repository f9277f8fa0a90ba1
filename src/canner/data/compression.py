"""Smaller weights on disk: half precision, or eight bits with a scale for each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

StoredPrecision = Literal["float32", "float16", "int8"]
"""How weights are written; they are always computed with as float32 or as the training says."""

_SCALE = "#scale"


def compress(tensors: Mapping[str, Tensor], precision: StoredPrecision) -> dict[str, Tensor]:
    """Weights as they are to be written.

    With "int8", each row (first dimension) of a matrix, or of a tensor of more dimensions, has a scale and is rounded
    to whole multiples of it, at most 127 to either side; vectors stay in half precision. A value is off by at most
    1/254 of the largest in its row.
    """
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        tensor = tensor.detach().float()
        if precision == "float32":
            stored[name] = tensor
        elif precision == "float16" or tensor.dim() < 2:
            stored[name] = tensor.half()
        else:
            rows = tensor.flatten(1)
            scale = rows.abs().amax(dim=1, keepdim=True) / 127
            stored[name] = (rows / scale.clamp(min=1e-30)).round().to(torch.int8).view(tensor.shape)
            stored[name + _SCALE] = scale[:, 0]
    return stored


def expand(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in float32 again, whatever `compress` made of them.

    Raises:
        ValueError: eight bits without their scale.
    """
    tensors: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        if name.endswith(_SCALE):
            continue
        tensors[name] = tensor.float()
        if tensor.dtype == torch.int8:
            if name + _SCALE not in stored:
                raise ValueError(f"expected a scale for {name}, got none; the file is damaged: copy it again")
            tensors[name] *= stored[name + _SCALE].view(-1, *[1] * (tensor.dim() - 1))
    return tensors
