"""Give the English teacher the vectors of GloVe's most frequent words, score it, write results/teacher-en.json.

canner train recipes/teacher_en.toml -o runs/teacher-en-trained
CANNER_DATA=../shared/data python recipes/widen_teacher.py runs/teacher-en-trained runs/teacher-en
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from canner.data.corpus import data_path
from canner.experiment.results import results_made_now, summarise
from canner.tables.corpora import ENGLISH
from canner.tagging.tagger_bundle import load_tagger, save_tagger
from canner.text.conll import read_conll
from canner.text.vectors import frequent_glove_words, load_glove_package
from canner.training.tagger import LabelledSplit, evaluate
from canner.training.widening import widen_vocabulary

NUM_WORDS = 150_000
RESULTS = Path(__file__).resolve().parents[1] / "results"


def main() -> None:
    """Widens, scores before and after, saves."""
    trained, output = Path(sys.argv[1]), Path(sys.argv[2])
    files = {"dev": ENGLISH.data.dev, "test": ENGLISH.data.test}
    splits = {split: read_conll(data_path(path)) for split, (path,) in files.items()}
    tagger = load_tagger(trained)
    words = frequent_glove_words(NUM_WORDS)
    wide = widen_vocabulary(tagger, words, load_glove_package(words))
    rows = []
    for name, system in (
        ("words of the training texts", tagger),
        (f"{len(wide.encoder.words or ())} words", wide),
    ):
        scores = {split: evaluate(system, LabelledSplit(sentences)) for split, sentences in splits.items()}
        micro = scores["test"].micro
        figures = micro.figures()
        figures |= {"dev f1": scores["dev"].micro.f1}
        figures |= {f"{kind} f1": prf.f1 for kind, prf in sorted(scores["test"].by_type.items())}
        rows.append(summarise(f"BiLSTM-CRF, {name}", {"seed 1": figures}))
        print(name, figures)
    save_tagger(output, wide, {"scores": {"dev": scores["dev"].micro.f1, "test": micro.f1}})
    content = results_made_now(
        name="teacher-en",
        title="English teacher, CoNLL-2003",
        rows=rows,
        data="CoNLL-2003 English, all 14,041 training sentences; GloVe 6B 50d",
        protocol="Adam, cosine schedule, 22 epochs, weights averaged, best on dev",
        command="canner train recipes/teacher_en.toml; " + shlex.join(["python", *sys.argv]),
    )
    content.save(RESULTS / "teacher-en.json")


if __name__ == "__main__":
    main()
