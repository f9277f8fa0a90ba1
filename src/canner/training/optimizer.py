"""The optimizer that a configuration asks for, and its learning rates."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from canner.training.schedule import TrainingConfig
from canner.training.task import ParameterGroup


def make_optimizer(config: TrainingConfig, groups: Sequence[ParameterGroup]) -> torch.optim.Optimizer:
    """A fresh optimizer of these parameters; `set_rate` gives it its learning rates."""
    parameters = [{"params": group.parameters} for group in groups]
    if config.optimizer == "adam":
        return torch.optim.AdamW(
            parameters,
            lr=config.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=config.weight_decay,
            fused=True,
        )
    return torch.optim.SGD(
        parameters,
        lr=config.learning_rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
    )


def set_rate(optimizer: torch.optim.Optimizer, groups: Sequence[ParameterGroup], rate: float) -> None:
    """Lets each group learn at its share of a rate."""
    for settings, group in zip(optimizer.param_groups, groups, strict=True):
        settings["lr"] = rate * group.share
