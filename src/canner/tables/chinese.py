"""Tables 3, 4, 5 and Figure 3: Chinese news and social media, a token a character."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig
from canner.tables.bundles import ENCODER, TRANSLATORS, VECTORS
from canner.tables.corpora import CHARACTERS, ONTONOTES4, ONTONOTES5, WEIBO, LabelledCorpus
from canner.tables.protocols import OUR_TEACHER, Protocol, comparison
from canner.tables.readings import FIRST, LAST, readings, view, with_english
from canner.tables.rows import beside, can_systems, can_systems_with
from canner.transfer.aligned import TransferOptions

CHARACTER_VECTORS = EmbeddingsConfig(vectors=VECTORS["zh"])
OUR_VECTORS = (
    "character vectors trained on our own parallel text and the training sentences of Weibo and OntoNotes 5"
)
"""What stands in for the paper's FastText vectors of Wikipedia."""
OUR_ENGLISH = (
    "its translator is one of the UN corpus, trained on translation alone, ours of 90 thousand pairs, its last "
    f"attention taught word alignments; {OUR_TEACHER}"
)
NUM_LAYERS = 15


def _rows() -> list[System]:
    """Tables 3 and 4: character vectors alone, and with the encoder."""
    return [
        *can_systems("zh", "Char+BiLSTM+CRF"),
        *can_systems_with(ENCODER, "zh", "Encoder+BiLSTM+CRF"),
    ]


def _figures(names: tuple[str, ...], rows: Mapping[str, tuple[float, ...]], note: str) -> dict[str, Any]:
    """The paper's figures by row and score."""
    return {row: dict(zip(names, values, strict=True)) for row, values in rows.items()} | {"note": note}


def ontonotes(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 5 Chinese news in the place of OntoNotes 4."""
    title = f"{ONTONOTES5.title} (stand-in for OntoNotes 4)"
    text = f"{ONTONOTES5.name}; the paper has OntoNotes 4, licensed"
    return _table3("ontonotes", ONTONOTES5, title, text, protocol)


def ontonotes4(protocol: Protocol) -> ComparisonExperiment:
    """OntoNotes 4 Chinese, for those who have the licence (ner/ontonotes4_zh/{train,dev,test}.char)."""
    return _table3("ontonotes4", ONTONOTES4, ONTONOTES4.title, ONTONOTES4.name, protocol)


def _table3(
    name: str, corpus: LabelledCorpus, title: str, text: str, protocol: Protocol
) -> ComparisonExperiment:
    paper = {
        "Char+BiLSTM+CRF": (69.51, 53.17, 60.25),
        "Char+BiLSTM+CRF + CAN_first": (74.54, 61.09, 67.15),
        "Char+BiLSTM+CRF + CAN_last": (75.74, 68.59, 71.99),
        "Encoder+BiLSTM+CRF + CAN_first": (78.12, 78.36, 78.24),
        "Encoder+BiLSTM+CRF + CAN_last": (80.42, 82.02, 81.21),
    }
    return comparison(
        f"table3-{name}",
        f"Table 3, {title}",
        protocol,
        corpus.data,
        _rows(),
        model=corpus.model,
        embeddings=CHARACTER_VECTORS,
        corpus=f"{text}; {OUR_VECTORS}",
        paper=_figures(
            ("precision", "recall", "f1"),
            paper,
            f"OntoNotes 4; {OUR_ENGLISH}; its encoder is BERT, ours multilingual-e5-small, frozen",
        ),
        large=True,
        as_printed=True,
    )


def weibo_revised(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, the revised annotation."""
    return _table4("revised", protocol)


def weibo_original(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, the original annotation."""
    return _table4("original", protocol)


def _table4(annotation: str, protocol: Protocol) -> ComparisonExperiment:
    paper = {
        "Char+BiLSTM+CRF": (59.55, 22.05, 32.18, 32.35, 31.91),
        "Char+BiLSTM+CRF + CAN_first": (60.73, 24.25, 34.66, 34.13, 35.17),
        "Char+BiLSTM+CRF + CAN_last": (61.21, 30.96, 41.12, 41.54, 40.27),
        "Encoder+BiLSTM+CRF": (74.52, 65.17, 69.53, 70.24, 68.51),
        "Encoder+BiLSTM+CRF + CAN_first": (74.30, 66.37, 70.11, 70.86, 69.17),
        "Encoder+BiLSTM+CRF + CAN_last": (74.17, 69.91, 71.98, 72.46, 70.49),
    }
    return comparison(
        f"table4-{annotation}",
        f"Table 4, Weibo, {annotation} annotation",
        protocol,
        WEIBO[annotation].data,
        _rows(),
        model=CHARACTERS,
        embeddings=CHARACTER_VECTORS,
        corpus=f"{WEIBO[annotation].name}; {OUR_VECTORS}",
        paper=_figures(
            ("precision", "recall", "f1", "NE f1", "NM f1"),
            paper,
            f"does not say which annotation; {OUR_ENGLISH}; its encoder is BERT, ours multilingual-e5-small, "
            "frozen",
        ),
        as_printed=True,
    )


def embeddings(protocol: Protocol) -> ComparisonExperiment:
    """One embedding at a time: random, trained vectors, and the aligned features as the only input."""
    return table5(WEIBO["revised"], protocol)


def table5(corpus: LabelledCorpus, protocol: Protocol) -> ComparisonExperiment:
    """One embedding at a time, on Weibo in one of its annotations."""
    alone = {"model.aligned_at": "input", "model.word_dim": 0}
    known = readings("zh")
    rows = [
        System(name="random"),
        System(name="FastText", change={"embeddings.vectors": CHARACTER_VECTORS.vectors}),
    ]
    for name in ("CAN_first", "CAN_last", "CAN_gloss"):
        rows.append(System(name=name, change={**alone, **known[name]}))
    paper = {
        "random": (36.12, 10.55, 16.33),
        "FastText": (59.55, 22.05, 32.18),
        "CAN_first": (50.01, 23.66, 32.12),
        "CAN_last": (57.22, 26.09, 35.84),
    }
    return comparison(
        "table5-weibo",
        f"Table 5, {corpus.title}, one embedding at a time",
        protocol,
        corpus.data,
        rows,
        model=corpus.model,
        corpus=f"{corpus.name}; in the row FastText {OUR_VECTORS}",
        paper=_figures(
            ("precision", "recall", "f1"), paper, f"its FastText vectors are of Wikipedia; {OUR_ENGLISH}"
        ),
        headline=False,
    )


def layers(protocol: Protocol) -> ComparisonExperiment:
    """F1 against the attention layer, with trained vectors."""
    return _figure3("vectors", "word vectors", protocol, {})


def layers_with_encoder(protocol: Protocol) -> ComparisonExperiment:
    """F1 against the attention layer, with a frozen encoder."""
    return _figure3("encoder", "a frozen encoder", protocol, beside(ENCODER))


def _figure3(name: str, words: str, protocol: Protocol, change: dict[str, Any]) -> ComparisonExperiment:
    corpus, rows = WEIBO["revised"], [System(name="plain", change=change)]
    for layer in range(1, NUM_LAYERS + 1):
        # the ends are Table 4's CAN_first and CAN_last, whose runs stand for them
        options = {1: FIRST, NUM_LAYERS: LAST}.get(layer, TransferOptions(layer=layer))
        carried = with_english(view(TRANSLATORS["zh"], options))
        rows.append(System(name=f"layer {layer}", change={**change, **carried}))
    return comparison(
        f"figure3-{name}",
        f"Figure 3, {corpus.title}, by attention layer, with {words}",
        protocol,
        corpus.data,
        rows,
        model=corpus.model,
        embeddings=CHARACTER_VECTORS,
        corpus=f"{corpus.name}; {OUR_VECTORS}",
        paper={
            "note": "a figure: rises to layer 8, flat after, best at 10 or 11; its encoder is BERT, ours "
            f"multilingual-e5-small, frozen; {OUR_ENGLISH}"
        },
        headline=False,
    )
