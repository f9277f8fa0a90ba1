"""Alignment error rate, its gold format, and Pharaoh files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.evaluation.alignment import (
    GoldAlignment,
    read_gold_alignments,
    score_alignments,
)
from canner.text.alignments import (
    format_alignment,
    parse_alignment,
    read_alignments,
    write_alignments,
)

LINKS = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=6)


def test_example_by_hand() -> None:
    gold = [GoldAlignment(frozenset({(0, 0), (1, 1)}), frozenset({(0, 0), (1, 1), (1, 2)}))]
    scores = score_alignments([[(0, 0), (1, 2), (2, 2)]], gold)
    assert scores.error_rate == pytest.approx(100 * (1 - 3 / 5))
    assert scores.precision == pytest.approx(200 / 3)
    assert scores.recall == 50
    assert (scores.num_predicted, scores.num_sure) == (3, 2)


@given(st.lists(st.tuples(LINKS, LINKS, LINKS), min_size=1, max_size=3))
def test_error_rate_by_counting_links(pairs: list[tuple[set[tuple[int, int]], ...]]) -> None:
    hits = total = 0
    for found, certain, maybe in pairs:
        for source in range(5):
            for target in range(5):
                link = (source, target)
                total += (link in found) + (link in certain)
                hits += (link in found and link in certain) + (link in found and link in certain | maybe)
    expected = 100 - 100 * hits / total if total else 0
    gold = [GoldAlignment(frozenset(certain), frozenset(certain | maybe)) for _, certain, maybe in pairs]
    assert score_alignments([found for found, *_ in pairs], gold).error_rate == pytest.approx(expected)


@given(st.lists(LINKS.filter(bool), min_size=1, max_size=3))
def test_the_gold_itself_has_no_error(gold: list[set[tuple[int, int]]]) -> None:
    assert (
        score_alignments(gold, [GoldAlignment(frozenset(one), frozenset(one)) for one in gold]).error_rate
        == 0
    )


def test_unequal_numbers() -> None:
    with pytest.raises(ValueError, match="of 1 sentence pairs, got 2"):
        score_alignments([[], []], [GoldAlignment(frozenset(), frozenset())])


def test_gold_format_counts_from_one(tmp_path: Path) -> None:
    path = tmp_path / "x.gold"
    path.write_text("1-1 2p10 1p1\n\n3-2", encoding="utf-8")
    assert read_gold_alignments(path) == [
        GoldAlignment(frozenset({(0, 0)}), frozenset({(0, 0), (1, 9)})),
        GoldAlignment(frozenset(), frozenset()),
        GoldAlignment(frozenset({(2, 1)}), frozenset({(2, 1)})),
    ]


@pytest.mark.parametrize("item", ["0-1", "1-0", "1", "1~2", "a-b", "-1-2", "00-1"])
def test_bad_gold_links(tmp_path: Path, item: str) -> None:
    path = tmp_path / "x.gold"
    path.write_text(f"1-1\n1-1 {item}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=rf"line 2: expected links .* got '{item}'"):
        read_gold_alignments(path)


@given(st.lists(LINKS, max_size=4))
def test_pharaoh_round_trip(alignments: list[set[tuple[int, int]]]) -> None:
    lines = [format_alignment(links) for links in alignments]
    assert [parse_alignment(line) for line in lines] == [sorted(links) for links in alignments]


def test_pharaoh_files(tmp_path: Path) -> None:
    path = tmp_path / "x.align"
    write_alignments(path, [[(1, 0), (0, 2), (1, 0)], []])
    assert path.read_text(encoding="utf-8") == "0-2 1-0\n\n"
    assert read_alignments(path) == [[(0, 2), (1, 0)], []]


def test_bad_pharaoh_files(tmp_path: Path) -> None:
    path = tmp_path / "x.align"
    path.write_text("0-0\n0-0 1p1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 2: expected links i-j counted from 0, got '1p1'"):
        read_alignments(path)
    with pytest.raises(ValueError, match="counted from 0, got -1-0"):
        write_alignments(path, [[(-1, 0)]])


def lie_within(links: Iterable[tuple[int, int]], source_length: int, target_length: int) -> bool:
    return all(0 <= i < source_length and 0 <= j < target_length for i, j in links)


@pytest.mark.data
@pytest.mark.parametrize("pair", ["zhen", "enfr", "roen", "jaen"])
def test_real_gold_fits_its_sentences(data_folder: Path, pair: str) -> None:
    lines = (
        (data_folder / "alignment" / f"{pair}.src-tgt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    )
    gold = read_gold_alignments(data_folder / "alignment" / f"{pair}.gold")
    assert len(gold) == len(lines)
    for line, reference in zip(lines, gold, strict=True):
        # Not str.split(): some tokens are spaces of other scripts.
        source, target = ([word for word in side.split(" ") if word] for side in line.split("|||"))
        assert lie_within(reference.possible, len(source), len(target))


@pytest.mark.data
def test_real_pharaoh_fits_its_sentences(data_folder: Path) -> None:
    folder = data_folder / "external" / "es-en"
    alignments = read_alignments(folder / "DeepL.test.align")
    sides = [
        [line.split() for line in (folder / name).read_text(encoding="utf-8").split("\n")]
        for name in ("source.test.es", "DeepL.test.en")
    ]
    assert len(alignments) == 1517
    for links, source, target in zip(alignments, *sides, strict=False):
        assert lie_within(links, len(source), len(target))
