"""What the details of Eqs. 6, 7, 11 and 12 do that the paper leaves open: reading, scaling, the softmax."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.bundles import TRANSLATORS
from canner.tables.chinese import CHARACTER_VECTORS, OUR_VECTORS
from canner.tables.corpora import SPANISH, WEIBO, LabelledCorpus
from canner.tables.few_labels import FEW, few, subsets
from canner.tables.protocols import AS_PRINTED, Protocol, comparison
from canner.tables.readings import LAST, SCALED, view, with_english
from canner.transfer.aligned import TransferOptions


def on_spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, 100 sentences: emissions with and without Eq. 12's softmax, reading, scaling, posteriors."""
    return comparison(
        "fusion-spanish",
        f"Fusion, {SPANISH.title}, few labels",
        protocol,
        few(SPANISH.data),
        _rows("es"),
        corpus=f"{SPANISH.name}, {subsets()}",
        budgets=(FEW,),
        headline=False,
    )


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation: the same with all training sentences."""
    return _on_weibo("fusion-weibo", WEIBO["revised"], protocol)


def on_weibo_original(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, original annotation: the same with all training sentences."""
    return _on_weibo("fusion-original", WEIBO["original"], protocol)


def _on_weibo(name: str, corpus: LabelledCorpus, protocol: Protocol) -> ComparisonExperiment:
    return comparison(
        name,
        f"Fusion, {corpus.title}",
        protocol,
        corpus.data,
        _rows("zh"),
        corpus=f"{corpus.name}; {OUR_VECTORS}",
        model=corpus.model,
        embeddings=CHARACTER_VECTORS,
        headline=False,
    )


def _rows(language: str) -> list[System]:
    """What may stand in the place of the paper's reading, and Eq. 12 as printed."""
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
    return [
        System(name="plain"),
        System(name=printed, change=softmax),
        *rows,
        System(
            name=f"CAN_last{AS_PRINTED}",
            change={**with_english(view(translator, LAST)), **softmax},
            baseline=printed,
        ),
    ]
