"""Attention between words: of several sentences as one, and read as word alignment."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def join_attention(parts: Sequence[Float[Tensor, "L _ _"]]) -> Float[Tensor, "L T S"]:
    """The attention of consecutive sentences as that of one text; no sentence looks at another.

    Args:
        parts: [L, target words, source words] of each sentence; at least one.
    """
    return torch.stack([torch.block_diag(*layers) for layers in zip(*parts, strict=True)])


def strongest_links(
    attention: Float[Tensor, "T S"], *, at_least: float | None = None
) -> list[tuple[int, int]]:
    """Each target word with the source word it looked at most, as (source, target), sorted.

    Args:
        attention: weights; what a row lacks to 1 lay on `<eos>`.
        at_least: the weight of a link; None: more than `<eos>` has.
    """
    if not attention.numel():
        return []
    weights, sources = attention.max(dim=1)
    kept = weights > 1.0 - attention.sum(dim=1) if at_least is None else weights >= at_least
    return sorted((int(s), t) for t, (s, keep) in enumerate(zip(sources, kept, strict=True)) if keep)
