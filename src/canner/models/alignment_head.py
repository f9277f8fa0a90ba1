"""A head that aligns: it reads a translation that is finished, and finds the source of each of its pieces.

A decoder's attention looks before it knows which piece it will produce. Where the translation is known, there is no
need to guess: the head reads the state that produced a piece, the state that has read it, and the piece itself. The
translator stays as it is.

Source: Chen et al. 2020 (Shift-AET), with ConvS2S in the place of their Transformer.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from canner.models.convs2s import ConvS2S, ConvS2SConfig, EncoderOutput
from canner.nn.dropout import drop
from canner.text.config import Config


class AlignmentHeadConfig(Config):
    """Size of the head: the width in which both sides are compared, and the dropout of what it reads."""

    dim: int = Field(256, ge=1)
    dropout: float = Field(0.3, ge=0, lt=1)


@dataclass(frozen=True)
class AlignmentInputs:
    """What the translator knows of a pair: of target pieces [B, T, 2D + E], of source pieces [B, S, 2E], the mask."""

    target: Float[Tensor, "B T Q"]
    source: Float[Tensor, "B S K"]
    source_mask: Bool[Tensor, "B S"]


def alignment_inputs(
    model: ConvS2S,
    source_BS: Int[Tensor, "B S"],
    encoded: EncoderOutput,
    target_BU: Int[Tensor, "B U"],
    hidden_BUD: Float[Tensor, "B U D"],
) -> AlignmentInputs:
    """What the head reads, from one pass of the translator.

    Args:
        model: the translator.
        source_BS: source pieces with `<eos>`.
        encoded: of these.
        target_BU: `<bos>` and the target pieces, T = U - 1 of them; `<eos>` needs no aligning.
        hidden_BUD: the decoder's states when it read them.
    """
    positions_S = torch.arange(source_BS.shape[1], device=source_BS.device)
    embedded_BSE = model.encoder.tokens(source_BS) + model.encoder.positions(positions_S)
    pieces_BTE = model.decoder.tokens(target_BU[:, 1:])
    target = torch.cat([hidden_BUD[:, :-1], hidden_BUD[:, 1:], pieces_BTE], dim=2)
    return AlignmentInputs(target, torch.cat([encoded.keys, embedded_BSE], dim=2), encoded.mask)


class AlignmentHead(nn.Module):
    """One attention from target pieces to source pieces.

    Args:
        config: its size.
        translator: the sizes of the translator that it reads.
    """

    def __init__(self, config: AlignmentHeadConfig, translator: ConvS2SConfig) -> None:
        super().__init__()
        self.config = config
        self.query = _Side(2 * translator.hidden_dim + translator.embed_dim, config)
        self.key = _Side(2 * translator.embed_dim, config)

    def forward(self, inputs: AlignmentInputs) -> Float[Tensor, "B T S"]:
        """The attention of each target piece: each row sums to 1 over the real source pieces."""
        query_BTF, key_BSF = self.query(inputs.target), self.key(inputs.source)
        scores_BTS = (query_BTF @ key_BSF.transpose(1, 2)).float() * self.config.dim**-0.5
        return scores_BTS.masked_fill(~inputs.source_mask.unsqueeze(1), float("-inf")).softmax(dim=-1)


class _Side(nn.Module):
    """What is known of the pieces of one side, in the width in which both are compared."""

    def __init__(self, width: int, config: AlignmentHeadConfig) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.enter = nn.Linear(width, config.dim)

    def forward(self, known_BNW: Float[Tensor, "B N W"]) -> Float[Tensor, "B N F"]:
        projected: Tensor = self.enter(drop(known_BNW, self.dropout, self.training))
        return projected
