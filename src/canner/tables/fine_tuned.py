"""A hundred labelled sentences in all, and an encoder that is trained with the tagger: does English still add to it?"""

from __future__ import annotations

from itertools import chain

from canner.experiment.comparison import ComparisonExperiment
from canner.presets import FINE_TUNING
from canner.tables.bundles import ENCODER, ENGLISH_ENCODER
from canner.tables.few_labels import CORPORA, FEW, few
from canner.tables.hundred import HELD_OUT
from canner.tables.protocols import Part, Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import GLOSS, rows_of

STARTS = {"Fine-tuned encoder": ENCODER, "Fine-tuned encoder, English first": ENGLISH_ENCODER}
"""What the encoder is before it is trained, by the name of the plain tagger's row."""


def _fine_tuned(part: str) -> Part:
    corpus = CORPORA[part]

    def made(protocol: Protocol) -> ComparisonExperiment:
        gloss = some(readings(corpus.language), GLOSS)
        rows = [rows_of(plain, gloss, {"embeddings.fine_tuned": start}) for plain, start in STARTS.items()]
        return comparison(
            f"fine-tuned-{part}",
            f"{corpus.title}, a hundred sentences in all, a fine-tuned encoder",
            protocol,
            few(corpus.data, HELD_OUT),
            list(chain(*rows)),
            model=corpus.model,
            corpus=f"{corpus.name}, {FEW} training sentences, drawn at random for each run, the same as of `hundred`, "
            f"{HELD_OUT} of which are not trained on, and decide which row is bold alone, full test set; random word "
            "vectors",
            budgets=(FEW,),
            training=FINE_TUNING,
            headline=False,
        )

    made.__doc__ = f"{corpus.title}, the sentences of `hundred`: an encoder that is trained with the tagger."
    return made


PARTS = {part: _fine_tuned(part) for part in CORPORA}
"""The parts of the table, by name."""
