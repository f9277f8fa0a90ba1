"""Words from the states of the pieces that an encoder cuts them into."""

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn


@dataclass(frozen=True)
class PieceBatch:
    """The pieces of a batch of sentences: what an encoder reads (R rows of P pieces), and which are of which word.

    A long sentence is read in several rows.

    Attributes:
        ids: of the pieces.
        mask: real pieces.
        of_words: places of the pieces of all words, one word after the other (N in all), counted through the rows.
        starts: where the places of each word begin among these.
    """

    ids: Int[Tensor, "R P"]
    mask: Bool[Tensor, "R P"]
    of_words: Int[Tensor, " N"]
    starts: Int[Tensor, "B S"]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "PieceBatch":
        """The same on another device."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: t.to(device, non_blocking=non_blocking) for name, t in tensors.items()})


def mean_of_pieces(states: Float[Tensor, "R P E"], pieces: PieceBatch) -> Float[Tensor, "B S E"]:
    """The mean of the states of each word's pieces; 0 for a word without any."""
    means = nn.functional.embedding_bag(
        pieces.of_words, states.flatten(0, 1), pieces.starts.flatten(), mode="mean"
    )
    return means.unflatten(0, pieces.starts.shape)
