"""What English knows that a plain tagger does not: why English adds much to some taggers, and nothing to others.

English objects where the teacher, through it, names an entity in a word of which a plain tagger says another type, or
none; one of the two is wrong at least. No tagger that reads English is trained here. Plain ones are read from
runs/plain; as results keep no taggers, they are made first:

    export CANNER_DATA=../shared/data
    for part in german spanish ontonotes uner swahili yoruba; do
        canner reproduce few-labels-$part --system plain --anew --runs runs/plain; done
    for part in table2 masakhaner uner; do
        canner reproduce $part --system BiLSTM+CRF --seeds 1 --anew --runs runs/plain; done
    for part in table3-ontonotes table4; do
        canner reproduce $part --system Char+BiLSTM+CRF --seeds 1 --anew --runs runs/plain; done
    python recipes/score_objections.py

Writes results/objections.json, a row for each corpus, number of labelled sentences, and English, with what taggers
that read this English gain in the other results files, and results/objections-gains.json: how these gains go with what
is counted here.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch
from scipy.stats import spearmanr  # type: ignore[import-untyped]

from canner.data.corpus import data_path, draw_subset, read_split
from canner.evaluation.objections import Types, objection_figures, token_types
from canner.experiment.comparison import slug
from canner.experiment.results import files_of_translator, results_made_now, summarise, weights_of
from canner.experiment.results_schema import Metric, Results, Row
from canner.experiment.scored_rows import made_in_all, made_now, with_earlier_rows
from canner.tables.bundles import (
    ALIGNERS,
    DICTIONARY_GLOSSES,
    EXTERNAL,
    GLOSSES,
    TEACHER,
    TEACHER_TYPES,
    TRANSLATORS,
)
from canner.tables.corpora import GERMAN, ONTONOTES5, SPANISH, SWAHILI, UNER, WEIBO, YORUBA, LabelledCorpus
from canner.tables.readings import external
from canner.tagging.tagger_bundle import load_tagger
from canner.text.entities import Entity
from canner.text.sentence import Sentence
from canner.transfer.projection import PROJECTED, ProjectionTagger
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

RESULTS = Path(__file__).resolve().parents[1] / "results"
STORES = Path("runs/stores")
"""Translations are kept there, as those of `canner reproduce` are."""
MOST = 1000
"""Development sentences of a corpus that are counted."""
ALL = "all sentences"


@dataclass(frozen=True)
class Tables:
    """A corpus, and the results files with its plain tagger.

    Attributes:
        corpus: which.
        few: results file with some numbers of labelled sentences; None: there is none.
        whole: with all.
        plain: the row of the plain tagger in `whole`.
        more: another results file with that plain tagger, and other rows.
    """

    corpus: LabelledCorpus
    few: str | None
    whole: str
    plain: str = "BiLSTM+CRF"
    more: str | None = None


CHAR = "Char+BiLSTM+CRF"
CORPORA = {
    "German": Tables(GERMAN, "few-labels-german-fast", "table2-german-fast"),
    "Spanish": Tables(SPANISH, "few-labels-spanish-fast", "table2-spanish-fast"),
    "Swahili": Tables(SWAHILI, "few-labels-swahili-fast", "masakhaner-swahili-fast"),
    "Yoruba": Tables(YORUBA, "few-labels-yoruba-fast", "masakhaner-yoruba-fast"),
    "Chinese encyclopaedia": Tables(UNER, "few-labels-uner-fast", "uner-chinese-fast"),
    "Chinese news": Tables(
        ONTONOTES5, "few-labels-ontonotes-fast", "table3-ontonotes-fast", CHAR, "distillation-news-fast"
    ),
    "Weibo, original": Tables(WEIBO["original"], None, "table4-original-fast", CHAR),
    "Weibo, revised": Tables(WEIBO["revised"], None, "table4-revised-fast", CHAR, "distillation-weibo-fast"),
}
JOINED = {
    "last layer": "CAN_last",
    "copies known": "CAN_last with copies",
    "alignment head": "CAN_aligned",
    "gloss": "CAN_gloss",
    "gloss with a dictionary": "CAN_dictionary",
    "DeepL": "CAN, DeepL",
}
"""What English is called here, and the rows of taggers to whose states it is joined."""
AT_INPUT = " at the input"
UPPER_BOUND = " (upper bound)"
PLAIN_F1 = "plain dev f1"
FEWEST_PAIRS = 3
GAINS = ("dev gain, joined", "dev gain, at the input", "gain, joined", "gain, at the input")


@dataclass(frozen=True)
class Plain:
    """A plain tagger of some number of sentences: its row in a results file, and the folders of its runs."""

    number: str
    table: str
    row: Row
    folders: tuple[Path, ...]


def plain_taggers(runs: Path, tables: Tables) -> list[Plain]:
    """The plain taggers of a corpus, those of fewer sentences first."""
    rows = []
    if tables.few is not None:
        of_table = Results.read(RESULTS / f"{tables.few}.json").rows
        rows = [(tables.few, row) for row in of_table if row.system.partition(", ")[0] == "plain"]
    whole = next(r for r in Results.read(RESULTS / f"{tables.whole}.json").rows if r.system == tables.plain)
    found = []
    for table, row in [*rows, (tables.whole, whole)]:
        place = runs / table / slug(row.system)
        wanted = 1 if row is whole else len(row.seeds)
        folders = tuple(sorted(path.parent for path in place.glob("*/metrics.json")))[:wanted]
        if len(folders) < wanted:
            raise SystemExit(
                f"expected {wanted} finished taggers in {place}, got {len(folders)}; {Path(__file__).name} says at its "
                "beginning how they are made"
            )
        number = ALL if row is whole else row.system.partition(", ")[2] or "100 sentences"
        found.append(Plain(number, table, row, folders))
    return found


def english_types(
    corpus: LabelledCorpus, sentences: Sequence[Sentence], types: Collection[str]
) -> tuple[dict[str, list[Types]], list[Path]]:
    """What the teacher says of each token of the sentences, by each English that there is; and the files of these.

    Args:
        corpus, sentences: of it.
        types: those that the corpus and the teacher have.
    """
    every = {
        "last layer": TRANSLATORS,
        "alignment head": ALIGNERS,
        "gloss": GLOSSES,
        "gloss with a dictionary": DICTIONARY_GLOSSES,
    }
    bundles = {name: of[corpus.language] for name, of in every.items() if corpus.language in of}
    views = {name: ViewConfig(translator=bundle) for name, bundle in bundles.items()}
    files = [path for bundle in bundles.values() for path in files_of_translator(bundle)]
    if corpus.language in EXTERNAL:
        views["DeepL"] = external(corpus.language, "DeepL")
        files += map(data_path, views["DeepL"].files.english if views["DeepL"].files else ())
    config = TransferConfig(teacher=TEACHER, views=tuple(views.values()))
    read = TransferViews.load(config.with_paths(lambda path: str(data_path(path))))
    tokens = [sentence.tokens for sentence in sentences]
    stores = dict(zip(views, read.stores(STORES, tokens), strict=True))
    readings = {name: (store, PROJECTED) for name, (store, _) in stores.items()}
    produced = PROJECTED.model_copy(update={"reading": "produced"})
    readings |= {"last layer": (stores["last layer"][0], produced), "copies known": readings["last layer"]}
    tagger = ProjectionTagger(read.teacher.tags, sorted(types))
    found = {}
    for name in (name for name in JOINED if name in readings):
        store, options = readings[name]
        entities = tagger.entities(tokens, aligned=[store.aligned(words, options) for words in tokens])
        found[name] = types_of(entities, sentences, types)
    return found, files


def types_of(
    entities: Sequence[Sequence[Entity]], sentences: Sequence[Sentence], types: Collection[str]
) -> list[Types]:
    """Types of the tokens of several sentences."""
    pairs = zip(entities, sentences, strict=True)
    return [token_types(of_sentence, len(sentence.tokens), types) for of_sentence, sentence in pairs]


def gains(tables: Tables, plain: Plain, english: str) -> dict[str, Metric]:
    """What taggers gain over the plain one that read this English, on the development and on the test set.

    Returns:
        Those of which there are runs.
    """
    files = [plain.table] if plain.number != ALL or tables.more is None else [tables.more, plain.table]
    rows = {row.system: row for name in files for row in Results.read(RESULTS / f"{name}.json").rows}
    before = f"{plain.row.system} + " if plain.number == ALL else ""
    after = plain.row.system.removeprefix("plain") if plain.number != ALL else ""
    found = {}
    for place, ending in (("joined", ""), ("at the input", AT_INPUT)):
        name = f"{before}{JOINED[english]}{ending}{after}"
        row = rows.get(name) or rows.get(f"{name}{UPPER_BOUND}")
        if row is not None and row.against is not None:
            found[f"dev gain, {place}"] = _single(fmean(row.against.dev_by_run.values()))
            found[f"gain, {place}"] = _single(row.against.difference)
    return {name: found[name] for name in GAINS if name in found}


def _single(value: float) -> Metric:
    return Metric(mean=round(value, 2), sd=0.0, values=(round(value, 2),))


def rows_of(title: str, runs: Path) -> list[Row]:
    """The rows of a corpus."""
    tables, sentences = CORPORA[title], drawn(CORPORA[title].corpus)
    of_teacher = types_of([s.entities for s in sentences], sentences, TEACHER_TYPES)
    types = {name for of_sentence in of_teacher for name in of_sentence if name}
    gold = types_of([s.entities for s in sentences], sentences, types)
    english, files = english_types(tables.corpus, sentences, types)
    files += [weights_of(TEACHER), *map(data_path, tables.corpus.data.dev)]
    rows, tokens = [], [sentence.tokens for sentence in sentences]
    for plain in plain_taggers(runs, tables):
        said = {
            folder.name.replace("subset", "subset ").replace("-seed", ", seed "): types_of(
                load_tagger(folder).entities(tokens), sentences, types
            )
            for folder in plain.folders
        }
        for name, of_english in english.items():
            counted = {run: objection_figures(gold, of_run, of_english) for run, of_run in said.items()}
            row = summarise(f"{title}, {plain.number}, {name}", counted)
            plain_f1 = {PLAIN_F1: _single(plain.row.metrics["dev f1"].mean)}
            row = row.model_copy(update={"metrics": row.metrics | plain_f1 | gains(tables, plain, name)})
            rows.append(made_now(row, [*files, *(weights_of(folder) for folder in plain.folders)]))
            print(row.system, {key: metric.mean for key, metric in row.metrics.items()}, flush=True)
    return rows


def drawn(corpus: LabelledCorpus) -> list[Sentence]:
    """The development sentences that are counted."""
    sentences = read_split(corpus.data, "dev")
    return draw_subset(sentences, min(MOST, len(sentences)), seed=1)


def rank_correlations(rows: Sequence[Row]) -> list[Row]:
    """Spearman's correlation of each gain with how often English is right, and with how good the plain tagger is.

    "Plain F1 alike" is the partial correlation of the ranks, what is left of the first where the second is held fixed.

    Args:
        rows: of which each is a pair, if it has that gain.
    """
    whole = [row for row in rows if f", {ALL}, " in row.system]
    correlations = []
    for name in GAINS:
        found = {}
        for kind, of_kind in (("any number of labels", rows), ("all labels", whole)):
            pairs = [row.metrics for row in of_kind if name in row.metrics]
            if len(pairs) < FEWEST_PAIRS:
                continue
            columns = [
                [pair[column].mean for pair in pairs] for column in (name, "English right %", PLAIN_F1)
            ]
            share, f1, both = (
                float(spearmanr(columns[i], columns[j]).statistic) for i, j in ((0, 1), (0, 2), (1, 2))
            )
            found |= {f"{kind}: with English right": share, f"{kind}: with plain F1": f1}
            if left := math.sqrt((1 - f1**2) * (1 - both**2)):
                found[f"{kind}: with English right, plain F1 alike"] = (share - f1 * both) / left
            found[f"{kind}: pairs"] = len(pairs)
        if found:
            correlations.append(summarise(name, {"dev": found}))
    return correlations


def save(new: Sequence[Row]) -> None:
    """Writes the results files; rows that are not made anew stay, if they are still made."""
    path = RESULTS / "objections.json"
    order = [f"{title}, " for title in CORPORA]
    known = with_earlier_rows(path, new)
    rows = [row for title in order for row in known if row.system.startswith(title)]
    counts = [f"{title} {len(drawn(tables.corpus)):,}" for title, tables in CORPORA.items()]
    content = results_made_now(
        name="objections",
        title="What English knows that a plain tagger does not: tokens of development sentences",
        rows=rows,
        data=f"development sentences, at most {MOST:,} a corpus, drawn at random: {', '.join(counts)}",
        protocol="plain taggers of the fast protocol, three of each number of sentences (of other subsets), one of "
        "all; English objects where the teacher's likeliest type of a token, carried back, is an entity's, and the "
        "tagger says another, or none; entities of the types that teacher and corpus have; plain F1 and gains are "
        "those of the tables: of few sentences the dev ones on the 400 that decide when training stops",
        command="python recipes/score_objections.py",
    )
    content = content.model_copy(update=made_in_all(rows))
    content.save(path)
    content.model_copy(
        update={
            "name": "objections-gains",
            "title": "How gains go with the share of objections in which English is right",
            "rows": tuple(rank_correlations(rows)),
            "protocol": "Spearman's rank correlation, over the rows of the table before that have such a gain, with "
            "their share of objections in which English is right, and, for comparison, with the F1 of the plain tagger "
            "on the development set; the partial correlation of the first with the second held fixed; rows of one "
            "corpus are not independent of each other",
        }
    ).save(RESULTS / "objections-gains.json")


def main() -> None:
    """Reads the arguments, writes the results files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--corpus", action="append", choices=[*CORPORA], help="only its rows anew; default: all"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/plain"), help="folder of the plain taggers")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    save([row for title in arguments.corpus or CORPORA for row in rows_of(title, arguments.runs)])


if __name__ == "__main__":
    main()
