"""Is it the translator's training? CAN_last by translators that were trained on, with more text and without."""

from __future__ import annotations

from typing import Any

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european
from canner.tables.protocols import (
    AT_INPUT,
    COPIED,
    LAST,
    TRANSLATORS,
    Protocol,
    rows_of,
    view,
    with_english,
)

LONGER = {language: f"runs/translator-{language}-longer" for language in ("de", "zh")}
"""Translators that ship, trained on with their own parallel text."""
BACK_TRANSLATED = "runs/translator-zh-backtranslated"
"""The Chinese one trained on with back-translations beside it."""
TRAINED_ON = (
    "trained on: the translator that ships after six more minutes on a GPU with its own parallel text"
)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003), CAN_last by translators that were trained on."""
    bundles = {"": TRANSLATORS["de"], ", trained on": LONGER["de"]}
    more = f"{TRAINED_ON}, with 60,000 everyday pairs, not all 169,781"
    return _translation("german", "German (CoNLL-2003)", protocol, european.german(protocol), bundles, more)


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation, CAN_last by translators that were trained on."""
    bundles = {"": TRANSLATORS["zh"], ", trained on": LONGER["zh"], ", back-translated": BACK_TRANSLATED}
    more = (
        f"{TRAINED_ON}; back-translated: the same with English newswire and other English beside it, whose Chinese a "
        "translator the other way wrote"
    )
    table = chinese.weibo_revised(protocol)
    return _translation("weibo", "Weibo (revised annotation)", protocol, table, bundles, more)


def _translation(
    name: str, title: str, protocol: Protocol, table: ComparisonExperiment, bundles: dict[str, str], more: str
) -> ComparisonExperiment:
    """The table with its plain row, and by each translator: joined as in the paper, and, copies known, at the input.

    Args:
        name, title, protocol: of the results.
        table: whose plain tagger it is.
        bundles: of the translators, by the end of their rows' names.
        more: about these, in words.
    """
    additions: dict[str, dict[str, Any]] = {}
    for kind, bundle in bundles.items():
        additions[f"CAN_last{kind}"] = with_english(view(bundle, LAST))
        at_input = {**with_english(view(bundle, COPIED)), **AT_INPUT}
        additions[f"CAN_last with copies at the input{kind}"] = at_input
    changes = {
        "name": f"translation-{name}-{protocol}",
        "title": f"Translation, {title}, {protocol} protocol",
        "base": table.base.model_copy(update={"name": f"translation-{name}"}),
        "systems": tuple(rows_of(table.systems[0].name, additions, {})),
        "corpus": f"{table.corpus}; {more}",
        "paper": None,
        "headline": False,
    }
    return table.model_copy(update=changes)
