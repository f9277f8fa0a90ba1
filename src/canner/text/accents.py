"""One way to write a letter with an accent, and letters without accents.

Unicode writes é as one character (composed) or as e and a combining mark; corpora and keyboards differ, in Yoruba even
within a corpus. Whatever learns from text or looks a word up reads it composed; texts and tokens that are handed
back stay as they came.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def composed(word: str) -> str:
    """The word in Unicode's composed form (NFC), in which words are learned and looked up."""
    return unicodedata.normalize("NFC", word)


def all_composed(words: Sequence[str]) -> tuple[str, ...]:
    """Words of a sentence, each in its composed form."""
    return tuple(map(composed, words))


def without_accents(word: str) -> str:
    """The word as English text writes it: Pérez is Perez there, and still the same name."""
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
