"""A tiny corpus and a comparison on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import TaggerExperiment
from canner.models.tagger import TaggerConfig
from canner.training.schedule import TrainingConfig

TRAIN = "".join(
    f"{name} S-PER\nvive O\nen O\n{town} S-LOC\n\n"
    for name in ("Ana", "Eva", "Luis", "Rosa")
    for town in ("Lima", "Quito")
)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., ComparisonExperiment]:
    """Makes a comparison of two systems, with some of its keys changed."""
    for name in ("train", "dev", "test"):
        (tmp_path / name).write_text(TRAIN, encoding="utf-8")
    data = CorpusConfig(
        train=(str(tmp_path / "train"),), dev=(str(tmp_path / "dev"),), test=(str(tmp_path / "test"),)
    )
    base = TaggerExperiment(
        data=data,
        model=TaggerConfig(hidden_dim=4, word_dim=8, char_encoder="none"),
        training=TrainingConfig(max_epochs=2, learning_rate=0.05),
        batch_size=4,
    )
    systems = (System(name="plain"), System(name="wide", change={"model.hidden_dim": 6}))

    def comparison(**changes: object) -> ComparisonExperiment:
        config = ComparisonExperiment(name="x", title="X", base=base, systems=systems)
        return ComparisonExperiment(**(config.model_dump() | changes))

    return comparison
