"""Beyond the paper: Swahili and Yoruba (MasakhaNER 2), languages that have few labels indeed."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.bundles import ENCODER
from canner.tables.corpora import SWAHILI, YORUBA, LabelledCorpus
from canner.tables.protocols import Protocol, comparison
from canner.tables.rows import can_systems, can_systems_with

READ = "all training sentences, full test set; random word vectors"
"""What is read of the corpora."""


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, all training sentences."""
    return _language("swahili", SWAHILI, protocol)


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, all training sentences."""
    return _language("yoruba", YORUBA, protocol)


def _language(name: str, corpus: LabelledCorpus, protocol: Protocol) -> ComparisonExperiment:
    rows = [
        *can_systems(corpus.language, "BiLSTM+CRF"),
        *can_systems_with(ENCODER, corpus.language, "Encoder+BiLSTM+CRF"),
    ]
    return comparison(
        f"masakhaner-{name}",
        corpus.title,
        protocol,
        corpus.data,
        rows,
        corpus=f"{corpus.name}, {READ}",
        large=True,
    )
