"""From pieces to words: attention between subword pieces pooled to attention between words.

The translator works on pieces, the teacher and the tagger on words. The paper says nothing of the step
between; how it is done changes what is transferred, so it is an option here.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

TargetPooling = Literal["mean", "first", "last"]


def pool_attention(
    attention: Float[Tensor, "L TP SP"],
    source_words: Sequence[int],
    target_words: Sequence[int],
    *,
    num_source_words: int,
    num_target_words: int,
    target_pooling: TargetPooling = "mean",
) -> Float[Tensor, "L T S"]:
    """Pool attention between pieces to attention between words.

    Columns (source pieces) are summed, so that a row keeps its mass: a word is looked at as much as its
    pieces are together. Rows (target pieces) are averaged, or one is chosen, so that each row stays a
    distribution however many pieces its word has.

    Args:
        attention: weights of every layer; rows are target pieces, columns source pieces.
        source_words: for every column the index of its word; negative: no word (`<eos>`), dropped.
        target_words: for every row the index of its word; negative: dropped.
        num_source_words: S.
        num_target_words: T; a word without pieces gets a row of zeros.
        target_pooling: "mean", or the row of the "first" or "last" piece of the word.

    Raises:
        ValueError: if the indices do not fit the attention or the numbers of words.
    """
    expected = (len(target_words), len(source_words))
    if tuple(attention.shape[1:]) != expected:
        raise ValueError(
            f"expected attention of {expected[0]} target and {expected[1]} source pieces, got "
            f"{tuple(attention.shape[1:])}; give one word index for every row and column"
        )
    columns = _membership(source_words, num_source_words, attention)
    rows = _membership(target_words, num_target_words, attention)
    return _row_weights(rows, target_pooling).T @ attention @ columns


def pool_decoder_attention(
    attention: Float[Tensor, "L steps SP"],
    source_words: Sequence[int],
    target_words: Sequence[int],
    *,
    num_source_words: int,
    num_target_words: int,
    target_pooling: TargetPooling = "mean",
) -> tuple[Float[Tensor, "L T S"], Float[Tensor, "L T S"]]:
    """Pool a decoder's attention to words, in both ways of reading it.

    Args:
        attention: weights of every decoder step: row t is the step that *produced* target piece t, and
            whose input was piece t - 1; the last row produced `<eos>`. One row more than target pieces.
        source_words: as in `pool_attention`.
        target_words: for every target piece, `<eos>` not counted, the index of its word.
        num_source_words: S.
        num_target_words: T.
        target_pooling: as in `pool_attention`.

    Returns:
        The attention while each word was produced, and the same while it was read (one step later).
    """
    if attention.shape[1] != len(target_words) + 1:
        raise ValueError(
            f"expected attention of {len(target_words) + 1} decoder steps (every piece and <eos>), got "
            f"{attention.shape[1]}; keep the row of the last step"
        )

    def pooled(rows: Tensor) -> Tensor:
        return pool_attention(
            rows,
            source_words,
            target_words,
            num_source_words=num_source_words,
            num_target_words=num_target_words,
            target_pooling=target_pooling,
        )

    return pooled(attention[:, :-1]), pooled(attention[:, 1:])


def _membership(words: Sequence[int], num_words: int, like: Tensor) -> Tensor:
    """[pieces, words]: 1 where the piece belongs to the word."""
    index = torch.tensor(words, dtype=torch.long, device=like.device)
    if len(words) and int(index.max()) >= num_words:
        raise ValueError(
            f"expected word indices below {num_words}, got {int(index.max())}; count the words again"
        )
    return (index.unsqueeze(1) == torch.arange(num_words, device=like.device)).to(like.dtype)


def _row_weights(membership: Tensor, target_pooling: TargetPooling) -> Tensor:
    """[pieces, words]: the weight of every piece in its word's row."""
    if target_pooling == "mean":
        return membership / membership.sum(0).clamp(min=1)
    # the running count of a word's pieces is 1 at its first, and counted from behind at its last
    if target_pooling == "first":
        return membership * (membership.cumsum(0) == 1)
    if target_pooling == "last":
        return membership * (membership.flip(0).cumsum(0).flip(0) == 1)
    raise ValueError(f'expected target_pooling "mean", "first" or "last", got {target_pooling!r}; choose one')
