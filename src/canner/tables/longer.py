"""Do taggers of the fast protocol have epochs enough? Its large tables with three times as many."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european, masakhaner, uner
from canner.tables.protocols import Protocol
from canner.tables.variations import with_more_epochs

TIMES = 3
"""So many times the epochs of the fast protocol."""
ROWS = ("", "CAN_last", "CAN_gloss at the input", "CAN_gloss and CAN_last with copies at the input")
"""What is added to the first plain tagger of a table: nothing, the paper's, and ours."""


def german(protocol: Protocol) -> ComparisonExperiment:
    """Table 2, German (CoNLL-2003), three times the epochs."""
    return _longer("german", european.german(protocol))


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """Table 2, Spanish (CoNLL-2002), three times the epochs."""
    return _longer("spanish", european.spanish(protocol))


def ontonotes(protocol: Protocol) -> ComparisonExperiment:
    """Table 3, OntoNotes 5 Chinese news, three times the epochs."""
    return _longer("ontonotes", chinese.ontonotes(protocol))


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, three times the epochs."""
    return _longer("swahili", masakhaner.swahili(protocol))


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, three times the epochs."""
    return _longer("yoruba", masakhaner.yoruba(protocol))


def uner_chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese of Universal NER, three times the epochs."""
    return _longer("uner", uner.chinese(protocol))


def _longer(name: str, table: ComparisonExperiment) -> ComparisonExperiment:
    plain = table.systems[0].name
    rows = [f"{plain} + {added}" if added else plain for added in ROWS]
    base = table.base.model_copy(update={"name": f"longer-{name}"})
    changes = {
        "name": f"longer-{name}-fast",
        "title": f"Longer, {table.title}",
        "base": base,
        "systems": tuple(system for system in table.systems if system.name in rows),
        "paper": None,
        "headline": False,
    }
    return with_more_epochs(table.model_copy(update=changes), TIMES)
