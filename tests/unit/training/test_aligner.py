"""Training an alignment head: what it learns, what it leaves alone, its bundle."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest
import torch

from canner.data.translation_pairs import PairExample
from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.copying import Copier
from canner.text.subwords import Subwords
from canner.training import aligner as module
from canner.training.aligner import AlignerExperiment, AlignerTask, know_pairs, train_aligner
from canner.training.schedule import TrainingConfig
from canner.training.translator_data import ParallelTextConfig

LETTERS = "abcdefgh"
SIZES = ConvS2SConfig(embed_dim=16, hidden_dim=16, encoder_layers=1, decoder_layers=2, max_positions=32)


def pairs_of(number: int, seed: int) -> list[tuple[list[str], list[str]]]:
    """Sentences whose translation is themselves from behind, in capitals; no word is there twice."""
    rng = random.Random(seed)
    sources = [rng.sample(LETTERS, rng.randint(3, 7)) for _ in range(number)]
    return [(source, [word.upper() for word in reversed(source)]) for source in sources]


def reversed_links(source, _target):
    return [(len(source) - 1 - j, j) for j in range(len(source))]


@pytest.fixture
def translator(tmp_path) -> Path:
    """A bundle of a translator that knows nothing."""
    words = [list(LETTERS)] * 3
    source = Subwords.train(words, vocab_size=60)
    target = Subwords.train([[w.upper() for w in row] for row in words], vocab_size=60)
    torch.manual_seed(0)
    model = ConvS2S(SIZES, num_source_pieces=len(source), num_target_pieces=len(target))
    known = Copier(frozenset(LETTERS))
    NeuralTranslator(model, source, target, known).save(tmp_path / "translator")
    return tmp_path / "translator"


@pytest.fixture
def text(tmp_path) -> ParallelTextConfig:
    pairs = pairs_of(400, seed=1)
    for side, name in enumerate(("source", "target")):
        lines = "".join(" ".join(pair[side]) + "\n" for pair in pairs)
        (tmp_path / name).write_text(lines, encoding="utf-8")
    paths = {"train_source": str(tmp_path / "source"), "train_target": str(tmp_path / "target")}
    return ParallelTextConfig(**paths, max_pieces=31)


def config(translator, text, **changes) -> AlignerExperiment:
    training = TrainingConfig(learning_rate=0.01, metric="agreement", max_epochs=60)
    values = {"num_pairs": 300, "num_held_out": 60, "batch_pieces": 200, "training": training}
    model = AlignmentHeadConfig(dim=16, dropout=0.1)
    return AlignerExperiment(translator=str(translator), data=text, model=model, **{**values, **changes})


@pytest.fixture
def true_links(monkeypatch):
    """The links that the text was made with, instead of those that eflomal finds."""
    monkeypatch.setattr(module, "align", lambda pairs, path, seed: [reversed_links(*pair) for pair in pairs])


def test_a_head_finds_the_source_of_each_word_where_the_translator_does_not(
    translator, text, tmp_path, true_links
):
    result = train_aligner(config(translator, text), tmp_path / "aligner", progress=False)
    assert result.best_metric > 95
    aligner, plain = NeuralAligner.load(tmp_path / "aligner"), NeuralTranslator.load(translator)
    right = {"aligner": 0, "plain": 0}
    words = 0
    for source, target in pairs_of(40, seed=2):
        for name, found in (("aligner", aligner), ("plain", plain)):
            attention = found.force_many([(source, target)])[0].attention[-1]
            right[name] += sum(int(attention[j].argmax()) == i for i, j in reversed_links(source, target))
        words += len(source)
    assert right["aligner"] > 0.9 * words
    assert right["plain"] < 0.5 * words


def test_the_translator_stays_as_it_is(translator, text, tmp_path, true_links):
    before = (translator / "model.safetensors").read_bytes()
    train_aligner(config(translator, text), tmp_path / "aligner", progress=False)
    assert (translator / "model.safetensors").read_bytes() == before
    sentences = [source for source, _ in pairs_of(5, seed=3)]
    aligner, plain = NeuralAligner.load(tmp_path / "aligner"), NeuralTranslator.load(translator)
    for one, other in zip(aligner.translate(sentences), plain.translate(sentences), strict=True):
        assert (one.target, one.score, one.copies) == (other.target, other.score, other.copies)
        assert not torch.equal(one.attention[0], other.attention[-1])


def test_words_without_link_are_left_to_the_end_of_the_source(translator, text, tmp_path, monkeypatch):
    """Where asked for, half of the words being without link, they give their attention to `<eos>`."""
    links = lambda pair: [link for link in reversed_links(*pair) if pair[1][link[1]] in "ABCD"]  # noqa: E731
    monkeypatch.setattr(module, "align", lambda pairs, path, seed: [links(pair) for pair in pairs])
    mass = {}
    for rest in (True, False):
        folder = tmp_path / f"aligner-{rest}"
        train_aligner(config(translator, text, align_rest=rest), folder, progress=False)
        aligner = NeuralAligner.load(folder)
        rows = [
            float(aligner.force_many([(source, target)])[0].attention[0, j].sum())
            for source, target in pairs_of(20, seed=4)
            for j, word in enumerate(target)
            if word not in "ABCD"
        ]
        mass[rest] = sum(rows) / len(rows)
    assert mass[True] < 0.2 < 0.4 < mass[False]


def test_loss_and_agreement_against_loops(translator, text):
    loaded = NeuralTranslator.load(translator)
    examples = [PairExample([5, 6, 7], [6, 5], [(0, 1), (2, 1)]), PairExample([8], [7, 8, 9], [(0, 0)])]
    settings = config(translator, text, align_rest=False)
    torch.manual_seed(1)
    head = AlignmentHead(AlignmentHeadConfig(dim=4, dropout=0.0), SIZES)
    known = know_pairs(loaded, examples, batch_pieces=100)
    task = AlignerTask(head, known, known, settings, "cpu")
    losses, right, linked = [], 0, 0
    for pair in known:
        inputs, _ = task._collate([pair], rest=False)
        attention = head(inputs)[0]
        for row in range(len(pair.example.target)):
            columns = [i for i, j in pair.example.links if j == row]
            if columns:
                losses.append(-torch.log(attention[row, columns].sum() + 1e-6))
                right, linked = right + (int(attention[row].argmax()) in columns), linked + 1
    loss, number = task.loss([0, 1])
    assert number == 2 + 3
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    assert task.validate()["agreement"] == pytest.approx(100 * right / linked)


def test_pairs_are_known_alike_in_any_company(translator):
    loaded = NeuralTranslator.load(translator)
    examples = [PairExample([5, 6, 7, 8], [6, 5], []), PairExample([8], [7, 8, 9], [])]
    for one, other in zip(
        know_pairs(loaded, examples, batch_pieces=100),
        know_pairs(loaded, examples, batch_pieces=10),
        strict=True,
    ):
        torch.testing.assert_close(one.target, other.target, atol=2e-3, rtol=2e-3)
        torch.testing.assert_close(one.source, other.source, atol=2e-3, rtol=2e-3)


def test_training_aligns_text_by_eflomal(translator, text, tmp_path):
    short = config(translator, text, training=TrainingConfig(metric="agreement", max_epochs=1))
    train_aligner(short, tmp_path / "aligner", progress=False)
    assert len((tmp_path / "aligner" / "alignments.txt").read_text().splitlines()) == 400


def test_an_interrupted_run_goes_on_to_the_same_weights(translator, text, tmp_path, true_links):
    settings = config(translator, text, training=TrainingConfig(metric="agreement", max_epochs=5))
    first = train_aligner(settings, tmp_path / "aligner", max_minutes=0.0, progress=False)
    assert first.stopped == "time"
    rest = train_aligner(settings, tmp_path / "aligner", progress=False)
    whole = train_aligner(settings, tmp_path / "whole", progress=False)
    assert rest.best_metric == whole.best_metric
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("aligner", "whole")]
    assert weights[0] == weights[1]


def test_the_best_weights_survive_an_interruption_after_them(
    translator, text, tmp_path, true_links, monkeypatch
):
    settings = config(translator, text, training=TrainingConfig(metric="agreement", max_epochs=3))
    falling = iter(range(100, 0, -1))
    monkeypatch.setattr(AlignerTask, "validate", lambda self: {"agreement": float(next(falling))})
    loss, calls = AlignerTask.loss, []

    def interrupted(self, batch):
        calls.append(batch)
        if len(calls) == 15:  # in the second epoch
            os.kill(os.getpid(), signal.SIGINT)
        return loss(self, batch)

    monkeypatch.setattr(AlignerTask, "loss", interrupted)
    assert train_aligner(settings, tmp_path / "aligner", progress=False).stopped == "interrupted"
    best = (tmp_path / "aligner" / "model.safetensors").read_bytes()
    assert train_aligner(settings, tmp_path / "aligner", progress=False).stopped == "finished"
    assert (tmp_path / "aligner" / "model.safetensors").read_bytes() == best


def test_a_run_is_not_taken_up_with_another_translator(translator, text, tmp_path, true_links):
    settings = config(translator, text)
    train_aligner(settings, tmp_path / "aligner", max_minutes=0.0, progress=False)
    changed = NeuralTranslator.load(translator)
    changed.options = changed.options.model_copy(update={"beam_size": 2})
    changed.save(translator)
    with pytest.raises(ValueError, match="expected the translator that this run was started with"):
        train_aligner(settings, tmp_path / "aligner", progress=False)


def test_a_run_killed_before_its_first_weights_is_no_bundle(
    translator, text, tmp_path, true_links, monkeypatch
):
    def killed(self, batch):
        raise SystemExit

    monkeypatch.setattr(AlignerTask, "loss", killed)
    with pytest.raises(SystemExit):
        train_aligner(config(translator, text), tmp_path / "aligner", progress=False)
    with pytest.raises(ValueError, match=r"model\.safetensors: expected this file"):
        NeuralAligner.load(tmp_path / "aligner")


def test_pairs_are_drawn_with_links_and_none_is_held_out_and_trained_on(
    translator, text, tmp_path, monkeypatch
):
    """Only sentences that begin with a letter of the first half have links; more must be drawn than are wanted."""
    links = lambda pair: reversed_links(*pair) if pair[0][0] in "abcd" else []  # noqa: E731
    monkeypatch.setattr(module, "align", lambda pairs, path, seed: [links(pair) for pair in pairs])
    seen: dict[str, list[module.KnownPair]] = {}

    def watched(head, train, held_out, *rest):
        seen.update(train=list(train), held_out=list(held_out))
        return AlignerTask(head, train, held_out, *rest)

    monkeypatch.setattr(module, "AlignerTask", watched)
    short = TrainingConfig(metric="agreement", max_epochs=1)
    wanted = config(translator, text, num_pairs=100, num_held_out=20, training=short)
    train_aligner(wanted, tmp_path / "aligner", progress=False)
    assert (len(seen["train"]), len(seen["held_out"])) == (100, 20)
    assert all(pair.example.links for pairs in seen.values() for pair in pairs)
    assert not {id(pair.example) for pair in seen["train"]} & {id(pair.example) for pair in seen["held_out"]}


def test_pairs_longer_than_the_translator_reads_are_refused_before_any_work(
    translator, text, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "align", lambda *_: pytest.fail("aligned"))
    long = text.model_copy(update={"max_pieces": 32})
    with pytest.raises(ValueError, match=r"data\.max_pieces: expected less than the 32 positions"):
        train_aligner(config(translator, long), tmp_path / "aligner", progress=False)


def test_too_little_text_says_so(translator, text, tmp_path):
    with pytest.raises(ValueError, match=r"more than num_held_out = 500 pairs that have links.*got 400"):
        train_aligner(config(translator, text, num_held_out=500), tmp_path / "aligner", progress=False)


def test_an_aligner_of_an_aligner_is_refused(translator, text, tmp_path, true_links):
    train_aligner(config(translator, text), tmp_path / "aligner", progress=False)
    with pytest.raises(
        ValueError, match=r"translator: .*expected a bundle of kind 'translator', got 'aligner'"
    ):
        train_aligner(config(tmp_path / "aligner", text), tmp_path / "another", progress=False)
