"""Few labels: how much English brings over a plain tagger, and by which translator."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.chinese import CHARACTERS, ONTONOTES5
from canner.tables.european import GERMAN, SPANISH
from canner.tables.masakhaner import corpus as masakhaner
from canner.tables.protocols import (
    ALIGNERS,
    AT_INPUT,
    COPIED,
    ENCODER,
    FIRST,
    GLOSSES,
    LAST,
    SCALED,
    TRANSLATORS,
    Protocol,
    comparison,
    external,
    gloss_with,
    view,
    with_english,
)
from canner.tables.uner import CHINESE as UNER_CHINESE

NUM_DEV = 400
FEW = 100
"""Training sentences; the parts of what is carried over are told apart with these alone."""
AT_ALL = ("plain", "CAN_last", "CAN_gloss at the input")
"""What runs with more sentences than these, too: a plain tagger, the paper's, ours."""
GUIDANCE = ("guided", "lexical", "unguided")
"""How the small Spanish translators were trained."""
SUBSETS = (
    f"a random subset of the training sentences for each run, {NUM_DEV} more labelled sentences (of the development "
    "part) that decide when training stops, full test set; random word vectors"
)
"""What a run reads, in words; how many training sentences, the title or the row says."""


def few(data: CorpusConfig) -> CorpusConfig:
    """The corpus with the few labelled sentences that decide when training stops."""
    return data.model_copy(update={"num_dev": NUM_DEV})


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """Spanish, 100 and 500 sentences: DeepL (the upper bound), word gloss, ConvS2S, both of ours together."""
    scaled = {
        "CAN_last scaled": with_english(view(TRANSLATORS["es"], SCALED)),
        "CAN_gloss and CAN_last scaled": with_english(view(GLOSSES["es"]), view(TRANSLATORS["es"], SCALED)),
    }
    upper = _upper_bound("es")
    return _comparison(
        "spanish",
        "Spanish (CoNLL-2002), few labels",
        SPANISH,
        f"CoNLL-2002 Spanish, {SUBSETS}",
        {**_rows("es"), **scaled, **upper},
        protocol,
        budgets=(FEW, 500),
        at_all=(
            *AT_ALL,
            *upper,
            "CAN_gloss",
            "CAN_last with copies at the input",
            "CAN_aligned at the input",
        ),
    )


def german(protocol: Protocol) -> ComparisonExperiment:
    """German, 100 sentences: DeepL (the upper bound), word gloss, ConvS2S, both of ours together."""
    title, corpus = "German (CoNLL-2003), 100 sentences", f"CoNLL-2003 German, {SUBSETS}"
    return _comparison("german", title, GERMAN, corpus, {**_rows("de"), **_upper_bound("de")}, protocol)


def ontonotes(protocol: Protocol) -> ComparisonExperiment:
    """Chinese news, 100 to 2,000 sentences: word gloss, ConvS2S, both together."""
    return _comparison(
        "ontonotes",
        "OntoNotes 5 Chinese news, few labels",
        ONTONOTES5,
        f"OntoNotes 5 Chinese, bn+mz+nw, four types, {SUBSETS}",
        _rows("zh"),
        protocol,
        model=CHARACTERS,
        budgets=(FEW, 500, 1000, 2000),
    )


def uner_chinese(protocol: Protocol) -> ComparisonExperiment:
    """Chinese of Universal NER, 100 sentences: word gloss, ConvS2S, both together."""
    title, corpus = "Chinese (Universal NER, GSD simplified), 100 sentences", "Universal NER Chinese GSDSIMP"
    return _comparison("uner", title, UNER_CHINESE, f"{corpus}, {SUBSETS}", _rows("zh"), protocol)


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, 100 sentences: word gloss, ConvS2S, both together."""
    title, corpus = "Swahili (MasakhaNER 2), 100 sentences", f"MasakhaNER 2 Swahili, {SUBSETS}"
    return _comparison("swahili", title, masakhaner("swa"), corpus, _rows("sw"), protocol)


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, 100 sentences: word gloss, ConvS2S, both together."""
    title, corpus = "Yoruba (MasakhaNER 2), 100 sentences", f"MasakhaNER 2 Yoruba, {SUBSETS}"
    return _comparison("yoruba", title, masakhaner("yor"), corpus, _rows("yo"), protocol)


def _upper_bound(language: str) -> dict[str, dict[str, Any]]:
    deepl = with_english(external(f"{language}-en", "DeepL"))
    return {"CAN, DeepL": deepl, "CAN, DeepL at the input": {**deepl, **AT_INPUT}}


def _rows(language: str) -> dict[str, dict[str, Any]]:
    """The rows of every language and their changes: English by each translator of ours, and the encoder."""
    gloss, last = view(GLOSSES[language]), view(TRANSLATORS[language], LAST)
    copied = with_english(view(TRANSLATORS[language], COPIED))
    aligned = with_english(view(ALIGNERS[language], COPIED))
    return {
        "plain": {},
        "CAN_gloss": with_english(gloss),
        "CAN_gloss at the input": {**with_english(gloss), **AT_INPUT},
        "CAN_first": with_english(view(TRANSLATORS[language], FIRST)),
        "CAN_last": with_english(last),
        "CAN_last with copies": copied,
        "CAN_last with copies at the input": {**copied, **AT_INPUT},
        "CAN_aligned": aligned,
        "CAN_aligned at the input": {**aligned, **AT_INPUT},
        "CAN_gloss and CAN_last": with_english(gloss, last),
        **{system.name: system.change for system in gloss_with(ENCODER, language, "Encoder")},
    }


def _comparison(
    part: str,
    title: str,
    data: CorpusConfig,
    corpus: str,
    rows: Mapping[str, dict[str, Any]],
    protocol: Protocol,
    *,
    model: dict[str, Any] | None = None,
    budgets: tuple[int, ...] = (FEW,),
    at_all: Container[str] = AT_ALL,
) -> ComparisonExperiment:
    """A part of the table; rows that are not among `at_all` run with the fewest sentences alone."""
    systems = [
        System(
            name=name,
            change=change,
            budgets=() if len(budgets) == 1 or name in at_all else (FEW,),
            baseline="Encoder" if name.startswith("Encoder") else None,
        )
        for name, change in rows.items()
    ]
    return comparison(
        f"few-labels-{part}",
        title,
        protocol,
        few(data),
        systems,
        model=model,
        corpus=corpus,
        budgets=budgets,
        batch_size=8,
    )


def guidance(protocol: Protocol) -> ComparisonExperiment:
    """What taught attention is worth to CAN: small translators, alike but for what their attention was taught."""
    rows = [System(name="plain")]
    for kind in GUIDANCE:
        for name, options in (("CAN_first", FIRST), ("CAN_last", LAST), ("CAN_last with copies", COPIED)):
            carried = with_english(view(f"runs/translator-es-{kind}", options))
            rows.append(System(name=f"{name}, {kind}", change=carried))
    return comparison(
        "guidance-spanish",
        "Guidance, Spanish (CoNLL-2002), few labels",
        protocol,
        few(SPANISH),
        rows,
        corpus=f"CoNLL-2002 Spanish, {FEW} labelled sentences: {SUBSETS}; guided: the last attention was taught word "
        "alignments and the embeddings started from them; lexical: the embeddings alone; unguided: trained on "
        "translation alone, as the paper's; small translators, three passes over the parallel text each",
        budgets=(FEW,),
        batch_size=8,
        headline=False,
    )
