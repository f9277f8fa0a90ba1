"""The attention that every decoder layer of ConvS2S has over the encoder's outputs."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from canner.nn.conv_glu import SQRT_HALF, weight_norm_linear


class MultistepAttention(nn.Module):
    """Attention of one decoder layer.

    Args:
        hidden_dim: channels of the decoder (D).
        embed_dim: width of target embeddings, encoder keys and values (E).
    """

    def __init__(self, hidden_dim: int, embed_dim: int) -> None:
        super().__init__()
        self.query = weight_norm_linear(hidden_dim, embed_dim, dropout=0.0)
        self.output = weight_norm_linear(embed_dim, hidden_dim, dropout=0.0)

    def summary(
        self, hidden_BTD: Float[Tensor, "B T D"], previous_BTE: Float[Tensor, "B T E"]
    ) -> Float[Tensor, "B T E"]:
        """The decoder state summary d = (W h + b + g) · √0.5, with g the previous target token's embedding.

        Implements: [CAN, Eq. 2] (scaled by √0.5 as in ConvS2S).
        """
        return (self.query(hidden_BTD) + previous_BTE) * SQRT_HALF

    def forward(
        self,
        hidden_BTD: Float[Tensor, "B T D"],
        previous_BTE: Float[Tensor, "B T E"],
        keys_BSE: Float[Tensor, "B S E"],
        values_BSE: Float[Tensor, "B S E"],
        mask_BS: Bool[Tensor, "B S"],
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T S"]]:
        """Attends and adds the context to the layer's state.

        Implements: [CAN, Eq. 3], a softmax of d·z over the *real* source tokens of each target step.

        Args:
            hidden_BTD: output of the layer's convolution block.
            previous_BTE: embedding (with position) of the target token that the step reads.
            keys_BSE: encoder outputs z.
            values_BSE: (z + e) · √0.5, with e the source embeddings.
            mask_BS: True at real source tokens (`<eos>` is one).

        Returns:
            The layer's output, and its attention: each row sums to 1 over the real source tokens.
        """
        summary_BTE = self.summary(hidden_BTD, previous_BTE)
        scores_BTS = (summary_BTE @ keys_BSE.transpose(1, 2)).float()
        scores_BTS = scores_BTS.masked_fill(~mask_BS.unsqueeze(1), float("-inf"))
        attention_BTS = torch.softmax(scores_BTS, dim=-1)
        # A context is a mean of S values: √S restores the variance (§3.5). S is the sentence's own length, not the
        # padded one, so that padding does not change the result.
        scale_B11 = mask_BS.sum(dim=1).to(values_BSE.dtype).sqrt()[:, None, None]
        context_BTE = (attention_BTS.to(values_BSE.dtype) @ values_BSE) * scale_B11
        return (hidden_BTD + self.output(context_BTE)) * SQRT_HALF, attention_BTS
