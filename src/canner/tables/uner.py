"""Beyond the paper: Chinese text of another kind; of the rules of our glosses only those of the dictionary saw it."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.corpora import UNER
from canner.tables.masakhaner import READ
from canner.tables.protocols import Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import glosses_at_input, rows_of

_ADDITIONS = ("CAN_last", "CAN_aligned at the input", *glosses_at_input("zh"))


def chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese encyclopaedia (Universal NER, GSD simplified), a token a word."""
    return comparison(
        "uner-chinese",
        UNER.title,
        protocol,
        UNER.data,
        rows_of("BiLSTM+CRF", some(readings("zh"), *_ADDITIONS)),
        corpus=f"{UNER.name}, {READ}",
        large=True,
    )
