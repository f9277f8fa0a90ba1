"""Is it the translator's training? CAN_last by translators that were trained on, with more text and without."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.tagger import EmbeddingsConfig
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
    "back-translated: the same with newswire and other English beside it that a translator the other way wrote"
)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003), CAN_last by translators that were trained on."""
    title, corpus = "German (CoNLL-2003)", european.CORPUS
    model = {"word_dim": 100, **({"char_encoder": "none"} if protocol == "paper" else {})}
    plain, embeddings = "BiLSTM+CRF", european.vectors("de")
    return _translation("german", title, protocol, european.GERMAN, plain, "de", model, embeddings, corpus)


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation, CAN_last by translators that were trained on."""
    title, corpus = "Weibo (revised annotation)", f"{WEIBO_TEXT}; {OUR_VECTORS}"
    data, plain = weibo("weiboNER_2nd_conll"), "Char+BiLSTM+CRF"
    return _translation("weibo", title, protocol, data, plain, "zh", CHARACTERS, VECTORS, corpus)


def on_news(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 5 Chinese news, CAN_last by translators that were trained on."""
    title, corpus = "OntoNotes 5 Chinese news", f"OntoNotes 5 Chinese, bn+mz+nw, four types; {OUR_VECTORS}"
    plain = "Char+BiLSTM+CRF"
    return _translation("news", title, protocol, ONTONOTES5, plain, "zh", CHARACTERS, VECTORS, corpus)


def _translation(
    name: str,
    title: str,
    protocol: Protocol,
    data: CorpusConfig,
    plain: str,
    language: str,
    model: dict[str, Any],
    embeddings: EmbeddingsConfig,
    corpus: str,
) -> ComparisonExperiment:
    bundles = {"": TRANSLATORS[language]}
    bundles |= {f", {kind}": f"runs/translator-{language}-{ending}" for kind, ending in KINDS.items()}
    additions = {}
    for kind, bundle in bundles.items():
        additions[f"CAN_last{kind}"] = with_english(view(bundle, LAST))
        at_input = {**with_english(view(bundle, COPIED)), **AT_INPUT}
        additions[f"CAN_last with copies at the input{kind}"] = at_input
    large = name != "weibo"
    return comparison(
        f"translation-{name}",
        f"Translation, {title}",
        protocol,
        data,
        rows_of(plain, additions, {}),
        model=model,
        embeddings=embeddings,
        corpus=f"{title}, {corpus}; {OUR_TRANSLATORS}"
        if language == "de"
        else f"{corpus}; {OUR_TRANSLATORS}",
        large=large,
        batch_size=32 if large else 16,
        headline=False,
    )
