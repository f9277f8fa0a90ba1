"""Beyond the paper: Swahili and Yoruba (MasakhaNER 2), languages that have few labels indeed."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.tables.bundles import ENCODER
from canner.tables.protocols import Protocol, comparison
from canner.tables.rows import can_systems, can_systems_with


def corpus(folder: str) -> CorpusConfig:
    """A language of MasakhaNER 2 by its folder, `swa` or `yor`."""
    train, dev, test = (
        f"$CANNER_DATA/ner/masakhaner2/{folder}/{part}.txt" for part in ("train", "dev", "test")
    )
    return CorpusConfig(train=(train,), dev=(dev,), test=(test,))


def in_words(name: str) -> str:
    """What a language's data are: the corpus, and the word vectors of its rows."""
    return f"MasakhaNER 2 {name}, all training sentences, full test set; random word vectors"


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, all training sentences."""
    return _language("sw", "swa", "Swahili", protocol)


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, all training sentences."""
    return _language("yo", "yor", "Yoruba", protocol)


def _language(language: str, folder: str, name: str, protocol: Protocol) -> ComparisonExperiment:
    rows = [
        *can_systems(language, "BiLSTM+CRF"),
        *can_systems_with(ENCODER, language, "Encoder+BiLSTM+CRF"),
    ]
    return comparison(
        f"masakhaner-{name.lower()}",
        f"{name} (MasakhaNER 2)",
        protocol,
        corpus(folder),
        rows,
        corpus=in_words(name),
        large=True,
    )
