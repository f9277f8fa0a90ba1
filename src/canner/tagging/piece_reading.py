"""What a pretrained model says of the words of sentences, read in batches of pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.word_pieces import PieceRow, WordPieces

_BATCH_PIECES = 4096


def read_in_rows(
    sentences: Sequence[Sequence[str]],
    pieces: WordPieces,
    read: Callable[[list[PieceRow]], list[Tensor]],
    *,
    width: int,
) -> list[Tensor]:
    """For each sentence what a model says of its words [S, E]; long sentences are read in several rows.

    Args:
        sentences: words.
        pieces: cuts them.
        read: gives for each row of a batch what the model says of its words [N, E].
        width: E.
    """
    rows = [(place, row) for place, words in enumerate(sentences) for row in pieces.rows(words)]
    found: dict[int, Tensor] = {}
    for batch in bucket_by_length([len(row.ids) for _, row in rows], max_tokens=_BATCH_PIECES, shuffle=False):
        found |= dict(zip(batch, read([rows[i][1] for i in batch]), strict=True))
    of_sentences: list[list[Tensor]] = [[torch.zeros(0, width)] for _ in sentences]
    for index, (place, _) in enumerate(rows):
        of_sentences[place].append(found[index])
    return [torch.cat(own) for own in of_sentences]
