"""Beyond the paper: Chinese text of another kind, on which none of the rules of the Chinese gloss were made."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.tables.protocols import Protocol, can_systems, comparison

_FOLDER = "$CANNER_DATA/ner/uner_zh_gsdsimp"
_PLAIN = "BiLSTM+CRF"
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
    rows = (_PLAIN, *(f"{_PLAIN} + {addition}" for addition in _ADDITIONS))
    return comparison(
        "uner-chinese",
        "Chinese (Universal NER, GSD simplified)",
        protocol,
        CHINESE,
        [system for system in can_systems("zh", _PLAIN) if system.name in rows],
        corpus="Universal NER Chinese GSDSIMP, all training sentences, full test set; random word vectors",
        large=True,
        batch_size=32,
    )
