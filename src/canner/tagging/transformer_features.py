"""Vectors of words in their sentence from a frozen encoder of `transformers` (optional extra)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from canner.data.word_pieces import PieceRow, pad_pieces
from canner.nn.pieces import mean_of_pieces
from canner.tagging.checkpoint import Checkpoint
from canner.tagging.piece_reading import read_in_rows


class TransformerFeatures:
    """A frozen encoder as embeddings of words (a `WordEmbedder`).

    A word's vector is the mean of the last hidden states of its pieces; a word without pieces has zeros.

    Args:
        checkpoint: the encoder.

    Attributes:
        dim: width of a word's vector.
        fingerprint: of the weights.
        store_key: of the weights, the configuration and the tokenizer.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.dim = checkpoint.dim
        self.fingerprint = checkpoint.fingerprint
        self.store_key = checkpoint.store_key

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> TransformerFeatures:
        """Reads a reference that `save` wrote, or a checkpoint itself.

        Raises:
            ValueError: the checkpoint is gone, or is another one.
        """
        return cls(Checkpoint.load(folder, device=device))

    def save(self, folder: Path) -> None:
        """Writes a reference to the checkpoint, not its weights."""
        self.checkpoint.save(folder)

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """For each sentence its vectors [S, dim], in single precision."""
        return read_in_rows(sentences, self.checkpoint.pieces, self._read, width=self.dim)

    @torch.no_grad()
    def _read(self, rows: list[PieceRow]) -> list[Tensor]:
        """Vectors of the words of each row, from one batch."""
        model = self.checkpoint.model
        pieces = pad_pieces([[row] for row in rows], self.checkpoint.pieces.pad_id).to(model.device)
        states = model(input_ids=pieces.ids, attention_mask=pieces.mask.long()).last_hidden_state.float()
        words = mean_of_pieces(states, pieces).cpu()
        return [words[number, : len(row.words)].clone() for number, row in enumerate(rows)]
