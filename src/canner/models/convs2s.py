"""ConvS2S (Gehring et al. 2017), the translator of the paper: pieces in, logits and every layer's attention out."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from canner.nn.conv_glu import SQRT_HALF, ConvGLU, weight_norm_linear
from canner.nn.dropout import drop
from canner.nn.multistep_attention import MultistepAttention
from canner.text.config import Config


class ConvS2SConfig(Config):
    """Size of the translator; the paper's has fifteen decoder layers."""

    embed_dim: int = Field(256, ge=2)
    hidden_dim: int = Field(256, ge=2)
    encoder_layers: int = Field(6, ge=1)
    decoder_layers: int = Field(6, ge=1)
    kernel_width: int = Field(3, ge=1)
    dropout: float = Field(0.15, ge=0, lt=1)
    max_positions: int = Field(512, ge=8)
    share_embeddings: bool = False
    """Whether target embeddings are also the weights of the output (fewer parameters, for little text)."""


@dataclass(frozen=True)
class EncoderOutput:
    """What the decoder reads: keys z and values (z + e)·√0.5, both [B, S, E], and the mask [B, S]."""

    keys: Float[Tensor, "B S E"]
    values: Float[Tensor, "B S E"]
    mask: Bool[Tensor, "B S"]

    def select(self, rows: Int[Tensor, "N"]) -> "EncoderOutput":
        """The sentences at the given rows."""
        return EncoderOutput(self.keys[rows], self.values[rows], self.mask[rows])


@dataclass(frozen=True)
class DecoderState:
    """Between two steps of decoding.

    Attributes:
        position: of the next token.
        past: each layer's W - 1 inputs before it, for B·M hypotheses.
        output: the transposed weights of the last layer, which a product with few rows reads faster.
    """

    position: int
    past: Float[Tensor, "L N k D"]
    output: Float[Tensor, "E V"]

    def select(self, rows: Int[Tensor, "N"]) -> "DecoderState":
        """The hypotheses at the given rows of B·M, in that order."""
        return DecoderState(self.position, self.past.index_select(1, rows), self.output)


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, factor: float) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[no-untyped-def]
        return gradient * ctx.factor, None


def _embedding(count: int, dim: int, pad_id: int | None = None) -> nn.Embedding:
    embedding = nn.Embedding(count, dim, padding_idx=pad_id)
    nn.init.normal_(embedding.weight, std=0.1)
    if pad_id is not None:
        nn.init.zeros_(embedding.weight[pad_id])
    return embedding


class Encoder(nn.Module):
    """Source pieces to keys and values."""

    def __init__(self, config: ConvS2SConfig, *, num_pieces: int, num_attentions: int, pad_id: int) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.gradient_factor = 1.0 / (2.0 * num_attentions)
        self.tokens = _embedding(num_pieces, config.embed_dim, pad_id)
        self.positions = _embedding(config.max_positions, config.embed_dim)
        self.enter = weight_norm_linear(config.embed_dim, config.hidden_dim, dropout=config.dropout)
        self.blocks = nn.ModuleList(
            ConvGLU(config.hidden_dim, kernel_width=config.kernel_width, dropout=config.dropout, causal=False)
            for _ in range(config.encoder_layers)
        )
        self.leave = weight_norm_linear(config.hidden_dim, config.embed_dim, dropout=0.0)

    def forward(self, ids_BS: Int[Tensor, "B S"], mask_BS: Bool[Tensor, "B S"]) -> EncoderOutput:
        """Implements: [CAN, Eq. 1]: token embedding plus position embedding, then the convolution blocks."""
        positions_S = torch.arange(ids_BS.shape[1], device=ids_BS.device)
        embedded_BSE = self.tokens(ids_BS) + self.positions(positions_S)
        embedded_BSE = drop(embedded_BSE, self.dropout, self.training)
        hidden_BSD = self.enter(embedded_BSE)
        for block in self.blocks:
            hidden_BSD = block(hidden_BSD, mask_BS)
        keys_BSE = self.leave(hidden_BSD)
        if self.training:
            # Every decoder layer sends a gradient back: scaled, so that the encoder is not swamped (§3.5).
            keys_BSE = _ScaleGradient.apply(keys_BSE, self.gradient_factor)
        return EncoderOutput(keys_BSE, (keys_BSE + embedded_BSE) * SQRT_HALF, mask_BS)


class Decoder(nn.Module):
    """Target pieces so far to logits of the next one, with one attention a layer."""

    def __init__(self, config: ConvS2SConfig, *, num_pieces: int, pad_id: int) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.kernel_width = config.kernel_width
        self.hidden_dim = config.hidden_dim
        self.tokens = _embedding(num_pieces, config.embed_dim, pad_id)
        self.positions = _embedding(config.max_positions, config.embed_dim)
        self.enter = weight_norm_linear(config.embed_dim, config.hidden_dim, dropout=config.dropout)
        self.blocks = nn.ModuleList(
            ConvGLU(config.hidden_dim, kernel_width=config.kernel_width, dropout=config.dropout, causal=True)
            for _ in range(config.decoder_layers)
        )
        self.attentions = nn.ModuleList(
            MultistepAttention(config.hidden_dim, config.embed_dim) for _ in range(config.decoder_layers)
        )
        self.leave = weight_norm_linear(config.hidden_dim, config.embed_dim, dropout=0.0)
        self.output = nn.Linear(config.embed_dim, num_pieces)
        nn.init.normal_(self.output.weight, std=math.sqrt((1 - config.dropout) / config.embed_dim))
        nn.init.zeros_(self.output.bias)
        if config.share_embeddings:
            self.output.weight = self.tokens.weight

    def finish(self, hidden: Tensor) -> Tensor:
        """Logits of the next piece from the last layer's states [..., D]."""
        logits: Tensor = self.output(drop(self.leave(hidden), self.dropout, self.training))
        return logits

    def hidden_states(
        self, ids_BT: Int[Tensor, "B T"], encoded: EncoderOutput
    ) -> tuple[Float[Tensor, "B T D"], list[Float[Tensor, "B T S"]]]:
        """All steps at once: the last layer's states, and each layer's attention."""
        positions_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        embedded_BTE = self.tokens(ids_BT) + self.positions(positions_T)
        embedded_BTE = drop(embedded_BTE, self.dropout, self.training)
        hidden_BTD = self.enter(embedded_BTE)
        attentions = []
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            hidden_BTD, attention_BTS = attention(
                block(hidden_BTD), embedded_BTE, encoded.keys, encoded.values, encoded.mask
            )
            attentions.append(attention_BTS)
        return hidden_BTD, attentions

    def forward(
        self, ids_BT: Int[Tensor, "B T"], encoded: EncoderOutput
    ) -> tuple[Float[Tensor, "B T V"], list[Float[Tensor, "B T S"]]]:
        """All steps at once: logits of the token after each input token, and each layer's attention."""
        hidden_BTD, attentions = self.hidden_states(ids_BT, encoded)
        return self.finish(hidden_BTD), attentions

    def start(self, num_hypotheses: int, like: Tensor) -> DecoderState:
        """The state before the first step, for B·M hypotheses; dtype and device as `like`."""
        past = like.new_zeros(len(self.blocks), num_hypotheses, self.kernel_width - 1, self.hidden_dim)
        return DecoderState(0, past, self.output.weight.t().contiguous())

    def step(
        self, ids_BM: Int[Tensor, "B M"], encoded: EncoderOutput, state: DecoderState
    ) -> tuple[Float[Tensor, "B M V"], Float[Tensor, "B M L S"], DecoderState]:
        """One step for M hypotheses of each of B sentences, at a cost that does not depend on the position.

        The M hypotheses of a sentence share its encoder output, which is never repeated.

        Returns:
            Logits of the next token, the attention of every layer at this step, and the next state.
        """
        num_sentences, num_hypotheses = ids_BM.shape
        embedded_BME = self.tokens(ids_BM) + self.positions.weight[state.position]
        hidden_BMD = self.enter(embedded_BME)
        attentions, pasts = [], []
        for block, attention, past in zip(self.blocks, self.attentions, state.past.unbind(0), strict=True):
            assert isinstance(block, ConvGLU)
            hidden_ND, past = block.step(hidden_BMD.flatten(0, 1), past)
            pasts.append(past)
            hidden_BMD = hidden_ND.view(num_sentences, num_hypotheses, -1)
            hidden_BMD, attention_BMS = attention(
                hidden_BMD, embedded_BME, encoded.keys, encoded.values, encoded.mask
            )
            attentions.append(attention_BMS)
        logits_BMV = F.linear(self.leave(hidden_BMD), state.output.t(), self.output.bias)
        return (
            logits_BMV,
            torch.stack(attentions, dim=2),
            DecoderState(state.position + 1, torch.stack(pasts), state.output),
        )


class ConvS2S(nn.Module):
    """Encoder and decoder.

    Args:
        config: sizes.
        num_source_pieces, num_target_pieces: vocabulary sizes.
        pad_id: id of padding on both sides.

    A source ends with `<eos>`; a target input starts with `<bos>`, its output ends with `<eos>`. Sequences longer
    than `config.max_positions` are not accepted: split them before.
    """

    def __init__(
        self, config: ConvS2SConfig, *, num_source_pieces: int, num_target_pieces: int, pad_id: int = 0
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(
            config, num_pieces=num_source_pieces, num_attentions=config.decoder_layers, pad_id=pad_id
        )
        self.decoder = Decoder(config, num_pieces=num_target_pieces, pad_id=pad_id)

    def encode(self, source_BS: Int[Tensor, "B S"], mask_BS: Bool[Tensor, "B S"]) -> EncoderOutput:
        """Keys and values of source pieces that end with `<eos>`.

        Raises:
            ValueError: longer than `max_positions`.
        """
        if source_BS.shape[1] > self.config.max_positions:
            raise ValueError(
                f"expected at most {self.config.max_positions} source pieces, got {source_BS.shape[1]}; "
                f"split the sentence"
            )
        return self.encoder(source_BS, mask_BS)

    def forward(
        self,
        source_BS: Int[Tensor, "B S"],
        source_mask_BS: Bool[Tensor, "B S"],
        target_BT: Int[Tensor, "B T"],
    ) -> tuple[Float[Tensor, "B T V"], list[Float[Tensor, "B T S"]]]:
        """Teacher forcing: logits after each target input piece, and the attention of each layer."""
        return self.decoder(target_BT, self.encode(source_BS, source_mask_BS))
