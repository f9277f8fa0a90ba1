"""F1 without a labelled sentence: the teacher's entities, carried back by each translator that ships, on test sets.

    CANNER_DATA=../shared/data python recipes/score_without_labels.py

Writes results/without-labels.json. Only the types that the teacher knows are counted, of gold and found (no dates);
nothing is trained or chosen. Beside the translators: the teacher on the text itself, DeepL where its files are, and a
multilingual encoder that was trained on the teacher's sentences, where runs/tagger-en-encoder is:

    canner train recipes/tagger_en_encoder.toml -o runs/tagger-en-encoder

Beside the test sets, F1 on as many sentences of the other splits: where English is more often right in the training
split than in another, a tagger learns to trust it more than it deserves there.
"""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from pathlib import Path

import torch

from canner.data.corpus import CorpusConfig, data_path, draw_subset, read_split
from canner.data.translation import Translator
from canner.evaluation.entities import score_entities
from canner.experiment.results import files_of_translator, results_made_now, summarise, weights_of
from canner.experiment.results_schema import Row
from canner.experiment.scored_rows import made_in_all, made_now, with_earlier_rows
from canner.tables.bundles import (
    ALIGNERS,
    DICTIONARY_GLOSSES,
    ENGLISH_ENCODER,
    EXTERNAL,
    GLOSSES,
    TEACHER,
    TRANSLATORS,
)
from canner.tables.corpora import GERMAN, ONTONOTES5, SPANISH, SWAHILI, UNER, YORUBA
from canner.tables.readings import external
from canner.tagging.tagger_bundle import load_tagger
from canner.text.bitext import read_lines
from canner.text.entities import Entity
from canner.text.sentence import Sentence
from canner.transfer.aligned import Transfer, TransferOptions, aligned_features, transfer_sentences
from canner.transfer.external import FileTranslator
from canner.transfer.projection import PROJECTED, ProjectionTagger
from canner.transfer.teacher import Teacher
from canner.transfer.views import load_teacher, load_translator

RESULTS = Path(__file__).resolve().parents[1] / "results"
CORPORA: dict[str, tuple[str, CorpusConfig]] = {
    "Spanish": ("es", SPANISH.data),
    "German": ("de", GERMAN.data),
    "Swahili": ("sw", SWAHILI.data),
    "Yoruba": ("yo", YORUBA.data),
    "Chinese news": (
        "zh",
        ONTONOTES5.data.model_copy(update={"types": {**ONTONOTES5.data.types, "GPE": "LOC"}}),
    ),
    "Chinese encyclopaedia": ("zh", UNER.data),
}
"""The language of each corpus, and the corpus with the types called as the teacher calls them."""
ENCODER = "multilingual encoder"
ROWS = (
    "the text itself",
    "word gloss",
    "word gloss with a dictionary",
    "ConvS2S, last layer",
    "ConvS2S, alignment head",
    "DeepL",
    ENCODER,
)
"""What makes the English, as the table calls it; or what reads the text without any."""
WITH_COPIES = ", with copies"
OTHER_SPLITS = ("train", "dev")
MOST = 1000
"""Sentences of these that are counted."""


def scores(
    sentences: Sequence[Sentence], found: Sequence[Sequence[Entity]], types: Collection[str]
) -> dict[str, float]:
    """Precision, recall and F1 in percent, and F1 of each type; others do not count."""
    gold, kept = (
        [[entity for entity in entities if entity.type in types] for entities in of_sentences]
        for of_sentences in ([s.entities for s in sentences], found)
    )
    scored = score_entities(gold, kept)
    return scored.micro.figures() | {f"{name} f1": scored.by_type[name].f1 for name in types}


def common_types(sentences: Sequence[Sentence], teacher: Teacher) -> list[str]:
    """Types of entities of the sentences that the teacher knows."""
    return sorted({entity.type for s in sentences for entity in s.entities} & known_types(teacher))


def carried_back(
    sentences: Sequence[Sentence], transfers: Sequence[Transfer], teacher: Teacher, options: TransferOptions
) -> list[list[Entity]]:
    """The teacher's entities in each sentence, of the types that are there."""
    tagger = ProjectionTagger(teacher.tags, common_types(sentences, teacher))
    aligned = [aligned_features(transfer, options) for transfer in transfers]
    return tagger.entities([sentence.tokens for sentence in sentences], aligned=aligned)


def share_in_parallel_text(language: str, sentences: Sequence[Sentence]) -> float:
    """Percent of sentences that the translators were trained on: a line has their letters and digits, accents aside."""
    lines = read_lines(data_path(f"$CANNER_DATA/bitext/{language}-en/train.{language}"))
    known = {_letters(line) for line in lines} - {""}
    return 100 * sum(_letters("".join(s.tokens)) in known for s in sentences) / len(sentences)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFD", text.casefold())))


def known_types(teacher: Teacher) -> set[str]:
    """Types that the teacher finds."""
    return {tag[2:] for tag in teacher.tags if tag != "O"}


def found_by(
    row: str, language: str, splits: Mapping[str, list[Sentence]], teacher: Teacher
) -> dict[str, dict[str, list[list[Entity]]]]:
    """The entities that a row finds in each split, by the names of its rows: two where words were copied."""
    if row == ENCODER:
        if not Path(ENGLISH_ENCODER).exists():
            print(f"left out: {row}, as {ENGLISH_ENCODER} is not there")
            return {}
        tagger = load_tagger(ENGLISH_ENCODER)
        return {row: {split: tagger.entities([s.tokens for s in found]) for split, found in splits.items()}}
    translator = translator_of(row, language, list(chain(*splits.values())))
    if translator is None:
        return {}
    transfers = {
        split: transfer_sentences([s.tokens for s in sentences], translator, teacher)
        for split, sentences in splits.items()
    }
    readings = {row: PROJECTED}
    if any(transfer.translation.copies for transfer in transfers["test"]):
        produced = PROJECTED.model_copy(update={"reading": "produced"})
        readings = {row: produced, f"{row}{WITH_COPIES}": PROJECTED}
    return {
        name: {split: carried_back(splits[split], transfers[split], teacher, options) for split in splits}
        for name, options in readings.items()
    }


def translator_of(row: str, language: str, sentences: Sequence[Sentence]) -> Translator | None:
    """What makes the English of a row; None where a language has no such thing."""
    text, gloss, with_dictionary, last, head, *_ = ROWS
    if row == text:
        lines = [" ".join(sentence.tokens) for sentence in sentences]
        same = [[(i, i) for i in range(len(sentence.tokens))] for sentence in sentences]
        return FileTranslator(lines, lines, same, name="text")
    bundles = {gloss: GLOSSES, with_dictionary: DICTIONARY_GLOSSES, last: TRANSLATORS, head: ALIGNERS}
    if row in bundles:
        return load_translator(bundles[row][language]) if language in bundles[row] else None
    if language not in EXTERNAL:
        return None
    return FileTranslator.read(*deepl(language), missing="empty")


def deepl(language: str) -> list[list[Path]]:
    """Files of source text, DeepL's English, and alignments."""
    files = external(language, "DeepL").files
    assert files is not None
    return [[data_path(p) for p in split] for split in (files.source, files.english, files.alignments)]


def files_of(row: str, language: str, corpus: CorpusConfig) -> list[Path]:
    """What a row is scored on, and made by."""
    _, gloss, with_dictionary, last, head, by_others, _ = ROWS
    reader = ENGLISH_ENCODER if row == ENCODER else TEACHER
    bundles = {
        gloss: (GLOSSES,),
        with_dictionary: (DICTIONARY_GLOSSES,),
        last: (TRANSLATORS,),
        head: (TRANSLATORS, ALIGNERS),
    }.get(row, ())
    return [
        weights_of(reader),
        *(data_path(path) for path in (*corpus.train, *corpus.dev, *corpus.test)),
        *chain.from_iterable(files_of_translator(kind[language]) for kind in bundles),
        *(chain(*deepl(language)) if row == by_others else ()),
    ]


def save(path: Path, new: Sequence[Row], counts: Sequence[str]) -> None:
    """Writes the results file; rows that are not made anew stay, if they are still made.

    Args:
        path: of the file.
        new: rows of the table.
        counts: test sentences of each corpus, in words.
    """
    order = [f"{corpus}, {row}{copies}" for corpus in CORPORA for row in ROWS for copies in ("", WITH_COPIES)]
    kept = [row for row in with_earlier_rows(path, new) if row.system in order]
    rows = sorted(kept, key=lambda row: order.index(row.system))
    content = results_made_now(
        name="without-labels",
        title="Without labels: the teacher's entities, carried back by attention",
        rows=rows,
        data="test sets of CoNLL-2002/2003, MasakhaNER 2, OntoNotes 5 (bn, mz, nw; GPE counts as LOC) and Universal "
        f"NER (GSD simplified): {', '.join(counts)} sentences, in brackets the shares of the three sets that stand in "
        f"the translators' parallel text; F1 on at most {MOST} sentences of the training and of the development set "
        "beside that on the test set (a dash: not run); types of the teacher",
        protocol="nothing is trained on labels of the language, nothing is chosen on them; of what is carried back the "
        "likeliest type of each token; the multilingual encoder was trained on the teacher's sentences",
        command="python recipes/score_without_labels.py",
    )
    content.model_copy(update=made_in_all(rows)).save(path)


def main() -> None:
    """Reads the arguments, writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--corpus", action="append", choices=[*CORPORA], help="only its rows anew; default: all"
    )
    parser.add_argument("--row", action="append", choices=ROWS, help="only this row anew; default: all")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    teacher = load_teacher(TEACHER)
    rows, counts = [], []
    for name, (language, config) in CORPORA.items():
        splits = {"test": read_split(config, "test")}
        for split in OTHER_SPLITS:
            sentences = read_split(config, split)
            splits[split] = draw_subset(sentences, min(MOST, len(sentences)), seed=1)
        shares = [f"{share_in_parallel_text(language, splits[p]):.1f}" for p in (*OTHER_SPLITS, "test")]
        counts.append(f"{name} {len(splits['test'])} ({', '.join(shares)} %)")
        for row in (arguments.row or ROWS) if name in (arguments.corpus or CORPORA) else ():
            for kind, entities in found_by(row, language, splits, teacher).items():
                by_split = {
                    split: scores(sentences, entities[split], common_types(sentences, teacher))
                    for split, sentences in splits.items()
                }
                found = by_split["test"] | {f"{split} f1": by_split[split]["f1"] for split in OTHER_SPLITS}
                made = summarise(f"{name}, {kind}", {"test": found})
                rows.append(made_now(made, files_of(row, language, config)))
                print(name, kind, {key: round(value, 1) for key, value in found.items()}, flush=True)
    save(RESULTS / "without-labels.json", rows, counts)


if __name__ == "__main__":
    main()
