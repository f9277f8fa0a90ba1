"""The English teacher: what it is asked for, and our tagger in that role."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from canner.tagging.sentence_tagger import SentenceTagger


@dataclass(frozen=True)
class TargetFeatures:
    """What the teacher makes of an English sentence.

    Attributes:
        features: R, a vector for each of the T words.
        posteriors: the probability of each of its K tags at each word.
    """

    features: Float[Tensor, "T F"]
    posteriors: Float[Tensor, "T K"]


@runtime_checkable
class Teacher(Protocol):
    """A frozen model that reads English words.

    Attributes:
        fingerprint: names the teacher with all that decides its output; stores are keyed by it.
        features_dim: F.
        tags: the K tags, in the order of the posteriors.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def features_dim(self) -> int: ...

    @property
    def tags(self) -> Sequence[str]: ...

    def read(self, sentences: Sequence[Sequence[str]]) -> list[TargetFeatures]:
        """Features of sentences, none of them empty, in their order."""
        ...


class TaggerTeacher:
    """A trained tagger as teacher: r_j = [→r ; ←r], its BiLSTM outputs, and its CRF's marginals.

    Implements: [CAN, Eq. 5]
    """

    def __init__(self, tagger: SentenceTagger, *, fingerprint: str) -> None:
        """Wrap a tagger.

        Args:
            tagger: frozen from now on; it is only ever asked in evaluation mode, without gradients.
            fingerprint: of its weights and vocabularies.
        """
        self._tagger = tagger
        self.fingerprint = fingerprint
        self.tags = tuple(tagger.tags)
        # asked once rather than declared, so that it cannot disagree with what the tagger gives
        self.features_dim = int(self.read([["word"]])[0].features.shape[1])

    @torch.no_grad()
    def read(self, sentences: Sequence[Sequence[str]]) -> list[TargetFeatures]:
        """Features of sentences, none of them empty, in their order."""
        return [TargetFeatures(*states) for states in self._tagger.hidden_states(sentences)]


def content_hash(parts: Iterable[bytes]) -> str:
    """A short hash of all parts, for fingerprints."""
    digest = hashlib.sha256()
    for part in parts:
        # with its length, so that ("ab", "c") and ("a", "bc") differ
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()[:16]
