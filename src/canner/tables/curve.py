"""F1 by the number of labelled sentences: what English adds to a plain tagger the more there are."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.few_labels import CORPORA, WITH_VECTORS, drawn
from canner.tables.protocols import Part, Protocol
from canner.tables.rows import glosses_at_input

NUMBERS = (100, 500, 2000)
"""Training sentences."""
PLAIN = {"german": WITH_VECTORS, "spanish": WITH_VECTORS, "ontonotes": WITH_VECTORS}
"""The plain tagger, as in the table of all labels: with trained vectors here, elsewhere with random ones.

That of all labels on Chinese news does not know the characters that stand in no training sentence.
"""


def _curve(part: str) -> Part:
    corpus = CORPORA[part]
    plain = PLAIN.get(part, "plain")
    glosses = glosses_at_input(corpus.language)
    rows = (plain, *(f"{plain} + {gloss}" if part in PLAIN else gloss for gloss in glosses))

    def made(protocol: Protocol) -> ComparisonExperiment:
        title = f"{corpus.title}, by the number of sentences"
        return drawn(
            f"curve-{part}", corpus, protocol, title=title, budgets=NUMBERS, rows=rows, headline=False
        )

    made.__doc__ = (
        f"{corpus.title}, {NUMBERS[0]} to {NUMBERS[-1]:,} sentences: plain, and with the word gloss."
    )
    return made


PARTS = {part: _curve(part) for part in CORPORA}
"""The parts of the table, by name."""
