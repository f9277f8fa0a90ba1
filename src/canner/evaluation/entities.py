"""Precision, recall and F1 of entities, equal to conlleval's: an entity counts if span and type are exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from canner.text.entities import Entity

WEIBO_SUBSETS = ("NE", "NM", "Overall")


@dataclass(frozen=True)
class PRF:
    """Precision, recall and F1 in percent (0..100), with the counts they come from."""

    precision: float
    recall: float
    f1: float
    tp: int
    num_predicted: int
    num_gold: int

    @staticmethod
    def from_counts(tp: int, num_predicted: int, num_gold: int) -> PRF:
        """A ratio without anything to count is 0, as in conlleval."""
        precision = 100 * tp / num_predicted if num_predicted else 0.0
        recall = 100 * tp / num_gold if num_gold else 0.0
        f1 = 2 * precision * recall / (precision + recall) if tp else 0.0
        return PRF(precision, recall, f1, tp, num_predicted, num_gold)

    def figures(self) -> dict[str, float]:
        """Precision, recall and F1 by their names, without the counts."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}


@dataclass(frozen=True)
class EntityScores:
    """Scores over all entities, and those of each type in alphabetical order."""

    micro: PRF
    by_type: dict[str, PRF]


def sentence_counts(gold: Sequence[Entity], predicted: Sequence[Entity]) -> tuple[int, int, int]:
    """True positives, predicted and gold entities of one sentence."""
    gold_set, predicted_set = set(gold), set(predicted)
    return len(gold_set & predicted_set), len(predicted_set), len(gold_set)


def score_entities(gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]) -> EntityScores:
    """Micro-averaged and per-type scores.

    Args:
        gold: the entities of each sentence.
        predicted: those that were found, in the same order of sentences.

    Raises:
        ValueError: if the numbers of sentences differ.
    """
    check_parallel(gold, predicted)
    tp: Counter[str] = Counter()
    num_predicted: Counter[str] = Counter()
    num_gold: Counter[str] = Counter()
    for gold_entities, predicted_entities in zip(gold, predicted, strict=True):
        gold_set, predicted_set = set(gold_entities), set(predicted_entities)
        tp.update(entity.type for entity in gold_set & predicted_set)
        num_predicted.update(entity.type for entity in predicted_set)
        num_gold.update(entity.type for entity in gold_set)
    types = sorted(num_gold.keys() | num_predicted.keys())
    return EntityScores(
        PRF.from_counts(tp.total(), num_predicted.total(), num_gold.total()),
        {kind: PRF.from_counts(tp[kind], num_predicted[kind], num_gold[kind]) for kind in types},
    )


def score_subsets(
    gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]
) -> dict[str, EntityScores]:
    """Weibo's three scores: `NE` (types `*.NAM`), `NM` (`*.NOM`), `Overall` (all); none where gold is not Weibo's.

    Raises:
        ValueError: if the numbers of sentences differ.
    """
    check_parallel(gold, predicted)
    types = {entity.type for entities in gold for entity in entities}
    if not types or not all(name.endswith((".NAM", ".NOM")) for name in types):
        return {}

    def of(keep: Callable[[Entity], bool]) -> EntityScores:
        return score_entities(
            [list(filter(keep, entities)) for entities in gold],
            [list(filter(keep, entities)) for entities in predicted],
        )

    scores = (
        of(lambda entity: entity.type.endswith(".NAM")),
        of(lambda entity: entity.type.endswith(".NOM")),
        of(lambda entity: True),
    )
    return dict(zip(WEIBO_SUBSETS, scores, strict=True))


def check_parallel(gold: Sequence[object], predicted: Sequence[object]) -> None:
    """Raise a ValueError unless both have as many sentences."""
    if len(gold) != len(predicted):
        raise ValueError(
            f"expected predictions for {len(gold)} sentences, got {len(predicted)}; "
            "give both in the same order"
        )
