"""Back-translations: which English is taken, which pairs are kept, and what is written."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from canner.decoding.neural_translator import NeuralTranslator

SCRIPT = Path(__file__).resolve().parents[2] / "recipes" / "back_translate.py"


@pytest.fixture
def script() -> dict[str, Any]:
    return runpy.run_path(str(SCRIPT))


HELD_OUT = (
    "They went home late last night .",
    'He called it a "club" , and nobody there had ever said so before .',
    "Mr. Smith said that the U.S. Senate would vote on Monday evening .",
    "Yes .",
)


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("The bank said it had no plan .", True),
        ("Yes , they said that nobody had been there .", True),
        ("BAHIA COCOA REVIEW OF THE YEAR", False),
        ("Too short .", False),
        ("Rates rose " + "and fell " * 30, False),
        ("Known as the parallel text has it .", False),
        ("known as the parallel text has it!", False),
        ("Known as the parallel text has it , but longer .", True),
        ("They went home late last night.", False),
        ("It rained. They went home late last night.", False),
        ("LIMA: they went home late last night", False),
        ("He called it a club, and nobody there had ever said so before.", False),
        ("It rained. Mr. Smith said that the U.S. Senate would vote on Monday evening, and left.", False),
        ("&quot;He called it a &quot;club&quot;, and nóbody there had&quot; said so.", False),
        ("He called it a club, and all of them knew it was one.", True),
    ],
)
def test_english_to_be_back_translated_is_running_text_that_is_new_and_not_held_out(
    script, line, taken
) -> None:
    without = {run for held in HELD_OUT for run in script["runs"](held)}
    known = {script["letters"]("Known as the parallel text has it.")}
    assert script["chosen"]([line, f"{line} "], without, known, 10) == ([line] if taken else [])


def test_of_so_many_sentences_some_are_drawn_the_same_each_time(script) -> None:
    chosen = script["chosen"]
    lines = [f"this is the sentence with number {number}" for number in range(50)]
    drawn = chosen(lines, set(), set(), 10)
    assert len(drawn) == 10
    assert drawn != lines[:10]
    assert drawn == chosen(lines, set(), set(), 10)


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
    def load(cls, folder, *, device):
        return cls()

    def changed(self, options):
        assert options["beam_size"] == 1
        return self

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


def collection(folder: Path) -> None:
    """Parallel text of five languages, newswire and gold alignments, each with lines that must not be taken."""
    (folder / "text").mkdir()
    (folder / "alignment").mkdir()
    (folder / "alignment" / "zhen.src-tgt").write_text("eins zwei ||| Gold links are of this very line .\n")
    newswire = [
        "BAHIA COCOA REVIEW",
        "Jones said that he would not say so .",
        "The bank of Lima was closed today .",
    ]
    for language in ("es", "de", "zh", "sw", "yo"):
        bitext = folder / "bitext" / f"{language}-en"
        bitext.mkdir(parents=True)
        for part in ("dev", "test"):
            line = f"The {part} of {language} must not be seen ."
            (bitext / f"{part}.en").write_text(f"{line}\n")
            newswire.append(f'" {line[:-2]} , " he said .')
        news = f"The people of {language} read the news ."
        (bitext / "train.en").write_text(
            f"{news}\nWe all talk of {language} every day .\nThis is held out by NTREX .\n"
        )
        (bitext / f"train.{language}").write_text("eins\nzwei\ndrei\n")
        (bitext / "train.domain").write_text("news\neveryday\nnews-ntrex\n")
        newswire.append(news)
    newswire.append("Gold links are of this very line .")
    (folder / "text" / "en.newswire.txt").write_text("\n".join(newswire) + "\n")


@pytest.fixture
def main(script, tmp_path: Path, monkeypatch) -> Any:
    """The script's main on a small collection, with a translator and a gloss in the place of its own."""
    collection(tmp_path)
    monkeypatch.setenv("CANNER_DATA", str(tmp_path))
    found = script["main"]
    own = {"NeuralTranslator": Shouter, "WordGloss": Speller, "RUNS": tmp_path / "runs", "BLOCK": 2}
    for name, value in own.items():
        monkeypatch.setitem(found.__globals__, name, value)
    return found


def written_files(folder: Path) -> list[list[str]]:
    return [(folder / f"train.{end}").read_text().splitlines() for end in ("de", "en", "domain")]


def test_all_english_but_what_is_known_or_held_out_is_translated_after_the_parallel_text(
    main, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["back_translate.py", "de"])
    monkeypatch.setitem(
        main.__globals__, "best", lambda gloss, translated, sentences: (translated, sentences)
    )
    (tmp_path / "runs" / "backtranslated-de.making").mkdir(parents=True)
    (tmp_path / "runs" / "backtranslated-de.making" / "train.old").touch()
    for _ in range(2):
        main()
        source, english, domain = written_files(tmp_path / "runs" / "backtranslated-de")
        assert source[:3] == ["eins", "zwei", "drei"]
        assert english[0] == "The people of de read the news ."
        assert sorted(english[3:]) == [
            "Jones said that he would not say so .",
            "The bank of Lima was closed today .",
            *(f"The people of {language} read the news ." for language in ("es", "sw", "yo", "zh")),
        ]
        assert source[3:] == ["XX" if "Jones" in line else line.upper() for line in english[3:]]
        assert domain == ["news", "everyday", "news-ntrex", *["back-translated"] * 6]
    assert sorted(path.name for path in (tmp_path / "runs").rglob("*")) == [
        "backtranslated-de",
        "train.de",
        "train.domain",
        "train.en",
    ]


def test_the_half_is_kept_that_was_translated_best(main, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["back_translate.py", "de", "--sentences", "6"])
    main()
    source, english, _ = written_files(tmp_path / "runs" / "backtranslated-de")
    assert len(source) == len(english) == 3 + 3
    assert "XX" not in source


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        (["de", "--sentences", "1"], {}, "2 or more, got 1"),
        (["zh"], {"NeuralTranslator": NeuralTranslator}, "canner train recipes/translator_en_zh.toml -o "),
        (["de"], {"BITEXT": None}, "no such file"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_translated(
    main, tmp_path, monkeypatch, capsys, arguments, change, message
) -> None:
    monkeypatch.setattr(sys, "argv", ["back_translate.py", *arguments])
    for name, value in change.items():
        monkeypatch.setitem(main.__globals__, name, value)
    if "BITEXT" in change:
        (tmp_path / "bitext" / "yo-en" / "dev.en").unlink()
    with pytest.raises(SystemExit):
        main()
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
