"""Parallel text made longer by back-translation: English that has no translation, with one that a reverse translator
wrote (Sennrich et al. 2016).

    export CANNER_DATA=../shared/data
    canner train recipes/translator_en_zh.toml --device cuda -o runs/translator-en-zh
    python recipes/back_translate.py zh --device cuda
    canner train recipes/translator_zh_backtranslated.toml --device cuda -o runs/translator-zh-backtranslated-trained
    python recipes/ship.py runs/translator-zh-backtranslated-trained runs/translator-zh-backtranslated

Writes runs/backtranslated-zh/train.{zh,en,domain}: the parallel text of the language, then English newswire and the
English sides of the other languages' news, with their translations; the domain of these is `back-translated`. No line
of English is taken that shares eight words in a row, or a whole sentence, with a development or test set of any
parallel text, or with gold alignments: NTREX is the test set of one language and trains another.
"""

from __future__ import annotations

import argparse
import html
import random
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from canner.data.bundle import save_text
from canner.data.corpus import data_path
from canner.decoding.neural_translator import NeuralTranslator
from canner.tables.bundles import LANGUAGES
from canner.text.bitext import read_bitext, read_lines
from canner.text.tokenizer import is_unspaced, tokenize_words
from canner.transfer.gloss import WordGloss

RECIPES = Path(__file__).resolve().parent
RUNS, MODELS = RECIPES.parent / "runs", RECIPES.parent / "models"
WITH_REVERSE = ("de", "zh")
"""Those with a recipe of a translator from English."""
NEWS = ("news", "commentary", "general", "wiki", "mixed")
"""Domains of the other languages' parallel text whose English is taken."""
SHORTEST, LONGEST = 5, 50
"""Words of a sentence."""
SHARED = 8
"""Words in a row that are no chance: a line that shares them with held-out text is left out."""
BLOCK = 20_000
SEARCH = {"beam_size": 1, "batch_tokens": 20_000, "max_source_pieces": 200}
"""How they are translated: greedily, and whole rather than in parts."""


def english(language: str) -> Iterator[str]:
    """English without a translation into the language: newswire, and the English of the other languages' news."""
    yield from read_lines(data_path("$CANNER_DATA/text/en.newswire.txt"))
    for other in LANGUAGES:
        if other != language:
            lines, domains = (read_lines(bitext(other, f"train.{end}")) for end in ("en", "domain"))
            yield from (line for line, domain in zip(lines, domains, strict=True) if domain in NEWS)


def bitext(language: str, name: str) -> Path:
    """A file of the language's parallel text."""
    return data_path(f"$CANNER_DATA/bitext/{language}-en/{name}")


def held_out() -> set[str]:
    """`runs` of the English of all development and test sets and of gold alignments."""
    parts = [bitext(language, f"{part}.en") for language in LANGUAGES for part in ("dev", "test")]
    lines = [line for part in parts for line in read_lines(part)]
    gold = sorted((data_path("$CANNER_DATA") / "alignment").glob("*.src-tgt"))
    lines += [side for path in gold for pair in read_bitext(path) for side in pair]
    return {run for line in lines for run in runs(line)}


def letters(text: str) -> str:
    """What tells words and lines apart, however they are tokenised and quoted: letters and digits, no accents."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", html.unescape(text)).lower()))


def runs(line: str) -> set[str]:
    """Each eight words of a line that stand in a row, and the line itself where it is shorter; as `letters`."""
    words = [word for word in map(letters, tokenize_words(html.unescape(line))) if word]
    if len(words) < SHARED:
        return {"".join(words)} - {""}
    return {"".join(words[start : start + SHARED]) for start in range(len(words) - SHARED + 1)}


def chosen(lines: Iterable[str], without: set[str], known: set[str], limit: int) -> list[str]:
    """So many distinct lines at most, drawn at random: running text, no headings, no tables.

    Args:
        lines: of English.
        without: `runs` that no line may hold; a short held-out line may not be one of its sentences.
        known: whole lines, as `letters`, that are in the parallel text already.
        limit: most lines.
    """
    kept: dict[str, str] = {}
    for line in lines:
        words, whole = line.split(), letters(line)
        running = sum(word[:1].islower() for word in words) >= len(words) / 3
        if not (SHORTEST <= len(words) <= LONGEST and running) or whole in known:
            continue
        sentences = [part for part in re.split(r"[.!?:;]", line) if len(part.split()) >= SHORTEST]
        if without.isdisjoint(runs(line) | {letters(sentence) for sentence in (line, *sentences)}):
            kept.setdefault(whole, line)
    found = list(kept.values())
    random.Random(1).shuffle(found)
    return found[:limit]


def best(gloss: WordGloss, translated: list[str], sentences: list[str]) -> tuple[list[str], list[str]]:
    """The half of the pairs in which a gloss of the translation finds most of the English again, in their order.

    A reverse translator that had minutes of training garbles much. What is counted is the F1 of the words.
    """
    glossed = gloss.translate([tokenize_words(text) for text in translated])
    scores = []
    for translation, sentence in zip(glossed, sentences, strict=True):
        found, wanted = _counts(translation.target), _counts(tokenize_words(sentence, clitics=True))
        scores.append(2 * (found & wanted).total() / max(1, found.total() + wanted.total()))
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    kept = sorted(order[: len(order) // 2])
    return [translated[place] for place in kept], [sentences[place] for place in kept]


def _counts(words: Iterable[str]) -> Counter[str]:
    return Counter(word.lower() for word in words if word[:1].isalnum())


def written(words: list[str]) -> str:
    """Running text: no spaces between characters of a script that is written without them."""
    text = ""
    for word in words:
        apart = text and not (is_unspaced(text[-1]) or is_unspaced(word[0]))
        text += f" {word}" if apart else word
    return text


def save(folder: Path, parts: dict[str, list[str]]) -> None:
    """Writes the files of a parallel text, all of them or none."""
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)  # what an interrupted call left
    for suffix, lines in parts.items():
        save_text(making / f"train.{suffix}", "\n".join(lines) + "\n")
    shutil.rmtree(folder, ignore_errors=True)
    making.replace(folder)


def main() -> None:
    """Reads the arguments, writes the parallel text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("language", choices=WITH_REVERSE)
    parser.add_argument(
        "--sentences", type=int, default=200_000, help="English sentences at most; half are kept"
    )
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    language, bundle = arguments.language, RUNS / f"translator-en-{arguments.language}"
    if arguments.sentences < 2:
        parser.error(f"expected --sentences of 2 or more, got {arguments.sentences}; half of them are kept")
    try:
        reverse = NeuralTranslator.load(bundle, device=arguments.device).changed(SEARCH)
        gloss = WordGloss.load(MODELS / f"{language}-en-gloss")
        parts = {end: read_lines(bitext(language, f"train.{end}")) for end in (language, "en", "domain")}
        known = {letters(line) for line in parts["en"]}
        sentences = chosen(english(language), held_out(), known, arguments.sentences)
    except ValueError as error:
        parser.error(
            f"{error}; the translator: canner train recipes/translator_en_{language}.toml -o {bundle}"
        )
    translated: list[str] = []
    for start in range(0, len(sentences), BLOCK):
        block = [tokenize_words(sentence) for sentence in sentences[start : start + BLOCK]]
        translated += [written(words) for words in reverse.translate_words(block)]
        print(f"{len(translated)} of {len(sentences)} sentences", flush=True)
    translated, sentences = best(gloss, translated, sentences)
    parts[language] += translated
    parts["en"] += sentences
    parts["domain"] += ["back-translated"] * len(sentences)
    save(RUNS / f"backtranslated-{language}", parts)


if __name__ == "__main__":
    main()
