"""What the transfer costs: building the store, and an epoch of CAN beside an epoch of the plain tagger.

Run: `python benchmarks/transfer.py` (`--json FILE` writes the figures). It needs the bundles in models/ and reads the
Spanish demonstration corpus. Plain and CAN epochs take turns and are measured in processor
seconds, so that a busy machine does not disturb; the ratio is that of the shortest times.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from importlib import resources
from pathlib import Path

import torch

from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.presets import FAST_MODEL
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import make_model
from canner.text.conll import read_conll
from canner.text.sentence import Sentence
from canner.training.tagger import LabelledSplit, TaggerTask
from canner.transfer.store import load_aligned
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

MODELS = Path(__file__).resolve().parents[1] / "models"


def corpus() -> list[Sentence]:
    """All sentences of the demonstration corpus."""
    folder = resources.files("canner") / "demo_data" / "es"
    with resources.as_file(folder) as path:
        return read_conll(path / "train.conll") + read_conll(path / "test.conll")


def make_task(sentences: list[Sentence], aligned: list[torch.Tensor] | None, hidden_dim: int) -> TaggerTask:
    """A tagger to be trained, plain or with aligned features."""
    encoder = TaggingEncoder.build(EncodingConfig(), sentences, words=True, characters=True)
    torch.manual_seed(1)
    config = FAST_MODEL.model_copy(update={"hidden_dim": hidden_dim})
    width = aligned[0].shape[1] if aligned is not None else 0
    model = make_model(config, encoder, features_dim=0, aligned_dim=width)
    split = LabelledSplit(sentences, None, aligned)
    return TaggerTask(SentenceTagger(model, encoder), split, split, batch_size=16, seed=1, device="cpu")


def epoch_seconds(task: TaggerTask, epoch: int) -> float:
    """Processor seconds of one epoch of training, optimizer included."""
    optimizer = torch.optim.AdamW(task.model.parameters(), lr=1e-3)
    task.model.train()
    start = time.process_time()
    for batch in task.train_batches(epoch):
        optimizer.zero_grad(set_to_none=True)
        loss, _ = task.loss(batch)
        loss.backward()
        optimizer.step()
    return time.process_time() - start


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--translator", default=str(MODELS / "es-en-gloss"))
    parser.add_argument("--teacher", default=str(MODELS / "teacher-en"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    sentences = corpus()
    view = ViewConfig(translator=arguments.translator)
    views = TransferViews.load(TransferConfig(teacher=arguments.teacher, views=(view,)))
    with tempfile.TemporaryDirectory() as folder:
        stores = views.stores(Path(folder), [sentence.tokens for sentence in sentences])
        report = stores[0][0].report
        assert report is not None
        start = time.perf_counter()
        aligned = load_aligned(stores, [sentence.tokens for sentence in sentences])
        load_seconds = time.perf_counter() - start
    figures: dict[str, float] = {
        "store_sentences_per_second": report.sentences_per_second,
        "store_bytes_per_sentence": report.bytes_per_sentence,
        "load_sentences_per_second": len(sentences) / load_seconds,
    }
    for hidden_dim in (128, 256):
        plain = make_task(sentences, None, hidden_dim)
        can = make_task(sentences, aligned, hidden_dim)
        rounds = [(epoch_seconds(plain, e), epoch_seconds(can, e)) for e in range(arguments.rounds)]
        best_plain, best_can = (min(column) for column in zip(*rounds, strict=True))
        figures[f"plain_epoch_seconds_{hidden_dim}"] = best_plain
        figures[f"can_epoch_seconds_{hidden_dim}"] = best_can
        figures[f"epoch_ratio_{hidden_dim}"] = best_can / best_plain
    for name, value in figures.items():
        print(f"{name:<28} {value:,.3f}")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
