"""A CAN tagger whose teacher is a token classifier of `transformers`: trained, read, packed, and without labels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the extra transformers is not installed")

GLOSS = Path(__file__).resolve().parents[2] / "models" / "es-en-gloss"


@pytest.fixture
def classifier(tmp_path, write_bert, byte_tokenizer):
    labels = ("O", "B-PER", "I-PER", "B-LOC")
    return write_bert(tmp_path / "home" / "classifier", byte_tokenizer, width=16, longest=64, labels=labels)


def test_a_tagger_learns_from_it_and_is_packed_with_it(
    canner, write_config, demo_corpus, classifier, tmp_path
):
    view = f'[[transfer.views]]\ntranslator = "{GLOSS}"'
    config = write_config(
        demo_corpus / "train.conll",
        demo_corpus / "test.conll",
        lines=f'batch_size = 8\n[transfer]\nteacher = "{classifier}"\n{view}',
        model="word_dim = 16",
        training="max_epochs = 2",
    )
    run, packed = tmp_path / "home" / "run", tmp_path / "packed"
    assert canner("train", config, "-o", run, "-q").status == 0
    inputs = json.loads((run / "inputs.json").read_text())
    assert str(classifier) in inputs
    corpus = demo_corpus / "test.conll"
    told = canner("tag", run, corpus, "-i", "conll", "-f", "jsonl", "-q")
    assert told.status == 0
    assert told.out.count("\n") > 10
    assert canner("pack", run, "-o", packed).status == 0
    shutil.rmtree(tmp_path / "home")
    assert canner("tag", packed, corpus, "-i", "conll", "-f", "jsonl", "-q") == told


def test_it_tags_without_labels_and_a_wrong_one_is_told(canner, demo_corpus, classifier):
    corpus = demo_corpus / "test.conll"
    told = canner("tag", GLOSS, corpus, "--teacher", classifier, "-i", "conll", "-f", "jsonl", "-q")
    assert told.status == 0, told.err
    found = {entity["label"] for line in told.out.splitlines() for entity in json.loads(line)["entities"]}
    assert found
    assert found <= {"PER", "LOC"}
    (classifier / "model.safetensors").unlink()
    broken = canner("tag", GLOSS, corpus, "--teacher", classifier, "-i", "conll", "-q")
    assert "expected a checkpoint of transformers" in broken.complaint()
