"""A tagger that trains its encoder: from the command line, in its bundle, packed, interrupted, and as a teacher."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.data.bundle import load_tensors, save_json, save_tensors  # noqa: E402
from canner.experiment.inputs import missing_bundles  # noqa: E402
from canner.experiment.kinds import read_experiment  # noqa: E402
from canner.tagging.checkpoint import Checkpoint  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[2] / "models" / "es-en-gloss"


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, write_bert, byte_tokenizer):
    """A checkpoint that reads bytes; in a folder whose content may move with it."""
    return write_bert(tmp_path_factory.mktemp("home") / "bytes", byte_tokenizer, width=16, longest=64)


@pytest.fixture
def home(encoder, tmp_path):
    """A folder with the checkpoint in it."""
    shutil.copytree(encoder, tmp_path / "home" / "bytes")
    return tmp_path / "home"


@pytest.fixture
def train(canner, write_config, demo_corpus, home):
    config = write_config(
        demo_corpus / "train.conll",
        demo_corpus / "test.conll",
        lines=f'batch_size = 8\n[embeddings]\nfine_tuned = "{home / "bytes"}"\nfine_tuned_rate = 0.01',
        model="word_dim = 16",
        training='max_epochs = 4\nkeep = "last"',
    )

    def call(folder, *options, status=0):
        answer = canner("train", config, "-o", folder, "-q", *options)
        assert answer.status == status, answer.err
        return answer

    return call


@pytest.fixture
def read(canner, tmp_path, demo_corpus):
    """What a tagger says of the demonstration's test sentences, in JSON lines."""

    def call(bundle, *options):
        corpus = demo_corpus / "test.conll"
        answer = canner("tag", bundle, corpus, "-i", "conll", "-f", "jsonl", "-q", *options)
        assert answer.status == 0, answer.err
        return answer.out

    return call


def test_its_layers_learn_and_its_bundle_holds_no_table_of_pieces(train, home, encoder, canner, demo_corpus):
    train(home / "run", "--set", "training.max_epochs=12")
    weights = load_tensors(home / "run" / "model.safetensors")
    start = Checkpoint(str(encoder)).model.state_dict()
    layers = {name: w for name, w in start.items() if ".layer." in name and not name.endswith("key.bias")}
    for name, before in layers.items():
        assert not torch.equal(weights[f"piece_encoder.encoder.{name}"], before), name
    assert not [
        name for name, w in weights.items() if w.shape == start["embeddings.word_embeddings.weight"].shape
    ]
    scores = json.loads((home / "run" / "metrics.json").read_text())["dev"]
    answer = canner("evaluate", demo_corpus / "test.conll", "--tagger", home / "run", "--json", "-q")
    assert json.loads(answer.out)["all"]["f1"] == pytest.approx(scores["f1"], abs=0.01)
    assert scores["f1"] > 5


def test_bundle_and_checkpoint_move_together_and_are_packed_together(train, read, home, tmp_path, canner):
    train(home / "run")
    said = read(home / "run")
    packed = tmp_path / "packed"
    assert canner("pack", home / "run", "-o", packed).status == 0
    moved = home.rename(tmp_path / "moved")
    assert read(moved / "run") == said
    shutil.rmtree(moved / "bytes")
    assert "got no such folder; put it there" in canner("tag", moved / "run").complaint()
    assert read(packed.rename(tmp_path / "elsewhere")) == said


def test_without_development_sentences_all_are_learned_from(train, read, home):
    train(home / "run", "--set", "data.dev=[]")
    (line, *_) = lines = [json.loads(line) for line in (home / "run" / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 4
    assert line.keys() == {"epoch", "step", "minutes", "train_loss"}
    assert lines[-1]["train_loss"] < line["train_loss"]
    assert json.loads((home / "run" / "fit.json").read_text())["kept_metric"] is None
    assert read(home / "run")
    for deciding in ("training.keep=best", "training.early_stopping=3"):
        answer = train(home / "other", "--set", "data.dev=[]", "--set", deciding, status=2)
        assert "expected development sentences, got none" in answer.complaint()


def test_what_was_learned_from_a_checkpoint_in_half_precision_is_not_rounded(train, home):
    model = transformers.AutoModel.from_pretrained(home / "bytes")
    model.bfloat16().save_pretrained(home / "bytes")
    train(home / "first")
    weights = load_tensors(home / "first" / "model.safetensors")
    learned = Checkpoint.named(str(home / "first")).model.state_dict()
    known = {name: weights.get(f"piece_encoder.encoder.{name}") for name in learned}
    assert [name for name, own in known.items() if own is None] == ["embeddings.word_embeddings.weight"]
    assert all(own is None or torch.equal(own, learned[name]) for name, own in known.items())
    names = {name.replace("attention.self", "attention.own"): own for name, own in weights.items()}
    save_tensors(home / "first" / "model.safetensors", names)
    with pytest.raises(ValueError, match=r"expected the weights of the model in config\.json, got others"):
        Checkpoint.named(str(home / "first"))


def test_damaged_references_and_checkpoints_are_clear_errors(train, home, canner, monkeypatch):
    # as in continuous integration, where transformers hands its own reports on
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    train(home / "run")
    reference = home / "run" / "checkpoint" / "config.json"
    said = json.loads(reference.read_text())
    save_json(reference, {name: value for name, value in said.items() if name != "path"})
    assert "expected path and fingerprint of an encoder" in canner("tag", home / "run").complaint()
    config = json.loads((home / "bytes" / "config.json").read_text())
    save_json(home / "bytes" / "config.json", {**config, "intermediate_size": 8})
    complaint = train(home / "other", status=2).complaint()
    assert (
        "expected encoder.layer.0.intermediate.dense.bias of shape (8,), which config.json says" in complaint
    )
    assert not (home / "other").exists()


def test_another_checkpoint_in_its_place_is_refused(train, home, canner):
    train(home / "run")
    torch.manual_seed(1)
    config = transformers.BertConfig.from_pretrained(home / "bytes")
    transformers.BertModel(config).save_pretrained(home / "bytes")
    assert "that the tagger was trained with" in canner("tag", home / "run").complaint()


def test_an_interrupted_training_ends_with_the_same_weights(train, home):
    train(home / "whole")
    train(home / "parts", "--max-minutes", "0")
    assert (home / "parts" / "resume.safetensors").exists()
    train(home / "parts")
    whole, parts = (load_tensors(home / name / "model.safetensors") for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_it_can_teach(train, read, home, canner):
    train(home / "teacher")
    said = read(SHIPPED, "--teacher", home / "teacher")
    assert said.count(b"\n" if isinstance(said, bytes) else "\n") > 10


def test_the_encoder_of_another_tagger_is_trained_on(train, read, home, bundles):
    train(home / "first")
    rate = ("--set", "embeddings.fine_tuned_rate=1e-30")
    train(home / "second", "--set", f"embeddings.fine_tuned={home / 'first'}", *rate)
    first, second = (load_tensors(home / name / "model.safetensors") for name in ("first", "second"))
    learned = [name for name in first if name.startswith("piece_encoder.")]
    assert len(learned) > 10
    for name in learned:  # at so small a rate they stay what the first made of them
        assert torch.allclose(second[name], first[name], atol=1e-20), name
    assert not torch.equal(first["output.weight"], second["output.weight"])
    (home / "first" / "resume.safetensors").touch()
    experiment = read_experiment(home / "second" / "experiment.toml")
    assert missing_bundles(experiment) == [str(home / "first")]  # whose training has not ended
    said = read(home / "second")
    shutil.rmtree(home / "first")
    assert read(home / "second") == said
    answer = train(home / "third", "--set", f"embeddings.fine_tuned={bundles / 'plain'}", status=2)
    assert "expected a tagger with an encoder that was trained with it" in answer.complaint()


def test_an_encoder_that_is_not_there_leaves_nothing(train, home):
    shutil.rmtree(home / "bytes")
    assert (
        "embeddings.fine_tuned: expected a file, got no such file"
        in train(home / "run", status=2).complaint()
    )
    assert not (home / "run").exists()


def test_the_encoder_learns_at_its_own_rate(train, home):
    """At so small a rate it stays, while the rest learns."""
    train(home / "run", "--set", "embeddings.fine_tuned_rate=1e-30")
    weights = load_tensors(home / "run" / "model.safetensors")
    start = Checkpoint(str(home / "bytes")).model.state_dict()
    stays = [name for name, w in start.items() if f"piece_encoder.encoder.{name}" in weights]
    assert len(stays) > 10
    for name in stays:
        assert torch.allclose(weights[f"piece_encoder.encoder.{name}"], start[name], atol=1e-20), name
