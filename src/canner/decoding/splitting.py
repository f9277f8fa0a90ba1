"""Where to cut a sentence that is longer than the translator reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canner.text.subwords import Pieces

_STOPS = frozenset({".", "!", "?", "…", "。", "！", "？", ";", "；"})
_PAUSES = frozenset({",", ":", "，", "、", "：", "–", "—", ")", "）"})


@dataclass(frozen=True)
class SentencePart:
    """A sentence, or a part of a long one, as the model reads it: with slots for names, and in pieces."""

    sentence: int
    words: tuple[str, ...]
    slots: dict[str, str]
    pieces: Pieces


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
