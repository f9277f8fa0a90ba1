"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.few_labels import BESIDE_VECTORS, CORPORA, FEW, WITH_VECTORS, patient
from canner.tables.protocols import Part, Protocol

HELD_OUT = 20
ROWS = ("plain", "CAN_last", "CAN_gloss at the input", "Encoder", "Encoder + CAN_gloss at the input")
ROWS_OF_VECTORS = (WITH_VECTORS, *(f"{WITH_VECTORS} + {name}" for name in BESIDE_VECTORS))
"""Where there are some of the corpus's tokens."""


def _hundred(part: str) -> Part:
    corpus = CORPORA[part]
    title = f"{corpus.title}, a hundred sentences in all"
    rows = ROWS if corpus.vectors is None else (*ROWS, *ROWS_OF_VECTORS)

    def made(protocol: Protocol) -> ComparisonExperiment:
        return patient(f"hundred-{part}", corpus, protocol, title=title, rows=rows, held_out=HELD_OUT)

    made.__doc__ = f"{corpus.title}, {FEW - HELD_OUT} sentences to learn from and {HELD_OUT} to stop by."
    return made


PARTS = {part: _hundred(part) for part in CORPORA}
"""The parts of the table, by name."""
