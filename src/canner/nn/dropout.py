"""Dropout of values, of values along a whole sentence, of whole tokens, and of known words."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional


def _require_rate(rate: float) -> None:
    if not 0.0 <= rate < 1.0:
        raise ValueError(f"expected a dropout rate from 0 to below 1, got {rate}; use 0 for none")


def drop(values: Tensor, rate: float, training: bool) -> Tensor:
    """Sets a share `rate` of the values to 0 and scales the others up, so that the expectation stays.

    On a processor each random number of 64 bits decides on eight values, which is several times as fast as a number for
    each; the rate is rounded to a multiple of 1/256 there, from 1/256 to 255/256.

    Args:
        values: of any shape.
        rate: from 0 to below 1.
        training: if not, the values are left as they are.
    """
    if not training or not rate:
        return values
    if values.device.type != "cpu":
        return functional.dropout(values, rate)
    count, cut = values.numel(), min(255, max(1, round(rate * 256)))
    words = torch.empty((count + 7) // 8, dtype=torch.int64).random_(-(2**63), None)
    kept = words.view(torch.uint8)[:count].view(values.shape) >= cut
    return values * kept.to(values.dtype).mul_(256 / (256 - cut))


class Dropout(nn.Module):
    """Drop values in training; with `locked`, the same ones at all positions of a sentence.

    Source of the locked form: Gal and Ghahramani (2016), "variational" dropout for recurrent networks.

    Args:
        rate: share of values set to 0; the others are scaled up so that the expectation stays.
        locked: draw one mask a sentence instead of one a position.
    """

    def __init__(self, rate: float, *, locked: bool) -> None:
        super().__init__()
        _require_rate(rate)
        self.rate, self.locked = rate, locked

    def forward(self, values: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """Identity outside training."""
        if not self.training or not self.rate:
            return values
        if not self.locked:
            return drop(values, self.rate, training=True)
        kept = torch.empty_like(values[:, :1]).bernoulli_(1.0 - self.rate)
        return values * kept.div_(1.0 - self.rate)


class TokenDropout(nn.Module):
    """Set the whole vector of a token to 0, in training; the others are not scaled (as in Flair).

    Args:
        rate: share of tokens dropped.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        _require_rate(rate)
        self.rate = rate

    def forward(self, values: Float[Tensor, "B S D"]) -> Float[Tensor, "B S D"]:
        """Identity outside training."""
        if not self.training or not self.rate:
            return values
        return values * torch.empty_like(values[:, :, :1]).bernoulli_(1.0 - self.rate)


class WordDropout(nn.Module):
    """Replace words by the unknown word, in training, so that its vector is learned.

    Args:
        rate: share of real words replaced.
        unk_id: id of the unknown word.
    """

    def __init__(self, rate: float, *, unk_id: int) -> None:
        super().__init__()
        _require_rate(rate)
        self.rate, self.unk_id = rate, unk_id

    def forward(self, word_ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"]) -> Int[Tensor, "B S"]:
        """Identity outside training."""
        if not self.training or not self.rate:
            return word_ids
        dropped = torch.rand(word_ids.shape, device=word_ids.device) < self.rate
        return torch.where(dropped & mask, self.unk_id, word_ids)
