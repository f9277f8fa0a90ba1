"""Options that a bundle has no use for are refused, not passed over; a gloss aligns what it makes itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from canner.transfer.gloss import GlossConfig, WordGloss
from canner.transfer.lexicon import Entry, Lexicon


@pytest.fixture
def text(tmp_path) -> Path:
    (tmp_path / "text").write_text("Ana vive hoy\n\nEva\n")
    return tmp_path / "text"


@pytest.fixture
def gloss(tmp_path) -> Path:
    entries = {"vive": Entry("is living", 9), "hoy": Entry("today", 9)}
    WordGloss(Lexicon(entries), GlossConfig(max_phrase=2)).save(tmp_path / "gloss")
    return tmp_path / "gloss"


def test_english_of_a_tagger_that_reads_none(canner, bundles, text, tmp_path):
    complaint = canner("tag", bundles / "plain", text, "--english", "-o", tmp_path / "out", "-q").complaint()
    assert "expected a tagger that reads English for --english, got one without: " in complaint
    assert not (tmp_path / "out").exists()
    assert canner("tag", bundles / "can", text, "--english", "-q").status == 0


@pytest.mark.parametrize("option", ["--layer", "--view"])
def test_layers_and_views_of_a_tagger_that_reads_no_english(canner, bundles, tmp_path, option):
    page = tmp_path / "page.html"
    command = ["Ana vive hoy", "-o", page, option, 1, "-q"]
    complaint = canner("explain", bundles / "plain", *command).complaint()
    assert f"expected a tagger that reads English for {option}, got one without: " in complaint
    assert not page.exists()
    assert canner("explain", bundles / "can", *command).status == 0
    assert canner("explain", bundles / "plain", "Ana vive hoy", "-o", page, "-q").status == 0


@pytest.mark.parametrize(
    ("option", "name"), [("--beam-size", "beam_size"), ("--length-penalty", "length_penalty")]
)
def test_a_search_of_a_gloss_that_does_not_search(canner, bundles, gloss, text, tmp_path, option, name):
    command = [text, option, 2, "-o", tmp_path / "out", "-q"]
    complaint = canner("translate", gloss, *command).complaint()
    assert f"expected a translator of our own, to set {name}, got another; leave that out" in complaint
    assert not (tmp_path / "out").exists()
    assert canner("translate", bundles / "translator", *command).status == 0


def test_a_gloss_aligns_the_words_that_it_makes(canner, gloss, text, tmp_path):
    answer = canner("align", text, "--translator", gloss, "-q")
    assert (answer.status, answer.out) == (0, "0-0 1-1 1-2 2-3\n\n0-0\n")
    assert canner("align", text, "--translator", gloss, "--layer", 1, "-q").out == answer.out
    assert "a layer from 1 to 1" in canner("align", text, "--translator", gloss, "--layer", 2).complaint()


def test_a_gloss_cannot_align_given_translations(canner, gloss, text, tmp_path):
    message = "expected the source alone with a gloss, which makes its own English, got translations in "
    complaint = canner("align", text, text, "--translator", gloss, "-o", tmp_path / "out").complaint()
    assert message + str(text) + ";" in complaint
    (tmp_path / "pairs").write_text("Ana vive ||| Ana lives\n")
    complaint = canner("align", tmp_path / "pairs", "--translator", gloss, "-o", tmp_path / "out").complaint()
    assert f"{message}{tmp_path / 'pairs'}, line 1;" in complaint
    assert not (tmp_path / "out").exists()
