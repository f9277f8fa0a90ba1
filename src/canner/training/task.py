"""What the training loop asks of a model that is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class ParameterGroup:
    """Leaves that get a gradient, and how fast they learn.

    Attributes:
        parameters: what the optimizer changes.
        share: of the learning rate.
    """

    parameters: list[Tensor]
    share: float = 1.0


class Task(Protocol):
    """What is trained: batches, a loss and a validation."""

    @property
    def model(self) -> nn.Module:
        """The model, trained in place."""

    def parameters(self) -> list[ParameterGroup]:
        """What the optimizer changes."""

    def train_batches(self, epoch: int) -> list[Any]:
        """The batches of an epoch; the same for the same epoch, in a resumed run too."""

    def loss(self, batch: Any) -> tuple[Tensor, int]:
        """The mean loss to minimise, and how many units (tokens, characters) the batch holds."""

    def validate(self) -> dict[str, float]:
        """Metrics on held-out data, among them the one that `TrainingConfig.metric` names; none without such data."""


def trainable(model: nn.Module) -> list[ParameterGroup]:
    """The parameters of a model that are not frozen, in one group."""
    return [ParameterGroup([parameter for parameter in model.parameters() if parameter.requires_grad])]
