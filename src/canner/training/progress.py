"""A progress bar with loss, speed and time left; plain lines where stderr is no terminal."""

from __future__ import annotations

import logging
import sys
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

logger = logging.getLogger(__name__)


class Progress:
    """Shows a bar on a terminal; elsewhere logs one line a validation."""

    def __init__(self, *, enabled: bool) -> None:
        self._bar: RichProgress | None = None
        if enabled and sys.stderr.isatty():
            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("loss {task.fields[loss]:.3f} · {task.fields[speed]:,.0f} units/s"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
        self._task: Any = None
        self._loss = 0.0
        self._units = 0
        self._since = time.monotonic()

    def __enter__(self) -> Progress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def start_epoch(self, epoch: int, total: int, done: int, max_epochs: int) -> None:
        """A new bar for an epoch of `total` batches of which `done` were done before."""
        self._units, self._since = 0, time.monotonic()
        if self._bar:
            if self._task is not None:
                self._bar.remove_task(self._task)
            name = f"epoch {epoch + 1}/{max_epochs}"
            self._task = self._bar.add_task(name, total=total, completed=done, loss=0.0, speed=0.0)

    def advance(self, batches: int, *, loss: float, units: int) -> None:
        """After a step."""
        self._units += units
        self._loss = loss if self._loss == 0 else 0.98 * self._loss + 0.02 * loss
        if self._bar:
            speed = self._units / max(1e-6, time.monotonic() - self._since)
            self._bar.update(self._task, advance=batches, loss=self._loss, speed=speed)

    def report(self, metrics: dict[str, float], better: bool) -> None:
        """After a validation."""
        speed = self._units / max(1e-6, time.monotonic() - self._since)
        text = "  ".join(f"{k} {v:g}" for k, v in metrics.items()) + f"  {speed:,.0f} units/s"
        text += "  (best)" if better else ""
        if self._bar:
            self._bar.console.print(text)
        else:
            logger.info(text)


class StepProgress:
    """A plain bar for work that is counted in items; shows nothing where stderr is no terminal."""

    def __init__(self, description: str, *, enabled: bool) -> None:
        self._bar = RichProgress(console=Console(stderr=True)) if enabled and sys.stderr.isatty() else None
        self._description = description
        self._task: Any = None

    def __enter__(self) -> StepProgress:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance_to(self, done: int, total: int) -> None:
        """So many items are done of so many."""
        if self._bar:
            if self._task is None or self._bar.tasks[self._task].total != total:
                self._task = self._bar.add_task(self._description, total=total)
            self._bar.update(self._task, completed=done)
