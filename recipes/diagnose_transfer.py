"""Where a transfer loses entities: names in the English, attention that finds them, the teacher that sees them.

For every source token the English word that it weighs most (in one attention layer) is looked up, and what the
teacher says of that word is compared with the gold tag. No tagger is trained: this is the signal before any fusion.

    export CANNER_DATA=../shared/data
    python recipes/diagnose_transfer.py es models/es-en models/es-en-aligner models/es-en-gloss DeepL
    python recipes/diagnose_transfer.py zh models/zh-en models/zh-en-aligner models/zh-en-gloss

Writes results/transfer-LANGUAGE.json, a row for each translator and layer.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from canner.data.bundle import save_json
from canner.data.corpus import CorpusConfig, data_path, read_part
from canner.data.translation import Translator
from canner.decoding.neural_translator import NeuralTranslator
from canner.evaluation.translation import share_of_entity_tokens_copied
from canner.experiment.results import results_json, summarise
from canner.tables.chinese import weibo_revised
from canner.tables.european import GERMAN, SPANISH
from canner.tables.masakhaner import corpus
from canner.tables.protocols import TEACHER, external
from canner.text.sentence import Sentence
from canner.transfer.aligned import Transfer, TransferOptions, select_attention
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

RESULTS = Path(__file__).resolve().parents[1] / "results"
TEACHER_TYPES = {"PER", "LOC", "ORG", "MISC"}
"""Those of CoNLL-2003. Entities of others (dates, Weibo's nominal mentions) are none here."""
CORPORA: dict[str, CorpusConfig] = {
    "es": SPANISH,
    "de": GERMAN,
    "zh": weibo_revised("fast").base.data,
    "sw": corpus("swa"),
    "yo": corpus("yor"),
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
        "entity tokens found %": 100 * found / max(1, entity),
        "with the right type %": 100 * right / max(1, entity),
        "other tokens left alone %": 100 * quiet / max(1, other),
        "tokens reached %": 100 * reached / max(1, tokens),
    }


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


def gold_types(sentence: Sentence) -> list[str | None]:
    """The type of the entity that each token is in, as the English teacher calls it; "" for none.

    None where the teacher has no word for it.
    """
    types: list[str | None] = [""] * len(sentence.tokens)
    for entity in sentence.entities:
        types[entity.start : entity.end] = [_teacher_type(entity.type)] * (entity.end - entity.start)
    return types


def known_to_teacher(sentence: Sentence) -> Sentence:
    """The sentence with those entities that the teacher has a word for."""
    assert sentence.tags is not None
    return replace(sentence, tags=tuple(t if _teacher_type(t[2:]) else "O" for t in sentence.tags))


def _teacher_type(name: str) -> str | None:
    name, _, kind = name.partition(".")
    name = {"GPE": "LOC"}.get(name, name)
    return name if name in TEACHER_TYPES and kind != "NOM" else None


def main() -> None:
    """Reads the arguments, writes the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("language", choices=sorted(CORPORA))
    parser.add_argument(
        "translators", nargs="+", help="bundles, or DeepL and m2m100 for the files of external/"
    )
    parser.add_argument("--sentences", type=int, default=300, help="of the development part")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = CORPORA[arguments.language]
    sentences = read_part(data, "dev")[: arguments.sentences]
    rows = []
    for name in arguments.translators:
        files = name in ("DeepL", "m2m100")
        view = external(f"{arguments.language}-en", name) if files else ViewConfig(translator=name)
        config = TransferConfig(teacher=TEACHER, views=(view,))
        views = TransferViews.load(config.with_paths(lambda path: str(data_path(path))))
        (transfers,) = views.transfer([sentence.tokens for sentence in sentences])
        english = [transfer.translation.target for transfer in transfers]
        named = [known_to_teacher(sentence) for sentence in sentences]
        names = {
            "entity tokens copied %": 100 * share_of_entity_tokens_copied(named, english),
            **pieces(sentences, views.views[0].translator),
        }
        layers = len(transfers[0].translation.attention)
        kinds = {f"layer {layer}": TransferOptions(layer=layer) for layer in range(1, layers + 1)}
        kinds |= {f"layer {layers}, with copies": TransferOptions(reading="copied")}
        for kind, options in kinds.items() if layers > 1 else [("", TransferOptions())]:
            found = figures(sentences, transfers, views.teacher.tags, options)
            row = f"{Path(name).name}, {kind}" if kind else Path(name).name
            rows.append(summarise(row, {"dev": found | names}).to_json())
            names = {}  # the same for every layer
            print(row, {key: round(value, 1) for key, value in found.items()}, flush=True)
    content = results_json(
        name=f"transfer-{arguments.language}",
        title=f"What the attention finds, {arguments.language}: tokens of development sentences",
        rows=rows,
        data=f"the first {len(sentences)} development sentences of {Path(data.dev[0]).parent.name}/{Path(data.dev[0]).name}",
        protocol="the strongest English word of each token, the teacher's tag of it; entities of the teacher's "
        "types; nothing is trained",
        command=shlex.join(["python", *sys.argv]),
    )
    save_json(RESULTS / f"transfer-{arguments.language}.json", content)


if __name__ == "__main__":
    main()
