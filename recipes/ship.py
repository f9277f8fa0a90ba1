"""Copy trained bundles to models/, small: what a clone of the repository brings along.

python recipes/ship.py runs/teacher-en models/teacher-en
python recipes/ship.py runs/translator-es models/es-en
python recipes/ship.py runs/aligner-es models/es-en-aligner
python recipes/ship.py runs/gloss-es models/es-en-gloss
python recipes/ship.py runs/vectors-zh models/vectors-zh
python recipes/ship.py runs/es-can models/es-can        # refers to the others: ship and train in this order
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from canner.data.bundle import bundle_kind, read_bundle_config
from canner.decoding.neural_aligner import NeuralAligner, translator_of
from canner.decoding.neural_translator import NeuralTranslator
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger, save_tagger
from canner.text.bitext import read_lines
from canner.text.vocabulary import Vocabulary
from canner.training.run_files import ENVIRONMENT, FIT, TRAINING
from canner.training.translator_data import ParallelTextConfig, read_training_pairs
from canner.training.vectors_bundle import VECTORS_FILE, pack_vectors
from canner.transfer.gloss import WordGloss
from canner.transfer.views import TransferConfig

_OF_THE_MODEL = {"format", "kind", "model", "sizes", "encoding", "vocabularies", "embedders", "checkpoint"}


def main() -> None:
    """Reads a bundle of any kind, or vectors, writes it in half precision; translators in eight bits."""
    source, output = Path(sys.argv[1]), Path(sys.argv[2])
    kind = "vectors" if (source / VECTORS_FILE).is_file() else bundle_kind(source)
    if kind == "tagger":
        config = read_bundle_config(source, "tagger")
        extra = {key: value for key, value in config.items() if key not in _OF_THE_MODEL}
        if extra.get("transfer"):
            transfer = TransferConfig(**extra["transfer"]).seen_from(source)
            extra["transfer"] = transfer.relative_to(output).model_dump(mode="json")
        tagger = load_tagger(source)
        _sort_words(tagger)
        save_tagger(output, tagger, extra, half=True)
    elif kind == "translator":
        NeuralTranslator.load(source).save(output, precision="int8", notes=_how_trained(source))
    elif kind == "aligner":
        _ship_aligner(source, output)
    elif kind == "gloss":
        WordGloss.load(source).save(output)
    elif kind == "vectors":
        pack_vectors(source, output)
    else:
        raise SystemExit(f"{source}: expected a tagger, translator, aligner, gloss or vectors, got {kind!r}")
    size = sum(os.path.getsize(path) for path in output.rglob("*") if path.is_file())
    print(f"{output}: {size / 2**20:.1f} MiB")


def _ship_aligner(run: Path, output: Path) -> None:
    """Writes an aligner beside the translator that it refers to."""
    fit, config, made = _training(run)
    metric = fit.get("kept_metric", fit["best_metric"])  # runs of before kept the best
    notes: dict[str, object] = {
        "learned from": f"eflomal's alignments of up to {config['num_pairs']} pairs of "
        f"{Path(config['data']['train_source']).parent.name}",
        "training": f"{fit['minutes']:.0f} minutes on {made['hardware']}, {fit['steps']} steps",
        "agreement with eflomal": f"{metric:.1f} % of the linked pieces of {config['num_held_out']} "
        "other pairs",
    }
    translator = output.parent / Path(translator_of(run)).name
    if not translator.is_dir():
        raise SystemExit(f"{output}: expected its translator beside it, in {translator}; ship that first")
    NeuralAligner.load(run).save(output, translator, precision="float16", notes=notes)


def _sort_words(tagger: SentenceTagger) -> None:
    """Puts the words in alphabetical order: the order in which they were first seen is a trace of the texts."""
    words, embedding = tagger.encoder.words, tagger.model.word_embedding
    if words is None or embedding is None:
        return
    first = len(words.specials)
    order = [*range(first), *sorted(range(first, len(words)), key=words.items.__getitem__)]
    embedding.weight.data = embedding.weight.data[order]
    tagger.encoder.words = Vocabulary([words.items[row] for row in order[first:]], words.specials)


def _training(run: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """How a training ended, its configuration, and where it was."""
    names = FIT, TRAINING, ENVIRONMENT
    fit, config, made = (json.loads((run / name).read_text(encoding="utf-8")) for name in names)
    return fit, config, made


def _how_trained(run: Path) -> dict[str, object]:
    """Lines of the model card about the training that the folder holds."""
    fit, config, made = _training(run)
    notes: dict[str, object] = {
        "parallel text": parallel_text(config["data"]),
        "training": f"{fit['minutes']:.0f} minutes on {made['hardware']}, {fit['steps']} steps",
    }
    if config["guided_alignment"]:
        layer = config["guided_layer"] % config["model"]["decoder_layers"] + 1
        notes["attention"] = f"layer {layer}'s was taught word alignments (eflomal), unlike the paper's"
    if config.get("start_from"):
        notes["started from"] = Path(config["start_from"]).name
    against = ""
    if config["data"].get("english_by"):
        against = f"against the English of {Path(config['data']['english_by']).name}, from which it learned, "
    metric = fit.get("kept_metric", fit["best_metric"])  # runs of before kept the best
    notes[f"development {config['training']['metric']}"] = (
        f"{metric:.1f} ({against}greedy, the first {config['data']['num_translated']} sentences; more in "
        "results/translators.json)"
    )
    return notes


def parallel_text(data: dict[str, Any]) -> str:
    """How many pairs a translator was given, of which domains."""
    text = ParallelTextConfig(**{key: data[key] for key in ParallelTextConfig.model_fields if key in data})
    text = text.model_copy(
        update={k: os.path.expandvars(v) for k, v in text.model_dump().items() if isinstance(v, str)}
    )
    counted = f"{Path(text.train_source).parent.name}, {len(read_training_pairs(text)):,} pairs"
    if text.train_domains is None or text.max_pairs is not None:
        return counted
    limits = text.domain_limits
    domains = Counter(read_lines(text.train_domains)).most_common()
    of_domains = [f"{name} {min(count, limits.get(name, count)):,}" for name, count in domains]
    return f"{counted} ({', '.join(of_domains)})"


if __name__ == "__main__":
    main()
