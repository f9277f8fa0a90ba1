"""How a model is trained: one configuration for all tasks, and its learning rate by step, time or plateau."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from canner.nn.precision import Precision
from canner.text.config import Config


class TrainingConfig(Config):
    """How a model is trained; taggers, translators, aligners and language models share it.

    The defaults are those of a careful run; presets (paper, fast) change them by name.
    """

    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam has betas 0.9 and 0.98, and decays weights apart from the gradient (AdamW)."""
    learning_rate: float = Field(1e-3, gt=0)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "warmup_cosine", "anneal_on_plateau"] = "constant"
    warmup_steps: int = Field(0, ge=0)
    """Steps in which the rate rises from zero (warmup_cosine)."""
    decay_steps: int | None = Field(None, ge=1)
    """Steps at whose end the rate is near zero (warmup_cosine)."""
    decay_epochs: int | None = Field(None, ge=1)
    """Epochs at whose end the rate is near zero (warmup_cosine)."""
    decay_minutes: float | None = Field(None, gt=0)
    """Minutes at whose end the rate is near zero and the training ends; a budget of time, not exactly repeatable."""
    final_fraction: float = Field(0.02, ge=0, le=1)
    anneal_factor: float = Field(0.5, gt=0, lt=1)
    patience: int = Field(3, ge=0)
    """Epochs without a lower training loss that are borne: after one more the rate is annealed (anneal_on_plateau)."""
    min_learning_rate: float = Field(1e-4, ge=0)
    """Annealing below this ends the training."""
    clip_norm: float = Field(5.0, gt=0)
    max_epochs: int = Field(150, ge=1)
    early_stopping: int | None = Field(None, ge=1)
    """Validations without a better metric before training stops; None: never."""
    min_epochs: int = Field(0, ge=0)
    """Epochs before which early stopping stays its hand: a tagger of few sentences starts with an F1 of 0."""
    validate_every: int | None = Field(None, ge=1)
    """Steps between validations; None: at the end of each epoch."""
    metric: str = "f1"
    mode: Literal["max", "min"] = "max"
    keep: Literal["best", "last"] = "best"
    """Which weights a training leaves: those of the validation with the best metric, or of its last."""
    precision: Precision = "float32"
    accumulate: int = Field(1, ge=1)
    """Batches whose gradients make one step."""
    checkpoint_minutes: float = Field(5.0, gt=0)
    """After so many minutes the state is saved from which a training goes on that was killed."""
    average: float | None = Field(None, gt=0, lt=1)
    """Decay of the moving average of weights that is validated and kept; None: the weights themselves."""

    @property
    def runs_to_its_end(self) -> bool:
        """Whether the rate falls over a number of epochs, all of which are trained."""
        falls = self.schedule == "warmup_cosine" and self.decay_epochs is not None
        return falls and self.early_stopping is None


def more_epochs(config: TrainingConfig, times: int, *, early_stopping: bool = False) -> TrainingConfig:
    """The same with so many times the epochs, and, with `early_stopping`, of those without gain before the end."""
    limits = {"max_epochs": times * config.max_epochs}
    if config.decay_epochs is not None:
        limits["decay_epochs"] = times * config.decay_epochs
    if early_stopping and config.early_stopping is not None:
        limits["early_stopping"] = times * config.early_stopping
    return config.model_copy(update=limits)


def is_over(config: TrainingConfig, minutes: float) -> bool:
    """Whether the minutes in which the rate decays are over (warmup_cosine): little would change after them."""
    if config.schedule != "warmup_cosine" or config.decay_minutes is None:
        return False
    return minutes >= config.decay_minutes


def learning_rate(
    config: TrainingConfig, *, step: int, epochs: float, minutes: float, annealed: float
) -> float:
    """The rate of one step.

    Args:
        config: the schedule.
        step: steps taken so far.
        epochs: of training so far, with the part of the current one that is done.
        minutes: minutes of training so far, earlier parts of a resumed run included.
        annealed: product of annealing factors so far.
    """
    rate = config.learning_rate * annealed
    if config.schedule != "warmup_cosine":
        return rate
    if step < config.warmup_steps:
        return rate * (step + 1) / config.warmup_steps
    by_step = step / config.decay_steps if config.decay_steps else 0.0
    by_epoch = epochs / config.decay_epochs if config.decay_epochs else 0.0
    by_time = minutes / config.decay_minutes if config.decay_minutes else 0.0
    done = min(1.0, max(by_step, by_epoch, by_time))
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return rate * (config.final_fraction + (1 - config.final_fraction) * cosine)
