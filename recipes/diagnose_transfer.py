"""Where a transfer loses entities: names in the English, attention that finds them, the teacher that sees them.

For every source token the English word that it weighs most (in one attention layer) is looked up, and what the
teacher says of that word is compared with the gold tag. No tagger is trained: this is the signal before any fusion.

    export CANNER_DATA=../shared/data
    python recipes/diagnose_transfer.py es models/es-en models/es-en-aligner models/es-en-gloss DeepL
    python recipes/diagnose_transfer.py zh models/zh-en models/zh-en-aligner models/zh-en-gloss eflomal=models/zh-en
    python recipes/diagnose_transfer.py zh-news models/zh-en models/zh-en-aligner models/zh-en-gloss
    python recipes/diagnose_transfer.py es runs/translator-es-unguided --name transfer-es-guidance
    python recipes/diagnose_transfer.py zh runs/translator-zh-longer --name transfer-zh-translation

"eflomal=" before a translator: its English, with the links that eflomal finds between that and the sentence, together
with the parallel text.

Writes results/transfer-CORPUS.json (--name: another), a row for each translator and layer.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from canner.data.corpus import CorpusConfig, data_path, draw_subset, read_split
from canner.data.translation import Translator
from canner.decoding.neural_translator import NeuralTranslator
from canner.evaluation.objections import Types, token_types
from canner.experiment.results import files_of_translator, results_made_now, summarise, weights_of
from canner.tables.bundles import TEACHER, TEACHER_TYPES, TRANSLATORS
from canner.tables.corpora import GERMAN, ONTONOTES5, SPANISH, SWAHILI, WEIBO, YORUBA
from canner.tables.readings import COPIED, external
from canner.text.accents import without_accents
from canner.text.bitext import read_bitext, read_lines
from canner.text.sentence import Sentence
from canner.text.tokenizer import tokenize_words
from canner.training.translator_data import read_words, segmented_pairs
from canner.transfer.aligned import Transfer, TransferOptions, select_attention
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig, load_translator
from canner.transfer.word_alignment import align_words

RESULTS = Path(__file__).resolve().parents[1] / "results"
OTHERS = ("DeepL", "m2m100")
"""Other systems, whose English lies in files."""
CORPORA: dict[str, CorpusConfig] = {  # by language, and what more there is of it
    "es": SPANISH.data,
    "de": GERMAN.data,
    "zh": WEIBO["revised"].data,
    "zh-news": ONTONOTES5.data,
    "sw": SWAHILI.data,
    "yo": YORUBA.data,
}


def figures(
    sentences: Sequence[Sentence],
    transfers: Sequence[Transfer],
    tags: Sequence[str],
    options: TransferOptions,
) -> dict[str, float]:
    """Shares in percent over the tokens of the sentences.

    Args:
        sentences: with gold entities.
        transfers: of the same sentences.
        tags: of the teacher's posteriors, in their order.
        options: which attention.
    """
    entity = found = right = other = quiet = reached = tokens = 0
    for sentence, transfer in zip(sentences, transfers, strict=True):
        types = gold_types(sentence)
        attention_TS = select_attention(transfer.translation, options).float()
        read = [tags[k].partition("-")[2] for k in transfer.target.posteriors.argmax(dim=1).tolist()]
        for position, gold in enumerate(types):
            if gold is None:
                continue
            weight = attention_TS[:, position]
            seen = read[int(weight.argmax())] if len(weight) and weight.max() > 0 else ""
            tokens, reached = tokens + 1, reached + bool(len(weight) and weight.max() > 0.1)
            if gold:
                entity, found, right = entity + 1, found + bool(seen), right + (seen == gold)
            else:
                other, quiet = other + 1, quiet + (not seen)
    return {
        "entity tokens": entity,
        "entity tokens found %": 100 * found / max(1, entity),
        "with the right type %": 100 * right / max(1, entity),
        "other tokens left alone %": 100 * quiet / max(1, other),
        "tokens reached %": 100 * reached / max(1, tokens),
    }


def names(
    sentences: Sequence[Sentence],
    english: Sequence[Sequence[str]],
    reader: NeuralTranslator,
    seen: Callable[[str], bool],
) -> dict[str, float]:
    """How many words of entities stand in the English, and how many of those that no translator can have learnt.

    They may stand there as they are, in pinyin, or under the name that the parallel text is sure of; accents aside.

    Args:
        sentences: with gold entities.
        english: words of the translation of each.
        reader: a translator of ours, which says what the words are, whoever made the English.
        seen: whether a word stands in the parallel text that our translators were trained on.
    """
    found: dict[bool, list[bool]] = {True: [], False: []}
    for sentence, translation in zip(sentences, english, strict=True):
        types, there = gold_types(sentence), set(map(without_accents, translation))
        for segment in reader.segments(sentence.tokens):
            if all(types[owner] for owner in segment.owners):
                word = "".join(sentence.tokens[owner] for owner in dict.fromkeys(segment.owners))
                forms = map(without_accents, (word, segment.text, reader.copier.english(segment.text)))
                found[seen(word)].append(not there.isdisjoint(forms))
    everywhere, unseen = found[True] + found[False], found[False]
    return {
        "words of entities": len(everywhere),
        "words of entities in the English %": 100 * sum(everywhere) / max(1, len(everywhere)),
        "unseen words of entities": len(unseen),
        "unseen words of entities in the English %": 100 * sum(unseen) / max(1, len(unseen)),
    }


def parallel_text(language: str) -> Path:
    """The source side of what our translators were trained on."""
    return data_path(f"$CANNER_DATA/bitext/{language}-en/train.{language}")


def seen_in_parallel_text(language: str) -> Callable[[str], bool]:
    """Whether a word stands in the source side of the parallel text: as a word, or in Chinese somewhere."""
    lines = read_lines(parallel_text(language))
    if language == "zh":
        return "\n".join(lines).__contains__
    words = {word for line in lines for word in tokenize_words(without_accents(line))}
    return lambda word: without_accents(word) in words


def pieces(sentences: Sequence[Sentence], translator: Translator) -> dict[str, float]:
    """How the translator would cut names into pieces, and how many go through copy slots instead.

    Args:
        sentences: with gold entities.
        translator: one without pieces (a gloss, a file) has no such figures.
    """
    if not isinstance(translator, NeuralTranslator):
        return {}
    counts: dict[bool, list[int]] = {True: [], False: []}
    slots = 0
    for sentence in sentences:
        types = gold_types(sentence)
        segments = translator.segments(sentence.tokens)
        masked, _ = translator.copier.mask([segment.text for segment in segments])
        found = Counter(translator.source_subwords.encode([segment.text for segment in segments]).words)
        for number, segment in enumerate(segments):
            if any(types[owner] is None for owner in segment.owners):
                continue
            entity = any(types[owner] for owner in segment.owners)
            counts[entity].append(found[number])
            slots += entity and masked[number] != segment.text
    means = {entity: sum(of_words) / max(1, len(of_words)) for entity, of_words in counts.items()}
    return {
        "pieces of an entity's word": means[True],
        "pieces of another word": means[False],
        "words of entities in slots %": 100 * slots / max(1, len(counts[True])),
    }


def linked_anew(language: str, translator: Translator, transfers: Sequence[Transfer]) -> list[Transfer]:
    """The same translations with eflomal's links in the place of the attention."""
    if not isinstance(translator, NeuralTranslator):
        raise SystemExit(
            "expected a neural translator after eflomal=, got another; a gloss has its own links"
        )
    text = Path(os.environ["CANNER_DATA"]) / "bitext" / f"{language}-en"
    pairs = segmented_pairs(read_bitext(text / f"train.{language}", text / "train.en"), translator.segment)
    words = read_words(pairs, translator.copier.known)
    translations = [transfer.translation for transfer in transfers]
    segments = [translator.segments(translation.source) for translation in translations]
    sources = [[segment.text for segment in of_sentence] for of_sentence in segments]
    ours = [(s, list(t.target)) for s, t in zip(sources, translations, strict=True) if t.target]
    found = align_words(*zip(*(ours + words), strict=True), 1, symmetrise="grow-diag")
    links = iter(found[: len(ours)])
    relinked = []
    for transfer, translation, of_sentence in zip(transfers, translations, segments, strict=True):
        attention_TS = torch.zeros(len(translation.target), len(translation.source))
        for source, target in next(links) if translation.target else ():
            attention_TS[target, list(of_sentence[source].owners)] = 1
        attention_TS /= attention_TS.sum(dim=1, keepdim=True).clamp(min=1)
        changed = replace(
            translation, attention=attention_TS[None], reading_attention=None, alignment_layer=0
        )
        relinked.append(replace(transfer, translation=changed))
    return relinked


def gold_types(sentence: Sentence) -> Types:
    """The type of the entity that each token is in, as the English teacher calls it."""
    return token_types(sentence.entities, len(sentence.tokens), TEACHER_TYPES)


def main() -> None:
    """Reads the arguments, writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", choices=sorted(CORPORA))
    parser.add_argument(
        "translators", nargs="+", help="bundles, or DeepL and m2m100 for the files of external/"
    )
    parser.add_argument("--sentences", type=int, default=1000, help="drawn from the development set")
    parser.add_argument("--name", help="of the results file; default: transfer-CORPUS")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    language, data = arguments.corpus.partition("-")[0], CORPORA[arguments.corpus]
    results = arguments.name or f"transfer-{arguments.corpus}"
    whole = read_split(data, "dev")
    sentences = draw_subset(whole, min(arguments.sentences, len(whole)), seed=1)
    reader, seen = load_translator(TRANSLATORS[language]), seen_in_parallel_text(language)
    assert isinstance(reader, NeuralTranslator)
    rows, read = [], [*map(data_path, data.dev), weights_of(TEACHER), parallel_text(language)]
    for argument in arguments.translators:
        name = argument.removeprefix("eflomal=")
        view = external(language, name) if name in OTHERS else ViewConfig(translator=name)
        read += map(data_path, view.files.english) if view.files else files_of_translator(name)
        config = TransferConfig(teacher=TEACHER, views=(view,))
        views = TransferViews.load(config.with_paths(lambda path: str(data_path(path))))
        (transfers,) = views.transfer([sentence.tokens for sentence in sentences])
        if argument != name:
            transfers = linked_anew(language, views.views[0].translator, transfers)
        english = [transfer.translation.target for transfer in transfers]
        of_row = names(sentences, english, reader, seen) | pieces(sentences, views.views[0].translator)
        layers = len(transfers[0].translation.attention)
        kinds = {f"layer {layer}": TransferOptions(layer=layer) for layer in range(1, layers + 1)}
        kinds |= {f"layer {layers}, with copies": COPIED}
        if argument != name:
            kinds = {"links of eflomal": TransferOptions(), "links of eflomal, with copies": COPIED}
        elif layers == 1:
            kinds = {"": TransferOptions()}
        for kind, options in kinds.items():
            found = figures(sentences, transfers, views.teacher.tags, options)
            row = f"{Path(name).name}, {kind}" if kind else Path(name).name
            rows.append(summarise(row, {"dev": found | of_row}))
            of_row = {}  # the same for every layer
            print(row, {key: round(value, 1) for key, value in found.items()}, flush=True)
    content = results_made_now(
        name=results,
        title=f"What the attention finds, {results.removeprefix('transfer-')}: tokens of development sentences",
        rows=rows,
        data=f"{len(sentences)} of {len(whole)} development sentences, drawn at random where not all, of "
        f"{', '.join('/'.join(Path(path).parts[-2:]) for path in data.dev)}",
        protocol="the strongest English word of each token, the teacher's tag of it; entities of the teacher's "
        "types; words of entities stand in the English as they are, in pinyin, or under the name that the parallel "
        "text is sure of; unseen: not in that text; nothing is trained",
        command=shlex.join(["python", *sys.argv]),
        files=read,
    )
    content.save(RESULTS / f"{results}.json")


if __name__ == "__main__":
    main()
