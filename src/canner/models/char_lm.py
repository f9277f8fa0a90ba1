"""Character language models that read text forward and backward, and what they know at each word."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from canner.nn.dropout import Dropout
from canner.text.config import Config

State = tuple[Float[Tensor, "1 B H"], Float[Tensor, "1 B H"]]
"""Output and cell of an LSTM after some text."""


class CharLMConfig(Config):
    """The size of a character language model; both directions have the same."""

    embedding_dim: int = Field(64, ge=1)
    hidden_dim: int = Field(512, ge=1)
    """Units of the LSTM of one direction; a word's features are twice as wide."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """On the LSTM's outputs before the softmax, in training."""


class CharLM(nn.Module):
    """A language model of one direction: embedding, one LSTM layer, softmax over the next character.

    It reads whatever order it is given: for the backward direction the caller reverses the text.

    Args:
        config: sizes.
        num_chars: size of the vocabulary of characters.

    Source: Akbik et al. 2018, "Contextual String Embeddings for Sequence Labeling".
    """

    def __init__(self, config: CharLMConfig, num_chars: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_chars, config.embedding_dim)
        self.lstm = nn.LSTM(config.embedding_dim, config.hidden_dim, batch_first=True)
        self.dropout = Dropout(config.dropout, locked=False)
        self.output = nn.Linear(config.hidden_dim, num_chars)
        # A forget gate that starts open carries the start of a word to its end from the first step on.
        with torch.no_grad():
            self.lstm.get_parameter("bias_hh_l0")[config.hidden_dim : 2 * config.hidden_dim].fill_(1.0)

    def hidden(
        self, char_ids: Int[Tensor, "B C"], state: State | None = None
    ) -> tuple[Float[Tensor, "B C H"], State]:
        """The state after each character, and the one to go on from; `state` None: the start of a text."""
        return self.lstm(self.embedding(char_ids), state)

    def forward(
        self, char_ids: Int[Tensor, "B C"], state: State | None = None
    ) -> tuple[Float[Tensor, "B C V"], State]:
        """Logits of the character that follows each character, and the state to go on from."""
        hidden_BCH, state = self.hidden(char_ids, state)
        return self.output(self.dropout(hidden_BCH)), state

    def loss(
        self, char_ids: Int[Tensor, "B C1"], state: State | None = None
    ) -> tuple[Float[Tensor, ""], State]:
        """Mean cross-entropy, in nats per character, of all characters but the first, each from those before.

        Args:
            char_ids: characters; the last is only predicted, not read.
            state: after the text before `char_ids`.
        """
        logits_BCV, state = self.forward(char_ids[:, :-1], state)
        loss = F.cross_entropy(logits_BCV.flatten(0, 1).float(), char_ids[:, 1:].flatten())
        return loss, state


class BidirectionalCharLM(nn.Module):
    """Two independent language models of the same text, one for each direction of reading.

    Args:
        config: sizes of both.
        num_chars: size of the vocabulary of characters.
    """

    def __init__(self, config: CharLMConfig, num_chars: int) -> None:
        super().__init__()
        self.forward_lm = CharLM(config, num_chars)
        self.backward_lm = CharLM(config, num_chars)
        self.features_dim = 2 * config.hidden_dim

    def word_features(
        self,
        char_ids: Int[Tensor, "B C"],
        reversed_char_ids: Int[Tensor, "B C"],
        forward_ends: Int[Tensor, "B S"],
        backward_ends: Int[Tensor, "B S"],
    ) -> Float[Tensor, "B S F"]:
        """What both models know at the inner edge of each word: what precedes and is it; what follows and is it.

        Padding stands at the end of both texts, which an LSTM has not read yet where a word ends: so it can
        change nothing.

        Args:
            char_ids: sentences as text.
            reversed_char_ids: the same from the last character to the first.
            forward_ends: position in `char_ids` up to which the forward model reads a word.
            backward_ends: position in `reversed_char_ids` up to which the backward model reads it.

        Implements: [CAN, Eq. 4]
        """
        forward_BCH, _ = self.forward_lm.hidden(char_ids)
        backward_BCH, _ = self.backward_lm.hidden(reversed_char_ids)
        return torch.cat([_pick(forward_BCH, forward_ends), _pick(backward_BCH, backward_ends)], dim=-1)


def _pick(hidden_BCH: Float[Tensor, "B C H"], positions_BS: Int[Tensor, "B S"]) -> Float[Tensor, "B S H"]:
    """The states at the given positions of each row."""
    return hidden_BCH.gather(1, positions_BS[:, :, None].expand(-1, -1, hidden_BCH.shape[-1]))
