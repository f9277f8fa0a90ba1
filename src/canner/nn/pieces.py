"""Words from the states of the pieces that an encoder cuts them into."""

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Pieces:
    """The pieces of a batch of sentences: what an encoder reads (R rows of P pieces), and which are of which word.

    A long sentence is read in several rows.

    Attributes:
        ids: of the pieces.
        mask: real pieces.
        of_words: places of a word's pieces, counted through the rows one after the other; -1: no further piece.
    """

    ids: Int[Tensor, "R P"]
    mask: Bool[Tensor, "R P"]
    of_words: Int[Tensor, "B S N"]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Pieces":
        """The same on another device."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: t.to(device, non_blocking=non_blocking) for name, t in tensors.items()})


def mean_of_pieces(states: Float[Tensor, "R P E"], of_words: Int[Tensor, "B S N"]) -> Float[Tensor, "B S E"]:
    """The mean of the states of each word's pieces; 0 for a word without any."""
    used = (of_words >= 0)[..., None]
    of_each = torch.where(used, states.flatten(0, 1)[of_words.clamp(min=0)], 0.0)
    return of_each.sum(dim=2) / used.sum(dim=2).clamp(min=1)
