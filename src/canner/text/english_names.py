"""The English of names, learned from parallel text, for names that are carried over under it (decision 0019)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise


def english_names(
    pairs: Iterable[tuple[Sequence[str], Sequence[str]]],
    names: Collection[str],
    *,
    min_count: int = 5,
    share: float = 0.5,
    dice: float = 0.3,
) -> dict[str, str]:
    """The English of those names that the parallel text mostly translates by one and the same word.

    The word nearly always has a capital, stands in at least `share` of the translations of sentences with the name, is
    not often found without it (Dice coefficient), and no other name goes better with it. A name of several words is
    left to the translator: one whose word mostly stands beside the same other word with a capital (New York). Words
    that begin alike count as one (Russia, Russian).

    Args:
        pairs: words of source and target.
        names: source words that are names.
        min_count: sentences that a name is in.
        share, dice: see above.
    """
    pairs = list(pairs)
    capitals = Counter(word for _, target in pairs for word in set(target) if word[:1].isupper())
    small = Counter(word.capitalize() for _, target in pairs for word in set(target) if word[:1].islower())
    proper = {word for word, n in capitals.items() if len(word) > 1 and small[word] < 0.1 * n}
    by_stem: Counter[str] = Counter()
    stems_of: dict[str, Counter[str]] = {name: Counter() for name in names}
    forms_of: dict[str, Counter[str]] = {name: Counter() for name in names}
    neighbours: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in names}
    seen: Counter[str] = Counter()
    for source, target in pairs:
        words = proper.intersection(target)
        stems = {_stem(word) for word in words}
        beside = {(_stem(w), near) for w, near in _beside(target) if w in words}
        by_stem.update(stems)
        for name in stems_of.keys() & set(source):
            seen[name] += 1
            stems_of[name].update(stems)
            forms_of[name].update(words)
            neighbours[name].update(beside)
    best: dict[str, tuple[float, str]] = {}
    for name, counts in stems_of.items():
        if seen[name] < min_count:
            continue
        for stem, n in counts.items():
            score = 2 * n / (seen[name] + by_stem[stem])
            several = any(m >= 0.5 * n for (w, _), m in neighbours[name].items() if w == stem)
            if n >= share * seen[name] and score >= dice and not several:
                best[stem] = max(best.get(stem, (0.0, "")), (score, name))
    found: dict[str, tuple[float, str]] = {}
    for stem, (score, name) in best.items():
        found[name] = max(found.get(name, (0.0, "")), (score, stem))
    return {name: _form(forms_of[name], stem) for name, (_, stem) in found.items()}


def _stem(word: str) -> str:
    return word[:4]


def _form(counts: Counter[str], stem: str) -> str:
    """The most frequent of the words that begin so; of equals, the shortest."""
    alike = [form for form in counts if _stem(form) == stem]
    return min(alike, key=lambda form: (-counts[form], len(form), form))


def _beside(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every two neighbours with capitals, either first."""
    for left, right in pairwise(words):
        if left[:1].isupper() and right[:1].isupper():
            yield left, right
            yield right, left
