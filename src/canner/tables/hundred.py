"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import few_labels
from canner.tables.protocols import Protocol
from canner.tables.variations import with_rows

NUM_TRAIN, NUM_DEV = 80, 20
SUBSETS = (
    f"{NUM_TRAIN} training sentences, drawn at random for each run, {NUM_DEV} more labelled sentences (of the "
    "development part, the same for all runs) that decide when training stops, full test set; random word vectors"
)
"""What a run reads, in words."""
ROWS = ("plain", "CAN_last", "CAN_gloss at the input", "Encoder", "Encoder + CAN_gloss at the input")


def german(protocol: Protocol) -> ComparisonExperiment:
    """German, 80 sentences to learn from and 20 to stop by."""
    return _hundred("german", few_labels.german(protocol))


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, 80 sentences to learn from and 20 to stop by."""
    return _hundred("spanish", few_labels.spanish(protocol))


def ontonotes(protocol: Protocol) -> ComparisonExperiment:
    """Chinese news, 80 sentences to learn from and 20 to stop by."""
    return _hundred("ontonotes", few_labels.ontonotes(protocol))


def uner_chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese of Universal NER, 80 sentences to learn from and 20 to stop by."""
    return _hundred("uner", few_labels.uner_chinese(protocol))


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, 80 sentences to learn from and 20 to stop by."""
    return _hundred("swahili", few_labels.swahili(protocol))


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, 80 sentences to learn from and 20 to stop by."""
    return _hundred("yoruba", few_labels.yoruba(protocol))


def _hundred(part: str, few: ComparisonExperiment) -> ComparisonExperiment:
    language, _, protocol = few.title.rsplit(", ", 2)
    fewer = with_rows(few, ROWS, f"hundred-{part}", f"{language}, a hundred sentences in all, {protocol}")
    data = few.base.data.model_copy(update={"num_dev": NUM_DEV})
    changes = {
        "base": fewer.base.model_copy(update={"data": data}),
        "budgets": (NUM_TRAIN,),
        "corpus": few.corpus.replace(few_labels.SUBSETS, SUBSETS),
    }
    return fewer.model_copy(update=changes)
