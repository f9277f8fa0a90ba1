"""Batches of a tagger: encoded sentences, and frozen features beside them, padded to one length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from canner.data.tagging import EncodedSentence
from canner.data.word_pieces import PieceRow, pad_pieces
from canner.models.tagger import TaggerInputs
from canner.nn.pieces import PieceBatch


def make_batch(
    sentences: Sequence[EncodedSentence],
    features: Sequence[Tensor] | None = None,
    aligned_features: Sequence[Tensor] | None = None,
) -> tuple[TaggerInputs, Tensor | None]:
    """Pads sentences to the longest of them.

    Args:
        sentences: the encoded sentences, none of them empty.
        features: for each sentence its frozen embeddings [S E], any float type.
        aligned_features: for each sentence the features carried over from English [S F], any float type.

    Returns:
        What the model reads, and the tag ids [B S], 0 at padding; None for these unless all sentences have tags.

    Raises:
        ValueError: if there is no sentence, an empty one, or features of another length than the sentence.
    """
    if not sentences or any(s.length == 0 for s in sentences):
        raise ValueError("expected one or more sentences of one or more tokens; leave empty sentences out")
    for name, given in (("features", features), ("aligned_features", aligned_features)):
        for sentence, rows in zip(sentences, given or (), strict=given is not None):
            if rows.shape[0] != sentence.length:
                raise ValueError(
                    f"expected {name} for {sentence.length} tokens, got {rows.shape[0]} rows; "
                    "they belong to another sentence or tokenisation"
                )
    lengths = torch.tensor([s.length for s in sentences])
    mask = torch.arange(int(lengths.max()))[None, :] < lengths[:, None]
    inputs = TaggerInputs(
        mask=mask,
        word_ids=_pad([s.word_ids for s in sentences]),
        char_ids=_pad_characters([s.char_ids for s in sentences]),
        pieces=_pad_pieces([s.pieces for s in sentences]),
        features=_pad_features(features),
        aligned_features=_pad_features(aligned_features),
    )
    return inputs, _pad([s.tag_ids for s in sentences])


def _pad(rows: Sequence[Tensor | None]) -> Tensor | None:
    if any(row is None for row in rows):
        return None
    return pad_sequence([row for row in rows if row is not None], batch_first=True)


def _pad_pieces(rows: Sequence[list[PieceRow] | None]) -> PieceBatch | None:
    if any(row is None for row in rows):
        return None
    return pad_pieces([row for row in rows if row is not None], pad_id=0)


def _pad_features(rows: Sequence[Tensor] | None) -> Tensor | None:
    if rows is None:
        return None
    return pad_sequence([row.float() for row in rows], batch_first=True)


def _pad_characters(rows: Sequence[Tensor | None]) -> Tensor | None:
    if any(row is None for row in rows):
        return None
    given = [row for row in rows if row is not None]
    longest = max(row.shape[0] for row in given)
    widest = max(row.shape[1] for row in given)
    padded = torch.zeros(len(given), longest, widest, dtype=torch.long)
    for index, row in enumerate(given):
        padded[index, : row.shape[0], : row.shape[1]] = row
    return padded
