"""A sentence as the translator reads it: names masked, cut where it is too long, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from canner.text.subwords import Pieces, Subwords

Mask = Callable[[Sequence[str]], tuple[list[str], dict[str, str]]]
"""Words with slots in the place of names, and what each slot stands for."""

_STOPS = frozenset({".", "!", "?", "…", "。", "！", "？", ";", "；"})
_PAUSES = frozenset({",", ":", "，", "、", "：", "–", "—", ")", "）"})


@dataclass(frozen=True)
class SentencePart:
    """A sentence, or a part of a long one, as the model reads it: with slots for names, and in pieces."""

    sentence: int
    words: tuple[str, ...]
    slots: dict[str, str]
    pieces: Pieces


def sentence_parts(
    sentences: Sequence[Sequence[str]], mask: Mask, subwords: Subwords, limit: int
) -> list[SentencePart]:
    """Masks names, cuts long sentences, and encodes; sentences without words have no part.

    Args:
        sentences: words of each.
        mask: puts slots in the place of names; every part has its own.
        subwords: of the source.
        limit: most pieces in a part.
    """
    spans: list[tuple[int, int, int]] = []
    encoded = subwords.encode_many([mask(words)[0] for words in sentences])
    for number, (words, pieces) in enumerate(zip(sentences, encoded, strict=True)):
        if len(pieces.ids) <= limit:
            cuts = [(0, len(words))] if words else []
        else:
            counts = [0] * len(words)
            for word in pieces.words:
                counts[word] += 1
            cuts = split_sentence(words, counts, limit)
        spans.extend((number, start, end) for start, end in cuts)
    words_of = [tuple(sentences[n][start:end]) for n, start, end in spans]
    masked = [mask(words) for words in words_of]
    again = subwords.encode_many([words for words, _ in masked])
    return [
        # Only a single word can still be too long: the model reads its start.
        SentencePart(span[0], words, slots, Pieces(pieces.ids[:limit], pieces.words[:limit]))
        for span, words, (_, slots), pieces in zip(spans, words_of, masked, again, strict=True)
    ]


def split_sentence(words: Sequence[str], num_pieces: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Cuts a sentence into parts of at most `limit` pieces, after the end of a sentence or clause where it can.

    Args:
        words: of the sentence.
        num_pieces: how many pieces each word has.
        limit: most pieces in a part; a single word with more is a part of its own.

    Returns:
        Start and end (exclusive) of each part; together they cover all words.
    """
    parts, start = [], 0
    while start < len(words):
        end = _furthest(num_pieces, start, limit)
        if end < len(words):
            end = _best_cut(words, start, end)
        parts.append((start, end))
        start = end
    return parts


def _furthest(num_pieces: Sequence[int], start: int, limit: int) -> int:
    end, pieces = start + 1, num_pieces[start]
    while end < len(num_pieces) and pieces + num_pieces[end] <= limit:
        pieces += num_pieces[end]
        end += 1
    return end


def _best_cut(words: Sequence[str], start: int, end: int) -> int:
    # Not in the first half, so that a full stop early on does not make a part of three words.
    middle = start + (end - start) // 2
    for marks in (_STOPS, _PAUSES):
        for cut in range(end, middle, -1):
            if words[cut - 1] in marks:
                return cut
    return end
