"""Named configurations to start from, and the two protocols: what `canner recipe` prints.

The experiments of the paper, on its corpora, are in `canner.tables` and build on these.
"""

from __future__ import annotations

from collections.abc import Callable

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.kinds import Experiment, GlossExperiment
from canner.experiment.tagger import GLOVE_PACKAGE, EmbeddingsConfig, TaggerExperiment
from canner.models.convs2s import ConvS2SConfig
from canner.models.tagger import TaggerConfig
from canner.training.aligner import AlignerExperiment
from canner.training.charlm import CharLMDataConfig, CharLMExperiment
from canner.training.schedule import TrainingConfig, more_epochs
from canner.training.translator import TranslatorDataConfig, TranslatorExperiment
from canner.training.translator_data import ParallelTextConfig
from canner.training.vectors import VectorsExperiment
from canner.transfer.aligned import TransferOptions
from canner.transfer.views import TransferConfig, ViewConfig

FAST_TRAINING = TrainingConfig(
    optimizer="adam",
    learning_rate=2e-3,
    max_epochs=60,
    min_epochs=20,
    early_stopping=10,
    precision="float32",
)
"""The fast protocol: Adam, stopped early on the development F1."""

TIMES = 3
"""So many times the epochs, where the fast protocol's may not be enough."""

PATIENT_TRAINING = more_epochs(FAST_TRAINING, TIMES, early_stopping=True)
"""The same with thrice the epochs, in all and without gain: with few sentences to stop by F1 may stay at 0 for long."""

FINE_TUNING = TrainingConfig(
    optimizer="adam",
    learning_rate=3e-3,
    schedule="warmup_cosine",
    warmup_steps=20,
    decay_epochs=40,
    max_epochs=40,
    clip_norm=1.0,
    keep="last",
    precision="auto",
)
"""Where an encoder is trained with the tagger: the rate rises, then falls to the end of a fixed number of epochs."""

FAST_MODEL = TaggerConfig(
    hidden_dim=128,
    word_dropout=0.2,
    dropout_words=0.5,
    dropout_lstm=0.5,
    dropout_aligned=0.3,
    emissions="logits",
)
"""The tagger of the fast protocol: strong dropout, for few sentences."""

CAN_MODEL = FAST_MODEL.model_copy(update={"aligned_at": "input"})
"""The same, reading English at its input (decision 0017); without English there is no difference."""

PAPER_TRAINING = TrainingConfig(
    optimizer="sgd",
    learning_rate=0.1,
    schedule="anneal_on_plateau",
    anneal_factor=0.5,
    patience=3,
    max_epochs=150,
    clip_norm=5.0,
    precision="float32",
)
"""The paper's protocol: SGD, annealed when the training loss has not fallen for more than three epochs (0028)."""

PAPER_MODEL = TaggerConfig(
    hidden_dim=256,
    word_dropout=0.0,
    dropout_words=0.1,
    dropout_features=0.1,
    dropout_lstm=0.05,
    dropout_aligned=0.0,
    emissions="log_softmax",
    constrain=False,
)
"""The paper's tagger: no constraints, and the CRF adds the logarithms of Eq. 12's probabilities.

It reads the letters of words, of which the paper says nothing: recipes and the paper's own tables leave them out
(decision 0028).
"""

_CORPUS = CorpusConfig(train=("train.conll",), dev=("dev.conll",), test=("test.conll",))


def tagger() -> TaggerExperiment:
    """A plain BiLSTM-CRF, trained as the fast protocol has it, but patiently: for few labelled sentences."""
    return TaggerExperiment(
        name="tagger", data=_CORPUS, model=FAST_MODEL, training=PATIENT_TRAINING, batch_size=8
    )


def tagger_paper() -> TaggerExperiment:
    """A plain BiLSTM-CRF over word vectors alone, the paper's protocol."""
    model = PAPER_MODEL.model_copy(update={"char_encoder": "none"})
    return TaggerExperiment(
        name="tagger-paper", data=_CORPUS, model=model, training=PAPER_TRAINING, batch_size=16
    )


def transfer_through(
    translator: str = "runs/gloss", teacher: str = "models/teacher-en", options: TransferOptions | None = None
) -> TransferConfig:
    """A transfer with one translator; the default takes what it copied as known (decision 0019)."""
    view = ViewConfig(translator=translator, options=options or TransferOptions(reading="copied"))
    return TransferConfig(teacher=teacher, views=(view,))


def can_tagger() -> TaggerExperiment:
    """A tagger that reads English through a word gloss, trained alike: for few labelled sentences."""
    return tagger().model_copy(
        update={"name": "can-tagger", "model": CAN_MODEL, "transfer": transfer_through()}
    )


def can_tagger_paper() -> TaggerExperiment:
    """CAN_last of the paper: neural translator, last attention layer, raw attention, its protocol."""
    transfer = transfer_through(translator="runs/translator", options=TransferOptions(layer="last"))
    return tagger_paper().model_copy(update={"name": "can-tagger-paper", "transfer": transfer})


def fine_tuned() -> TaggerExperiment:
    """A plain tagger that trains a pretrained encoder: for few labelled sentences."""
    return tagger().model_copy(
        update={
            "name": "fine-tuned",
            "embeddings": EmbeddingsConfig(fine_tuned="runs/encoder-e5"),
            "training": FINE_TUNING,
        }
    )


def can_fine_tuned() -> TaggerExperiment:
    """A tagger that trains a pretrained encoder and reads English through a word gloss: for few labelled sentences."""
    english = {"model": CAN_MODEL, "transfer": transfer_through()}
    return fine_tuned().model_copy(update={"name": "can-fine-tuned", **english})


def comparison() -> ComparisonExperiment:
    """A plain and a CAN tagger on the same sentences, three seeds each."""
    return ComparisonExperiment(
        name="comparison",
        title="Plain and CAN",
        base=tagger().model_copy(update={"model": CAN_MODEL}),
        systems=(
            System(name="plain"),
            System(
                name="CAN_gloss at the input", change={"transfer": transfer_through().model_dump(mode="json")}
            ),
        ),
        seeds=(1, 2, 3),
    )


def teacher() -> TaggerExperiment:
    """The English teacher: GloVe and characters, trained as the one that ships (recipes/teacher_en.toml)."""
    return TaggerExperiment(
        name="teacher-en",
        data=_CORPUS,
        embeddings=EmbeddingsConfig(vectors=GLOVE_PACKAGE, vocabulary_text=("english.txt",)),
        model=TaggerConfig(
            word_dim=50,
            freeze_words=True,
            char_channels=100,
            hidden_dim=256,
            word_dropout=0.05,
            dropout_words=0.3,
            dropout_features=0.4,
            dropout_tokens=0.05,
            dropout_lstm=0.5,
            locked=True,
        ),
        training=TrainingConfig(
            learning_rate=2e-3,
            schedule="warmup_cosine",
            warmup_steps=200,
            decay_steps=13000,
            max_epochs=22,
            average=0.999,
        ),
        batch_size=24,
    )


def translator() -> TranslatorExperiment:
    """A ConvS2S translator into English."""
    return TranslatorExperiment(
        data=TranslatorDataConfig(
            train_source="train.es",
            train_target="train.en",
            dev_source="dev.es",
            dev_target="dev.en",
            source_language="es",
            name_translations=True,
        )
    )


def translator_few_pairs() -> TranslatorExperiment:
    """A ConvS2S translator for little parallel text: starts from the Spanish one that ships."""
    config = translator()
    of_parent = ConvS2SConfig(
        hidden_dim=320, encoder_layers=8, decoder_layers=6, dropout=0.25, share_embeddings=True
    )
    training = config.training.model_copy(
        update={
            "decay_steps": None,
            "decay_minutes": 20.0,
            "warmup_steps": 300,
            "validate_every": 200,
            "max_epochs": 1000,
        }
    )
    data = config.data.model_copy(
        update={
            "train_source": "train.xx",
            "dev_source": "dev.xx",
            "source_language": "xx",
            "source_pieces": 5000,
            "batch_tokens": 3500,
            "num_translated": 100,
        }
    )
    changes = {"data": data, "model": of_parent, "training": training, "start_from": "models/es-en"}
    return config.model_copy(update={**changes, "guided_alignment": 1.0})


def aligner() -> AlignerExperiment:
    """An alignment head for a translator, which finds the source of each word once the translation is known."""
    text = ParallelTextConfig(train_source="train.xx", train_target="train.en")
    return AlignerExperiment(translator="runs/translator", data=text)


def charlm() -> CharLMExperiment:
    """Character language models, forward and backward."""
    return CharLMExperiment(data=CharLMDataConfig(train="text.txt"))


def gloss() -> GlossExperiment:
    """A word gloss from parallel text."""
    return GlossExperiment(train_source="train.xx", train_target="train.en")


def vectors() -> VectorsExperiment:
    """Word vectors with subwords (fastText's model), from plain and labelled text."""
    return VectorsExperiment(text=("text.txt",), labelled=("train.conll",))


PRESETS: dict[str, Callable[[], Experiment]] = {
    "tagger": tagger,
    "tagger-paper": tagger_paper,
    "can-tagger": can_tagger,
    "can-tagger-paper": can_tagger_paper,
    "fine-tuned": fine_tuned,
    "can-fine-tuned": can_fine_tuned,
    "comparison": comparison,
    "teacher": teacher,
    "gloss": gloss,
    "translator": translator,
    "translator-few-pairs": translator_few_pairs,
    "aligner": aligner,
    "charlm": charlm,
    "vectors": vectors,
}
"""Configurations to start from, by the name that `canner recipe` knows."""
