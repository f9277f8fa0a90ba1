"""A pretrained encoder as part of a tagger, trained with it."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from canner.nn.pieces import PieceBatch, mean_of_pieces


class PieceEncoder(nn.Module):
    """Vectors of words by an encoder whose layers learn with the tagger.

    The vectors of the pieces themselves are left as they were: few of a multilingual vocabulary are met in training,
    and they are most of the weights. They are no part of the state either; what was learned is saved without them.

    Args:
        encoder: one of `transformers`, whose layers are trained, in place and in single precision; its table of pieces
            is taken out of it. Called with `attention_mask` [R P] and either `input_ids` [R P] or their vectors as
            `inputs_embeds`, it gives an object with `last_hidden_state` [R P E].

    Attributes:
        dim: width E of a word's vector.

    Raises:
        ValueError: the encoder does not read vectors of pieces as it reads the pieces.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder.eval().float()
        try:
            self.dim = self._take_the_table_out()
        except (TypeError, ValueError, AttributeError, RuntimeError, IndexError) as error:
            reason = " ".join(str(error).split())[:150]
            raise ValueError(
                "expected an encoder that reads vectors of pieces (inputs_embeds) as it reads the pieces, got "
                f"{type(encoder).__name__} ({reason}); take another, or read it frozen (embeddings.contextual)"
            ) from None
        self.encoder.requires_grad_()

    def _take_the_table_out(self) -> int:
        """Keeps the table of pieces beside the encoder, sees that the states are as before, and returns their width."""
        encoder: Any = self.encoder
        device = next(encoder.parameters()).device
        last = encoder.get_input_embeddings().weight.shape[0] - 1
        rows = [torch.arange(6, end, device=device).clamp(max=last) for end in (10, 8)]
        with torch.no_grad():
            before = [self._states({"input_ids": row[None]}, torch.ones_like(row[None]))[0] for row in rows]
            self.table: Tensor
            self.register_buffer("table", encoder.get_input_embeddings().weight.detach(), persistent=False)
            encoder.set_input_embeddings(nn.Identity())
            padded = nn.utils.rnn.pad_sequence(rows, batch_first=True)
            after = self._states(self._vectors(padded), (padded > 0).long())
        for own, others in zip(before, after, strict=True):
            if not torch.allclose(own, others[: len(own)], atol=1e-3):
                raise ValueError("other states come out")
        return int(after.shape[2])

    def forward(self, pieces: PieceBatch) -> Float[Tensor, "B S E"]:
        """The mean of the last states of each word's pieces; 0 for a word without any."""
        return mean_of_pieces(self._states(self._vectors(pieces.ids), pieces.mask.long()), pieces)

    def _vectors(self, ids: Int[Tensor, "R P"]) -> dict[str, Tensor]:
        return {"inputs_embeds": nn.functional.embedding(ids, self.table)}

    def _states(self, read: dict[str, Tensor], mask: Int[Tensor, "R P"]) -> Float[Tensor, "R P E"]:
        return self.encoder(**read, attention_mask=mask).last_hidden_state.float()
