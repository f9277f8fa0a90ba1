"""Back-translations: which English is taken, which pairs are kept, and what is written."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "recipes" / "back_translate.py"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


def test_english_to_be_back_translated_is_running_text_and_none_that_is_held_out(script) -> None:
    back = script
    without = {
        back["letters"](line) for line in ("They went home late last night.", 'He called it a "club" .')
    }
    lines = [
        "The bank said it had no plan .",
        "the bank  said it had NO plan.",
        "They went home late last night .",
        "He called it a club. Nobody there had said so before.",
        "BAHIA COCOA REVIEW OF THE YEAR",
        "Too short .",
        "Rates rose " + "and fell " * 30,
    ]
    assert back["chosen"](lines, without, 10) == ["The bank said it had no plan ."]


def test_of_so_many_sentences_some_are_drawn_the_same_each_time(script) -> None:
    chosen = script["chosen"]
    lines = [f"this is the sentence with number {number}" for number in range(50)]
    drawn = chosen(lines, set(), 10)
    assert len(drawn) == 10
    assert drawn != lines[:10]
    assert drawn == chosen(lines, set(), 10)


class Speller:
    """A gloss that gives every word back."""

    @classmethod
    def load(cls, folder):
        return cls()

    def translate(self, sentences):
        return [SimpleNamespace(target=tuple(words)) for words in sentences]


class Shouter:
    """A reverse translator that speaks in capitals, and garbles what Jones says."""

    @classmethod
    def load(cls, folder, **options):
        return cls()

    def translate_words(self, sentences):
        return [["XX"] if "Jones" in words else [word.upper() for word in words] for words in sentences]


def test_the_back_translations_are_kept_whose_words_a_gloss_finds_again(script) -> None:
    english = ["The bank closed .", "He sold it .", "They left .", "Rain fell ."]
    translated = ["bank closed the", "xx yy zz", "they left", "rain rain rain rain"]
    kept = script["best"](Speller(), translated, english)
    assert kept == (["bank closed the", "they left"], ["The bank closed .", "They left ."])


def test_back_translations_are_written_as_running_text(script) -> None:
    written = script["written"]
    assert written(["路", "透", "Smith", "Jones", "说", "，", "3.5", "亿"]) == "路透Smith Jones说，3.5亿"
    assert written(["Der", "Mann", "ging"]) == "Der Mann ging"
    assert written([]) == ""


@pytest.fixture
def back_translating(script, tmp_path: Path, monkeypatch) -> Any:
    """The script's main on a small collection, with a translator that is there; gives a folder for its output."""
    shared = {
        "dev": "A sentence that one must never see .",
        "test": "Another sentence that is for the test .",
    }
    for language in ("es", "de", "zh", "sw", "yo"):
        folder = tmp_path / "bitext" / f"{language}-en"
        folder.mkdir(parents=True)
        for part, line in shared.items():
            (folder / f"{part}.en").write_text(f"{line}\n")
        lines = [
            f"The people of {language} read the news .",
            f"We all talk of {language} every day .",
            shared["dev"],
        ]
        (folder / "train.en").write_text("\n".join(lines) + "\n")
        (folder / f"train.{language}").write_text("eins\nzwei\ndrei\n")
        (folder / "train.domain").write_text("news\neveryday\nnews\n")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "en.newswire.txt").write_text(
        'BAHIA COCOA REVIEW\nJones said that he would not say so .\nA sentence that one must "never" see .\n'
        "The bank of Lima was closed today .\nThe people of de read the news .\n"
    )
    (tmp_path / "runs" / "translator-en-de").mkdir(parents=True)
    monkeypatch.setenv("CANNER_DATA", str(tmp_path))
    main = script["main"]
    for name, value in (("NeuralTranslator", Shouter), ("WordGloss", Speller), ("RUNS", tmp_path / "runs")):
        monkeypatch.setitem(main.__globals__, name, value)
    return main


def test_back_translations_come_after_the_parallel_text_and_hold_no_held_out_english(
    back_translating, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["back_translate.py", "de"])
    back_translating()
    folder = tmp_path / "runs" / "backtranslated-de"
    source, english, domain = (
        (folder / f"train.{end}").read_text().splitlines() for end in ("de", "en", "domain")
    )
    assert source[:3] == ["eins", "zwei", "drei"]
    assert set(english[3:]) < {
        "The bank of Lima was closed today .",
        *(f"The people of {language} read the news ." for language in ("es", "zh", "sw", "yo")),
    }
    assert len(english[3:]) == 3  # half of six: the one that was garbled, and two by lot, are left out
    assert source[3:] == [line.upper() for line in english[3:]]
    assert domain[3:] == ["back-translated"] * 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["de", "--sentences", "1"], "2 or more, got 1"),
        (["zh"], "canner train recipes/translator_en_zh.toml -o "),
    ],
)
def test_what_is_not_there_to_be_translated_is_said_at_once(
    back_translating, monkeypatch, capsys, arguments, message
) -> None:
    monkeypatch.setattr(sys, "argv", ["back_translate.py", *arguments])
    with pytest.raises(SystemExit):
        back_translating()
    assert message in capsys.readouterr().err
