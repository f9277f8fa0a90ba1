"""What stands under a table of its protocol is what the configuration says."""

from __future__ import annotations

from typing import Any

import pytest

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.protocol_words import protocol_in_words
from canner.experiment.tagger import TaggerExperiment
from canner.models.tagger import TaggerConfig
from canner.tables import comparisons
from canner.tables.variations import without_grid
from canner.training.schedule import TrainingConfig

Values = dict[str, Any]


def words(protocol: str = "", grid: Values | None = None, row: Values | None = None, **training: Any) -> str:
    base = TaggerExperiment(
        data=CorpusConfig(train=("train",), dev=("dev",), test=("test",)),
        model=TaggerConfig(char_encoder="cnn", dropout_words=0.5, dropout_lstm=0.25),
        training=TrainingConfig(**{"learning_rate": 0.05, "max_epochs": 2, **training}),
        batch_size=4,
    )
    systems = (System(name="plain"), System(name="other", change=row or {}))
    return protocol_in_words(
        ComparisonExperiment(
            name="x", title="X", base=base, systems=systems, grid=grid or {}, protocol=protocol
        )
    )


def test_a_protocol_in_words() -> None:
    assert words() == (
        "Adam, learning rate 0.05, batch size 4, gradients clipped at 5, at most 2 epochs, weights of the epoch that "
        "does best on dev, float32, dropout 0.5 of words, dropout 0.25 of states, letters by cnn"
    )
    assert words("fast", early_stopping=3, min_epochs=5, keep="last") == (
        "fast (Adam, learning rate 0.05, batch size 4, gradients clipped at 5, at most 2 epochs, stopped on dev after "
        "3 epochs without gain, after 5 epochs at the earliest, weights of the last epoch, float32, "
        "dropout 0.5 of words, dropout 0.25 of states, letters by cnn)"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"optimizer": "sgd"},
        {"momentum": 0.9},
        {"learning_rate": 0.1},
        {"weight_decay": 0.1},
        {"clip_norm": 1.0},
        {"schedule": "warmup_cosine"},
        {"max_epochs": 3},
        {"early_stopping": 4},
        {"validate_every": 10},
        {"keep": "last"},
        {"precision": "bfloat16"},
        {"accumulate": 8},
        {"average": 0.99},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_training_has_other_words(change: dict[str, Any]) -> None:
    assert words(**change) != words()


def test_where_validations_are_counted_they_are_said() -> None:
    said = words(validate_every=10, early_stopping=3)
    assert "validated every 10 steps, stopped on dev after 3 validations without gain" in said
    assert "weights of the validation that does best on dev" in said


def test_what_the_grid_decides_is_chosen_on_dev_and_said_once() -> None:
    said = words(grid={"training.learning_rate": (0.1, 0.2), "model.dropout_lstm": (0.1, 0.2)})
    assert said.startswith("Adam, learning rate and dropout lstm chosen on dev, batch size 4,")
    assert "0.05" not in said
    assert "of states" not in said
    assert "epochs chosen on dev" not in said
    assert "at most" not in words(grid={"training.max_epochs": (1, 2)})


def test_what_a_row_has_otherwise_is_said() -> None:
    said = words(row={"model.char_encoder": "none", "training": {"keep": "last"}})
    assert said.count(" but for rows that say otherwise") == 2
    assert "does best on dev but for rows that say otherwise, float32" in said
    assert said.endswith("letters by cnn but for rows that say otherwise")


def test_the_papers_protocol_says_what_the_paper_leaves_open() -> None:
    (config,) = comparisons("table4-original", "paper")
    alone = without_grid(config)
    assert protocol_in_words(alone) == (
        "paper (SGD, learning rate 0.1, batch size 16, gradients clipped at 5, rate times 0.5 after 4 epochs without a "
        "lower training loss, ended below 0.0001, at most 150 epochs, weights of the epoch that does best on dev, "
        "float32, dropout 0.1 of words, dropout 0.05 of states, CRF over the logarithms of Eq. 12 but for rows that "
        "say otherwise, no letters)"
    )
    chosen = "SGD, learning rate and batch size chosen on dev, gradients"
    assert protocol_in_words(config) == protocol_in_words(alone).replace(
        "SGD, learning rate 0.1, batch size 16, gradients", chosen
    )
