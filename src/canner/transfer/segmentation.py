"""Words of a language written without spaces, over tokens that are characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Segment(NamedTuple):
    """A word and the tokens its characters come from, one token index per character."""

    text: str
    owners: tuple[int, ...]


def segment_tokens(tokens: Sequence[str]) -> list[Segment]:
    """Segment the joined tokens into words with jieba.

    Every character of every token is in exactly one segment; white space inside tokens is in none.

    Raises:
        ValueError: if jieba is not installed.
    """
    try:
        import jieba
    except ImportError:
        raise ValueError("expected the package jieba, got none; do: pip install 'canner[gloss]'") from None
    jieba.setLogLevel("WARNING")
    text, owners = "", []
    for index, token in enumerate(tokens):
        if text and _joins(text[-1]) and _joins(token[:1]):
            # two Latin words or numbers in a row were apart in the text
            text += " "
            owners.append(-1)
        text += token
        owners.extend([index] * len(token))
    segments, position = [], 0
    for word in jieba.cut(text):
        places = range(position, position + len(word))
        position += len(word)
        kept = [place for place in places if owners[place] >= 0 and not text[place].isspace()]
        if kept:
            segments.append(
                Segment("".join(text[place] for place in kept), tuple(owners[place] for place in kept))
            )
    return segments


def _joins(character: str) -> bool:
    return (character.isalnum() and character.lower() != character.upper()) or character.isdigit()
