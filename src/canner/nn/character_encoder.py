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
        vectors = self.embedding.weight.new_zeros(rows.numel(), self.output_dim)
        if words_NC.numel():
            encode = self._convolve if self.convolution is not None else self._read
            encoded = torch.where(words_NC[:, :1] != 0, encode(words_NC), 0.0)
            # Under autocast the encoded words may be narrower than the weights.
            vectors = vectors.to(encoded.dtype).index_put((rows.nonzero()[:, 0],), encoded)
        return vectors.view(*mask.shape, self.output_dim)

    def _convolve(self, words_NC: Tensor) -> Tensor:
        assert self.convolution is not None
        # One matrix product over the windows of real characters: a convolution is compiled anew for every shape, and
        # of words padded to the longest three quarters would be padding. So the words stand behind one another on a
        # tape [T], between them as many zeros as a window sees beyond a word's edge; those embed as zeros.
        weight, width = self.convolution.weight, self.convolution.kernel_size[0]
        edge, lengths_N = width // 2, (words_NC != 0).sum(dim=1)
        words_NC = nn.functional.pad(words_NC, (0, edge))
        columns_C = torch.arange(words_NC.size(1), device=words_NC.device)
        tape_T = nn.functional.pad(words_NC[columns_C < lengths_N[:, None] + edge], (edge, 0))
        places_M = tape_T.nonzero()[:, 0]
        tape_TE = self.embedding(tape_T)
        windows = torch.cat([tape_TE[places_M + k - edge] for k in range(width)], dim=1)
        flat_weight = weight.permute(0, 2, 1).flatten(1)
        channels_MD = nn.functional.linear(windows, flat_weight, self.convolution.bias)
        words_M = torch.arange(len(words_NC), device=words_NC.device).repeat_interleave(lengths_N)
        lowest_ND = channels_MD.new_full((len(words_NC), self.output_dim), -1e4)
        return lowest_ND.scatter_reduce(0, words_M[:, None].expand_as(channels_MD), channels_MD, "amax")

    def _read(self, words_NC: Tensor) -> Tensor:
        assert self.forward_lstm is not None
        assert self.backward_lstm is not None
        embedded, lengths = self.embedding(words_NC), mask_to_lengths(words_NC != 0)
        last = (lengths - 1).clamp(min=0)[:, None, None].expand(-1, 1, self.output_dim // 2)
        ahead = self.forward_lstm(embedded)[0].gather(1, last)
        back = self.backward_lstm(reverse_padded(embedded, lengths))[0].gather(1, last)
        return torch.cat([ahead, back], dim=2)[:, 0]
