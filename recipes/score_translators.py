"""BLEU and chrF of translators (results/translators.json), alignment error rates of layers (beside it).

export CANNER_DATA=../shared/data
python recipes/score_translators.py es=models/es-en zh=models/zh-en zh=models/zh-en-aligner zh=eflomal
python recipes/score_translators.py zh=runs/translator-zh-distilled --label distilled
python recipes/score_translators.py zh=runs/translator-zh-continued --label continued
python recipes/score_translators.py de=runs/translator-de-longer --label trained-on

`eflomal` is the word aligner whose links guided the attention of our translators.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from canner.data.corpus import data_path
from canner.data.translation import Translator
from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.evaluation.alignment import GoldAlignment, read_gold_alignments, score_alignments
from canner.evaluation.translation import share_of_entity_tokens_copied
from canner.evaluation.translator_scores import attention_error_rates, score_translations
from canner.experiment.results import files_of_translator, results_made_now, summarise, weights_of
from canner.experiment.results_schema import Row
from canner.experiment.scored_rows import made_in_all, made_now, with_earlier_rows
from canner.tables.corpora import GERMAN, SPANISH, SWAHILI, YORUBA
from canner.text.bitext import read_bitext
from canner.text.conll import read_conll
from canner.text.segmentation import segment_tokens
from canner.text.tokenizer import tokenize_words
from canner.transfer.gloss import WordGloss
from canner.transfer.views import load_translator
from canner.transfer.word_alignment import align_words

RESULTS = Path(__file__).resolve().parents[1] / "results"
ENTITIES = {corpus.language: corpus.data.dev for corpus in (SPANISH, GERMAN, SWAHILI, YORUBA)}
"""Development sentences whose names the translator should leave whole."""
NUM_WITH_ENTITIES = 500
GOLD_ALIGNMENTS = {"zh": "zhen"}


def score(language: str, translator: Translator, num_sentences: int | None) -> dict[str, float]:
    """BLEU, chrF, speed, and how many tokens of names stand in the English as they were."""
    figures: dict[str, float] = {}
    for part in ("dev", "test"):
        folder = data_path("$CANNER_DATA") / "bitext" / f"{language}-en"
        pairs = read_bitext(folder / f"{part}.{language}", folder / f"{part}.en")[:num_sentences]
        started = time.monotonic()
        scores = score_translations(translator, [s for s, _ in pairs], [t for _, t in pairs])
        figures |= {f"{part} {name}": value for name, value in scores.items()}
        figures[f"{part} sentences"] = len(pairs)
        figures["sentences/s"] = len(pairs) / (time.monotonic() - started)
    if language in ENTITIES:
        (path,) = ENTITIES[language]
        sentences = read_conll(data_path(path))[:NUM_WITH_ENTITIES]
        english = [t.target for t in translator.translate([s.tokens for s in sentences])]
        figures["entity tokens copied %"] = 100 * share_of_entity_tokens_copied(sentences, english)
    return figures


def gold_pairs(language: str) -> tuple[list[tuple[list[str], list[str]]], list[GoldAlignment]]:
    """Sentence pairs that are not too long for a translator, and their gold links."""
    name = data_path("$CANNER_DATA") / "alignment" / GOLD_ALIGNMENTS[language]
    pairs = [(s.split(), t.split()) for s, t in read_bitext(f"{name}.src-tgt")]
    gold = read_gold_alignments(f"{name}.gold")
    short = [i for i, (s, t) in enumerate(pairs) if len("".join(s)) < 180 and len(t) < 120]
    return [pairs[i] for i in short], [gold[i] for i in short]


def score_attention(language: str, translator: NeuralTranslator) -> dict[str, dict[str, float]]:
    """Alignment error rate of every layer against gold links, for attention as produced and as read."""
    pairs, gold = gold_pairs(language)
    rates = attention_error_rates(translator, pairs, gold)
    layers = range(translator.num_layers)
    return {
        f"layer {k + 1}": {f"AER {reading}": rates[reading][k] for reading in rates} | {"pairs": len(pairs)}
        for k in layers
    }


def score_head(language: str, aligner: NeuralAligner) -> dict[str, dict[str, float]]:
    """Alignment error rate of an alignment head, whose English is that of its translator."""
    pairs, gold = gold_pairs(language)
    (rate,) = attention_error_rates(aligner, pairs, gold)["produced"]
    return {"alignment head": {"AER of its links": rate, "pairs": len(pairs)}}


def score_aligner(language: str) -> dict[str, dict[str, float]]:
    """Alignment error rate of eflomal on the same pairs, which it aligns together with the training text."""
    pairs, gold = gold_pairs(language)
    folder = data_path("$CANNER_DATA") / "bitext" / f"{language}-en"
    text = read_bitext(folder / f"train.{language}", folder / "train.en")
    source = [tokenize_words(s) for s, _ in text]
    if language == "zh":
        source = [[segment.text for segment in segment_tokens(tokens)] for tokens in source]
    target = [tokenize_words(t, clitics=True) for _, t in text]
    found = align_words(
        [s for s, _ in pairs] + source, [t for _, t in pairs] + target, 1, symmetrise="grow-diag"
    )
    scores = score_alignments(found[: len(pairs)], gold)
    return {"eflomal": {"AER of its links": scores.error_rate, "pairs": len(pairs)}}


def files_of(language: str) -> list[Path]:
    """What a translator from a language is scored on."""
    folder = data_path("$CANNER_DATA") / "bitext" / f"{language}-en"
    return [folder / f"{part}.{side}" for part in ("dev", "test") for side in (language, "en")]


def save(
    name: str,
    title: str,
    new: list[Row],
    data: str,
    protocol: str,
    command: str,
    files: Sequence[Path],
) -> None:
    """Writes a results file; rows of other translators that stand in it stay."""
    path = RESULTS / f"{name}.json"
    rows = sorted(with_earlier_rows(path, [made_now(row, files) for row in new]), key=_by_kind)
    results = results_made_now(
        name=name, title=title, rows=rows, data=data, protocol=protocol, command=command
    )
    results.model_copy(update=made_in_all(rows)).save(path)


def _by_kind(row: Row) -> tuple[int, str, int]:
    """A kind of translator after the other, kinds of more words later; layers in their order."""
    words = row.system.split(", ")[-1]
    kind, _, number = words.rpartition(" ")
    kind, layer = (kind, int(number)) if number.isdigit() else (words, 0)
    return len(kind.split()), kind, layer


def main() -> None:
    """Scores each translator named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("translators", nargs="+", metavar="LANGUAGE=BUNDLE")
    parser.add_argument("--sentences", type=int, help="only the first of dev and test")
    parser.add_argument(
        "--label", help="a word before the rows' names, to keep the rows of the language's other translator"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    label = f"{arguments.label} " if arguments.label else ""
    for item in arguments.translators:
        language, folder = item.split("=", 1)
        if folder == "eflomal":
            if language not in GOLD_ALIGNMENTS:
                parser.error(
                    f"expected a language with gold links ({', '.join(GOLD_ALIGNMENTS)}), got {item}"
                )
            save_alignments(language, None, score_aligner(language), label)
            continue
        translator = load_translator(folder)
        if isinstance(translator, NeuralAligner):
            save_alignments(language, Path(folder), score_head(language, translator), label)
            continue
        figures = score(language, translator, arguments.sentences)
        print(item, figures, flush=True)
        kind = "ConvS2S" if isinstance(translator, NeuralTranslator) else "word gloss"
        if isinstance(translator, WordGloss) and translator.config.dictionary != "none":
            kind += " with a dictionary"
        row = summarise(f"{language} → en, {label}{kind}", {Path(folder).name: figures})
        row = row.model_copy(update={"bundle": Path(folder).as_posix()})
        data = (
            "dev, test: es newstest2013, de newstest2018, zh newstest2019, NTREX; sw, yo LAFAND; entity tokens copied: "
            f"those of the first {NUM_WITH_ENTITIES} development sentences of the labelled corpus, of all its types, "
            "that stand in the English as they are, accents aside"
        )
        protocol = "beam of 5, ranked by log probability per piece (the translators' default); one model each"
        command = "python recipes/score_translators.py LANGUAGE=BUNDLE …"
        files = [*files_of(language), *files_of_translator(folder)]
        save("translators", "Translators: BLEU and chrF", [row], data, protocol, command, files)
        if language in GOLD_ALIGNMENTS and isinstance(translator, NeuralTranslator):
            save_alignments(language, Path(folder), score_attention(language, translator), label)


def save_alignments(
    language: str, folder: Path | None, rates: dict[str, dict[str, float]], label: str
) -> None:
    """Writes alignment error rates: a row for each layer, one for the head of a bundle, or (None) one for eflomal."""
    name = "eflomal" if folder is None else folder.name
    rows = [summarise(f"{label}{row}", {name: rate}) for row, rate in rates.items()]
    if folder is not None:
        rows = [row.model_copy(update={"bundle": folder.as_posix()}) for row in rows]
    title = f"Alignment error rate of each attention layer, {language} → en, in percent"
    data = f"gold alignments {GOLD_ALIGNMENTS[language]}; the strongest source word of each English word"
    protocol = (
        "translation forced; eflomal: its links of both directions, found together with the training text"
    )
    bundle = f"models/{language}-en"
    command = f"python recipes/score_translators.py {language}={bundle} {language}={bundle}-aligner {language}=eflomal"
    gold = data_path("$CANNER_DATA") / "alignment"
    files = [gold / f"{GOLD_ALIGNMENTS[language]}.{end}" for end in ("src-tgt", "gold")]
    files += [] if folder is None else [weights_of(folder)]
    save(f"translators-{language}-alignment", title, rows, data, protocol, command, files)


if __name__ == "__main__":
    main()
