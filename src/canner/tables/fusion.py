"""What the details of Eqs. 6, 7, 11 and 12 do that the paper leaves open: reading, scaling, the softmax."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig
from canner.tables.chinese import CHARACTERS, OUR_VECTORS, VECTORS, WEIBO_TEXT, weibo
from canner.tables.european import SPANISH
from canner.tables.few_labels import FEW, SUBSETS, few
from canner.tables.protocols import (
    AS_PRINTED,
    LAST,
    SCALED,
    TRANSLATORS,
    Protocol,
    comparison,
    view,
    with_english,
)
from canner.transfer.aligned import TransferOptions


def on_spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, 100 sentences: emissions with and without Eq. 12's softmax, reading, scaling, posteriors."""
    text = f"CoNLL-2002 Spanish, {FEW} labelled sentences: {SUBSETS}"
    title = "Spanish (CoNLL-2002), few labels"
    return _fusion("spanish", title, "es", few(SPANISH), text, protocol, budgets=(FEW,), batch_size=8)


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: the same with all training sentences."""
    text = f"{WEIBO_TEXT}; {OUR_VECTORS}"
    title, data = "Weibo (revised annotation)", weibo("weiboNER_2nd_conll")
    return _fusion("weibo", title, "zh", data, text, protocol, model=CHARACTERS, embeddings=VECTORS)


def _fusion(
    name: str,
    title: str,
    language: str,
    data: CorpusConfig,
    text: str,
    protocol: Protocol,
    *,
    model: dict[str, Any] | None = None,
    embeddings: EmbeddingsConfig | None = None,
    budgets: tuple[int, ...] = (),
    batch_size: int = 16,
) -> ComparisonExperiment:
    translator = TRANSLATORS[language]
    softmax = {"model.emissions": "softmax"}
    variants = {
        "CAN_last": LAST,
        "CAN_last, read": TransferOptions(reading="read"),
        "CAN_last, per source token": TransferOptions(normalise="source"),
        "CAN_last, posteriors": TransferOptions(posteriors=True),
        "CAN_last scaled": SCALED,
    }
    rows = [System(name=row, change=with_english(view(translator, read))) for row, read in variants.items()]
    printed = f"plain{AS_PRINTED}"
    return comparison(
        f"fusion-{name}",
        f"Fusion, {title}",
        protocol,
        data,
        [
            System(name="plain"),
            System(name=printed, change=softmax),
            *rows,
            System(
                name=f"CAN_last{AS_PRINTED}",
                change={**with_english(view(translator, LAST)), **softmax},
                baseline=printed,
            ),
        ],
        model=model,
        embeddings=embeddings,
        corpus=text,
        budgets=budgets,
        batch_size=batch_size,
        headline=False,
    )
