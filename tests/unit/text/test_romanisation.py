"""Chinese names are spelt as English text spells them, and stay tied to their characters."""

from __future__ import annotations

import pytest

from canner.text.romanisation import translated_names, write_names
from canner.text.segmentation import Segment, segments_of

pytest.importorskip("pypinyin")


def name(text: str, tag: str, start: int = 0) -> Segment:
    return Segment(text, tuple(range(start, start + len(text))), tag)


@pytest.mark.parametrize(
    ("text", "tag", "spelt"),
    [
        ("王小明", "nr", [("Wang", (0,)), ("Xiaoming", (1, 2))]),
        ("王", "nr", [("Wang", (0,))]),
        ("欧阳修", "nr", [("Ouyang", (0, 1)), ("Xiu", (2,))]),
        ("司马相如", "nr", [("Sima", (0, 1)), ("Xiangru", (2, 3))]),
        ("曾国藩", "nr", [("Zeng", (0,)), ("Guofan", (1, 2))]),
        ("吕布", "nr", [("Lu", (0,)), ("Bu", (1,))]),
        ("新疆维吾尔自治区", "ns", [("Xinjiangweiwuer", (0, 1, 2, 3, 4)), ("自治区", (5, 6, 7))]),
        ("萨科齐", "nrt", [("Sakeqi", (0, 1, 2))]),
        ("沧州", "ns", [("Cangzhou", (0, 1))]),
        ("沧海市", "ns", [("Canghai", (0, 1)), ("市", (2,))]),
        # no names, or none that pinyin would spell
        ("老师", "n", [("老师", (0, 1))]),
        ("张家港路口", "nr", [("张家港路口", (0, 1, 2, 3, 4))]),
        ("Obama", "nr", [("Obama", (0, 1, 2, 3, 4))]),
    ],
)
def test_names_are_spelt_with_the_owners_of_their_characters(text: str, tag: str, spelt: list) -> None:
    assert [(s.text, s.owners) for s in write_names([name(text, tag)], known=())] == spelt


def test_names_that_are_translated_stay() -> None:
    segments = [name("香港", "ns"), name("青岛", "ns", 2)]
    assert [s.text for s in write_names(segments, known={"香港"})] == ["香港", "Qingdao"]


def test_a_name_is_translated_if_english_does_not_spell_it_often_enough() -> None:
    pairs = [
        *[([name("香港", "ns")], ["Hong", "Kong"])] * 6,
        *[([name("青岛", "ns")], ["Qingdao"])] * 4,
        *[([name("青岛", "ns")], ["Tsingtao"])] * 2,
        *[([name("汉城", "ns")], ["Seoul"])] * 5,
        *[([name("老师", "n")], ["teacher"])] * 9,
        *[([name("王朔", "nr")], ["Wang", "wrote"])] * 6,
    ]
    translated, names = translated_names(pairs, min_count=6)
    assert translated == {"香港"}  # Qingdao is spelt, Seoul too rare to tell
    assert names == {"香港", "青岛", "汉城", "王朔"}


def test_segments_of_a_sentence_carry_parts_of_speech_only_where_words_are_cut() -> None:
    tokens = list("王小明去了上海")
    assert segments_of(tokens, "none") == [Segment(t, (i,)) for i, t in enumerate(tokens)]
    cut = segments_of(tokens, "jieba")
    assert "".join(segment.text for segment in cut) == "".join(tokens)
    assert {segment.text: segment.tag for segment in cut}["上海"] == "ns"
    assert write_names(segments_of(["a", "b"], "none"), ()) == segments_of(["a", "b"], "none")
