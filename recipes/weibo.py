"""Chinese social media (Weibo, revised annotation): plain against CAN with ConvS2S and with the word gloss."""

from __future__ import annotations

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.presets import reading, tagger
from canner.transfer.aligned import TransferOptions

PAPER = {
    "plain": {"NE f1": 32.35, "NM f1": 31.91, "Overall f1": 32.18},
    "CAN_last, ConvS2S": {"NE f1": 41.54, "NM f1": 40.27, "Overall f1": 41.12},
}


def _corpus(annotation: str) -> CorpusConfig:
    names = (f"$CANNER_DATA/ner/weibo/{annotation}.{part}" for part in ("train", "dev", "test"))
    train, dev, test = names
    return CorpusConfig(train=(train,), dev=(dev,), test=(test,))


def weibo(annotation: str = "weiboNER_2nd_conll") -> ComparisonExperiment:
    """The whole training set, two seeds."""
    teacher = "runs/teacher-en"
    neural = reading("runs/translator-zh", teacher, TransferOptions(layer="last"))
    gloss = reading("runs/gloss-zh", teacher)
    base = tagger()
    model = base.model.model_copy(update={"char_encoder": "none", "word_dim": 100, "hidden_dim": 200})
    return ComparisonExperiment(
        name="weibo",
        title="Weibo, revised annotation",
        base=base.model_copy(update={"data": _corpus(annotation), "model": model, "batch_size": 16}),
        systems=(
            System(name="plain"),
            System(name="CAN_last, ConvS2S", change={"transfer": neural.model_dump(mode="json")}),
            System(name="CAN, gloss", change={"transfer": gloss.model_dump(mode="json")}),
        ),
        seeds=(1, 2),
        protocol="fast (Adam, early stopping)",
        corpus="Weibo, all 1,350 training sentences, full test set",
        paper=PAPER,
    )


def weibo_original() -> ComparisonExperiment:
    """The same with the original annotation."""
    return weibo("weiboNER.conll").model_copy(
        update={"name": "weibo-original", "title": "Weibo, original annotation"}
    )
