"""Training a BiLSTM-CRF tagger, with or without features aligned from English: the task of the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.evaluation.entities import EntityScores, score_entities
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_batch import make_batch
from canner.text.entities import Entity
from canner.text.sentence import Sentence
from canner.text.vocabulary import UNK_ID
from canner.training.task import ParameterGroup


@dataclass(frozen=True)
class LabelledSplit:
    """Sentences of one split of a corpus with what is computed once for them.

    Attributes:
        sentences: labelled sentences.
        features: for each its frozen embeddings [S, E]; None: the tagger uses none.
        aligned: for each the features carried over from English [S, F]; None: a tagger without transfer.
    """

    sentences: Sequence[Sentence]
    features: Sequence[Tensor] | None = None
    aligned: Sequence[Tensor] | None = None


class TaggerTask:
    """What `fit` needs to train a tagger: batches, a loss, a validation.

    Args:
        tagger: the model with its vocabularies; the model is trained in place.
        train: labelled sentences; encoded once, here.
        dev: the sentences on which `validate` measures.
        batch_size: sentences in a training batch.
        seed: fixes the batches of every epoch.
        device: where the batches go.
        encoder_share: of the learning rate, for the encoder that is trained with the tagger, if there is one.
    """

    def __init__(
        self,
        tagger: SentenceTagger,
        train: LabelledSplit,
        dev: LabelledSplit,
        *,
        batch_size: int,
        seed: int,
        device: str,
        encoder_share: float = 1.0,
    ) -> None:
        self.model = tagger.model
        self._tagger = tagger
        self._train = train
        self._dev = dev
        self._batch_size = batch_size
        self._seed = seed
        self._device = device
        self._encoded = [tagger.encoder.encode(s, with_tags=True) for s in train.sentences]
        self._lengths = [sentence.size for sentence in self._encoded]
        words = (sentence.word_ids for sentence in self._encoded if sentence.word_ids is not None)
        learned = self.model.parameters_to_learn(1 + max((int(ids.max()) for ids in words), default=UNK_ID))
        own = self.model.piece_encoder
        of_encoder = {id(parameter) for parameter in own.parameters()} if own is not None else set()
        self._groups = [ParameterGroup([p for p in learned if id(p) not in of_encoder])]
        if of_encoder:
            self._groups.append(ParameterGroup([p for p in learned if id(p) in of_encoder], encoder_share))

    def parameters(self) -> list[ParameterGroup]:
        """The model's, of the word vectors those of the training sentences; those of its encoder by themselves."""
        return self._groups

    def train_batches(self, epoch: int) -> list[list[int]]:
        """Indices of the sentences of each batch; the same for the same seed and epoch."""
        return bucket_by_length(self._lengths, batch_size=self._batch_size, seed=self._seed, epoch=epoch)

    def loss(self, batch: list[int]) -> tuple[Tensor, int]:
        """Mean negative log likelihood per sentence of a batch, and its number of tokens."""
        split = self._train
        inputs, tag_ids = make_batch(
            [self._encoded[i] for i in batch],
            [split.features[i] for i in batch] if split.features is not None else None,
            [split.aligned[i] for i in batch] if split.aligned is not None else None,
        )
        assert tag_ids is not None
        loss = self.model.loss(inputs.to(self._device), tag_ids.to(self._device))
        return loss, int(inputs.mask.sum())

    def validate(self) -> dict[str, float]:
        """Entity precision, recall and F1 in percent on the development sentences; nothing if there are none."""
        return evaluate(self._tagger, self._dev).micro.figures() if self._dev.sentences else {}


def find_entities(tagger: SentenceTagger, split: LabelledSplit) -> list[list[Entity]]:
    """The entities that a tagger finds in each sentence."""
    return tagger.entities(
        [sentence.tokens for sentence in split.sentences], features=split.features, aligned=split.aligned
    )


def evaluate(tagger: SentenceTagger, split: LabelledSplit) -> EntityScores:
    """Scores of a tagger on labelled sentences."""
    return score_entities([sentence.entities for sentence in split.sentences], find_entities(tagger, split))
