"""A gloss that reads a dictionary: whose English counts, names joined, dots within names."""

import json

import pytest
import torch

from canner.text.cedict import Dictionary
from canner.text.segmentation import Segment
from canner.transfer import gloss as gloss_module
from canner.transfer.dictionary import join_at_dots, join_names, with_dictionary
from canner.transfer.gloss import GlossConfig, WordGloss
from canner.transfer.lexicon import Entry, Lexicon

NAMES = {
    "国务院": "State Council",
    "美国国务院": "US Department of State",
    "罗素": "Russell",
    "王府": "Wangfu",
}
WORDS = {"会见": "meet with"}
LEXICON = Lexicon({"罗素": Entry("philosopher", 40), "美国": Entry("US", 90), "在": Entry("in", 50)})


def test_the_dictionary_comes_before_the_parallel_text():
    found = with_dictionary(LEXICON, Dictionary(NAMES, WORDS))
    assert found.entries["罗素"].english == "Russell"
    assert found.entries["会见"].english == "meet with"
    assert found.entries["美国"] == Entry("US", 90)
    assert LEXICON.entries["罗素"].english == "philosopher"


def segments(*words):
    found, start = [], 0
    for word in words:
        found.append(Segment(word, tuple(range(start, start + len(word))), "n"))
        start += len(word)
    return found


def test_neighbours_that_are_one_name_are_joined_the_longest_first():
    found = join_names(segments("美国", "国务", "院", "在", "王", "府"), NAMES)
    assert found == [
        Segment("美国国务院", (0, 1, 2, 3, 4), "nz"),
        Segment("在", (5,), "n"),
        Segment("王", (6,), "n"),  # two characters are often a word after another
        Segment("府", (7,), "n"),
    ]
    assert join_names(segments("在", "国务", "院"), NAMES)[1] == Segment("国务院", (1, 2, 3), "nz")
    assert join_names(segments("国务院"), NAMES) == segments("国务院")  # one segment keeps its part of speech
    assert join_names([], NAMES) == []


def test_a_dot_within_a_name_belongs_to_the_part_before_it():
    john, dot, russell = segments("约翰", "·", "罗素")
    glossed = [(("John",), john), ((",",), dot), (("Russell",), russell)]
    assert join_at_dots(glossed) == [
        (("John",), Segment("约翰", (0, 1, 2), "n")),
        (("Russell",), russell),
    ]
    # at an end, or beside what is not Chinese, it is punctuation
    assert join_at_dots(glossed[:2]) == glossed[:2]
    assert join_at_dots(glossed[1:]) == glossed[1:]
    latin = [(("iPhone",), Segment("iPhone", (0,))), *glossed[1:]]
    assert join_at_dots(latin) == latin


@pytest.fixture
def gloss(monkeypatch):
    pytest.importorskip("jieba")
    pytest.importorskip("pypinyin")
    monkeypatch.setattr(gloss_module, "read_cedict", lambda: Dictionary(NAMES, WORDS))
    return WordGloss(LEXICON, GlossConfig(segment="jieba", dictionary="cedict"))


def test_a_sentence(gloss):
    tokens = list("罗素在美国国务院会见约翰·罗素")
    found = gloss.translate([tokens])[0]
    assert " ".join(found.target) == "Russell in US Department of State meet with Yuehan Russell"
    attention = found.attention[0]
    torch.testing.assert_close(attention.sum(1), torch.ones(len(found.target)))
    assert attention.sum(0).min() > 0
    torch.testing.assert_close(attention[3], torch.tensor([0] * 3 + [0.2] * 5 + [0] * 7))  # "Department"
    torch.testing.assert_close(
        attention[-2], torch.tensor([0] * 10 + [1 / 3] * 3 + [0] * 2)
    )  # "Yuehan", and the dot


def test_a_bundle_keeps_what_was_counted_and_reads_the_dictionary_anew(gloss, tmp_path, monkeypatch):
    gloss.save(tmp_path)
    kept = json.loads((tmp_path / "lexicon.json").read_text(encoding="utf-8"))
    assert kept == {"罗素": ["philosopher", 40], "美国": ["US", 90], "在": ["in", 50]}
    loaded = WordGloss.load(tmp_path)
    assert (loaded.fingerprint, loaded.config.dictionary) == (gloss.fingerprint, "cedict")
    assert loaded.lexicon.entries == gloss.lexicon.entries
    monkeypatch.setattr(gloss_module, "read_cedict", lambda: Dictionary(NAMES, {"会见": "see"}))
    assert WordGloss.load(tmp_path).fingerprint != gloss.fingerprint
    plain = WordGloss(LEXICON, GlossConfig(segment="jieba"))
    assert plain.fingerprint != gloss.fingerprint
    assert plain.lexicon.gloss("罗素") == ("philosopher",)


def test_the_dictionary_is_one_of_chinese_words():
    with pytest.raises(
        ValueError, match=r'expected segment = "jieba" with dictionary = "cedict".*got "none"'
    ):
        GlossConfig(dictionary="cedict")
