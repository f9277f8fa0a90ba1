"""The training loop: exact resume, reasons to stop, what it leaves behind."""

import errno
import itertools
import json
import os
import signal

import pytest
import torch
from torch import nn

from canner.data import bundle
from canner.data.bundle import load_tensors, save_tensors
from canner.training.loop import fit
from canner.training.run_state import discard_state
from canner.training.schedule import TrainingConfig, learning_rate, more_epochs
from canner.training.task import trainable


class Regression:
    """A tiny task with dropout, so that the random state matters to a resume."""

    def __init__(self, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.3), nn.Linear(16, 1))
        generator = torch.Generator().manual_seed(7)
        self.x = torch.randn(40, 4, generator=generator)
        self.y = self.x.sum(dim=1, keepdim=True)
        self.steps = 0
        self.stop_at: int | None = None

    def parameters(self):
        return trainable(self.model)

    def train_batches(self, epoch):
        order = torch.randperm(40, generator=torch.Generator().manual_seed(epoch))
        return list(order.split(8))

    def loss(self, batch):
        self.steps += 1
        if self.steps == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        return nn.functional.mse_loss(self.model(self.x[batch]), self.y[batch]), len(batch)

    def validate(self):
        return {"loss": nn.functional.mse_loss(self.model(self.x), self.y).item()}


def config(**changes):
    values = {"metric": "loss", "mode": "min", "max_epochs": 6, "learning_rate": 0.01, **changes}
    return TrainingConfig(**values)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("average", [None, 0.9])
@pytest.mark.parametrize("stop_at", [1, 5, 13])
def test_interrupted_run_resumes_to_the_same_weights(tmp_path, optimizer, average, stop_at):
    settings = config(optimizer=optimizer, average=average, momentum=0.5 if optimizer == "sgd" else 0.0)
    whole = Regression()
    fit(whole, settings, tmp_path / "whole", seed=1)

    first = Regression()
    first.stop_at = stop_at
    assert fit(first, settings, tmp_path / "parts", seed=1).stopped == "interrupted"
    second = Regression(seed=99)  # other initial weights: they must come from the folder
    result = fit(second, settings, tmp_path / "parts", seed=1)

    assert result.stopped == "finished"
    assert second.steps == whole.steps - stop_at
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key])
    assert not (tmp_path / "parts" / "resume.safetensors").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_in_the_last_validation_is_not_lost(tmp_path, number):
    task = Regression()
    validate = task.validate

    def interrupted():
        if task.steps == 5 * 6:
            os.kill(os.getpid(), number)
        return validate()

    task.validate = interrupted
    assert fit(task, config(), tmp_path, seed=1).stopped == "interrupted"
    again = Regression(seed=99)
    assert fit(again, config(), tmp_path, seed=1).stopped == "finished"
    assert again.steps == 0  # nothing is left to train
    for key, value in task.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])
    assert not (tmp_path / "resume.safetensors").exists()


@pytest.mark.parametrize("early_stopping", [None, 1, 2])
@pytest.mark.parametrize("every", [None, 3])
@pytest.mark.parametrize("keep", ["best", "last"])
def test_stops_for_want_of_time_change_nothing(tmp_path, early_stopping, every, keep):
    limits = {"early_stopping": early_stopping, "validate_every": every, "max_epochs": 8}
    settings = config(learning_rate=0.3, keep=keep, **limits)
    whole = Regression()
    wanted = fit(whole, settings, tmp_path / "whole", seed=1)
    for call in range(100):  # every call has time for one step
        task = Regression(seed=call)
        result = fit(task, settings, tmp_path / "parts", seed=1, max_minutes=0.0)
        assert (tmp_path / "parts" / "model.safetensors").exists()  # what there is can be used at once
        if result.stopped != "time":
            break
    assert (result.stopped, result.best_metric, result.steps) == (
        wanted.stopped,
        wanted.best_metric,
        wanted.steps,
    )
    assert [line["step"] for line in result.history] == [line["step"] for line in wanted.history]
    logs = [
        [json.loads(line)["step"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("whole", "parts")
    ]
    assert logs[0] == logs[1]
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, task.model.state_dict()[key])


def test_a_stop_leaves_the_weights_of_its_last_step_if_they_are_the_best(tmp_path):
    settings = config(validate_every=1000, max_epochs=100)
    result = fit(Regression(), settings, tmp_path, seed=1, max_minutes=0.0)
    assert result.steps == 1
    assert result.best_metric == pytest.approx(result.history[-1]["loss"], abs=1e-4)


def test_the_state_of_a_finished_run_can_be_kept_until_all_is_done(tmp_path):
    first = Regression()
    fit(first, config(), tmp_path, seed=1, keep_state=True)
    again = Regression(seed=5)
    result = fit(again, config(), tmp_path, seed=1, keep_state=True)
    assert (result.stopped, again.steps) == ("finished", 0)
    for key, value in first.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])
    discard_state(tmp_path)
    assert not (tmp_path / "resume.safetensors").exists()


def test_best_weights_are_kept_and_loaded(tmp_path):
    task = Regression()
    result = fit(task, config(), tmp_path, seed=1)
    assert result.best_metric == pytest.approx(min(line["loss"] for line in result.history), abs=1e-4)
    assert task.validate()["loss"] == pytest.approx(result.best_metric, abs=1e-4)
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) == 6
    assert json.loads((tmp_path / "fit.json").read_text())["stopped"] == "finished"


def test_last_weights_are_kept_and_loaded_where_they_are_asked_for(tmp_path):
    rising = {"max_epochs": 8, "learning_rate": 0.3}
    best, last = Regression(), Regression()
    of_best = fit(best, config(**rising), tmp_path / "best", seed=1)
    of_last = fit(last, config(**rising, keep="last"), tmp_path / "last", seed=1)
    losses = [line["loss"] for line in of_last.history]
    assert losses == [line["loss"] for line in of_best.history]  # the training itself is the same
    assert of_last.best_metric == of_best.best_metric < losses[-1]
    assert last.validate()["loss"] == pytest.approx(losses[-1], abs=1e-4)
    assert (of_best.kept_metric, of_last.kept_metric) == (of_best.best_metric, losses[-1])
    assert best.validate()["loss"] == pytest.approx(min(losses), abs=1e-4)
    kept = load_tensors(tmp_path / "last" / "model.safetensors")
    assert all(torch.equal(kept[name], value) for name, value in last.model.state_dict().items())


def test_a_run_shorter_than_the_time_to_its_first_validation_leaves_weights(tmp_path):
    result = fit(Regression(), config(max_epochs=2, validate_every=1000), tmp_path, seed=1)
    assert [(line["epoch"], line["step"]) for line in result.history] == [(1, 10)]
    assert result.history[0]["train_loss"] > 0
    assert (tmp_path / "model.safetensors").exists()
    result = fit(Regression(), config(max_epochs=2, validate_every=10), tmp_path / "other", seed=1)
    assert len(result.history) == 1  # validated at its last step: not twice


def test_early_stopping(tmp_path):
    result = fit(Regression(), config(learning_rate=1e-12, early_stopping=2, max_epochs=50), tmp_path, seed=1)
    assert result.stopped in ("early_stopping", "finished")
    assert result.epochs < 50 or result.best_epoch > 45


def test_annealing_ends_a_run_that_learns_nothing(tmp_path):
    settings = config(
        optimizer="sgd",
        schedule="anneal_on_plateau",
        patience=0,
        min_learning_rate=0.2,
        learning_rate=1.0,
        max_epochs=100,
        clip_norm=1e-9,
    )
    assert fit(Regression(), settings, tmp_path, seed=1).stopped == "annealed"


def test_time_budget(tmp_path):
    result = fit(Regression(), config(max_epochs=100000), tmp_path, seed=1, max_minutes=0.01)
    assert result.stopped == "time"
    assert (tmp_path / "resume.safetensors").exists()
    assert (tmp_path / "model.safetensors").exists()


def test_a_rate_that_decays_by_time_ends_the_run_with_its_last_weights_validated(tmp_path):
    settings = config(
        schedule="warmup_cosine", decay_minutes=0.005, max_epochs=100000, validate_every=100000000
    )
    result = fit(Regression(), settings, tmp_path, seed=1)
    assert result.stopped == "decayed"
    assert result.minutes >= 0.005
    assert [line["step"] for line in result.history] == [result.steps]
    assert (tmp_path / "model.safetensors").exists()
    assert not (tmp_path / "resume.safetensors").exists()  # there is nothing to go on with


def test_divergence_says_what_to_do(tmp_path):
    with pytest.raises(ValueError, match=r"lower training\.learning_rate"):
        fit(Regression(), config(optimizer="sgd", learning_rate=1e30, clip_norm=1e30), tmp_path, seed=1)


def test_unknown_metric(tmp_path):
    with pytest.raises(ValueError, match="expected metric among"):
        fit(Regression(), config(metric="f2"), tmp_path, seed=1)


def test_unknown_key_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'learning_rate'"):
        TrainingConfig(learning_rat=1.0)


def test_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"a": torch.ones(3)})

    def fill_up(tensors, target, metadata=None):
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(bundle, "save_file", fill_up)
    with pytest.raises(OSError, match="No space left"):
        save_tensors(path, {"a": torch.zeros(3)})
    assert torch.equal(load_tensors(path)["a"], torch.ones(3))
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_truncated_weights_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"a": torch.ones(300)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="expected whole safetensors"):
        load_tensors(path)
    with pytest.raises(ValueError, match="found no such file"):
        load_tensors(tmp_path / "none.safetensors")


def test_warmup_cosine_rises_and_falls():
    settings = config(schedule="warmup_cosine", warmup_steps=10, decay_steps=100, learning_rate=1.0)
    rates = [learning_rate(settings, step=s, epochs=0.0, minutes=0.0, annealed=1.0) for s in range(101)]
    assert rates[:10] == pytest.approx([(s + 1) / 10 for s in range(10)])
    assert all(a >= b for a, b in itertools.pairwise(rates[10:]))
    assert rates[100] == pytest.approx(settings.final_fraction)
    by_epoch = config(schedule="warmup_cosine", decay_epochs=4, learning_rate=1.0)
    rates = [learning_rate(by_epoch, step=99, epochs=n / 4, minutes=0.0, annealed=1.0) for n in range(17)]
    assert rates[0] == 1.0
    assert all(a > b for a, b in itertools.pairwise(rates))
    assert rates[8] == pytest.approx((1 + by_epoch.final_fraction) / 2)
    assert rates[16] == pytest.approx(by_epoch.final_fraction)
    by_time = config(schedule="warmup_cosine", decay_minutes=10.0, learning_rate=1.0)
    assert learning_rate(by_time, step=0, epochs=0.0, minutes=10.0, annealed=1.0) == pytest.approx(
        by_time.final_fraction
    )


def test_where_the_rate_falls_to_the_last_epoch_all_are_trained():
    falling = config(schedule="warmup_cosine", decay_epochs=4, max_epochs=4)
    assert falling.runs_to_its_end
    assert not config(decay_epochs=4).runs_to_its_end  # its rate is constant
    assert not config(schedule="warmup_cosine", decay_epochs=4, early_stopping=2).runs_to_its_end
    longer = more_epochs(falling, 3)
    assert (longer.max_epochs, longer.decay_epochs) == (12, 12)
