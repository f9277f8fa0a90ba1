"""Is it the translator's training? CAN_last by translators that were trained on, with more text and without."""

from __future__ import annotations

from typing import Any

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import european
from canner.tables.chinese import CHARACTERS, ONTONOTES5, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
from canner.tables.protocols import (
    AT_INPUT,
    COPIED,
    LAST,
    TRANSLATORS,
    Protocol,
    comparison,
    rows_of,
    view,
    with_english,
)

KINDS = {"trained on": "longer", "back-translated": "backtranslated"}
"""How the translators that ship were trained on, as rows call it, and as their bundles' names do."""
OUR_TRANSLATORS = (
    "trained on: the translator that ships after six more minutes on a GPU with its own parallel text; "
    "back-translated: the same with English newswire and other English beside it, whose source side a translator the "
    "other way wrote"
)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003), CAN_last by translators that were trained on."""
    return comparison(
        "translation-german",
        "Translation, German (CoNLL-2003)",
        protocol,
        european.GERMAN,
        rows_of("BiLSTM+CRF", _additions("de"), {}),
        model=european.model(protocol),
        embeddings=european.vectors("de"),
        corpus=f"German (CoNLL-2003), {european.CORPUS}; {OUR_TRANSLATORS}; either with 60,000 everyday pairs, not "
        "all 169,781",
        large=True,
        batch_size=32,
        headline=False,
    )


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation, CAN_last by translators that were trained on."""
    return comparison(
        "translation-weibo",
        "Translation, Weibo (revised annotation)",
        protocol,
        weibo("weiboNER_2nd_conll"),
        rows_of("Char+BiLSTM+CRF", _additions("zh"), {}),
        model=CHARACTERS,
        embeddings=VECTORS,
        corpus=f"{WEIBO_TEXT}; {OUR_VECTORS}; {OUR_TRANSLATORS}",
        headline=False,
    )


def on_news(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 5 Chinese news, CAN_last by translators that were trained on."""
    return comparison(
        "translation-news",
        "Translation, OntoNotes 5 Chinese news",
        protocol,
        ONTONOTES5,
        rows_of("Char+BiLSTM+CRF", _additions("zh"), {}),
        model=CHARACTERS,
        embeddings=VECTORS,
        corpus=f"OntoNotes 5 Chinese, bn+mz+nw, four types; {OUR_VECTORS}; {OUR_TRANSLATORS}",
        large=True,
        batch_size=32,
        headline=False,
    )


def _additions(language: str) -> dict[str, dict[str, Any]]:
    """By each translator: joined as in the paper, and, copies known, at the input."""
    bundles = {"": TRANSLATORS[language]}
    bundles |= {f", {kind}": f"runs/translator-{language}-{ending}" for kind, ending in KINDS.items()}
    additions = {}
    for kind, bundle in bundles.items():
        additions[f"CAN_last{kind}"] = with_english(view(bundle, LAST))
        at_input = {**with_english(view(bundle, COPIED)), **AT_INPUT}
        additions[f"CAN_last with copies at the input{kind}"] = at_input
    return additions
