"""A pretrained encoder as part of a tagger, trained with it."""

from collections.abc import Callable
from typing import Protocol

from jaxtyping import Float
from torch import Tensor, nn

from canner.nn.pieces import Pieces, mean_of_pieces


class PretrainedEncoder(Protocol):
    """What is asked of an encoder; those of `transformers` are such.

    Called with `inputs_embeds` [R P E] and `attention_mask` [R P], it gives an object with `last_hidden_state`
    [R P E].
    """

    get_input_embeddings: Callable[[], nn.Module]
    set_input_embeddings: Callable[[nn.Module], None]


class PieceEncoder(nn.Module):
    """Vectors of words by an encoder whose layers learn with the tagger.

    The vectors of the pieces themselves are left as they were: few of a multilingual vocabulary are met in training,
    and they are most of the weights. They are no part of the state either; what was learned is saved without them.

    Args:
        encoder: whose layers are trained, in place. Its table of pieces is taken out of it.

    Attributes:
        dim: width of a word's vector.
    """

    def __init__(self, encoder: PretrainedEncoder) -> None:
        super().__init__()
        table = encoder.get_input_embeddings().weight
        assert isinstance(encoder, nn.Module)
        assert isinstance(table, Tensor)
        self.register_buffer("table", table.detach(), persistent=False)
        self.table: Tensor
        encoder.set_input_embeddings(nn.Identity())
        self.encoder = encoder.requires_grad_()
        self.dim = int(table.shape[1])

    def forward(self, pieces: Pieces) -> Float[Tensor, "B S E"]:
        """The mean of the last states of each word's pieces; 0 for a word without any."""
        vectors = nn.functional.embedding(pieces.ids, self.table)
        states = self.encoder(inputs_embeds=vectors, attention_mask=pieces.mask.long()).last_hidden_state
        return mean_of_pieces(states.float(), pieces.of_words)
