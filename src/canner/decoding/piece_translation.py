"""A translation in pieces, and the words that it means."""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from canner.data.translation import Translation
from canner.decoding.options import TranslateOptions
from canner.nn.pooling import pool_decoder_attention
from canner.nn.word_attention import join_attention
from canner.text.segmentation import Segment
from canner.text.subwords import Pieces, Subwords


@dataclass(frozen=True)
class PieceTranslation:
    """What the translator itself reads and writes.

    Attributes:
        source_pieces: of the (masked) source, `<eos>` last.
        target_pieces: of the output, `<eos>` last.
        source_words: for each source piece the index of its word; -1 for `<eos>`.
        target_words: for each target piece but `<eos>` the index of its word.
        attention: [L, target pieces, source pieces]; row t is the step that produced target piece t. Rows sum to 1.
        log_probability: of the whole output, `<eos>` included.
    """

    source_pieces: tuple[str, ...]
    target_pieces: tuple[str, ...]
    source_words: tuple[int, ...]
    target_words: tuple[int, ...]
    attention: Float[Tensor, "L TP SP"]
    log_probability: float


def make_piece_translation(
    source: Pieces,
    target: Pieces,
    attention: Float[Tensor, "L TP SP"],
    log_probability: float,
    source_subwords: Subwords,
    target_subwords: Subwords,
) -> PieceTranslation:
    """Names the pieces; both sides are given without `<eos>`, the attention with it."""
    source_ids, target_ids = [*source.ids, source_subwords.eos_id], [*target.ids, target_subwords.eos_id]
    return PieceTranslation(
        tuple(source_subwords.piece(i) for i in source_ids),
        tuple(target_subwords.piece(i) for i in target_ids),
        (*source.words, -1),
        tuple(target.words),
        attention,
        log_probability,
    )


def to_words(
    pieces: PieceTranslation,
    source: Sequence[str],
    english: Sequence[str],
    target: Sequence[str | None],
    options: TranslateOptions,
) -> Translation:
    """The translation between words.

    Args:
        pieces: the translation between pieces.
        source: the words as they were given (no slots).
        english: each of them as it stands in the English where it is copied.
        target: the output's words; None where the translator had no word: the source word that it looked at most
            is copied there.
        options: pooling, and the layer that says where it looked.
    """
    produced, read = pool_decoder_attention(
        pieces.attention,
        pieces.source_words,
        pieces.target_words,
        num_source_words=len(source),
        num_target_words=len(target),
        target_pooling=options.target_pooling,
    )
    layer = options.alignment_layer
    alignment = produced.mean(0) if layer is None or len(produced) == 1 else produced[layer]
    filled = tuple(
        word if word is not None else english[int(alignment[j].argmax())] for j, word in enumerate(target)
    )
    score = pieces.log_probability / len(pieces.target_pieces)
    return Translation(tuple(source), filled, produced, read, score, alignment_layer=layer)


def read_words(target: Pieces, slots: Mapping[str, str], subwords: Subwords) -> list[str | None]:
    """Words of an output: slots as the words they stand for; None for words with `<unk>` and empty ones."""
    grouped: list[list[int]] = [[] for _ in range(max(target.words, default=-1) + 1)]
    for index, at in zip(target.ids, target.words, strict=True):
        grouped[at].append(index)
    words: list[str | None] = []
    for ids in grouped:
        word = subwords.word(ids)
        known = subwords.unk_id not in ids and bool(word)
        words.append(slots.get(word, word) if known else None)
    return words


def join_parts(parts: Sequence[Translation], source: Sequence[str]) -> Translation:
    """One translation from those of consecutive parts; no part looks at another."""
    if len(parts) == 1:
        return parts[0]
    weights = [len(part.target) for part in parts] if any(part.target for part in parts) else [1] * len(parts)
    score = sum(w * part.score for w, part in zip(weights, parts, strict=True)) / sum(weights)
    reading = [part.reading_attention for part in parts if part.reading_attention is not None]
    return Translation(
        tuple(source),
        tuple(word for part in parts for word in part.target),
        join_attention([part.attention for part in parts]),
        join_attention(reading) if len(reading) == len(parts) else None,
        score,
        len(parts),
        parts[0].alignment_layer,
    )


def empty_translation(num_layers: int) -> Translation:
    """The translation of a sentence without words."""
    nothing = torch.zeros(num_layers, 0, 0)
    return Translation((), (), nothing, nothing)


def spread_over_tokens(
    translation: Translation, tokens: Sequence[str], segments: Sequence[Segment]
) -> Translation:
    """A translation of segments as one of the tokens that they were cut from.

    The attention on a segment is shared by its characters: rows keep their sums.

    Args:
        translation: of the segments' texts.
        tokens: of the sentence.
        segments: words over the tokens, with the token of each character.
    """
    shares = translation.attention.new_zeros(len(segments), len(tokens))
    for index, segment in enumerate(segments):
        share = shares.new_full((len(segment.owners),), 1 / len(segment.owners))
        shares[index].index_add_(0, torch.tensor(segment.owners), share)
    reading = translation.reading_attention
    return dataclasses.replace(
        translation,
        source=tuple(tokens),
        attention=translation.attention @ shares,
        reading_attention=None if reading is None else reading @ shares,
    )


def copies(copied: Iterable[tuple[str, Segment]], target: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Pairs (target word, source token): a word that is what a slot became comes from all tokens in such a slot.

    Args:
        copied: what stands in the English for a segment that was copied, and the segment.
        target: the words of the English.
    """
    tokens_of: dict[str, set[int]] = {}
    for english, segment in copied:
        tokens_of.setdefault(english, set()).update(segment.owners)
    return tuple((j, i) for j, word in enumerate(target) for i in sorted(tokens_of.get(word, ())))
