"""The task of training a tagger: it learns, repeats itself, and takes precomputed features."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.tagger import TaggerConfig, TaggerModel
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_batch import make_batch
from canner.tagging.tagger_bundle import make_model
from canner.text.sentence import Sentence
from canner.training.loop import fit
from canner.training.schedule import TrainingConfig
from canner.training.tagger import LabelledSplit, TaggerTask, evaluate

NAMES = ["Ana", "Eva", "Luis", "Rosa", "Hugo", "Olga"]
TOWNS = ["Lima", "Quito", "Bilbao", "Madrid"]
LABELLED = [
    Sentence((name, "vive", "en", town, "."), ("S-PER", "O", "O", "S-LOC", "O"))
    for name in NAMES
    for town in TOWNS
]


def make(aligned_dim: int = 0, extra_words: Sequence[str] = ()) -> SentenceTagger:
    encoder = TaggingEncoder.build(
        EncodingConfig(), LABELLED, words=True, characters=False, extra_words=extra_words
    )
    torch.manual_seed(1)
    config = TaggerConfig(word_dim=10, char_encoder="none", hidden_dim=8)
    return SentenceTagger(make_model(config, encoder, features_dim=0, aligned_dim=aligned_dim), encoder)


def train(folder: Path, tagger: SentenceTagger, split: LabelledSplit) -> float | None:
    task = TaggerTask(tagger, split, split, batch_size=4, seed=3, device="cpu")
    config = TrainingConfig(learning_rate=0.02, max_epochs=12)
    return fit(task, config, folder, seed=3, progress=False).best_metric


def test_it_learns_and_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    first, second = make(), make()
    split = LabelledSplit(LABELLED)
    assert train(tmp_path / "a", first, split) == 100.0
    train(tmp_path / "b", second, split)
    weights = zip(first.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    assert evaluate(first, split).micro.f1 == 100.0


def test_words_beyond_the_training_sentences_are_left_out_of_the_optimizer_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = LabelledSplit(LABELLED)
    spared, walked = make(extra_words=["Oslo", "Roma"]), make(extra_words=["Oslo", "Roma"])
    before = spared.model.word_embedding.weight.detach().clone()
    train(tmp_path / "a", spared, split)
    with monkeypatch.context() as patch:  # the oracle: the optimizer gets every row
        patch.setattr(TaggerModel, "parameters_to_learn", lambda model, number: list(model.parameters()))
        train(tmp_path / "b", walked, split)
    weights = zip(spared.model.parameters(), walked.model.parameters(), strict=True)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in weights)
    learned = spared.model.word_embedding.weight
    assert torch.equal(learned[-2:], before[-2:])
    assert not torch.equal(learned[2:-2], before[2:-2])
    task = TaggerTask(spared, split, split, batch_size=4, seed=3, device="cpu")
    sizes = {tuple(parameter.shape) for group in task.parameters() for parameter in group.parameters}
    assert tuple(learned[:-2].shape) in sizes
    assert tuple(learned.shape) not in sizes
    assert all(
        a is b for a, b in zip(task.parameters()[0].parameters, task.parameters()[0].parameters, strict=True)
    )
    copied = copy.deepcopy(spared.model).train()  # its words lie elsewhere: they learn as ever
    TaggerTask(SentenceTagger(copied, spared.encoder), split, split, batch_size=4, seed=3, device="cpu")
    other = copy.deepcopy(copied)
    inputs, _ = make_batch([spared.encoder.encode(LABELLED[0], with_tags=True)])
    other.embed(inputs).sum().backward()
    assert other.word_embedding.weight.grad is not None


def test_every_sentence_is_in_one_batch_of_an_epoch_and_epochs_differ() -> None:
    split = LabelledSplit(LABELLED)
    task = TaggerTask(make(), split, split, batch_size=5, seed=1, device="cpu")
    batches = task.train_batches(0)
    assert sorted(index for batch in batches for index in batch) == list(range(len(LABELLED)))
    assert max(map(len, batches)) <= 5
    assert batches == task.train_batches(0)
    assert batches != task.train_batches(1)


def test_aligned_features_reach_the_model_with_their_sentence(tmp_path: Path) -> None:
    # Words tell nothing here, the aligned features everything.
    draw = random.Random(4)
    masked = [Sentence(("x",) * 5, tuple(draw.sample(sentence.tags or (), 5))) for sentence in LABELLED]
    kinds = {"O": [1.0, 0.0, 0.0], "S-PER": [0.0, 1.0, 0.0], "S-LOC": [0.0, 0.0, 1.0]}
    aligned = [torch.tensor([kinds[tag] for tag in sentence.tags or ()]).half() for sentence in masked]
    tagger = make(aligned_dim=3)
    assert (train(tmp_path, tagger, LabelledSplit(masked, None, aligned)) or 0.0) > 95.0
    wrong = [*aligned[1:], aligned[0]]
    assert evaluate(tagger, LabelledSplit(masked, None, wrong)).micro.f1 < 50.0


def test_the_loss_counts_the_tokens_of_the_batch() -> None:
    split = LabelledSplit(LABELLED)
    task = TaggerTask(make(), split, split, batch_size=5, seed=1, device="cpu")
    loss, units = task.loss([0, 1, 2])
    assert units == 15
    assert loss.requires_grad
