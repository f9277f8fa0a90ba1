"""A hundred labelled sentences in all: most of them to learn from, the others decide when training stops."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.few_labels import CORPORA, drawn
from canner.tables.protocols import Comparison, Protocol
from canner.tables.variations import with_more_epochs

NUM_TRAIN, NUM_DEV = 80, 20
TIMES = 3
"""So many times the epochs and the patience of the fast protocol: many epochs pass before 20 sentences tell a gain."""
ROWS = ("plain", "CAN_last", "CAN_gloss at the input", "Encoder", "Encoder + CAN_gloss at the input")


def _hundred(part: str) -> Comparison:
    def made(protocol: Protocol) -> ComparisonExperiment:
        few = drawn(
            f"hundred-{part}",
            CORPORA[part],
            protocol,
            title=f"{CORPORA[part].title}, a hundred sentences in all",
            budgets=(NUM_TRAIN,),
            rows=ROWS,
            num_dev=NUM_DEV,
            headline=False,
        )
        return with_more_epochs(few, TIMES, patience=True)

    made.__doc__ = f"{CORPORA[part].title}, {NUM_TRAIN} sentences to learn from and {NUM_DEV} to stop by."
    return made


PARTS = {part: _hundred(part) for part in CORPORA}
"""The parts of the table, by name."""
