"""One way to write a letter with an accent, and letters without accents.

Unicode writes é as one character (composed) or as e and a combining mark; corpora and keyboards differ, in Yoruba even
within a corpus. Whatever learns from text or looks a word up reads it composed; texts and tokens that are handed
back stay as they came.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_STROKES = str.maketrans("đĐłŁøØħĦŧŦı", "dDlLoOhHtTi") | {
    ord("ß"): "ss",
    ord("æ"): "ae",
    ord("Æ"): "Ae",
    ord("œ"): "oe",
}
_FIRST_ACCENT, _LAST_ACCENT, _LAST_LATIN = "\u0300", "\u036f", "\u02af"
_JAMO = ("\u1160", "\u11ff")
"""Vowels and finals of Hangul, which join the consonant before them."""


def composed(word: str) -> str:
    """The word in Unicode's composed form (NFC), in which words are learned and looked up."""
    return unicodedata.normalize("NFC", word)


def all_composed(words: Sequence[str]) -> tuple[str, ...]:
    """Words of a sentence, each in its composed form."""
    return tuple(map(composed, words))


def composed_with_places(text: str) -> tuple[str, list[int]]:
    """A text in composed form, as far as that is no longer, and where each of its characters begins in what came.

    Returns:
        The composed text, and its places, one more than it has characters: the last is the length of the given text.
    """
    if unicodedata.is_normalized("NFC", text):
        return text, list(range(len(text) + 1))
    parts, places, start = [], [], 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _joins(text[end]):
            continue
        part = composed(text[start:end])
        if (
            len(part) > end - start
        ):  # a few letters (Bengali ড়) are longer in composed form: they are read as they are
            part = text[start:end]
        parts.append(part)
        # What was composed is the beginning: marks for which there is no whole letter stand at the end.
        shorter = end - start - len(part)
        places += [start, *range(start + 1 + shorter, end)]
        start = end
    return "".join(parts), [*places, len(text)]


def without_accents(word: str) -> str:
    """The word as English text writes it: Pérez is Perez there, and still the same name. Other scripts stay."""
    if word.isascii():
        return word
    kept, of_latin = [], False
    for character in unicodedata.normalize("NFD", word):
        if _FIRST_ACCENT <= character <= _LAST_ACCENT:
            if of_latin:
                continue
        else:
            of_latin = character <= _LAST_LATIN and character.isalpha()
        kept.append(character)
    return composed("".join(kept)).translate(_STROKES)


def _joins(character: str) -> bool:
    """Whether a character may be one with that before it."""
    return unicodedata.category(character)[0] == "M" or _JAMO[0] <= character <= _JAMO[1]
