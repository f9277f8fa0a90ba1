"""BLEU and chrF of translators (results/translators.json), alignment error rates of layers (results/alignment-zh.json).

CANNER_DATA=../shared/data python recipes/score_translators.py es=models/es-en zh=models/zh-en
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch

from canner.data.bundle import save_json
from canner.data.translation import Translator
from canner.decoding.neural_translator import NeuralTranslator
from canner.evaluation.alignment import read_gold_alignments
from canner.evaluation.translation import share_of_entity_tokens_copied
from canner.experiment.results import results_json, summarise
from canner.text.bitext import read_bitext
from canner.text.conll import read_conll
from canner.training.translator_scores import attention_error_rates, score_translations
from canner.transfer.views import load_translator

RESULTS = Path(__file__).resolve().parents[1] / "results"
DATA = Path(os.environ.get("CANNER_DATA", "../shared/data"))
ENTITIES = {
    "es": "conll2002_es/esp.testa",
    "de": "conll2003_de/dev.txt",
    "sw": "masakhaner2/swa/dev.txt",
    "yo": "masakhaner2/yor/dev.txt",
}
"""Development sentences whose names the translator should leave whole."""
GOLD_ALIGNMENTS = {"zh": "zhen"}


def score(language: str, translator: Translator, num_sentences: int | None) -> dict[str, float]:
    """BLEU, chrF, speed, and how many tokens of names stand in the English as they were."""
    figures: dict[str, float] = {}
    for part in ("dev", "test"):
        folder = DATA / "bitext" / f"{language}-en"
        pairs = read_bitext(folder / f"{part}.{language}", folder / f"{part}.en")[:num_sentences]
        started = time.monotonic()
        scores = score_translations(translator, [s for s, _ in pairs], [t for _, t in pairs])
        figures |= {f"{part} {name}": value for name, value in scores.items()}
        figures[f"{part} sentences"] = len(pairs)
        figures["sentences/s"] = len(pairs) / (time.monotonic() - started)
    if language in ENTITIES:
        sentences = read_conll(DATA / "ner" / ENTITIES[language])[:500]
        english = [t.target for t in translator.translate([s.tokens for s in sentences])]
        figures["entity tokens copied %"] = 100 * share_of_entity_tokens_copied(sentences, english)
    return figures


def score_alignments(language: str, translator: NeuralTranslator) -> dict[str, dict[str, float]]:
    """Alignment error rate of every layer against gold links, for attention as produced and as read."""
    name = DATA / "alignment" / GOLD_ALIGNMENTS[language]
    pairs = [(s.split(), t.split()) for s, t in read_bitext(f"{name}.src-tgt")]
    gold = read_gold_alignments(f"{name}.gold")
    short = [i for i, (s, t) in enumerate(pairs) if len("".join(s)) < 180 and len(t) < 120]
    rates = attention_error_rates(translator, [pairs[i] for i in short], [gold[i] for i in short])
    layers = range(translator.num_layers)
    return {
        f"layer {k + 1}": {f"AER {reading}": rates[reading][k] for reading in rates} | {"pairs": len(short)}
        for k in layers
    }


def save(name: str, title: str, new: list[dict[str, Any]], data: str, protocol: str) -> None:
    """Writes a results file; rows of other translators that stand in it stay."""
    path = RESULTS / f"{name}.json"
    old = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else []
    named = {row["system"] for row in new}
    rows = [row for row in old if row["system"] not in named] + new
    command = shlex.join(["python", *sys.argv])
    save_json(
        path,
        results_json(name=name, title=title, rows=rows, data=data, protocol=protocol, command=command),
    )


def main() -> None:
    """Scores each translator named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("translators", nargs="+", metavar="LANGUAGE=BUNDLE")
    parser.add_argument("--sentences", type=int, help="only the first of dev and test")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for item in arguments.translators:
        language, folder = item.split("=", 1)
        translator = load_translator(folder)
        figures = score(language, translator, arguments.sentences)
        print(item, figures, flush=True)
        kind = "ConvS2S" if isinstance(translator, NeuralTranslator) else "word gloss"
        row = summarise(f"{language} → en, {kind}", {Path(folder).name: figures}).to_json()
        data = "dev, test: es newstest2013, de newstest2018, zh newstest2019, NTREX; sw, yo LAFAND"
        protocol = "beam of 5, ranked by log probability per piece (the translators' default); one model each"
        save("translators", "Translators: BLEU and chrF", [row], data, protocol)
        if language in GOLD_ALIGNMENTS and isinstance(translator, NeuralTranslator):
            rates = score_alignments(language, translator)
            rows = [summarise(layer, {Path(folder).name: rate}).to_json() for layer, rate in rates.items()]
            title = f"Alignment error rate of each attention layer, {language} → en, in percent"
            words = "gold alignments zhen; the strongest source word of each English word"
            save(f"alignment-{language}", title, rows, words, "translation forced")


if __name__ == "__main__":
    main()
