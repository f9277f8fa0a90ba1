"""Names that the translator has hardly seen are carried over letter by letter, through copy slots.

A small translator garbles rare names (Aranda → Garcy), and names are what an English tagger looks for. So a rare
capitalised word or number of the source, or one that is hardly ever translated, becomes a slot, `<copy0>`,
`<copy1>`, …, numbered from left to right; the translator learns from the parallel text, where the same word
stands on both sides, to carry the slot over; and in its output the slot becomes the word again. So may a name that
English has another word for (北京, Beijing), if the parallel text is sure of it: its slot becomes that word.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from pathlib import Path

from canner.text.accents import composed, without_accents
from canner.text.capitals import NameGuesser
from canner.text.subwords import COPY_SLOTS, NUM_COPY_SLOTS

COPIED_SHARE = 0.6
"""From this share of translations that a name stands in unchanged on, it is copied, however frequent it is."""


def _may_be_name(word: str) -> bool:
    return word[:1].isupper() or any(c.isdigit() for c in word) or any(c.isupper() for c in word)


class Copier:
    """Decides which source words are copied.

    Args:
        known: source words frequent enough to be translated (also in lower case).
        names: source words that are carried over under their English name, known or not.
        guesser: tells names from nouns, where the language writes both with capitals (German): a noun is translated.
    """

    def __init__(
        self,
        known: Iterable[str],
        names: Mapping[str, str] | None = None,
        guesser: NameGuesser | None = None,
    ) -> None:
        self.known = frozenset(map(composed, known))
        self.names = {composed(word): composed(english) for word, english in (names or {}).items()}
        self.guesser = guesser

    @classmethod
    def train(
        cls,
        sentences: Iterable[Sequence[str]],
        targets: Iterable[Sequence[str]] | None = None,
        *,
        min_count: int,
    ) -> Copier:
        """Learns the known words: those that occur `min_count` times in the source side of the parallel text.

        A word that mostly stands in the translation too (Sánchez, there as Sanchez, but not Londres) is a name to
        copy, however frequent: a small translator garbles even names that it has often seen.

        Args:
            sentences: source sides of the parallel text.
            targets: their translations; None: the count alone decides.
            min_count: rarer words are not known.
        """
        written: Counter[str] = Counter()
        unchanged: Counter[str] = Counter()
        for words, target in zip(sentences, targets if targets is not None else repeat(()), strict=False):
            written.update(words)
            there = {without_accents(word) for word in target}
            unchanged.update(word for word in words if _may_be_name(word) and without_accents(word) in there)
        counts = Counter({w: n for w, n in written.items() if unchanged[w] < COPIED_SHARE * n})
        for word, count in list(counts.items()):
            if word != word.lower():
                counts[word.lower()] += count
        return cls(w for w, count in counts.items() if count >= min_count)

    def copies(self, word: str) -> bool:
        """Whether the word is to be copied."""
        unknown = word not in self.known and word.lower() not in self.known
        return word in self.names or (unknown and self._may_be_name(word))

    def english(self, word: str) -> str:
        """What stands in the English for a word that is copied."""
        return self.names.get(word, word)

    def positions(self, words: Sequence[str]) -> list[int]:
        """Positions of the words that are to be copied; there are slots for so many distinct English words."""
        found: list[int] = []
        distinct: set[str] = set()
        for i, word in enumerate(words):
            if not self.copies(word):
                continue
            if self.english(word) in distinct or len(distinct) < NUM_COPY_SLOTS:
                distinct.add(self.english(word))
                found.append(i)
        return found

    def mask(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Source words with slots in the place of names, and what each slot stands for in the English."""
        slot_of: dict[str, str] = {}
        # A text may hold the very letters of a slot; they are not one.
        masked = [word.replace("<", "‹") if word in COPY_SLOTS else word for word in words]
        for i in self.positions(words):
            english = self.english(words[i])
            if english not in slot_of:
                slot_of[english] = COPY_SLOTS[len(slot_of)]
            masked[i] = slot_of[english]
        return masked, {slot: english for english, slot in slot_of.items()}

    def mask_pair(
        self, source: Sequence[str], target: Sequence[str], rng: random.Random, extra: float
    ) -> tuple[list[str], list[str]]:
        """A training pair with slots on both sides.

        A word gets a slot if it is to be copied, or by chance `extra` although it is known, and stands (or its English
        name stands) in the target too, with its accents or without.
        """
        names = [without_accents(word) for word in target]
        there = set(names)
        rare = set(self.positions(source))
        slots: dict[str, str] = {}
        masked = list(source)
        for i, word in enumerate(source):
            may_be_name = word in self.names or self._may_be_name(word)
            if not may_be_name or (name := without_accents(self.english(word))) not in there:
                continue
            if name not in slots:
                if len(slots) == NUM_COPY_SLOTS or not (i in rare or rng.random() < extra):
                    continue
                slots[name] = COPY_SLOTS[len(slots)]
            masked[i] = slots[name]
        return masked, [slots.get(name, word) for name, word in zip(names, target, strict=True)]

    def save(self, path: str | Path) -> None:
        """Writes the known words as JSON, and the names and the guesser where there are some."""
        words = sorted(self.known)
        more: dict[str, object] = {"names": dict(sorted(self.names.items()))} if self.names else {}
        more |= {"guesser": json.loads(self.guesser.to_json())} if self.guesser else {}
        content = {"known": words, **more} if more else words
        Path(path).write_text(
            json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
        )

    @classmethod
    def load(cls, path: str | Path) -> Copier:
        """Reads what `save` wrote.

        Raises:
            ValueError: if the file holds something else.
        """
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        parts = content if isinstance(content, dict) else {"known": content}
        words, names, guesser = parts.get("known"), parts.get("names", {}), parts.get("guesser")
        if not (isinstance(words, list) and all(isinstance(word, str) for word in words)):
            raise ValueError(
                f"{path}: expected a list of words, got {str(words)[:60]!r}; copy the bundle again"
            )
        one_word = isinstance(names, dict) and all(
            isinstance(english, str) and english.split() == [english] for english in names.values()
        )
        if not one_word:
            raise ValueError(
                f"{path}: expected words, each with its English in one word, got {str(names)[:60]!r}; "
                "copy the bundle again"
            )
        return cls(words, names, None if guesser is None else NameGuesser.from_json(guesser))

    def _may_be_name(self, word: str) -> bool:
        return _may_be_name(word) and not (self.guesser is not None and self.guesser.is_noun(word))
