"""Frozen embeddings of words in their sentence, as a tagger takes them beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor


class WordEmbedder(Protocol):
    """Anything that gives each word of a sentence a vector and is not trained with the tagger.

    Attributes:
        fingerprint: changes when the weights change.
        store_key: names all that decides the vectors, also how text is cut, for vectors kept on disk; with another
            version of a library it may change where `fingerprint` does not.
        dim: width of the vectors.
    """

    fingerprint: str
    store_key: str
    dim: int

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """For each sentence its vectors [S, dim]."""
        ...

    def save(self, folder: Path) -> None:
        """Writes what `load` of the same class reads."""
        ...
