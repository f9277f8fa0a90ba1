"""Is it the translation? The paper's way of reading a ConvS2S, with one that learned the word gloss's English."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.chinese import CHARACTERS, ONTONOTES5, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
from canner.tables.protocols import (
    AT_INPUT,
    COPIED,
    FIRST,
    GLOSSES,
    LAST,
    TRANSLATORS,
    Protocol,
    comparison,
    view,
    with_english,
)

DISTILLED = "runs/translator-zh-distilled"
"""The Chinese translator that ships, trained on with the word gloss's English of 58,551 pairs of parallel text."""
CONTINUED = "runs/translator-zh-continued"
"""The same with people's English of these pairs."""
PLAIN = "Char+BiLSTM+CRF"


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: CAN_last by a translator that learned the word gloss's English."""
    corpus = f"{WEIBO_TEXT}; {OUR_VECTORS}"
    return _distillation("weibo", "Weibo (revised annotation)", weibo("weiboNER_2nd_conll"), corpus, protocol)


def on_news(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 5 Chinese news: CAN_last by a translator that learned the word gloss's English."""
    corpus = f"OntoNotes 5 Chinese, bn+mz+nw, four types; {OUR_VECTORS}"
    title = "OntoNotes 5 Chinese news"
    return _distillation("news", title, ONTONOTES5, corpus, protocol, large=True, batch_size=32)


def _distillation(
    name: str,
    title: str,
    data: CorpusConfig,
    corpus: str,
    protocol: Protocol,
    *,
    large: bool = False,
    batch_size: int = 16,
) -> ComparisonExperiment:
    gloss = with_english(view(GLOSSES["zh"]))
    additions = {
        "CAN_last": with_english(view(TRANSLATORS["zh"], LAST)),
        "CAN_last, continued": with_english(view(CONTINUED, LAST)),
        "CAN_last with copies at the input": {**with_english(view(TRANSLATORS["zh"], COPIED)), **AT_INPUT},
        "CAN_last with copies at the input, continued": {**with_english(view(CONTINUED, COPIED)), **AT_INPUT},
        "CAN_first, distilled": with_english(view(DISTILLED, FIRST)),
        "CAN_last, distilled": with_english(view(DISTILLED, LAST)),
        "CAN_last with copies at the input, distilled": {**with_english(view(DISTILLED, COPIED)), **AT_INPUT},
        "CAN_gloss": gloss,
        "CAN_gloss at the input": {**gloss, **AT_INPUT},
    }
    rows = [System(name=f"{PLAIN} + {name}", change=change) for name, change in additions.items()]
    return comparison(
        f"distillation-{name}",
        f"Distillation, {title}",
        protocol,
        data,
        [System(name=PLAIN), *rows],
        model=CHARACTERS,
        embeddings=VECTORS,
        corpus=f"{corpus}; distilled: the translator that ships, trained on with the word gloss's English of 58,551 "
        "pairs of parallel text; continued: with people's English of the same pairs",
        large=large,
        batch_size=batch_size,
        headline=False,
    )
