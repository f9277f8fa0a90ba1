"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.few_labels import CORPORA, patient
from canner.tables.protocols import Comparison, Protocol

NUM_TRAIN, NUM_DEV = 80, 20
ROWS = ("plain", "CAN_last", "CAN_gloss at the input", "Encoder", "Encoder + CAN_gloss at the input")


def _hundred(part: str) -> Comparison:
    corpus = CORPORA[part]
    title = f"{corpus.title}, a hundred sentences in all"

    def made(protocol: Protocol) -> ComparisonExperiment:
        name = f"hundred-{part}"
        return patient(name, corpus, protocol, title=title, num_train=NUM_TRAIN, rows=ROWS, num_dev=NUM_DEV)

    made.__doc__ = f"{corpus.title}, {NUM_TRAIN} sentences to learn from and {NUM_DEV} to stop by."
    return made


PARTS = {part: _hundred(part) for part in CORPORA}
"""The parts of the table, by name."""
