"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import few_labels
from canner.tables.protocols import Comparison, Protocol
from canner.tables.variations import with_rows

NUM_TRAIN, NUM_DEV = 80, 20
SUBSETS = (
    f"{NUM_TRAIN} training sentences, drawn at random for each run, {NUM_DEV} more labelled sentences (of the "
    "development part, the same for all runs) that decide when training stops, full test set; random word vectors"
)
"""What a run reads, in words."""
ROWS = ("plain", "CAN_last", "CAN_gloss at the input", "Encoder", "Encoder + CAN_gloss at the input")


def _hundred(part: str, make: Comparison, about: str) -> Comparison:
    def made(protocol: Protocol) -> ComparisonExperiment:
        few = make(protocol)
        language, _, words = few.title.rsplit(", ", 2)
        fewer = with_rows(few, ROWS, f"hundred-{part}", f"{language}, a hundred sentences in all, {words}")
        data = few.base.data.model_copy(update={"num_dev": NUM_DEV})
        changes = {
            "base": fewer.base.model_copy(update={"data": data}),
            "budgets": (NUM_TRAIN,),
            "corpus": few.corpus.replace(few_labels.SUBSETS, SUBSETS),
        }
        return fewer.model_copy(update=changes)

    made.__doc__ = f"{about}, {NUM_TRAIN} sentences to learn from and {NUM_DEV} to stop by."
    return made


PARTS: dict[str, Comparison] = {
    "german": _hundred("german", few_labels.german, "German"),
    "spanish": _hundred("spanish", few_labels.spanish, "Spanish"),
    "ontonotes": _hundred("ontonotes", few_labels.ontonotes, "Chinese news"),
    "uner": _hundred("uner", few_labels.uner_chinese, "Chinese of Universal NER"),
    "swahili": _hundred("swahili", few_labels.swahili, "Swahili"),
    "yoruba": _hundred("yoruba", few_labels.yoruba, "Yoruba"),
}
"""The parts of the table, by name."""
