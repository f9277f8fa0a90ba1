"""Words of a language written without spaces, over tokens that are characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from canner.text.extras import missing_package

Segmentation = Literal["none", "jieba"]
"""Whether tokens are words already, or are joined and cut into Chinese words."""


class Segment(NamedTuple):
    """A word, the tokens its characters come from (one index per character), and its part of speech.

    A name written in pinyin (`canner.text.romanisation`) keeps the indices of its characters.

    `tag` is jieba's, where it was asked for: `nr` person, `ns` place, `nt` organisation, `nz` other name.
    """

    text: str
    owners: tuple[int, ...]
    tag: str = ""

    def part(self, start: int, end: int) -> Segment:
        """The segment of some of its characters."""
        return Segment(self.text[start:end], self.owners[start:end], self.tag)


def segments_of(tokens: Sequence[str], segmentation: Segmentation) -> list[Segment]:
    """The words over the tokens, with parts of speech: the tokens themselves (with none), or jieba's.

    Raises:
        ValueError: if jieba is needed and not installed.
    """
    if segmentation == "jieba":
        return segment_tokens(tokens, with_tags=True)
    return [Segment(token, (index,)) for index, token in enumerate(tokens)]


def segment_tokens(tokens: Sequence[str], *, with_tags: bool = False) -> list[Segment]:
    """Segment the joined tokens into words with jieba.

    Every character of every token is in exactly one segment; white space inside tokens is in none.

    Args:
        tokens: of a sentence, usually single characters.
        with_tags: also tag parts of speech, about ten times slower; words that jieba's dictionary does not
            have may be cut otherwise than without.

    Raises:
        ValueError: if jieba is not installed.
    """
    try:
        import jieba
        import jieba.posseg
    except ImportError:
        raise missing_package("jieba", "gloss") from None
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
    cut = jieba.posseg.cut(text) if with_tags else ((word, "") for word in jieba.cut(text))
    for word, tag in cut:
        places = range(position, position + len(word))
        position += len(word)
        kept = [place for place in places if owners[place] >= 0 and not text[place].isspace()]
        if kept:
            characters = "".join(text[place] for place in kept)
            segments.append(Segment(characters, tuple(owners[place] for place in kept), tag))
    return segments


def _joins(character: str) -> bool:
    return (character.isalnum() and character.lower() != character.upper()) or character.isdigit()
