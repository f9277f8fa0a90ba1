"""Words with offsets from raw text, and readable English from words.

One rule for all languages, so that corpora tokenised in the style of CoNLL and raw text meet in the same words:
characters of scripts written without spaces stand alone, punctuation is split off, numbers and abbreviations stay
whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from canner.text.accents import composed, composed_with_places


class Token(NamedTuple):
    """A word and where it stands: `text == original[start:end]` (character offsets, end-exclusive)."""

    text: str
    start: int
    end: int


# Han, kana, Thai, Lao, Khmer, Myanmar: scripts without spaces between words.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
)
_UNSPACED += "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Marks belong to their letter: accents (Yoruba), vowel signs (Hindi), points (Arabic).
_MARKS = "".join(c for c in map(chr, range(0x300, 0xFFFF)) if unicodedata.category(c)[0] == "M")
_WORD = rf"(?:(?![{_UNSPACED}_])[\w{_MARKS}])"

_TOKEN = re.compile(
    rf"""
      https?://\S*[\w/]                                   # addresses
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+
    | (?<!\S)['’](?:s|re|ve|ll|d|m)(?!\S)                  # a clitic that stands alone already
    | \d+(?:[.,:/]\d+)*(?:[%°ªº]|(?=\W|[{_UNSPACED}]|$))  # 1.234,5  12:30  50%
    | (?:[A-ZÁÉÍÓÚÑÜÖÄ]\.){{1,}}(?=[A-Z]|\W|$)            # initials: U.S.  J.
    | {_WORD}+(?:['’\-‑&.@]{_WORD}+)*                     # words, with inner apostrophe, hyphen, dot
    | [{_UNSPACED}]
    | \.\.\.+ | --+ | ``|''
    | \S
    """,
    re.VERBOSE,
)

# What stands between characters of such scripts is written without spaces too: 、。《》 and fullwidth forms.
_UNSPACED_CHARACTER = re.compile(rf"[{_UNSPACED}\u3000-\u303f\uff00-\uffef]")

# English clitics are words of their own in CoNLL-2003: "Peru 's", "do n't".
_CLITIC = re.compile(r"(?i)^(.+?)(n't|['’](?:s|re|ve|ll|d|m))$")


def is_unspaced(character: str) -> bool:
    """Whether a character belongs to a script, or its punctuation, that is written without spaces."""
    return _UNSPACED_CHARACTER.match(character) is not None


def tokenize(text: str, *, clitics: bool = False) -> list[Token]:
    """Splits text into tokens with character offsets.

    Args:
        text: raw text of any language.
        clitics: also split English clitics ("Peru's" → "Peru", "'s"), as in CoNLL-2003.

    Returns:
        The tokens in order; white space is in none of them, every other character in exactly one. They are cut
        alike however accents are written.
    """
    whole, places = composed_with_places(text)
    spans: list[tuple[int, int]] = []
    for match in _TOKEN.finditer(whole):
        clitic = _CLITIC.match(match.group()) if clitics else None
        cuts = [match.start(), *([match.start() + len(clitic.group(1))] if clitic else []), match.end()]
        spans += pairwise(places[cut] for cut in cuts)
    return [Token(text[start:end], start, end) for start, end in spans]


def tokenize_part(text: str, start: int, end: int) -> list[Token]:
    """The tokens of `text[start:end]`, with offsets into the whole text."""
    return [Token(token.text, start + token.start, start + token.end) for token in tokenize(text[start:end])]


def spaced_tokens(words: Iterable[str]) -> list[Token]:
    """The words as tokens of the text that they make when they are joined by spaces."""
    tokens, start = [], 0
    for word in words:
        tokens.append(Token(word, start, start + len(word)))
        start += len(word) + 1
    return tokens


def tokenize_words(text: str, *, clitics: bool = False) -> list[str]:
    """The words of `tokenize`, composed (`canner.text.accents`), without offsets."""
    return [composed(token.text) for token in tokenize(text, clitics=clitics)]


_NO_SPACE_BEFORE = set(".,;:!?%)]}…”’") | {"'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "...", "’s"}
_NO_SPACE_AFTER = set("([{$£€¿¡“‘#")


def detokenize(tokens: Sequence[str]) -> str:
    """English words to readable text."""
    return " ".join("".join(group) for group in without_spaces(tokens))


def without_spaces(tokens: Sequence[str]) -> list[list[str]]:
    """The tokens in groups as text writes them: without a space within, with one between two groups.

    Straight quotation marks open and close in turn.
    """
    groups: list[list[str]] = []
    glue, quote_open = True, False
    for token in tokens:
        joins = glue or token in _NO_SPACE_BEFORE
        glue = token in _NO_SPACE_AFTER
        if token == '"':
            joins, glue = (True, False) if quote_open else (joins, True)
            quote_open = not quote_open
        if joins and groups:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups
