"""Do taggers of the fast protocol have epochs enough? Its large tables, and those of few labels, with three times."""

from __future__ import annotations

from collections.abc import Sequence

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european, few_labels, masakhaner, uner
from canner.tables.protocols import Protocol
from canner.tables.variations import with_more_epochs, with_rows

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


def few_spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, 100 sentences, three times the epochs and the patience."""
    return _few("spanish", few_labels.spanish(protocol))


def few_swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, 100 sentences, three times the epochs and the patience."""
    return _few("swahili", few_labels.swahili(protocol))


def few_yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, 100 sentences, three times the epochs and the patience."""
    return _few("yoruba", few_labels.yoruba(protocol))


def _longer(name: str, table: ComparisonExperiment) -> ComparisonExperiment:
    plain = table.systems[0].name
    rows = [f"{plain} + {added}" if added else plain for added in ROWS]
    return with_more_epochs(_some_rows(name, table, rows), TIMES)


def _few(name: str, table: ComparisonExperiment) -> ComparisonExperiment:
    """With few sentences an epoch is short, and many pass without gain: these have more patience, too."""
    few = _some_rows(f"few-{name}", table, [table.systems[0].name, *ROWS])
    return with_more_epochs(few.model_copy(update={"budgets": (few_labels.FEW,)}), TIMES, patience=True)


def _some_rows(name: str, table: ComparisonExperiment, rows: Sequence[str]) -> ComparisonExperiment:
    return with_rows(table, rows, f"longer-{name}", f"Longer, {table.title}")
