"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.few_labels import CORPORA, FEW, WITH_VECTORS, beside_vectors, patient
from canner.tables.protocols import Part, Protocol
from canner.tables.rows import glosses_at_input

HELD_OUT = 20


def _hundred(part: str) -> Part:
    corpus = CORPORA[part]
    title = f"{corpus.title}, a hundred sentences in all"
    glosses = glosses_at_input(corpus.language)
    rows = ["plain", "CAN_last", *glosses, "Encoder", *(f"Encoder + {gloss}" for gloss in glosses)]
    if corpus.vectors is not None:
        rows += [WITH_VECTORS, *(f"{WITH_VECTORS} + {name}" for name in beside_vectors(corpus.language))]

    def made(protocol: Protocol) -> ComparisonExperiment:
        return patient(f"hundred-{part}", corpus, protocol, title=title, rows=rows, held_out=HELD_OUT)

    made.__doc__ = f"{corpus.title}, {FEW - HELD_OUT} sentences to learn from and {HELD_OUT} to stop by."
    return made


PARTS = {part: _hundred(part) for part in CORPORA}
"""The parts of the table, by name."""
