"""One hundred Swahili labels (MasakhaNER 2): plain against CAN with the word gloss."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.presets import reading, tagger

CORPUS = CorpusConfig(
    train=("$CANNER_DATA/ner/masakhaner2/swa/train.txt",),
    dev=("$CANNER_DATA/ner/masakhaner2/swa/dev.txt",),
    test=("$CANNER_DATA/ner/masakhaner2/swa/test.txt",),
    num_dev=400,
)


def gloss() -> ComparisonExperiment:
    """Plain against CAN with the word gloss."""
    transfer = reading(translator="runs/gloss-sw", teacher="runs/teacher-en")
    return ComparisonExperiment(
        name="swahili-gloss",
        title="Swahili, word gloss",
        base=tagger().model_copy(update={"data": CORPUS}),
        systems=(
            System(name="plain"),
            System(name="CAN, gloss", change={"transfer": transfer.model_dump(mode="json")}),
        ),
        budgets=(100,),
        subset_seeds=(0, 1, 2),
        protocol="fast (Adam, early stopping)",
        corpus="MasakhaNER 2 Swahili, random training subsets, 400 development sentences, full test set",
    )
