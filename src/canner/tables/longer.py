"""Do taggers of the fast protocol have epochs enough? Its large tables, and those of few labels, with three times."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european, masakhaner, uner
from canner.tables.few_labels import CORPORA, FEW, patient
from canner.tables.protocols import Part, Protocol
from canner.tables.rows import BOTH, GLOSS, rows_named
from canner.tables.variations import derived, with_more_epochs

OF_PAPER_AND_GLOSS = ("CAN_last", GLOSS)


def _longer(part: str, make: Part, about: str, *, both: bool = True, encoder: str = "") -> Part:
    """A table of the fast protocol with more epochs.

    Args:
        part: its name here.
        make, about: the table, and what it is.
        both: whether gloss and ConvS2S together are asked, too.
        encoder: its tagger that reads an encoder, where English is asked beside it, too.
    """

    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        plain = table.systems[0].name
        rows = [plain, *(f"{plain} + {added}" for added in (*OF_PAPER_AND_GLOSS, *((BOTH,) if both else ())))]
        if encoder:
            rows += [encoder, *(f"{encoder} + {added}" for added in OF_PAPER_AND_GLOSS)]
        own = derived(table, f"longer-{part}", f"Longer, {table.title}", rows_named(table.systems, rows))
        return with_more_epochs(own)

    made.__doc__ = f"{about}, three times the epochs."
    return made


def _longer_few(part: str) -> Part:
    corpus = CORPORA[part]
    title = f"{corpus.title}, {FEW} sentences"

    def made(protocol: Protocol) -> ComparisonExperiment:
        rows = ("plain", *OF_PAPER_AND_GLOSS)
        return patient(f"longer-few-{part}", corpus, protocol, title=f"Longer, {title}", rows=rows)

    made.__doc__ = f"{title}, three times the epochs and the patience."
    return made


PARTS: dict[str, Part] = {
    "german": _longer("german", european.german, "Table 2, German (CoNLL-2003)"),
    "spanish": _longer("spanish", european.spanish, "Table 2, Spanish (CoNLL-2002)"),
    "ontonotes": _longer("ontonotes", chinese.ontonotes, "Table 3, OntoNotes 5 Chinese news"),
    "swahili": _longer("swahili", masakhaner.swahili, "Swahili"),
    "yoruba": _longer("yoruba", masakhaner.yoruba, "Yoruba", encoder="Encoder+BiLSTM+CRF"),
    "uner": _longer("uner", uner.chinese, "Chinese of Universal NER", both=False),
    **{f"few-{part}": _longer_few(part) for part in CORPORA},
}
"""The parts of the table, by name."""
