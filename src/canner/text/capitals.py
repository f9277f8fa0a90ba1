"""Names and nouns told apart by their letters, in a language that writes both with a capital (German)."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

logger = logging.getLogger(__name__)

# German has three times the capitals of its English; Spanish, Swahili and Yoruba have 0.8 to 1.0 times
_MORE_CAPITALS = 2.0
# of German words 20 to 38 % have a capital, by the kind of text; of Spanish, Swahili and Yoruba ones at most 15 %
_MANY_CAPITALS = 0.18
# fewer words say too little
_ENOUGH_WORDS = 1000
_LONGEST_PART = 7
_LONGEST_WORD = 20
# how many words the estimate from the next shorter part counts as
_WEIGHT = 4.0
# log odds from which a word is a name; below zero since names with another form in English (München, Berlins) are
# counted as nouns; chosen without labels on the development set of German among -1, -2, -3, -4
_NAME_FROM = -3.0

Part = Literal["ending", "beginning", "length"]
PARTS: tuple[Part, ...] = ("ending", "beginning", "length")


class NameGuesser:
    """Guesses whether a word is a name, from how it ends and begins, and from its length.

    Source: the guesses for unknown words by their endings of Brants (2000), "TnT"; here ending, beginning and length
    are taken as independent, given whether the word is a name.

    Args:
        counts: for every kind of part, how many names and how many nouns have it; "" of the endings counts all.
    """

    def __init__(self, counts: Mapping[Part, Mapping[str, tuple[int, int]]]) -> None:
        self.counts = {kind: {part: tuple(n) for part, n in counts[kind].items()} for kind in PARTS}
        self._cache: dict[str, bool] = {}

    @classmethod
    def train(
        cls,
        pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
        *,
        capitalised_nouns: bool | None = None,
        min_count: int = 5,
    ) -> NameGuesser | None:
        """Learns from parallel text: a name mostly stands in the translation as it is, or but for its last s.

        Args:
            pairs: words of source and target.
            capitalised_nouns: whether nouns of the source have capitals; None: if of a thousand words or more 18 % have
                one, and more than twice as many as of its English.
            min_count: parts of fewer words are left out.

        Returns:
            None where nouns have no capitals: there a capital is the sign of a name.
        """
        if capitalised_nouns is None:
            num_words, in_source = _capitals(source for source, _ in pairs)
            _, in_english = _capitals(target for _, target in pairs)
            many = in_source >= _MANY_CAPITALS and in_source > _MORE_CAPITALS * in_english
            capitalised_nouns = many and num_words >= _ENOUGH_WORDS
            if capitalised_nouns:
                logger.info(
                    "%.0f %% of the words have a capital (of the English %.0f %%): nouns are told from names",
                    100 * in_source,
                    100 * in_english,
                )
        if not capitalised_nouns:
            return None
        seen: Counter[str] = Counter()
        unchanged: Counter[str] = Counter()
        for source, target in pairs:
            there = set(target)
            for word in source[1:]:
                if _is_capitalised(word):
                    seen[word] += 1
                    unchanged[word] += word in there or (word.endswith("s") and word[:-1] in there)
        counts: dict[Part, dict[str, list[int]]] = {kind: {} for kind in PARTS}
        for word, times in seen.items():
            is_noun = int(unchanged[word] < 0.5 * times)
            for kind in PARTS:
                for part in _parts(kind, word):
                    counts[kind].setdefault(part, [0, 0])[is_noun] += 1
        return cls(
            {
                kind: {
                    part: (names, nouns)
                    for part, (names, nouns) in found.items()
                    if names + nouns >= min_count
                }
                for kind, found in counts.items()
            }
        )

    def is_noun(self, word: str) -> bool:
        """Whether a word that begins with a capital is rather a noun than a name.

        With hyphens, it is a noun if all its parts are (Fußball-Team; not SPD-Fraktion, Bad-Homburg). Abbreviations and
        what is not all letters (CDU, U2) are never taken for nouns.
        """
        if word not in self._cache:
            parts = [part for part in word.split("-") if part]
            self._cache[word] = bool(parts) and all(
                _is_capitalised(part) and self._log_odds(part) < _NAME_FROM for part in parts
            )
        return self._cache[word]

    def to_json(self) -> str:
        """The counts, always the same text for the same counts."""
        counts = {kind: dict(sorted(parts.items())) for kind, parts in self.counts.items()}
        return json.dumps(counts, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, content: object) -> NameGuesser:
        """From what `to_json` wrote, parsed.

        Raises:
            ValueError: if it is something else.
        """
        try:
            counts: dict[Part, dict[str, tuple[int, int]]] = {
                kind: {str(part): (int(n[0]), int(n[1])) for part, n in content[kind].items()}  # type: ignore[index]
                for kind in PARTS
            }
            if any(n < 0 for parts in counts.values() for pair in parts.values() for n in pair):
                raise ValueError("a count below zero")
            return cls(counts)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError) as error:
            raise ValueError(
                f"expected counts of {', '.join(PARTS)} of names and nouns, got {str(content)[:60]!r} ({error}); "
                "copy the bundle again"
            ) from None

    def _log_odds(self, word: str) -> float:
        prior = _logit(self._share("ending", [""]))
        return sum(_logit(self._share(kind, _parts(kind, word))) - prior for kind in PARTS) + prior

    def _share(self, kind: Part, parts: Iterable[str]) -> float:
        """Share of names among the words with the longest known part, smoothed by the shorter ones."""
        names, nouns = self.counts["ending"].get("", (0, 0))
        share = (names + 1) / (names + nouns + 2)
        for part in parts:
            if part not in self.counts[kind]:
                break
            names, nouns = self.counts[kind][part]
            share = (names + _WEIGHT * share) / (names + nouns + _WEIGHT)
        return share


def _parts(kind: Part, word: str) -> Iterator[str]:
    """The parts of a word of one kind, the shortest first."""
    if kind == "length":
        yield str(min(len(word), _LONGEST_WORD))
        return
    for length in range(min(_LONGEST_PART + 1, len(word))):
        yield word[len(word) - length :] if kind == "ending" else word[:length]


def _logit(share: float) -> float:
    return math.log((share + 1e-3) / (1 - share + 1e-3))


def _is_capitalised(word: str) -> bool:
    return len(word) > 1 and word[0].isupper() and word.isalpha() and not word.isupper()


def _capitals(sentences: Iterable[Sequence[str]]) -> tuple[int, float]:
    """Number of words of letters only, without the first of each sentence, and the share with a capital."""
    words = [word for sentence in sentences for word in sentence[1:] if word.isalpha()]
    return len(words), sum(map(_is_capitalised, words)) / max(1, len(words))
