import json
import math
from pathlib import Path

import pytest
import torch

from canner.data.bundle import FORMAT, load_tensors
from canner.data.char_stream import CharEncoder, build_char_vocabulary
from canner.models.char_lm import BidirectionalCharLM, CharLMConfig
from canner.tagging.char_features import CharLMFeatures
from canner.training.charlm import CharLMDataConfig, CharLMExperiment, CharLMTask, train_charlm
from canner.training.schedule import TrainingConfig

TEXT = "\n".join(["The cat sat on the mat .", "The dog lay by the door ."] * 45)


def make_config(path: Path, *, chunk: int = 16, **training: object) -> CharLMExperiment:
    settings = {
        "learning_rate": 0.02,
        "metric": "bits_per_char",
        "mode": "min",
        "max_epochs": 5,
        "clip_norm": 1.0,
    }
    return CharLMExperiment(
        data=CharLMDataConfig(train=str(path), dev_chars=200, num_rows=4, chunk=chunk, min_count=1),
        model=CharLMConfig(embedding_dim=8, hidden_dim=24),
        training=TrainingConfig(**(settings | training)),
    )


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT)
    return path


def make_task(config: CharLMExperiment, text: str = TEXT) -> CharLMTask:
    vocabulary = build_char_vocabulary(text, min_count=1)
    torch.manual_seed(0)
    model = BidirectionalCharLM(config.model, len(vocabulary))
    ids = CharEncoder(vocabulary).encode(text)
    return CharLMTask(model, config, ids[:-200], ids[-200:], "cpu")


def test_the_losses_of_an_epoch_are_the_loss_of_reading_each_row_at_once(text_file: Path) -> None:
    task = make_task(make_config(text_file))
    model = task.model
    total, units = 0.0, 0
    with torch.no_grad():
        for batch in task.train_batches(0):
            loss, count = task.loss(batch)
            total, units = total + float(loss) * count, units + count
        ids = CharEncoder(build_char_vocabulary(TEXT, min_count=1)).encode(TEXT)[:-200]
        rows = ids[: len(ids) // 4 * 4].view(4, -1)
        backward_rows = ids.flip(0)[: len(ids) // 4 * 4].view(4, -1)
        expected = (model.forward_lm.loss(rows)[0] + model.backward_lm.loss(backward_rows)[0]) / 2
    assert units == 2 * 4 * (rows.shape[1] - 1)
    assert total / units == pytest.approx(float(expected), rel=1e-5)


def test_every_epoch_is_cut_elsewhere_and_starts_without_memory(text_file: Path) -> None:
    task = make_task(make_config(text_file))
    first = task._rows_of(0)[0].clone()
    assert not torch.equal(first, task._rows_of(1)[0])
    task.model.get_buffer("carried").fill_(9.0)
    with torch.no_grad():
        loss, _ = task.loss(task.train_batches(0)[0])
        task.model.get_buffer("carried").fill_(-9.0)
        again, _ = task.loss(task.train_batches(0)[0])
    assert float(loss) == float(again)


def test_validation_is_bits_per_character_of_both_directions(text_file: Path) -> None:
    task = make_task(make_config(text_file))
    with torch.no_grad():
        metrics = task.validate()
        rows = task._dev_rows
        nats = [
            float(task.model.forward_lm.loss(rows)[0]),
            float(task.model.backward_lm.loss(rows.flip(1))[0]),
        ]
    assert metrics["bits_per_char_forward"] == pytest.approx(nats[0] / math.log(2), rel=1e-5)
    assert metrics["bits_per_char_backward"] == pytest.approx(nats[1] / math.log(2), rel=1e-5)
    assert metrics["perplexity"] == pytest.approx(2 ** metrics["bits_per_char"])


def test_it_learns_both_directions_and_leaves_a_bundle(text_file: Path, tmp_path: Path) -> None:
    result = train_charlm(make_config(text_file), tmp_path / "run", progress=False)
    last = result.history[-1]
    # Two sentences in turn: after their first characters nothing is left to guess.
    assert last["bits_per_char_forward"] < 0.5
    assert last["bits_per_char_backward"] < 0.5
    features = CharLMFeatures.load(tmp_path / "run")
    (vectors,) = features.embed([["The", "cat"]])
    assert vectors.shape == (2, 48)
    features.save(tmp_path / "ship")
    assert "carried" not in load_tensors(tmp_path / "ship" / "model.safetensors")
    left, saved = (json.loads((tmp_path / name / "config.json").read_text()) for name in ("run", "ship"))
    assert saved == left
    assert (saved["kind"], saved["format"]) == ("charlm", FORMAT)


def test_a_resumed_run_ends_with_the_weights_of_one_that_was_not_stopped(
    text_file: Path, tmp_path: Path
) -> None:
    config = make_config(text_file, chunk=100, max_epochs=2, validate_every=1)
    train_charlm(config, tmp_path / "whole", progress=False)
    stops = 0
    while train_charlm(config, tmp_path / "parts", max_minutes=0.0, progress=False).stopped == "time":
        stops += 1
    assert stops > 3
    whole, parts = (load_tensors(tmp_path / name / "model.safetensors") for name in ("whole", "parts"))
    for name in whole:
        if name != "carried":
            assert torch.equal(whole[name], parts[name]), name


def test_text_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("Hi")
    with pytest.raises(ValueError, match="give more text or fewer rows"):
        train_charlm(make_config(path), tmp_path / "run", progress=False)
