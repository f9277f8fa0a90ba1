"""The English teacher: what it is asked for, and our tagger in that role."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor


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


class TaggerLike(Protocol):
    """What a tagger must offer to be a teacher; `canner.decoding.SentenceTagger` does."""

    @property
    def tags(self) -> Sequence[str]: ...

    def hidden_states(self, sentences: Sequence[Sequence[str]]) -> list[tuple[Tensor, Tensor]]:
        """For each sentence the BiLSTM outputs [T, F] and the tag probabilities [T, K]."""
        ...


class TaggerTeacher:
    """A trained tagger as teacher: r_j = [→r ; ←r], its BiLSTM outputs, and its CRF's marginals.

    Implements: [CAN, Eq. 5]
    """

    def __init__(self, tagger: TaggerLike, *, fingerprint: str) -> None:
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


def fingerprint_of(*parts: str | bytes | Tensor) -> str:
    """A short content hash of strings, bytes and tensors, for the fingerprints of translators and teachers."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Tensor):
            values = part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            data = f"{part.dtype} {tuple(part.shape)}".encode() + values
        else:
            data = part.encode() if isinstance(part, str) else part
        # with its length, so that ("ab", "c") and ("a", "bc") differ
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()[:16]
