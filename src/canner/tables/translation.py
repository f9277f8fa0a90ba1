"""Is it the translator's training? CAN_last by translators that were trained on, with more text and without."""

from __future__ import annotations

from typing import Any

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import european
from canner.tables.chinese import CHARACTERS, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
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

LONGER = {language: f"runs/translator-{language}-longer" for language in ("de", "zh")}
"""Translators that ship, trained on with their own parallel text."""
BACK_TRANSLATED = "runs/translator-zh-backtranslated"
"""The Chinese one trained on with back-translations beside it."""
TRAINED_ON = (
    "trained on: the translator that ships after six more minutes on a GPU with its own parallel text"
)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003), CAN_last by translators that were trained on."""
    return comparison(
        "translation-german",
        "Translation, German (CoNLL-2003)",
        protocol,
        european.GERMAN,
        rows_of("BiLSTM+CRF", _additions({"": TRANSLATORS["de"], ", trained on": LONGER["de"]}), {}),
        model=european.model(protocol),
        embeddings=european.vectors("de"),
        corpus=f"German (CoNLL-2003), {european.CORPUS}; {TRAINED_ON}, with 60,000 everyday pairs, not all 169,781",
        large=True,
        batch_size=32,
        headline=False,
    )


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation, CAN_last by translators that were trained on."""
    bundles = {"": TRANSLATORS["zh"], ", trained on": LONGER["zh"], ", back-translated": BACK_TRANSLATED}
    return comparison(
        "translation-weibo",
        "Translation, Weibo (revised annotation)",
        protocol,
        weibo("weiboNER_2nd_conll"),
        rows_of("Char+BiLSTM+CRF", _additions(bundles), {}),
        model=CHARACTERS,
        embeddings=VECTORS,
        corpus=f"{WEIBO_TEXT}; {OUR_VECTORS}; {TRAINED_ON}; back-translated: the same with English newswire and other "
        "English beside it, whose Chinese a translator the other way wrote",
        headline=False,
    )


def _additions(bundles: dict[str, str]) -> dict[str, dict[str, Any]]:
    """By each translator: joined as in the paper, and, copies known, at the input.

    Args:
        bundles: of the translators, by the end of their rows' names.
    """
    additions = {}
    for kind, bundle in bundles.items():
        additions[f"CAN_last{kind}"] = with_english(view(bundle, LAST))
        at_input = {**with_english(view(bundle, COPIED)), **AT_INPUT}
        additions[f"CAN_last with copies at the input{kind}"] = at_input
    return additions
