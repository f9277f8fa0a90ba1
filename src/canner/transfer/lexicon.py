"""A bilingual lexicon counted from aligned parallel text: for every word its likeliest English."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from canner.text.accents import composed
from canner.text.alignments import Link
from canner.text.capitals import NameGuesser

RULES = 2
"""Version of the rules by which `Lexicon.gloss` chooses; part of a gloss's fingerprint."""

# a capitalised word seen fewer times is rather a name than a word: its only alignment may be noise
_MIN_NAME_COUNT = 2
# shorter beginnings say too little of what a word means
_MIN_STEM = 4


class Entry(NamedTuple):
    """The likeliest English of a word (one word or a short phrase) and how often it was seen."""

    english: str
    seen: int


@dataclass(frozen=True)
class Lexicon:
    """English glosses for words as they were written, case included.

    Attributes:
        entries: from the written form to its gloss.
        names: tells names from nouns, where the language writes both with capitals (German); None: it does not.
    """

    entries: Mapping[str, Entry]
    names: NameGuesser | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", {composed(word): entry for word, entry in self.entries.items()})
        # for the nearest word by prefix: only lower-case words inflect; names do not
        words = sorted(word for word in self.entries if word.islower() and word.isalpha())
        object.__setattr__(self, "_sorted_words", words)
        object.__setattr__(self, "_cache", {})

    def gloss(self, word: str) -> tuple[str, ...]:
        """English for one word, with its case carried over, both ways.

        A small word stays small even where English writes a capital (español, "spanish"): the languages that
        are tagged follow their own spelling in what they call a name. Measured without labels on Spanish,
        this raises F1 from 62 to 66. Where nouns have capitals too, a capital is that of the English word.

        Numbers, unknown symbols and capitalised words without evidence are copied: they are mostly the same
        in English, and a name is worth more to the teacher than a guess.
        """
        cache: dict[str, tuple[str, ...]] = self._cache  # type: ignore[attr-defined]
        if word not in cache:
            cache[word] = tuple(self._gloss(composed(word)).split())
        return cache[word]

    def _gloss(self, word: str) -> str:
        entry = self.entries.get(word)
        if not any(character.isalpha() for character in word):
            # punctuation may differ between languages (，→ ,), but never becomes a word; numbers stay
            differs = entry and not any(character.isalnum() for character in entry.english + word)
            return entry.english if entry and differs else unicodedata.normalize("NFKC", word)
        if any(character.isdigit() for character in word):
            return word
        if not _has_case(word):
            return entry.english if entry else word
        if word.islower():
            return entry.english.lower() if entry else self._nearest(word)
        return self._gloss_capitalised(word, entry)

    def _gloss_capitalised(self, word: str, entry: Entry | None) -> str:
        shouted = len(word) > 1 and word.isupper()
        forms = [word, word.capitalize(), word.lower()] if shouted else [word, word.lower()]
        for form in forms:
            found = self.entries.get(form)
            if found and (found.seen >= _MIN_NAME_COUNT or found.english.lower() == word.lower()):
                return found.english.upper() if shouted else self._with_capital(found.english)
        return word.lower() if self.names is not None and self.names.is_noun(word) else word

    def _with_capital(self, english: str) -> str:
        """The English of a word with a capital."""
        return english[:1].upper() + english[1:] if self.names is None else english

    def _nearest(self, word: str) -> str:
        """The gloss of the most frequent of those words that share the longest beginning; else the word."""
        words: list[str] = self._sorted_words  # type: ignore[attr-defined]
        for length in range(len(word) - 1, max(_MIN_STEM, (len(word) + 1) // 2) - 1, -1):
            stem = word[:length]
            start = bisect_left(words, stem)
            family = []
            while start < len(words) and words[start].startswith(stem):
                family.append(words[start])
                start += 1
            if family:
                return self.entries[max(family, key=lambda known: self.entries[known].seen)].english.lower()
        return word


def count_lexicon(
    source_sentences: Iterable[Sequence[str]],
    target_sentences: Iterable[Sequence[str]],
    alignments: Iterable[Sequence[Link]],
    *,
    max_phrase: int = 1,
    min_count: int = 1,
    names: NameGuesser | None = None,
) -> Lexicon:
    """Count a lexicon from aligned sentence pairs.

    Args:
        source_sentences: tokens.
        target_sentences: English tokens.
        alignments: links (source, target) of every pair.
        max_phrase: longest English phrase of a single source word; 1 keeps one word for one word. More suits
            languages whose words hold several English ones (Chinese 联合国, "United Nations").
        min_count: an entry seen fewer times is left out, unless it copies its word.
        names: of the lexicon. With it, as in a script without case, English is written as it mostly was for this word
            (Union; 美国, US), else as it mostly was for any (union, us).
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    cases: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    english_totals: Counter[str] = Counter()
    for source, target, links in zip(source_sentences, target_sentences, alignments, strict=True):
        linked: dict[int, list[int]] = defaultdict(list)
        for i, j in links:
            linked[i].append(j)
        for i, places in linked.items():
            phrase = _phrase(sorted(places), target, max_phrase)
            if phrase is None:
                continue
            lowered = phrase.lower()
            counts[source[i]][lowered] += 1
            english_totals[lowered] += 1
            # a capital that opens a sentence says nothing
            case = 1 if min(places) > 0 or phrase[:1].islower() else 0
            cases["", lowered][phrase] += case
            if names is not None or not _has_case(source[i]):
                cases[source[i], lowered][phrase] += case
    entries = {}
    for word, translations in counts.items():
        best = max(translations, key=lambda english: _score(translations[english], english_totals[english]))
        if translations[best] >= min_count or best == word.lower():
            own = cases.get((word, best), Counter())
            forms = own if own.total() else cases["", best]
            entries[word] = Entry(max(forms, key=lambda form: forms[form]), translations[best])
    return Lexicon(_without_redundant(entries, names), names)


def _score(count: int, english_total: int) -> float:
    """The count, leaning against English words that are aligned to everything ("the", ",")."""
    return count * (count / english_total) ** 0.2


def _phrase(places: list[int], target: Sequence[str], max_phrase: int) -> str | None:
    if places[-1] - places[0] + 1 == len(places) <= max_phrase:
        return " ".join(target[j] for j in places)
    # scattered or long: the alignment is doubtful, and a wrong phrase costs more than no count
    return target[places[0]] if len(places) == 1 else None


def _without_redundant(entries: dict[str, Entry], names: NameGuesser | None) -> dict[str, Entry]:
    """Leave out capitalised words that are copied or glossed the same without an entry of their own."""
    small = {word: entry for word, entry in entries.items() if not _has_case(word) or word.islower()}
    slim, full = Lexicon(small, names), Lexicon(entries, names)
    kept = dict(slim.entries)
    for word, entry in entries.items():
        if word not in kept and full.gloss(word) != slim.gloss(word):
            kept[word] = entry
    return kept


def _has_case(word: str) -> bool:
    return word.lower() != word.upper()
