"""Word features from the characters of each word."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from canner.nn.masking import mask_to_lengths, reverse_padded

CharEncoderKind = Literal["cnn", "lstm"]


class CharacterEncoder(nn.Module):
    """Embeds characters and makes one vector of each word.

    `cnn`: a convolution of the given width, then the maximum over the word (Ma and Hovy 2016).
    `lstm`: the last states of a forward and a backward LSTM (Lample et al. 2016).

    Args:
        num_chars: size of the character vocabulary; id 0 pads.
        kind: which of the two.
        char_dim: width of a character embedding.
        channels: width of the result (the LSTM needs an even one: half for each direction).
        kernel_width: characters that the convolution sees at once; odd.
    """

    def __init__(
        self, num_chars: int, *, kind: CharEncoderKind, char_dim: int, channels: int, kernel_width: int
    ) -> None:
        super().__init__()
        if kind == "lstm" and channels % 2:
            raise ValueError(
                f"expected an even number of channels for a character LSTM, got {channels}; add one"
            )
        if kind == "cnn" and kernel_width % 2 == 0:
            raise ValueError(f"expected an odd kernel width, got {kernel_width}; add one")
        self.output_dim = channels
        self.embedding = nn.Embedding(num_chars, char_dim, padding_idx=0)
        bound = (3.0 / char_dim) ** 0.5
        nn.init.uniform_(self.embedding.weight[1:].detach(), -bound, bound)
        self.convolution: nn.Conv1d | None = None
        self.forward_lstm: nn.LSTM | None = None
        self.backward_lstm: nn.LSTM | None = None
        if kind == "cnn":
            self.convolution = nn.Conv1d(char_dim, channels, kernel_width, padding=kernel_width // 2)
        else:
            self.forward_lstm = nn.LSTM(char_dim, channels // 2, batch_first=True)
            self.backward_lstm = nn.LSTM(char_dim, channels // 2, batch_first=True)

    def forward(self, char_ids: Int[Tensor, "B S C"], mask: Bool[Tensor, "B S"]) -> Float[Tensor, "B S D"]:
        """One vector a word; 0 at padding and for a word without characters.

        Args:
            char_ids: characters of each word from the left, 0 after its end.
            mask: the real words.
        """
        # Only real words are computed: a batch is often half padding.
        rows, words_NC = mask.flatten(), char_ids.flatten(0, 1)[mask.flatten()]
        present_NC = words_NC != 0
        vectors = self.embedding.weight.new_zeros(rows.numel(), self.output_dim)
        if words_NC.numel():
            encode = self._convolve if self.convolution is not None else self._read
            encoded = torch.where(present_NC[:, :1], encode(words_NC, present_NC), 0.0)
            # Under autocast the encoded words may be narrower than the weights.
            vectors = vectors.to(encoded.dtype).index_put((rows.nonzero()[:, 0],), encoded)
        return vectors.view(*mask.shape, self.output_dim)

    def _convolve(self, words_NC: Tensor, present_NC: Tensor) -> Tensor:
        assert self.convolution is not None
        # Padding embeds as zeros, which is also what the convolution sees beyond the edges. One matrix product
        # over unfolded windows: a convolution is compiled anew for every shape, and each batch has another.
        weight, width = self.convolution.weight, self.convolution.kernel_size[0]
        padded = nn.functional.pad(self.embedding(words_NC), (0, 0, width // 2, width // 2))
        length = words_NC.shape[1]
        windows = torch.cat([padded[:, k : k + length] for k in range(width)], dim=2)
        flat_weight = weight.permute(0, 2, 1).flatten(1)
        channels_NCD = nn.functional.linear(windows, flat_weight, self.convolution.bias)
        return channels_NCD.masked_fill(~present_NC[:, :, None], -torch.inf).amax(dim=1).clamp(min=-1e4)

    def _read(self, words_NC: Tensor, present_NC: Tensor) -> Tensor:
        assert self.forward_lstm is not None
        assert self.backward_lstm is not None
        embedded, lengths = self.embedding(words_NC), mask_to_lengths(present_NC)
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, self.output_dim // 2)
        ahead = self.forward_lstm(embedded)[0].gather(1, last)
        back = self.backward_lstm(reverse_padded(embedded, lengths))[0].gather(1, last)
        return torch.cat([ahead, back], dim=2)[:, 0]
