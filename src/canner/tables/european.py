"""Table 2: German and Spanish, with and without character language models; beyond it: an encoder, letters."""

from __future__ import annotations

from typing import Any

from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig
from canner.tables.bundles import VECTORS
from canner.tables.corpora import GERMAN, SPANISH, LabelledCorpus
from canner.tables.protocols import OUR_TEACHER, Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import can_systems, can_systems_with, gloss_with_encoder, rows_of

_READ = (
    "all training sentences, full test set; word vectors trained on our own parallel text and the training sentences, "
    "known for the words of dev and test too"
)


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish (CoNLL-2002), all training sentences."""
    figures = (82.49, 82.73, 84.23, 87.33, 87.43, 88.16)
    return _table2("spanish", SPANISH, protocol, figures)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003, the annotation of 2003), all training sentences; document starts are no sentences."""
    figures = (81.41, 82.23, 82.45, 88.21, 88.20, 88.41)
    return _table2("german", GERMAN, protocol, figures)


def _table2(
    name: str, corpus: LabelledCorpus, protocol: Protocol, figures: tuple[float, ...]
) -> ComparisonExperiment:
    language = corpus.language
    lstm, with_charlm = "BiLSTM+CRF", "CharLM+BiLSTM+CRF"
    known = readings(language)
    upper = [
        System(name=f"{lstm} + {name} (upper bound)", change=known[name])
        for name in ("CAN, DeepL", "CAN, DeepL at the input")
    ]
    rows = [
        *can_systems(language, lstm),
        *upper,
        *can_systems_with(f"runs/charlm-{language}", language, with_charlm),
        *gloss_with_encoder(language, f"Encoder+{lstm}"),
    ]
    of_paper = [f"{row}{can}" for row in (lstm, with_charlm) for can in ("", " + CAN_first", " + CAN_last")]
    paper: dict[str, Any] = {row: {"f1": f1} for row, f1 in zip(of_paper, figures, strict=True)}
    return comparison(
        f"table2-{name}",
        f"Table 2, {corpus.title}",
        protocol,
        corpus.data,
        rows,
        embeddings=_vectors(language),
        model={"word_dim": 100, **({"char_encoder": "none"} if protocol == "paper" else {})},
        corpus=f"{corpus.title}, {_READ}",
        paper={
            **paper,
            "note": "Table 2, FastText vectors of Wikipedia; a translator of the UN corpus, fifteen decoder layers, "
            "trained on translation alone (ours: six layers, the last attention taught word alignments); its own "
            f"character language models (ours: the parallel text, twenty minutes on one processor core); {OUR_TEACHER}",
        },
        large=True,
        as_printed=True,
    )


def spanish_letters(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, what CAN_last brings to taggers that read letters, words alone, and words and their capitals."""
    return _letters("spanish", SPANISH, protocol)


def german_letters(protocol: Protocol) -> ComparisonExperiment:
    """German, what CAN_last brings to taggers that read letters, words alone, and words and their capitals."""
    return _letters("german", GERMAN, protocol)


def _letters(name: str, corpus: LabelledCorpus, protocol: Protocol) -> ComparisonExperiment:
    can_last = some(readings(corpus.language), "CAN_last")
    rows = []
    shapes = {"model.char_encoder": "cnn", "encoding.word_shapes": True}
    for plain, change in (
        ("letters and words", {"model.char_encoder": "cnn"}),
        ("words alone", {"model.char_encoder": "none"}),
        ("words and shapes", shapes),
    ):
        rows += rows_of(plain, can_last, change)
    return comparison(
        f"letters-{name}",
        f"Letters, {corpus.title}",
        protocol,
        corpus.data,
        rows,
        embeddings=_vectors(corpus.language),
        model={"word_dim": 100},
        corpus=f"{corpus.title}, {_READ}; words: in lower case; letters: a convolutional encoder of a word's "
        "characters; shapes: the same, but of characters it is read alone whether they are capitals, other letters or "
        "digits",
        large=True,
        headline=False,
    )


def _vectors(language: str) -> EmbeddingsConfig:
    return EmbeddingsConfig(vectors=VECTORS[language], vocabulary_text=(VECTORS[language],))
