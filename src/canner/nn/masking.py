"""Masks and lengths of right-padded batches; `True` marks a real position."""

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor


def lengths_to_mask(lengths: Int[Tensor, "B"], size: int | None = None) -> Bool[Tensor, "B S"]:
    """The right-padded mask of sentences of the given lengths.

    Args:
        lengths: number of real positions of each sentence.
        size: width of the mask; the longest length when not given.
    """
    width = int(lengths.max()) if size is None else size
    return torch.arange(width, device=lengths.device)[None, :] < lengths[:, None]


def mask_to_lengths(mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B"]:
    """The number of real positions of each sentence."""
    return mask.sum(dim=1)


def require_right_padding(mask: Shaped[Tensor, "B S"]) -> None:
    """Check that each row is real positions followed by padding only.

    Raises:
        ValueError: where a real position follows a padded one.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"expected a mask of dtype bool (True = real token), got {mask.dtype}; convert it")
    if mask.size(1) > 1 and bool((mask[:, 1:] & ~mask[:, :-1]).any()):
        row = int((mask[:, 1:] & ~mask[:, :-1]).any(dim=1).nonzero()[0])
        raise ValueError(
            f"expected masks padded on the right, got a real position after padding in row {row}; "
            "move the padding to the end"
        )


def reversed_positions(lengths: Int[Tensor, "B"], size: int) -> Int[Tensor, "B S"]:
    """For each position the one that takes its place when only the real part of each row is reversed.

    The map is its own inverse, and leaves padding where it is.
    """
    positions = torch.arange(size, device=lengths.device)[None, :]
    mirrored = lengths[:, None] - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def reverse_padded(values: Shaped[Tensor, "B S D"], lengths: Int[Tensor, "B"]) -> Shaped[Tensor, "B S D"]:
    """Reverse the real part of each row of a right-padded batch, and leave the padding at its end."""
    index_BS = reversed_positions(lengths, values.size(1))
    return values.gather(1, index_BS[:, :, None].expand(-1, -1, values.size(2)))
