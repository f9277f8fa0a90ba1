"""Where a training stands, how it ended, and the file from which it goes on."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from safetensors import safe_open

from canner.training.run_files import RESUME

Stopped = Literal["finished", "time", "interrupted", "early_stopping", "annealed", "decayed"]


class DivergedError(ValueError):
    """The loss is no longer a finite number."""


class DamagedStateError(ValueError):
    """The file from which a training was to go on cannot be read, or is of another training."""


@dataclass
class RunState:
    """Where a run stands; all of it is in the header of `resume.safetensors`."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    minutes: float = 0.0
    annealed: float = 1.0
    best_loss: float = math.inf
    bad_epochs: int = 0
    best_metric: float | None = None
    best_epoch: int = -1
    bad_validations: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    ended: Stopped | None = None
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class FitResult:
    """How a run ended.

    Attributes:
        best_metric, best_epoch: of the validation that did best.
        kept_metric: of the weights that are left: the same, unless those of the last validation are kept.
    """

    stopped: Stopped
    best_metric: float | None
    best_epoch: int
    epochs: int
    steps: int
    minutes: float
    history: list[dict[str, float]]
    kept_metric: float | None = None


def discard_state(folder: Path) -> None:
    """Removes the state from which a run could go on."""
    (folder / RESUME).unlink(missing_ok=True)


@contextlib.contextmanager
def reading_state(path: Path) -> Iterator[None]:
    """Says of whatever goes wrong meanwhile that a saved state cannot be read.

    Raises:
        DamagedStateError: it cannot; some of it may have been taken in.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, RuntimeError) as error:
        raise DamagedStateError(
            f"expected in {path} the state of this training, got what cannot be read ({error}); "
            "copy it again, or remove it, and training starts again"
        ) from error


def metadata_of(path: Path) -> dict[str, str]:
    """The texts in the header of a safetensors file."""
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})
