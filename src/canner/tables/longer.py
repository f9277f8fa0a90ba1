"""Do taggers of the fast protocol have epochs enough? Its large tables, and those of few labels, with three times."""

from __future__ import annotations

from collections.abc import Sequence

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european, few_labels, masakhaner, uner
from canner.tables.protocols import Comparison, Protocol
from canner.tables.variations import with_more_epochs, with_rows

TIMES = 3
"""So many times the epochs of the fast protocol."""
ROWS = ("", "CAN_last", "CAN_gloss at the input", "CAN_gloss and CAN_last with copies at the input")
"""What is added to the first plain tagger of a table: nothing, the paper's, and ours."""


def _longer(part: str, make: Comparison, about: str) -> Comparison:
    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        plain = table.systems[0].name
        rows = [f"{plain} + {added}" if added else plain for added in ROWS]
        return with_more_epochs(_some_rows(part, table, rows), TIMES)

    made.__doc__ = f"{about}, three times the epochs."
    return made


def _longer_few(part: str, make: Comparison, about: str) -> Comparison:
    """With few sentences an epoch is short, and many pass without gain: these have more patience, too."""

    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        few = _some_rows(part, table, [table.systems[0].name, *ROWS])
        return with_more_epochs(few.model_copy(update={"budgets": (few_labels.FEW,)}), TIMES, patience=True)

    made.__doc__ = f"{about}, 100 sentences, three times the epochs and the patience."
    return made


def _some_rows(part: str, table: ComparisonExperiment, rows: Sequence[str]) -> ComparisonExperiment:
    return with_rows(table, rows, f"longer-{part}", f"Longer, {table.title}")


PARTS: dict[str, Comparison] = {
    "german": _longer("german", european.german, "Table 2, German (CoNLL-2003)"),
    "spanish": _longer("spanish", european.spanish, "Table 2, Spanish (CoNLL-2002)"),
    "ontonotes": _longer("ontonotes", chinese.ontonotes, "Table 3, OntoNotes 5 Chinese news"),
    "swahili": _longer("swahili", masakhaner.swahili, "Swahili"),
    "yoruba": _longer("yoruba", masakhaner.yoruba, "Yoruba"),
    "uner": _longer("uner", uner.chinese, "Chinese of Universal NER"),
    "few-german": _longer_few("few-german", few_labels.german, "German"),
    "few-spanish": _longer_few("few-spanish", few_labels.spanish, "Spanish"),
    "few-ontonotes": _longer_few("few-ontonotes", few_labels.ontonotes, "Chinese news"),
    "few-uner": _longer_few("few-uner", few_labels.uner_chinese, "Chinese of Universal NER"),
    "few-swahili": _longer_few("few-swahili", few_labels.swahili, "Swahili"),
    "few-yoruba": _longer_few("few-yoruba", few_labels.yoruba, "Yoruba"),
}
"""The parts of the table, by name."""
