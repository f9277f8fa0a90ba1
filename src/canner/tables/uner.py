"""Beyond the paper: Chinese text of another kind, on which none of the rules of the Chinese gloss were made."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.tables.protocols import Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import rows_of

_FOLDER = "$CANNER_DATA/ner/uner_zh_gsdsimp"
_ADDITIONS = ("CAN_last", "CAN_aligned at the input", "CAN_gloss at the input")


CHINESE = CorpusConfig(
    train=(f"{_FOLDER}/zh_gsdsimp-ud-train.iob2",),
    dev=(f"{_FOLDER}/zh_gsdsimp-ud-dev.iob2",),
    test=(f"{_FOLDER}/zh_gsdsimp-ud-test.iob2",),
    token_column=1,
    tag_column=2,
)
"""Encyclopaedia, a token a word."""


def chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese encyclopaedia (Universal NER, GSD simplified), a token a word."""
    return comparison(
        "uner-chinese",
        "Chinese (Universal NER, GSD simplified)",
        protocol,
        CHINESE,
        rows_of("BiLSTM+CRF", some(readings("zh"), *_ADDITIONS)),
        corpus="Universal NER Chinese GSDSIMP, all training sentences, full test set; random word vectors",
        large=True,
    )
