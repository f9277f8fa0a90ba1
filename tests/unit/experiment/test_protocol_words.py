"""What stands under a table of its protocol is what the configuration says."""

from __future__ import annotations

from typing import Any

import pytest

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.protocol_words import protocol_in_words
from canner.experiment.tagger import TaggerExperiment
from canner.models.tagger import TaggerConfig
from canner.presets import FAST_MODEL, PAPER_MODEL
from canner.tables import comparisons
from canner.tables.variations import without_grid
from canner.training.schedule import TrainingConfig

Values = dict[str, Any]


def words(
    protocol: str = "",
    grid: Values | None = None,
    row: Values | None = None,
    model: Values | None = None,
    **training: Any,
) -> str:
    base = TaggerExperiment(
        data=CorpusConfig(train=("train",), dev=("dev",), test=("test",)),
        model=TaggerConfig(
            **{"char_encoder": "cnn", "dropout_words": 0.5, "dropout_lstm": 0.25, **(model or {})}
        ),
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
    rest = (
        "float32, batch size 4, BiLSTM of 256 units each way, dropout 0.5 of words, 0.3 of frozen embeddings, 0.25 of "
        "states and 0.3 of what English carries, letters by cnn"
    )
    start = "Adam, learning rate 0.05, gradients clipped at 5, at most 2 epochs"
    assert words() == f"{start}, weights of the epoch that does best on dev, {rest}"
    stopped = "stopped on dev after 3 epochs without gain, after 5 epochs at the earliest, weights of the last epoch"
    assert words("fast", early_stopping=3, min_epochs=5, keep="last") == f"fast ({start}, {stopped}, {rest})"


TRAININGS: list[Values] = [
    {"optimizer": "sgd"},
    {"momentum": 0.9},
    {"learning_rate": 0.1},
    {"weight_decay": 0.1},
    {"clip_norm": 1.0},
    {"schedule": "anneal_on_plateau"},
    {"max_epochs": 3},
    {"early_stopping": 4},
    {"validate_every": 10},
    {"keep": "last"},
    {"precision": "bfloat16"},
    {"accumulate": 8},
    {"average": 0.99},
]


@pytest.mark.parametrize("change", TRAININGS, ids=lambda change: next(iter(change)))
def test_another_training_has_other_words_and_so_has_a_row_with_another(change: Values) -> None:
    assert words(**change) != words()
    ((key, value),) = change.items()
    assert words(row={f"training.{key}": value}).count(" but for rows that say otherwise") == 1
    chosen = words(grid={f"training.{key}": (value,)}, **change)
    assert chosen.endswith(f", {key.replace('_', ' ')} chosen on dev")
    assert f"{value:g}" not in chosen.split(" chosen")[0] if isinstance(value, float) else True


def test_all_in_which_the_protocols_differ_is_said() -> None:
    """Of the tagger: what they have of the training, the list above holds."""
    fast, paper = FAST_MODEL.model_dump(), PAPER_MODEL.model_dump()
    differ = [key for key in fast if fast[key] != paper[key]]
    assert len(differ) >= 8
    for key in differ:
        assert words(model={key: fast[key]}) != words(model={key: paper[key]}), key
        assert " but for rows" in words(row={f"model.{key}": fast[key]}), key


def test_where_validations_are_counted_they_are_said() -> None:
    said = words(validate_every=10, early_stopping=3)
    assert "validated every 10 steps, stopped on dev after 3 validations without gain" in said
    assert "weights of the validation that does best on dev" in said


def test_a_part_of_a_phrase_that_the_grid_decides_takes_the_whole_phrase() -> None:
    annealed = {"schedule": "anneal_on_plateau", "anneal_factor": 0.7}
    assert "rate times 0.7 after 4 epochs" in words(**annealed)
    assert "rate times" not in words(grid={"training.anneal_factor": (0.5, 0.7)}, **annealed)
    assert "dropout 0.5" not in words(grid={"model.dropout_lstm": (0.1, 0.2)})


def test_a_rate_that_rises_and_falls_is_said_with_its_lengths() -> None:
    plain = words(schedule="warmup_cosine")  # neither rises nor falls
    assert plain == words()
    assert ", rate rising for 9 steps, at most" in words(schedule="warmup_cosine", warmup_steps=9)
    minutes = words(schedule="warmup_cosine", decay_minutes=2.5, decay_steps=30)
    assert ", rate falling along a cosine over 30 steps or 2.5 minutes, at most 2 epochs" in minutes
    for key in ("warmup_steps", "decay_epochs"):
        row = words(row={f"training.{key}": 3}, schedule="warmup_cosine", decay_steps=30)
        assert row.count("over 30 steps but for rows that say otherwise") == 1


def test_how_an_encoder_is_trained_is_said() -> None:
    (config,) = comparisons("fine-tuned-german", "fast")
    assert protocol_in_words(config) == (
        "fast (Adam, learning rate 0.003, gradients clipped at 1, rate rising for 20 steps, falling along a cosine "
        "over 40 epochs, 40 epochs, weights of the last epoch, bfloat16 where the processor has it, batch size 8, "
        "BiLSTM of 128 units each way, 0.2 of words made unknown, dropout 0.5 of words, 0.3 of an encoder's states, "
        "0.5 of states and 0.3 of what English carries, letters by cnn, encoder trained at 0.0001)"
    )
    assert "encoder trained" not in words()
    assert words(row={"embeddings.fine_tuned": "runs/encoder-e5"}).endswith("encoder trained at 0.0001")


def test_the_papers_protocol_says_what_the_paper_leaves_open() -> None:
    (config,) = comparisons("table4-original", "paper")
    rest = (
        "gradients clipped at 5, rate times 0.5 after 4 epochs without a lower training loss, ended below 0.0001, at "
        "most 150 epochs, weights of the epoch that does best on dev, float32, BATCHBiLSTM of 256 units each way, "
        "dropout 0.1 of words, 0.1 of frozen embeddings, 0.05 of states and 0 of what English carries, CRF over the "
        "logarithms of Eq. 12 but for rows that say otherwise, tags not constrained, no letters"
    )
    alone = rest.replace("BATCH", "batch size 16, ")
    assert protocol_in_words(without_grid(config)) == f"paper (SGD, learning rate 0.1, {alone})"
    chosen = rest.replace("BATCH", "")
    assert protocol_in_words(config) == f"paper (SGD, {chosen}, learning rate and batch size chosen on dev)"
