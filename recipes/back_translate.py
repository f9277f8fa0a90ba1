"""Parallel text made longer by back-translation: English that has no translation, with one that a reverse translator
wrote (Sennrich et al. 2016).

    export CANNER_DATA=../shared/data
    canner train recipes/translator_en_zh.toml --device cuda -o runs/translator-en-zh
    python recipes/back_translate.py zh --device cuda
    canner train recipes/translator_zh_backtranslated.toml --device cuda -o runs/translator-zh-backtranslated

Writes runs/backtranslated-zh/train.{zh,en,domain}: the parallel text of the language, then the English newswire and the
English sides of the other languages' news with the translations; their domain is `back-translated`. No English sentence
that stands in a development or test part of any parallel text is taken.
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from canner.data.bundle import save_text
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.text.bitext import read_lines
from canner.text.tokenizer import is_unspaced, tokenize_words
from canner.transfer.gloss import WordGloss

DATA = Path(os.environ.get("CANNER_DATA", "../shared/data"))
ROOT = Path(__file__).resolve().parents[1]
RUNS, MODELS = ROOT / "runs", ROOT / "models"
LANGUAGES = ("es", "de", "zh", "sw", "yo")
NEWS = ("news", "commentary", "general", "wiki", "mixed")
"""Domains of the other languages' parallel text whose English is taken."""
SHORTEST, LONGEST = 5, 50
"""Words of a sentence."""
BLOCK = 20_000


def english(language: str) -> Iterator[str]:
    """English without a translation into the language: newswire, and the English of the other languages' news."""
    yield from read_lines(DATA / "text" / "en.newswire.txt")
    for other in LANGUAGES:
        if other != language:
            folder = DATA / "bitext" / f"{other}-en"
            lines, domains = read_lines(folder / "train.en"), read_lines(folder / "train.domain")
            yield from (line for line, domain in zip(lines, domains, strict=True) if domain in NEWS)


def held_out() -> set[str]:
    """English of all development and test parts: NTREX and others stand in several languages' parallel text."""
    parts = [
        DATA / "bitext" / f"{language}-en" / f"{part}.en"
        for language in LANGUAGES
        for part in ("dev", "test")
    ]
    return {_plain(line) for part in parts for line in read_lines(part)}


def chosen(lines: Iterable[str], without: set[str], limit: int) -> list[str]:
    """So many distinct sentences at most, drawn at random: no headings, no tables, none of `without`."""
    kept = {}
    for line in lines:
        plain, words = _plain(line), line.split()
        running = sum(word[:1].islower() for word in words) >= len(words) / 3
        if SHORTEST <= len(words) <= LONGEST and running and plain not in without:
            kept.setdefault(plain, line)
    sentences = list(kept.values())
    random.Random(1).shuffle(sentences)
    return sentences[:limit]


def _plain(line: str) -> str:
    return " ".join(line.lower().split())


def best(gloss: WordGloss, translated: list[str], sentences: list[str]) -> tuple[list[str], list[str]]:
    """The half of the pairs in which a gloss of the translation finds most of the English again, in their order.

    A reverse translator that had minutes of training garbles much. What is counted is the F1 of the words.
    """
    glossed = gloss.translate([tokenize_words(text) for text in translated])
    scores = []
    for translation, sentence in zip(glossed, sentences, strict=True):
        found, wanted = _counts(translation.target), _counts(tokenize_words(sentence, clitics=True))
        scores.append(2 * (found & wanted).total() / max(1, found.total() + wanted.total()))
    threshold = sorted(scores)[len(scores) // 2]
    kept = [place for place, score in enumerate(scores) if score > threshold]
    return [translated[place] for place in kept], [sentences[place] for place in kept]


def _counts(words: Iterable[str]) -> Counter[str]:
    return Counter(word.lower() for word in words if word[0].isalnum())


def written(words: list[str]) -> str:
    """Running text: no spaces between characters of a script that is written without them."""
    text = ""
    for word in words:
        apart = text and not (is_unspaced(text[-1]) or is_unspaced(word[0]))
        text += f" {word}" if apart else word
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("--sentences", type=int, default=200_000, help="English sentences at most")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    language = args.language
    bitext = DATA / "bitext" / f"{language}-en"
    options = TranslateOptions(beam_size=1, batch_tokens=20_000)
    reverse = NeuralTranslator.load(RUNS / f"translator-en-{language}", device=args.device, options=options)
    own = {_plain(line) for line in read_lines(bitext / "train.en")}
    sentences = chosen(english(language), held_out() | own, args.sentences)
    translated: list[str] = []
    for start in range(0, len(sentences), BLOCK):
        block = [tokenize_words(sentence) for sentence in sentences[start : start + BLOCK]]
        translated += [written(words) for words in reverse.translate_words(block)]
        print(f"{len(translated)} of {len(sentences)} sentences", flush=True)
    translated, sentences = best(WordGloss.load(MODELS / f"{language}-en-gloss"), translated, sentences)
    added = {language: translated, "en": sentences, "domain": ["back-translated"] * len(sentences)}
    for suffix, lines in added.items():
        whole = read_lines(bitext / f"train.{suffix}") + lines
        save_text(RUNS / f"backtranslated-{language}" / f"train.{suffix}", "\n".join(whole) + "\n")


if __name__ == "__main__":
    main()
