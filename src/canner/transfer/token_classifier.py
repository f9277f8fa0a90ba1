"""A token classifier of `transformers` (optional extra) as teacher."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from canner.data.word_pieces import PieceRow, pad_pieces
from canner.nn.pieces import mean_of_pieces
from canner.tagging.checkpoint import Checkpoint
from canner.tagging.piece_reading import read_in_rows
from canner.text.schemes import split_tag
from canner.transfer.teacher import TargetFeatures


class TokenClassifier:
    """A model that was fine-tuned to find entities in English, as a `Teacher`.

    r_j is the mean of the last hidden states of a word's pieces, in the place of our BiLSTM's outputs (Eq. 5). A
    word's tag probabilities are those of its first piece; a word without pieces has zeros.

    Args:
        checkpoint: of kind "token classifier".

    Attributes:
        fingerprint: of weights, configuration and tokenizer.
        features_dim: F, width of the hidden states.
        tags: as the configuration names them.

    Raises:
        ValueError: the tags are not those of entities (`B-PER`).
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self.fingerprint = f"classifier-{checkpoint.store_key}"
        self.features_dim = checkpoint.dim
        names: dict[int, str] = checkpoint.model.config.id2label
        self.tags = tuple(names[index] for index in sorted(names))
        if others := [tag for tag in self.tags if tag != "O" and split_tag(tag) is None]:
            raise ValueError(
                f"{checkpoint.path}: expected a token classifier of entities, with tags such as B-PER, got "
                f"{others[0]!r}; take one that was fine-tuned on named entities"
            )

    def read(self, sentences: Sequence[Sequence[str]]) -> list[TargetFeatures]:
        """Features of sentences, none of them empty, in their order."""
        width = self.features_dim + len(self.tags)
        found = read_in_rows(sentences, self._checkpoint.pieces, self._read, width=width)
        sizes = [self.features_dim, len(self.tags)]
        return [TargetFeatures(*of_words.split(sizes, dim=1)) for of_words in found]

    @torch.no_grad()
    def _read(self, rows: list[PieceRow]) -> list[Tensor]:
        """Features and tag probabilities of the words of each row, side by side."""
        model, pad_id = self._checkpoint.model, self._checkpoint.pieces.pad_id
        firsts = [PieceRow(row.ids, [own[:1] for own in row.words]) for row in rows]
        pieces, first = (pad_pieces([[row] for row in of], pad_id).to(model.device) for of in (rows, firsts))
        said = model(input_ids=pieces.ids, attention_mask=pieces.mask.long(), output_hidden_states=True)
        features = mean_of_pieces(said.hidden_states[-1].float(), pieces)
        posteriors = mean_of_pieces(said.logits.float().softmax(dim=2), first)
        words = torch.cat([features, posteriors], dim=2).cpu()
        return [words[number, : len(row.words)].clone() for number, row in enumerate(rows)]
