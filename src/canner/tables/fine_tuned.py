"""A hundred labelled sentences in all, and an encoder that is trained with the tagger: does English still add to it?"""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.presets import FINE_TUNING
from canner.tables.bundles import ENCODER
from canner.tables.few_labels import CORPORA, FEW, few
from canner.tables.hundred import HELD_OUT
from canner.tables.protocols import Part, Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import GLOSS, rows_of

PLAIN = "Fine-tuned encoder"


def _fine_tuned(part: str) -> Part:
    corpus = CORPORA[part]

    def made(protocol: Protocol) -> ComparisonExperiment:
        rows = rows_of(PLAIN, some(readings(corpus.language), GLOSS), {"embeddings.fine_tuned": ENCODER})
        return comparison(
            f"fine-tuned-{part}",
            f"{corpus.title}, a hundred sentences in all, a fine-tuned encoder",
            protocol,
            few(corpus.data, HELD_OUT),
            rows,
            model=corpus.model,
            corpus=f"{corpus.name}, {FEW} training sentences, drawn at random for each run, the same as of `hundred`, "
            f"{HELD_OUT} of which are not trained on, nor used otherwise, full test set; random word vectors",
            budgets=(FEW,),
            training=FINE_TUNING,
            headline=False,
        )

    made.__doc__ = f"{corpus.title}, the sentences of `hundred`: an encoder that is trained with the tagger."
    return made


PARTS = {part: _fine_tuned(part) for part in CORPORA}
"""The parts of the table, by name."""
