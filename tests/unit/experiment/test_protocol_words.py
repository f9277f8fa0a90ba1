"""What stands under a table of its protocol is what the configuration says."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.protocol_words import protocol_in_words
from canner.experiment.tagger import TaggerExperiment
from canner.models.tagger import TaggerConfig
from canner.tables import comparisons
from canner.tables.variations import without_grid
from canner.training.schedule import TrainingConfig


def base(emissions: str = "logits", **training: Any) -> TaggerExperiment:
    return TaggerExperiment(
        data=CorpusConfig(train=("train",), dev=("dev",)),
        model=TaggerConfig(char_encoder="cnn", dropout_words=0.5, dropout_lstm=0.25, emissions=emissions),
        training=TrainingConfig(**{"learning_rate": 0.05, "max_epochs": 2, **training}),
        batch_size=4,
    )


def test_every_setting_that_makes_a_protocol_is_said() -> None:
    assert protocol_in_words("", base(), {}) == (
        "Adam, learning rate 0.05, batch size 4, at most 2 epochs, weights of the epoch that does best on dev, "
        "float32, dropout 0.5 of words and 0.25 of states, letters by cnn"
    )
    stopped = base(early_stopping=3, schedule="warmup_cosine", precision="bfloat16", keep="last")
    assert protocol_in_words("fast", stopped, {}) == (
        "fast (Adam, learning rate 0.05, batch size 4, warmup cosine, at most 2 epochs, stopped on dev after 3 "
        "epochs without gain, weights of the last epoch, bfloat16, dropout 0.5 of words and 0.25 of states, "
        "letters by cnn)"
    )


def test_what_the_grid_decides_is_chosen_on_dev() -> None:
    words = protocol_in_words("", base(), {"training.learning_rate": (0.1, 0.2)})
    assert words.startswith("Adam, batch size 4, learning rate chosen on dev, at most")
    assert protocol_in_words("", base("softmax"), {}).endswith(
        ", CRF over the probabilities of Eq. 12, letters by cnn"
    )


def test_the_papers_protocol_says_what_the_paper_leaves_open() -> None:
    (config,) = comparisons("table4-original", "paper")
    kept = (
        "times 0.5 after 4 epochs without a lower training loss, ended below 0.0001, at most 150 epochs, "
        "weights of the epoch that does best on dev, float32, dropout 0.1 of words and 0.05 of states, "
        "CRF over the logarithms of Eq. 12, no letters)"
    )
    chosen = f"paper (SGD, learning rate and batch size chosen on dev, {kept}"
    assert protocol_in_words(config.protocol, config.base, config.grid) == chosen
    alone = without_grid(config)
    assert protocol_in_words(alone.protocol, alone.base, alone.grid) == (
        f"paper (SGD, learning rate 0.1, batch size 16, {kept}"
    )
