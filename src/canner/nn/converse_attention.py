"""Converse attention: read the decoder's attention backwards to carry English features to the source."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Normalisation = Literal["raw", "source"]


def converse_attention(
    attention: Float[Tensor, "B T S"],
    target_features: Float[Tensor, "B T F"],
    *,
    normalise: Normalisation,
    target_mask: Bool[Tensor, "B T"] | None = None,
    source_mask: Bool[Tensor, "B S"] | None = None,
) -> Float[Tensor, "B S F"]:
    """Carry the features of the target words to the source tokens: t_i, the sum over the target words j of a_ij r_j.

    For a whole sentence that is T^l = A^l R. The paper's sum runs to m, the source length; here it runs over the n
    target words.

    Implements: [CAN, Eq. 6] for one source token, [CAN, Eq. 7] for all.

    Args:
        attention: decoder weights; row t is a distribution over the source while target word t was written.
        target_features: R, what the teacher says of every target word.
        normalise: "raw" as in the paper: the weights of one source token over the target words sum to
            whatever it received, so a word that was looked at twice gets a vector twice as long.
            "source": they are scaled to sum to 1 (a token that received nothing keeps zeros).
        target_mask: True at real target words; None: all are.
        source_mask: True at real source tokens; None: all are.

    Returns:
        Aligned features; zeros at padding.
    """
    weights_BST = converse_weights(
        attention, normalise=normalise, target_mask=target_mask, source_mask=source_mask
    )
    if target_mask is not None:
        # a weight of zero does not silence a padding feature that is inf or nan
        target_features = target_features.masked_fill(~target_mask.unsqueeze(-1), 0.0)
    return torch.bmm(weights_BST, target_features)


def converse_weights(
    attention: Float[Tensor, "B T S"],
    *,
    normalise: Normalisation,
    target_mask: Bool[Tensor, "B T"] | None = None,
    source_mask: Bool[Tensor, "B S"] | None = None,
) -> Float[Tensor, "B S T"]:
    """The attention seen from the source: for every source token its weights over the target words.

    Raises:
        ValueError: if `normalise` is neither "raw" nor "source".
    """
    weights_BST = _masked(attention, target_mask, source_mask).transpose(1, 2)
    if normalise == "raw":
        return weights_BST
    if normalise == "source":
        mass_BS1 = weights_BST.sum(-1, keepdim=True)
        # where, not clamp: a tiny mass must still be scaled to 1, and only an exact zero left alone
        return weights_BST / torch.where(mass_BS1 > 0, mass_BS1, torch.ones_like(mass_BS1))
    raise ValueError(f'expected normalise to be "raw" or "source", got {normalise!r}; choose one of the two')


def coverage(
    attention: Float[Tensor, "B T S"],
    *,
    target_mask: Bool[Tensor, "B T"] | None = None,
    source_mask: Bool[Tensor, "B S"] | None = None,
) -> Float[Tensor, "B S"]:
    """How much attention each source token received: the raw mass of its column, from 0 to T."""
    return _masked(attention, target_mask, source_mask).sum(1)


def _masked(
    attention: Float[Tensor, "B T S"],
    target_mask: Bool[Tensor, "B T"] | None,
    source_mask: Bool[Tensor, "B S"] | None,
) -> Float[Tensor, "B T S"]:
    if target_mask is not None:
        attention = attention.masked_fill(~target_mask.unsqueeze(2), 0.0)
    if source_mask is not None:
        attention = attention.masked_fill(~source_mask.unsqueeze(1), 0.0)
    return attention
