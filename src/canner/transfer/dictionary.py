"""A dictionary beside the lexicon of a Chinese gloss: its English, and the names that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from canner.text.cedict import Dictionary
from canner.text.romanisation import is_chinese
from canner.text.segmentation import Segment
from canner.transfer.chinese import MIN_TRUSTED, Glossed
from canner.transfer.lexicon import Entry, Lexicon

RULES = 1
"""Version of these rules; part of the fingerprint of a gloss that reads a dictionary."""

_MAX_SEGMENTS = 5
_DOTS = ("·", "‧", "•", "・")


def with_dictionary(lexicon: Lexicon, dictionary: Dictionary) -> Lexicon:
    """The lexicon with the dictionary's English for every word that this knows, trusted.

    People wrote the dictionary, and most of its names are no words; a lexicon counted from little parallel text has
    noise in what it saw seldom. It has what the dictionary lacks.
    """
    known = {**dictionary.words, **dictionary.names}
    entries = {word: Entry(english, MIN_TRUSTED) for word, english in known.items()}
    return Lexicon({**lexicon.entries, **entries}, lexicon.names)


def join_names(segments: Sequence[Segment], names: Mapping[str, str]) -> list[Segment]:
    """The segments, with neighbours joined that are one name of the dictionary: the longest first, from the left.

    jieba cuts many a name (美国 国务院, "US Department of State"). A joined one has the part of speech of a name.

    Args:
        segments: of a sentence.
        names: of the dictionary; of these count those of three characters and more.
    """
    joined: list[Segment] = []
    start = 0
    while start < len(segments):
        end = start + 1
        for last in range(min(len(segments), start + _MAX_SEGMENTS), start + 1, -1):
            text = "".join(segment.text for segment in segments[start:last])
            if len(text) > 2 and text in names:
                end = last
                break
        if end == start + 1:
            joined.append(segments[start])
        else:
            owners = tuple(owner for segment in segments[start:end] for owner in segment.owners)
            joined.append(Segment("".join(segment.text for segment in segments[start:end]), owners, "nz"))
        start = end
    return joined


def join_at_dots(glossed: Sequence[Glossed]) -> list[Glossed]:
    """The English, without that of a dot between the parts of a foreign name (约翰·罗素, "John Russell").

    The dot's character belongs to the word before it: else the teacher would see two names, and the tagger a gap. A dot
    between two words without capitals (手机·第二季, "mobile second season") stays.
    """
    joined: list[Glossed] = []
    for place, (words, piece) in enumerate(glossed):
        if (
            piece.text in _DOTS
            and 0 < place < len(glossed) - 1
            and _is_name(glossed[place - 1], glossed[place + 1])
        ):
            before, owner = joined[-1]
            joined[-1] = (before, owner._replace(owners=owner.owners + piece.owners))
        else:
            joined.append((words, piece))
    return joined


def _is_name(before: Glossed, after: Glossed) -> bool:
    """Whether the Chinese words at a dot are of one name."""
    has_capital = any(word[:1].isupper() for words, _ in (before, after) for word in words)
    return has_capital and is_chinese(before[1].text) and is_chinese(after[1].text)
