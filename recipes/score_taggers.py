"""F1 of the taggers that ship, whole development and test sets, as they are used.

    CANNER_DATA=../shared/data python recipes/score_taggers.py

Writes results/taggers.json; `canner report` puts each row on its card.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from canner.data.corpus import CorpusConfig, data_path, read_split
from canner.evaluation.entities import score_entities
from canner.experiment.results import results_made_now, summarise, weights_of
from canner.pipeline.tagger import Tagger
from canner.tables.corpora import ENGLISH, SPANISH
from canner.text.entities import Entity

RESULTS = Path(__file__).resolve().parents[1] / "results"
TAGGERS = {
    "Spanish CAN tagger, CoNLL-2002": ("models/es-can", SPANISH.data),
    "English teacher, CoNLL-2003": ("models/teacher-en", ENGLISH.data),
}


def score(tagger: Tagger, corpus: CorpusConfig) -> dict[str, float]:
    """Precision, recall and F1 on the test set, F1 of each type, and F1 on the development set; in percent."""
    scores = {}
    for split in ("dev", "test"):
        sentences = read_split(corpus, split)
        found = [
            [Entity(e.start_token, e.end_token, e.type) for e in tagged.entities]
            for tagged in tagger.tag_tokens([sentence.tokens for sentence in sentences])
        ]
        scores[split] = score_entities([sentence.entities for sentence in sentences], found)
    test = scores["test"]
    figures = test.micro.figures()
    figures["dev f1"] = scores["dev"].micro.f1
    return figures | {f"{name} f1": figure.f1 for name, figure in sorted(test.by_type.items())}


def main() -> None:
    """Scores each, writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    rows = []
    for name, (bundle, corpus) in TAGGERS.items():
        figures = score(Tagger.load(bundle), corpus)
        print(name, figures, flush=True)
        rows.append(summarise(name, {"seed 1": figures}).model_copy(update={"bundle": bundle}))
    content = results_made_now(
        name="taggers",
        title="Taggers that ship",
        rows=rows,
        data="CoNLL-2002 Spanish, CoNLL-2003 English, whole development and test sets",
        protocol="one training each; sentences as tokenised there; the Spanish one was stopped on 500 of its "
        "development sentences",
        command="python recipes/score_taggers.py",
        files=[
            *(data_path(path) for _, corpus in TAGGERS.values() for path in (*corpus.dev, *corpus.test)),
            *(weights_of(bundle) for bundle, _ in TAGGERS.values()),
        ],
    )
    content.save(RESULTS / "taggers.json")


if __name__ == "__main__":
    main()
