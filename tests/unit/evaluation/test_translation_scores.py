"""BLEU and chrF against their definitions, and the share of names that come through."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from canner.evaluation.translation import bleu, chrf, share_of_entity_tokens_copied
from canner.text.sentence import Sentence

HYPOTHESES = [
    "the old mayor of the town opened a new bridge on monday",
    "rain fell in the north all day long",
]
REFERENCES = [
    "on monday the mayor of the town opened a new bridge",
    "it rained in the north all day long today",
]


def ngrams(items: list[str] | str, size: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(items[i : i + size]) for i in range(len(items) - size + 1))


def test_bleu_is_the_geometric_mean_of_clipped_precisions_times_the_brevity_penalty() -> None:
    logs = []
    for size in range(1, 5):
        hits = total = 0
        for hypothesis, reference in zip(HYPOTHESES, REFERENCES, strict=True):
            found, wanted = ngrams(hypothesis.split(), size), ngrams(reference.split(), size)
            hits += (found & wanted).total()
            total += found.total()
        logs.append(math.log(hits / total))
    length = sum(len(one.split()) for one in HYPOTHESES)
    wanted_length = sum(len(one.split()) for one in REFERENCES)
    expected = 100 * math.exp(sum(logs) / 4 + min(0.0, 1 - wanted_length / length))
    assert bleu(HYPOTHESES, REFERENCES, tokenize="none") == pytest.approx(expected)
    assert bleu(HYPOTHESES, REFERENCES) == pytest.approx(expected)


def test_chrf_is_the_f2_of_character_ngrams() -> None:
    scores = []
    for size in range(1, 7):
        hits = num_found = num_wanted = 0
        for hypothesis, reference in zip(HYPOTHESES, REFERENCES, strict=True):
            found, wanted = (ngrams(one.replace(" ", ""), size) for one in (hypothesis, reference))
            hits += (found & wanted).total()
            num_found += found.total()
            num_wanted += wanted.total()
        precision, recall = hits / num_found, hits / num_wanted
        scores.append(5 * precision * recall / (4 * precision + recall))
    # sacrebleu averages the F score over the orders, not precision and recall.
    assert chrf(HYPOTHESES, REFERENCES) == pytest.approx(100 * sum(scores) / 6)


def test_perfect_and_hopeless_translations() -> None:
    assert bleu(REFERENCES, REFERENCES) == pytest.approx(100)
    assert chrf(REFERENCES, REFERENCES) == pytest.approx(100)
    assert bleu(["zzz"], ["a b c d"]) == 0
    assert chrf(["zzz"], ["a b c d"]) == 0


@pytest.mark.parametrize("metric", [bleu, chrf])
def test_unequal_or_no_lines(metric: object) -> None:
    with pytest.raises(ValueError, match="expected 2 translations, one a reference, got 1"):
        metric(["a"], ["a", "b"])  # type: ignore[operator]
    with pytest.raises(ValueError, match="expected at least one translation"):
        metric([], [])  # type: ignore[operator]


def test_share_of_entity_tokens_copied() -> None:
    sentences = [
        Sentence(("Ana", "Sol", "vive", "en", "Londres"), ("B-PER", "E-PER", "O", "O", "S-LOC")),
        Sentence(("nadie",), ("O",)),
        Sentence(("Lima",), ("S-LOC",)),
    ]
    english: list[str | list[str]] = ["Ana Sun lives in London.", "nobody", ["in", "Lima", "."]]
    assert share_of_entity_tokens_copied(sentences, english) == 0.5
    with pytest.raises(ValueError, match="expected 3 translations, got 1"):
        share_of_entity_tokens_copied(sentences, ["a"])
    with pytest.raises(ValueError, match="with entities, got none"):
        share_of_entity_tokens_copied(sentences[1:2], ["nobody"])
