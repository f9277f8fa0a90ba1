"""The block of ConvS2S: weight-normalised convolution, gated linear unit, residual scaled by √0.5."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from canner.nn.dropout import drop

SQRT_HALF = math.sqrt(0.5)


def weight_norm_linear(in_dim: int, out_dim: int, *, dropout: float) -> nn.Linear:
    """A linear layer with weight normalisation, initialised to keep the variance under dropout.

    Source: Gehring et al. 2017, §3.5: weights from N(0, sqrt((1 - dropout) / fan_in)), bias zero.
    """
    linear = nn.Linear(in_dim, out_dim)
    nn.init.normal_(linear.weight, std=math.sqrt((1 - dropout) / in_dim))
    nn.init.zeros_(linear.bias)
    return parametrizations.weight_norm(linear)


class ConvGLU(nn.Module):
    """Convolution over time with a gated linear unit: `(x + GLU(conv(x))) · √0.5`.

    The convolution is one matrix product over the unfolded window, which is faster than `nn.Conv1d` for the short
    kernels used here and lets the decoder run it a step at a time.

    Args:
        dim: channels in and out (D).
        kernel_width: window W; odd for the encoder.
        dropout: on the input of the convolution.
        causal: the window ends at the position itself (decoder) or is centred on it (encoder).
    """

    def __init__(self, dim: int, *, kernel_width: int, dropout: float, causal: bool) -> None:
        super().__init__()
        self.kernel_width = kernel_width
        self.dropout = dropout
        self.causal = causal
        linear = nn.Linear(kernel_width * dim, 2 * dim)
        # §3.5: the gate halves the variance, hence the 4.
        nn.init.normal_(linear.weight, std=math.sqrt(4 * (1 - dropout) / (kernel_width * dim)))
        nn.init.zeros_(linear.bias)
        self.conv = parametrizations.weight_norm(linear)

    def forward(
        self, x_BTD: Float[Tensor, "B T D"], mask_BT: Bool[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T D"]:
        """Whole sequences.

        Args:
            x_BTD: input.
            mask_BT: True at real tokens; needed where the window looks ahead, so that padding is read as zero.
        """
        inputs = drop(x_BTD, self.dropout, self.training)
        if mask_BT is not None:
            inputs = inputs * mask_BT.unsqueeze(-1)
        before = self.kernel_width - 1 if self.causal else self.kernel_width // 2
        padded = F.pad(inputs, (0, 0, before, self.kernel_width - 1 - before))
        length = x_BTD.shape[1]
        window = torch.cat([padded[:, k : k + length] for k in range(self.kernel_width)], dim=-1)
        return (x_BTD + F.glu(self.conv(window), dim=-1)) * SQRT_HALF

    def step(
        self, x_ND: Float[Tensor, "N D"], past_NkD: Float[Tensor, "N k D"]
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "N k D"]]:
        """One position of a causal block.

        Args:
            x_ND: input at this position.
            past_NkD: the W - 1 inputs before it, oldest first.

        Returns:
            The output at this position, and the past for the next one.
        """
        window = torch.cat([past_NkD, x_ND.unsqueeze(1)], dim=1)
        output = F.glu(self.conv(window.flatten(1)), dim=-1)
        return (x_ND + output) * SQRT_HALF, window[:, 1:]
