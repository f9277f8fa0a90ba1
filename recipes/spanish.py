"""Few Spanish labels (CoNLL-2002): how much English brings over a plain tagger, and by which translator."""

from __future__ import annotations

from typing import Any

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.presets import FAST_MODEL, FAST_TRAINING, tagger
from canner.transfer.aligned import TransferOptions
from canner.transfer.views import FilesConfig, TransferConfig, ViewConfig

CORPUS = CorpusConfig(
    train=("$CANNER_DATA/ner/conll2002_es/esp.train",),
    dev=("$CANNER_DATA/ner/conll2002_es/esp.testa",),
    test=("$CANNER_DATA/ner/conll2002_es/esp.testb",),
    num_dev=400,
)
TEACHER = "runs/teacher-en"
GLOSS = "runs/gloss-es"
TRANSLATOR = "runs/translator-es"
DEEPL = FilesConfig(
    source=tuple(f"$CANNER_DATA/external/es-en/source.{part}.es" for part in ("train", "dev", "test")),
    english=tuple(f"$CANNER_DATA/external/es-en/DeepL.{part}.en" for part in ("train", "dev", "test")),
    alignments=tuple(f"$CANNER_DATA/external/es-en/DeepL.{part}.align" for part in ("train", "dev", "test")),
)
_CORPUS_IN_WORDS = "CoNLL-2002 Spanish, random training subsets, 400 development sentences, full test set"


def reading(*views: ViewConfig) -> dict[str, Any]:
    """The change that makes a tagger read English."""
    return {"transfer": TransferConfig(teacher=TEACHER, views=views).model_dump(mode="json")}


def _comparison(
    name: str, title: str, systems: tuple[System, ...], budgets: tuple[int, ...]
) -> ComparisonExperiment:
    base = tagger().model_copy(update={"data": CORPUS, "model": FAST_MODEL, "training": FAST_TRAINING})
    return ComparisonExperiment(
        name=name,
        title=title,
        base=base,
        systems=(System(name="plain"), *systems),
        budgets=budgets,
        subset_seeds=(0, 1, 2),
        protocol="fast (Adam, early stopping)",
        corpus=_CORPUS_IN_WORDS,
    )


def upper_bound() -> ComparisonExperiment:
    """Plain against CAN with the translations of another system (DeepL): the upper bound of the transfer."""
    deepl = ViewConfig(files=DEEPL)
    systems = (System(name="CAN, DeepL", change=reading(deepl)),)
    return _comparison("spanish-upper-bound", "Spanish, external translations", systems, (100, 500))


def gloss() -> ComparisonExperiment:
    """Plain against CAN with the word gloss."""
    systems = (System(name="CAN, gloss", change=reading(ViewConfig(translator=GLOSS))),)
    return _comparison("spanish-gloss", "Spanish, word gloss", systems, (100, 500))


def convs2s() -> ComparisonExperiment:
    """Plain against CAN with canner's own ConvS2S: first and last layer, and both translators side by side."""
    first = ViewConfig(translator=TRANSLATOR, options=TransferOptions(layer="first"))
    last = ViewConfig(translator=TRANSLATOR, options=TransferOptions(layer="last"))
    systems = (
        System(name="CAN_first, ConvS2S", change=reading(first)),
        System(name="CAN_last, ConvS2S", change=reading(last)),
        System(name="CAN, gloss and ConvS2S", change=reading(ViewConfig(translator=GLOSS), last)),
    )
    return _comparison("spanish-convs2s", "Spanish, ConvS2S", systems, (100,))
