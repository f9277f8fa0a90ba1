"""The training loop that translators, language models and taggers share.

A run is a folder: `model.safetensors` (the best weights so far, or the last validated), `log.jsonl` (one line a
validation), and while it is unfinished `resume.safetensors`, from which a killed run goes on exactly where it was.
"""

from __future__ import annotations

import copy
import json
import math
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from canner.data.bundle import load_tensors, save_json, save_tensors, save_text
from canner.nn.precision import autocast
from canner.training.interruption import Interruption
from canner.training.optimizer import make_optimizer, set_rate
from canner.training.optimizer_state import flatten_optimizer, unflatten_optimizer
from canner.training.progress import Progress
from canner.training.randomness import set_seed
from canner.training.run_files import FIT, LOG, RESUME
from canner.training.run_state import (
    DivergedError,
    FitResult,
    RunState,
    Stopped,
    discard_state,
    metadata_of,
    reading_state,
)
from canner.training.schedule import TrainingConfig, is_over, learning_rate
from canner.training.task import Task


class _Run:
    """One call of `fit`, in pieces."""

    def __init__(
        self, task: Task, config: TrainingConfig, folder: Path, seed: int, device: str, progress: Progress
    ) -> None:
        self.task, self.config, self.folder = task, config, folder
        self.device, self.progress = device, progress
        set_seed(seed)
        self.groups = task.parameters()
        self.optimizer = make_optimizer(config, self.groups)
        self.parameters = [parameter for group in self.groups for parameter in group.parameters]
        self.state = RunState()
        self.reported: RunState | None = None
        self.average = (
            {k: v.detach().clone() for k, v in task.model.state_dict().items()} if config.average else None
        )
        self.best_before: dict[str, Tensor] | None = None
        self.started = time.monotonic()
        self.minutes_before = 0.0
        self.interruption = Interruption()

    def save_resume(self) -> None:
        tensors = {f"model.{k}": v for k, v in self.task.model.state_dict().items()}
        optimizer_tensors, optimizer_values = flatten_optimizer(self.optimizer.state_dict())
        tensors |= {f"optimizer.{k}": v for k, v in optimizer_tensors.items()}
        tensors |= {f"average.{k}": v for k, v in (self.average or {}).items()}
        tensors |= {f"best.{k}": v for k, v in (self.best_before or {}).items()}
        tensors["rng"] = torch.get_rng_state()
        if torch.device(self.device).type == "cuda":
            tensors["cuda_rng"] = torch.cuda.get_rng_state()
        self.state.minutes = self.minutes()
        # The JSON travels in the header, so that the two can never be of different steps.
        values = {
            "state": asdict(self.state),
            "optimizer": optimizer_values,
            "best_is_provisional": self.best_before is not None,
        }
        save_tensors(self.folder / RESUME, tensors, {"run": json.dumps(values)})

    def load_resume(self) -> None:
        path = self.folder / RESUME
        if not path.exists():
            return
        with reading_state(path):
            tensors = load_tensors(path)
            values = json.loads(metadata_of(path)["run"])
            pick = lambda prefix: {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}  # noqa: E731
            self.task.model.load_state_dict(pick("model."))
            self.optimizer.load_state_dict(unflatten_optimizer(pick("optimizer."), values["optimizer"]))
            if self.average is not None:
                self.average = {k: v.to(self.device) for k, v in pick("average.").items()}
            torch.set_rng_state(tensors["rng"])
            if "cuda_rng" in tensors and torch.device(self.device).type == "cuda":
                torch.cuda.set_rng_state(tensors["cuda_rng"])
            self.state = RunState(**values["state"])
            if values.get("best_is_provisional"):
                if best := pick("best."):
                    save_tensors(self.folder / "model.safetensors", best)
                else:
                    (self.folder / "model.safetensors").unlink(missing_ok=True)
            self.minutes_before = self.state.minutes

    def minutes(self) -> float:
        return self.minutes_before + (time.monotonic() - self.started) / 60

    def step(self, batches: list[Any], num_batches: int) -> None:
        """A step on some of the batches of an epoch, which has so many."""
        rate = learning_rate(
            self.config,
            step=self.state.step,
            epochs=self.state.epoch + self.state.batch / num_batches,
            minutes=self.minutes(),
            annealed=self.state.annealed,
        )
        set_rate(self.optimizer, self.groups, rate)
        self.optimizer.zero_grad(set_to_none=True)
        total, units = 0.0, 0
        for batch in batches:
            with autocast(self.device, self.config.precision):
                loss, count = self.task.loss(batch)
            (loss / len(batches)).backward()
            total, units = total + float(loss.detach()) / len(batches), units + count
        if not math.isfinite(total):
            raise DivergedError(
                f"training diverged: expected a finite loss, got {total} at step {self.state.step} with "
                f"learning rate {rate:.2g}; lower training.learning_rate"
            )
        nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self.optimizer.step()
        if self.average is not None:
            self.update_average()
        self.state.step += 1
        self.state.batch += len(batches)
        self.state.loss_sum += total
        self.state.loss_count += 1
        self.progress.advance(len(batches), loss=total, units=units)

    def update_average(self) -> None:
        assert self.average is not None
        assert self.config.average is not None
        # Early on the average follows the weights closely, else it would remember their random start.
        decay = min(self.config.average, (1 + self.state.step) / (10 + self.state.step))
        for name, value in self.task.model.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def validate(self) -> None:
        """Validates the weights (or their average), and keeps them if they are the best so far, or the last count."""
        own = None
        if self.average is not None:
            own = {k: v.detach().clone() for k, v in self.task.model.state_dict().items()}
            self.task.model.load_state_dict(self.average)
        rng = torch.get_rng_state()
        self.task.model.eval()
        with torch.no_grad():
            metrics = self.task.validate()
        torch.set_rng_state(rng)
        if metrics and self.config.metric not in metrics:
            raise ValueError(f"expected metric among {sorted(metrics)}, got {self.config.metric!r}")
        state, better = self.state, False
        if metrics:
            value, sign = metrics[self.config.metric], 1 if self.config.mode == "max" else -1
            better = state.best_metric is None or sign * value > sign * state.best_metric
            if better:
                state.best_metric, state.best_epoch, state.bad_validations = value, state.epoch, 0
            else:
                state.bad_validations += 1
        if better or self.config.keep == "last":
            save_tensors(self.folder / "model.safetensors", self.task.model.state_dict())
        if own is not None:
            self.task.model.load_state_dict(own)
        self.task.model.train()
        mean_loss = state.loss_sum / max(1, state.loss_count)
        line = {"epoch": state.epoch, "step": state.step, "minutes": round(self.minutes(), 3)}
        line |= {"train_loss": round(mean_loss, 5)} | {k: round(v, 4) for k, v in metrics.items()}
        state.history.append(line)
        # Written whole: a killed run that is taken up again repeats validations that an appended log would keep twice.
        log = "".join(json.dumps(line) + "\n" for line in state.history)
        save_text(self.folder / LOG, log)
        self.progress.report(line, better)

    def validate_at_stop(self) -> None:
        """A validation that an uninterrupted run would not have made.

        What it keeps is left in `model.safetensors`, to be used now; the state that is saved does not know of it, so
        that a run that goes on ends as if it had never stopped.
        """
        path = self.folder / "model.safetensors"
        best = load_tensors(path) if path.exists() else {}
        state = copy.deepcopy(self.state)
        self.validate()
        if self.state.best_metric != state.best_metric or self.config.keep == "last":
            self.best_before = best
        self.reported, self.state = self.state, state

    def validated(self) -> bool:
        """Whether the weights as they are now have been validated."""
        return bool(self.state.history) and self.state.history[-1]["step"] == self.state.step

    def end_epoch(self) -> Stopped | None:
        """Annealing and the reasons to stop, after an epoch."""
        state, config = self.state, self.config
        stopped = self.anneal(state.loss_sum / max(1, state.loss_count))
        if stopped is None and state.epoch + 1 >= config.max_epochs:
            stopped = "finished"
        if stopped and not self.validated():  # a run shorter than `validate_every` must leave weights too
            self.validate()
        state.loss_sum, state.loss_count = 0.0, 0
        state.epoch, state.batch = state.epoch + 1, 0
        return stopped

    def anneal(self, mean_loss: float) -> Stopped | None:
        """Lowers the rate after epochs without a lower training loss."""
        state, config = self.state, self.config
        if config.schedule != "anneal_on_plateau":
            return None
        if mean_loss < state.best_loss:
            state.best_loss, state.bad_epochs = mean_loss, 0
        else:
            state.bad_epochs += 1
        if state.bad_epochs > config.patience:
            state.annealed, state.bad_epochs = state.annealed * config.anneal_factor, 0
            if config.learning_rate * state.annealed < config.min_learning_rate:
                return "annealed"
        return None

    def should_stop(self) -> Stopped | None:
        limit = self.config.early_stopping
        if limit is None or self.state.epoch < self.config.min_epochs:
            return None
        if self.state.bad_validations >= limit:
            return "early_stopping"
        return None

    def run(self, max_minutes: float | None) -> Stopped:
        if self.state.ended is not None:
            return self.state.ended
        deadline = None if max_minutes is None else self.started + 60 * max_minutes
        next_save = time.monotonic() + 60 * self.config.checkpoint_minutes
        self.task.model.train()
        while True:
            batches = self.task.train_batches(self.state.epoch)
            self.progress.start_epoch(
                self.state.epoch, len(batches), self.state.batch, self.config.max_epochs
            )
            while self.state.batch < len(batches):
                taken = batches[self.state.batch : self.state.batch + self.config.accumulate]
                self.step(taken, len(batches))
                every = self.config.validate_every
                if every is not None and self.state.step % every == 0:
                    self.validate()
                    if stopped := self.should_stop():
                        return stopped
                now = time.monotonic()
                if self.interruption.requested:
                    self.save_resume()
                    return "interrupted"
                if is_over(self.config, self.minutes()):
                    self.save_resume()  # killed in its last validation, a run goes on there
                    if not self.validated():
                        self.validate()
                    return "decayed"
                if deadline is not None and now > deadline:
                    if not self.validated():
                        self.validate_at_stop()
                    self.save_resume()
                    return "time"
                if now > next_save:
                    self.save_resume()
                    next_save = now + 60 * self.config.checkpoint_minutes
            if self.config.validate_every is None:
                self.validate()
            stopped = self.end_epoch() or (self.should_stop() if self.config.validate_every is None else None)
            if stopped:
                return stopped

    def result(self, stopped: Stopped) -> FitResult:
        """How the run ended, as it is reported."""
        state = self.reported or self.state
        by_last = self.config.keep == "last" and state.history
        kept = state.history[-1].get(self.config.metric) if by_last else state.best_metric
        found = state.best_metric, state.best_epoch, state.epoch, state.step
        return FitResult(stopped, *found, self.minutes(), state.history, kept)


def fit(
    task: Task,
    config: TrainingConfig,
    folder: str | Path,
    *,
    seed: int,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
    keep_state: bool = False,
) -> FitResult:
    """Trains `task.model` and leaves the weights that `config.keep` says in `folder/model.safetensors` and the model.

    A folder with an unfinished run is taken up where it stopped, to the same weights as without the stop. Ctrl-C
    or SIGTERM saves the state and returns "interrupted"; the weights of before are kept.

    Args:
        task: batches, loss, validation.
        config: optimizer, schedule, when to stop.
        folder: of the run.
        seed: of dropout and whatever else the model draws.
        max_minutes: wall-clock budget of this call.
        device: where `task.model` already is.
        progress: show a progress bar (only ever on a terminal).
        keep_state: leave the state of a finished run too, for a caller who has more to do with the model and may
            be killed meanwhile: called again, `fit` then only loads the kept weights. `discard_state` removes it.

    Raises:
        DivergedError: the loss is not finite.
        ValueError: the metric is unknown.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with Progress(enabled=progress) as bar:
        run = _Run(task, config, folder, seed, device, bar)
        run.load_resume()
        with run.interruption.watched():
            stopped = run.run(max_minutes)
        if (folder / "model.safetensors").exists():
            task.model.load_state_dict(load_tensors(folder / "model.safetensors"))
        task.model.eval()
        if stopped not in ("time", "interrupted"):
            if keep_state or run.interruption.requested:
                run.state.ended = stopped
                run.save_resume()
            else:
                discard_state(folder)
        stopped = "interrupted" if run.interruption.requested else stopped  # in the last validation, too
        result = run.result(stopped)
        save_json(folder / FIT, {k: v for k, v in asdict(result).items() if k != "history"})
    return result
