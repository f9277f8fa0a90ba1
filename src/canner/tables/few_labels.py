"""Few labels: how much English brings over a plain tagger, and by which translator."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.european import SPANISH
from canner.tables.masakhaner import corpus
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

NUM_DEV = 400
FEW = 100
"""Training sentences; the parts of what is carried over are told apart with these alone."""
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
    gloss, translator, deepl = (
        view(GLOSSES["es"]),
        TRANSLATORS["es"],
        with_english(external("es-en", "DeepL")),
    )
    copied, aligned = with_english(view(translator, COPIED)), with_english(view(ALIGNERS["es"], COPIED))
    rows = [
        System(name="plain"),
        System(name="CAN, DeepL", change=deepl),
        System(name="CAN, DeepL at the input", change={**deepl, **AT_INPUT}),
        System(name="CAN_gloss", change=with_english(gloss)),
        System(name="CAN_gloss at the input", change={**with_english(gloss), **AT_INPUT}),
        System(name="CAN_last", change=with_english(view(translator, LAST))),
        System(name="CAN_last with copies at the input", change={**copied, **AT_INPUT}),
        System(name="CAN_aligned at the input", change={**aligned, **AT_INPUT}),
    ]
    parts = {
        "CAN_first": with_english(view(translator, FIRST)),
        "CAN_last with copies": copied,
        "CAN_last scaled": with_english(view(translator, SCALED)),
        "CAN_aligned": aligned,
        "CAN_gloss and CAN_last": with_english(gloss, view(translator, LAST)),
        "CAN_gloss and CAN_last scaled": with_english(gloss, view(translator, SCALED)),
    }
    rows += [System(name=name, change=change, budgets=(FEW,)) for name, change in parts.items()]
    rows += [system.model_copy(update={"budgets": (FEW,)}) for system in gloss_with(ENCODER, "es", "Encoder")]
    return comparison(
        "few-labels-spanish",
        "Spanish (CoNLL-2002), few labels",
        protocol,
        few(SPANISH),
        rows,
        corpus=f"CoNLL-2002 Spanish, {SUBSETS}",
        budgets=(FEW, 500),
        batch_size=8,
    )


def swahili(protocol: Protocol) -> ComparisonExperiment:
    """Swahili, 100 sentences: word gloss, ConvS2S, both."""
    return _masakhaner("sw", "swa", "Swahili", protocol)


def yoruba(protocol: Protocol) -> ComparisonExperiment:
    """Yoruba, 100 sentences: word gloss, ConvS2S, both."""
    return _masakhaner("yo", "yor", "Yoruba", protocol)


def _masakhaner(language: str, folder: str, name: str, protocol: Protocol) -> ComparisonExperiment:
    gloss, translator = view(GLOSSES[language]), TRANSLATORS[language]
    aligned = with_english(view(ALIGNERS[language], COPIED))
    rows = [
        System(name="plain"),
        System(name="CAN_gloss", change=with_english(gloss)),
        System(name="CAN_gloss at the input", change={**with_english(gloss), **AT_INPUT}),
        System(name="CAN_last", change=with_english(view(translator, LAST))),
        System(name="CAN_last with copies", change=with_english(view(translator, COPIED))),
        System(
            name="CAN_last with copies at the input",
            change={**with_english(view(translator, COPIED)), **AT_INPUT},
        ),
        System(name="CAN_aligned", change=aligned),
        System(name="CAN_aligned at the input", change={**aligned, **AT_INPUT}),
        System(name="CAN_gloss and CAN_last", change=with_english(gloss, view(translator, LAST))),
        *gloss_with(ENCODER, language, "Encoder"),
    ]
    return comparison(
        f"few-labels-{name.lower()}",
        f"{name} (MasakhaNER 2), 100 sentences",
        protocol,
        few(corpus(folder)),
        rows,
        corpus=f"MasakhaNER 2 {name}, {SUBSETS}",
        budgets=(FEW,),
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
