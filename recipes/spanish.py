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


def few_labels() -> ComparisonExperiment:
    """Plain against CAN by every translator: DeepL (the upper bound), word gloss, ConvS2S, both of ours together."""
    gloss = ViewConfig(translator=GLOSS)
    first = ViewConfig(translator=TRANSLATOR, options=TransferOptions(layer="first"))
    last = ViewConfig(translator=TRANSLATOR, options=TransferOptions(layer="last"))
    # Beyond the paper: every source token gets the same mass, and the teacher's tags beside its states.
    scaled = TransferOptions(layer="last", normalise="source", posteriors=True, coverage=True)
    systems = (
        System(name="plain"),
        System(name="CAN, DeepL", change=reading(ViewConfig(files=DEEPL))),
        System(name="CAN, gloss", change=reading(gloss)),
        System(name="CAN_first, ConvS2S", change=reading(first), budgets=(100,)),
        System(name="CAN_last, ConvS2S", change=reading(last), budgets=(100,)),
        System(
            name="CAN_last scaled, ConvS2S",
            change=reading(last.model_copy(update={"options": scaled})),
            budgets=(100,),
        ),
        System(name="CAN, gloss and ConvS2S", change=reading(gloss, last), budgets=(100,)),
    )
    return ComparisonExperiment(
        name="spanish",
        title="Spanish (CoNLL-2002), few labels",
        base=tagger().model_copy(update={"data": CORPUS, "model": FAST_MODEL, "training": FAST_TRAINING}),
        systems=systems,
        budgets=(100, 500),
        subset_seeds=(0, 1, 2),
        protocol="fast (Adam, early stopping on 400 development sentences)",
        corpus="CoNLL-2002 Spanish, three random training subsets, full test set (1,517 sentences)",
    )
