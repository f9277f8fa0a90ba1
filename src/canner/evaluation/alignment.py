"""Quality of word alignments against gold links that are sure or only possible (Och and Ney, 2003)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from canner.text.alignments import Link
from canner.text.bitext import read_lines

_GOLD_LINK = re.compile(r"([0-9]+)([-p])([0-9]+)")


@dataclass(frozen=True)
class GoldAlignment:
    """Gold links of a sentence pair, `(source, target)` counted from 0; sure links are possible ones too."""

    sure: frozenset[Link]
    possible: frozenset[Link]


@dataclass(frozen=True)
class AlignmentScores:
    """All in percent (0..100), over the whole corpus.

    Attributes:
        error_rate: 1 - (|A∩S| + |A∩P|) / (|A| + |S|).
        precision: |A∩P| / |A|.
        recall: |A∩S| / |S|.
        num_predicted: |A|.
        num_sure: |S|.
    """

    error_rate: float
    precision: float
    recall: float
    num_predicted: int
    num_sure: int


def read_gold_alignments(path: str | Path) -> list[GoldAlignment]:
    """Read gold links, counted from 1 in the file: `i-j` is sure, `ipj` possible.

    Raises:
        ValueError: with file and line, for a malformed link or one counted from 0.
    """
    gold = []
    for number, line in enumerate(read_lines(path), 1):
        sure, possible = set(), set()
        for item in line.split():
            match = _GOLD_LINK.fullmatch(item)
            if match is None or 0 in (int(match[1]), int(match[3])):
                raise ValueError(
                    f"{path}, line {number}: expected links i-j (sure) or ipj (possible) counted from 1, "
                    f"got {item!r}"
                )
            link = (int(match[1]) - 1, int(match[3]) - 1)
            possible.add(link)
            if match[2] == "-":
                sure.add(link)
        gold.append(GoldAlignment(frozenset(sure), frozenset(possible)))
    return gold


def score_alignments(predicted: Sequence[Collection[Link]], gold: Sequence[GoldAlignment]) -> AlignmentScores:
    """Error rate, precision and recall of predicted links, a collection for each sentence pair.

    Raises:
        ValueError: if the numbers of sentence pairs differ.
    """
    if len(predicted) != len(gold):
        raise ValueError(f"expected alignments of {len(gold)} sentence pairs, got {len(predicted)}")
    num_predicted = num_sure = hits_sure = hits_possible = 0
    for links, reference in zip(predicted, gold, strict=True):
        found = set(links)
        num_predicted += len(found)
        num_sure += len(reference.sure)
        hits_sure += len(found & reference.sure)
        hits_possible += len(found & (reference.possible | reference.sure))
    total = num_predicted + num_sure
    return AlignmentScores(
        error_rate=100 * (1 - (hits_sure + hits_possible) / total) if total else 0.0,
        precision=100 * hits_possible / num_predicted if num_predicted else 0.0,
        recall=100 * hits_sure / num_sure if num_sure else 0.0,
        num_predicted=num_predicted,
        num_sure=num_sure,
    )
