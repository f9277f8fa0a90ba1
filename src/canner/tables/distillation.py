"""Is it the translation? The paper's way of reading a ConvS2S, with one that learned the word gloss's English."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment
from canner.tables.chinese import CHARACTERS, ONTONOTES5, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
from canner.tables.protocols import Protocol, comparison
from canner.tables.readings import by_convs2s, readings, some
from canner.tables.rows import rows_of

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
    return _distillation("news", title, ONTONOTES5, corpus, protocol, large=True)


def _distillation(
    name: str,
    title: str,
    data: CorpusConfig,
    corpus: str,
    protocol: Protocol,
    *,
    large: bool = False,
) -> ComparisonExperiment:
    last, at_input = "CAN_last", "CAN_last with copies at the input"
    shipped = readings("zh")
    continued, distilled = by_convs2s(CONTINUED, ", continued"), by_convs2s(DISTILLED, ", distilled")
    additions = {
        **some(shipped, last),
        **some(continued, f"{last}, continued"),
        **some(shipped, at_input),
        **some(continued, f"{at_input}, continued"),
        **some(distilled, "CAN_first, distilled", f"{last}, distilled", f"{at_input}, distilled"),
        **some(shipped, "CAN_gloss", "CAN_gloss at the input"),
    }
    return comparison(
        f"distillation-{name}",
        f"Distillation, {title}",
        protocol,
        data,
        rows_of(PLAIN, additions),
        model=CHARACTERS,
        embeddings=VECTORS,
        corpus=f"{corpus}; distilled: the translator that ships, trained on with the word gloss's English of 58,551 "
        "pairs of parallel text; continued: with people's English of the same pairs",
        large=large,
        headline=False,
    )
