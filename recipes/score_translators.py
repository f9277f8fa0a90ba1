"""BLEU and chrF of translators on dev and test, alignment error rate of their layers: results/translators.json.

CANNER_DATA=../shared/data python recipes/score_translators.py es=runs/translator-es zh=runs/translator-zh
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from pathlib import Path

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
ENTITIES = {"es": "conll2002_es/esp.testa", "sw": "masakhaner2/swa/dev.txt"}
"""Development sentences whose names the translator should leave whole."""
GOLD_ALIGNMENTS = {"zh": "zhen"}


def score(language: str, translator: Translator, num_sentences: int | None) -> dict[str, float]:
    """All figures of one translator."""
    figures: dict[str, float] = {}
    for part in ("dev", "test"):
        folder = DATA / "bitext" / f"{language}-en"
        pairs = read_bitext(folder / f"{part}.{language}", folder / f"{part}.en")[:num_sentences]
        started = time.monotonic()
        scores = score_translations(translator, [s for s, _ in pairs], [t for _, t in pairs])
        figures |= {f"{part} {name}": value for name, value in scores.items()}
        figures[f"{part} sentences/s"] = len(pairs) / (time.monotonic() - started)
    if language in ENTITIES:
        sentences = read_conll(DATA / "ner" / ENTITIES[language])[:500]
        english = [t.target for t in translator.translate([s.tokens for s in sentences])]
        figures["entity tokens copied %"] = 100 * share_of_entity_tokens_copied(sentences, english)
    if language in GOLD_ALIGNMENTS and isinstance(translator, NeuralTranslator):
        name = DATA / "alignment" / GOLD_ALIGNMENTS[language]
        pairs = [(s.split(), t.split()) for s, t in read_bitext(f"{name}.src-tgt")]
        gold = read_gold_alignments(f"{name}.gold")
        short = [i for i, (s, t) in enumerate(pairs) if len("".join(s)) < 180 and len(t) < 120]
        rates = attention_error_rates(translator, [pairs[i] for i in short], [gold[i] for i in short])
        for reading, values in rates.items():
            figures |= {f"AER {reading}, layer {k}": value for k, value in enumerate(values, 1)}
    return figures


def main() -> None:
    """Scores each translator named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("translators", nargs="+", metavar="LANGUAGE=BUNDLE")
    parser.add_argument("--sentences", type=int, help="only the first of dev and test")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for item in arguments.translators:
        language, folder = item.split("=", 1)
        figures = score(language, load_translator(folder), arguments.sentences)
        rows.append(summarise(f"{language} → en, {Path(folder).name}", {"seed 1": figures}).to_json())
        print(item, figures, flush=True)
        content = results_json(
            name="translators",
            title="Translators: BLEU, chrF, alignment error rate",
            rows=rows,
            data="es: newstest2013, NTREX; zh: newstest2019, NTREX; sw: LAFAND; gold alignments: zhen",
            protocol=f"beam 5; {arguments.sentences or 'all'} sentences of dev and test",
            command=shlex.join(["python", *sys.argv]),
        )
        save_json(RESULTS / "translators.json", content)


if __name__ == "__main__":
    main()
