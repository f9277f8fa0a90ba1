"""Do taggers of the fast protocol have epochs enough? Its large tables, and those of few labels, with three times."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european, masakhaner, uner
from canner.tables.few_labels import CORPORA, FEW, TIMES, patient
from canner.tables.protocols import Comparison, Protocol
from canner.tables.variations import with_more_epochs

ROWS = ("", "CAN_last", "CAN_gloss at the input", "CAN_gloss and CAN_last with copies at the input")
"""What is added to the first plain tagger of a table: nothing, the paper's, and ours."""


def _longer(part: str, make: Comparison, about: str) -> Comparison:
    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        plain = table.systems[0].name
        rows = [f"{plain} + {added}" if added else plain for added in ROWS]
        changes = {
            "name": f"longer-{part}-{protocol}",
            "title": f"Longer, {table.title}",
            "base": table.base.model_copy(update={"name": f"longer-{part}"}),
            "systems": tuple(system for system in table.systems if system.name in rows),
            "paper": None,
            "headline": False,
        }
        return with_more_epochs(table.model_copy(update=changes), TIMES)

    made.__doc__ = f"{about}, three times the epochs."
    return made


def _longer_few(part: str) -> Comparison:
    corpus = CORPORA[part]
    title = f"{corpus.title}, {FEW} sentences"

    def made(protocol: Protocol) -> ComparisonExperiment:
        rows = ("plain", *ROWS)
        return patient(f"longer-few-{part}", corpus, protocol, title=f"Longer, {title}", rows=rows)

    made.__doc__ = f"{title}, three times the epochs and the patience."
    return made


PARTS: dict[str, Comparison] = {
    "german": _longer("german", european.german, "Table 2, German (CoNLL-2003)"),
    "spanish": _longer("spanish", european.spanish, "Table 2, Spanish (CoNLL-2002)"),
    "ontonotes": _longer("ontonotes", chinese.ontonotes, "Table 3, OntoNotes 5 Chinese news"),
    "swahili": _longer("swahili", masakhaner.swahili, "Swahili"),
    "yoruba": _longer("yoruba", masakhaner.yoruba, "Yoruba"),
    "uner": _longer("uner", uner.chinese, "Chinese of Universal NER"),
    **{f"few-{part}": _longer_few(part) for part in CORPORA},
}
"""The parts of the table, by name."""
