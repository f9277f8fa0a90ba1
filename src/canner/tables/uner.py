"""Beyond the paper: Chinese text of another kind, on which none of the rules of the Chinese gloss were made."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.tables.protocols import Protocol, can_systems, comparison

_PLAIN = "BiLSTM+CRF"
_ADDITIONS = ("CAN_last", "CAN_aligned at the input", "CAN_gloss at the input")


def chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese encyclopaedia (Universal NER, GSD simplified), a token a word."""
    train, dev, test = (
        f"$CANNER_DATA/ner/uner_zh_gsdsimp/zh_gsdsimp-ud-{part}.iob2" for part in ("train", "dev", "test")
    )
    rows = (_PLAIN, *(f"{_PLAIN} + {addition}" for addition in _ADDITIONS))
    return comparison(
        "uner-chinese",
        "Chinese (Universal NER, GSD simplified)",
        protocol,
        CorpusConfig(train=(train,), dev=(dev,), test=(test,), token_column=1, tag_column=2),
        [system for system in can_systems("zh", _PLAIN) if system.name in rows],
        corpus="Universal NER Chinese GSDSIMP, all training sentences, full test set; random word vectors",
        large=True,
        batch_size=32,
    )
