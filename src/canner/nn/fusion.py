"""Joining the source states with the features carried over from the translation."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from canner.nn.dropout import Dropout


class Fusion(nn.Module):
    """Concatenates aligned features to the states of the source BiLSTM, giving the augmented features.

    Implements: [CAN, Eq. 11]

    Args:
        aligned_dim: width F of the aligned features; 0: there are none, and the states pass unchanged.
        projection_dim: if given, the aligned features go through a linear layer of this width and a tanh
            before they are joined. The paper joins them as they are (None).
        dropout: share of the aligned values dropped in training.
        locked: drop the same values at all positions of a sentence.

    Attributes:
        added_dim: width that the fusion adds to the states.
    """

    def __init__(self, aligned_dim: int, *, projection_dim: int | None, dropout: float, locked: bool) -> None:
        super().__init__()
        self.aligned_dim = aligned_dim
        project = projection_dim is not None and aligned_dim > 0
        self.projection = nn.Linear(aligned_dim, projection_dim) if project and projection_dim else None
        self.added_dim = self.projection.out_features if self.projection else aligned_dim
        self.dropout = Dropout(dropout, locked=locked)

    def forward(
        self, states: Float[Tensor, "B S D"], aligned_features: Float[Tensor, "B S F"] | None
    ) -> Float[Tensor, "B S D2"]:
        """The states followed by the aligned features.

        Raises:
            ValueError: when aligned features are missing, unexpected or of another width.
        """
        found = 0 if aligned_features is None else aligned_features.size(2)
        if found != self.aligned_dim:
            raise ValueError(
                f"expected aligned features of width {self.aligned_dim} (0: none), got {found}; "
                "build the batch with the transfer store and options that the model was made for"
            )
        if aligned_features is None:
            return states
        aligned = self.dropout(aligned_features)
        if self.projection is not None:
            aligned = torch.tanh(self.projection(aligned))
        return torch.cat([states, aligned], dim=2)
