"""Is it the translation? The paper's way of reading a ConvS2S, with one that learned the word gloss's English."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables.chinese import CHARACTER_VECTORS, OUR_VECTORS
from canner.tables.corpora import ONTONOTES5, WEIBO, LabelledCorpus
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
    return _distillation("weibo", WEIBO["revised"], protocol)


def on_news(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 5 Chinese news: CAN_last by a translator that learned the word gloss's English."""
    return _distillation("news", ONTONOTES5, protocol, large=True)


def _distillation(
    name: str, corpus: LabelledCorpus, protocol: Protocol, *, large: bool = False
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
        f"Distillation, {corpus.title}",
        protocol,
        corpus.data,
        rows_of(PLAIN, additions),
        model=corpus.model,
        embeddings=CHARACTER_VECTORS,
        corpus=f"{corpus.name}; {OUR_VECTORS}; distilled: the translator that ships, trained on with the word gloss's "
        "English of 58,551 pairs of parallel text; continued: with people's English of the same pairs",
        large=large,
        headline=False,
    )
