"""A CAN tagger whose translator and teacher are models of `transformers`: trained, read, packed; without labels."""

from __future__ import annotations

import json
import shutil
import string
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the extra transformers is not installed")

GLOSS = Path(__file__).resolve().parents[2] / "models" / "es-en-gloss"


@pytest.fixture
def home(tmp_path, write_bert, write_bart, byte_tokenizer):
    """A folder with a `classifier` and a `translator`."""
    folder = tmp_path / "home"
    labels = ("O", "B-PER", "I-PER", "B-LOC")
    write_bert(folder / "classifier", byte_tokenizer, width=16, longest=64, labels=labels)
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *string.ascii_letters, "."]
    sizes = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 2, "max_position_embeddings": 40}
    sizes |= {
        f"{side}_{size}": 2 for side in ("encoder", "decoder") for size in ("attention_heads", "ffn_dim")
    }
    write_bart(folder / "translator", pieces, sizes)
    return folder


def test_a_tagger_learns_from_them_and_is_packed_with_them(canner, write_config, demo_corpus, home, tmp_path):
    few = [*(demo_corpus / "train.conll").read_text(encoding="utf-8").split("\n\n")[:12], ""]
    (tmp_path / "few.conll").write_text("\n\n".join(few), encoding="utf-8")
    config = write_config(
        tmp_path / "few.conll",
        tmp_path / "few.conll",
        lines=f'batch_size = 8\n[transfer]\nteacher = "{home / "classifier"}"\n'
        f'[[transfer.views]]\ntranslator = "{home / "translator"}"\noptions = {{layer = "last"}}',
        model="word_dim = 16",
        training="max_epochs = 2",
    )
    run, packed = home / "run", tmp_path / "packed"
    trained = canner("train", config, "-o", run, "-q")
    assert trained.status == 0, trained.err
    assert {str(home / name) for name in ("classifier", "translator")} <= json.loads(
        (run / "inputs.json").read_text()
    ).keys()
    told = canner("tag", run, tmp_path / "few.conll", "-i", "conll", "-f", "jsonl", "-q")
    assert told.status == 0, told.err
    assert told.out.count("\n") == 12
    assert canner("pack", run, "-o", packed).status == 0
    shutil.rmtree(home)
    assert canner("tag", packed, tmp_path / "few.conll", "-i", "conll", "-f", "jsonl", "-q") == told


def test_they_translate_and_tag_without_labels(canner, demo_corpus, home):
    text = demo_corpus / "test.conll"
    told = canner("tag", GLOSS, text, "--teacher", home / "classifier", "-i", "conll", "-f", "jsonl", "-q")
    assert told.status == 0, told.err
    found = {entity["label"] for line in told.out.splitlines() for entity in json.loads(line)["entities"]}
    assert found
    assert found <= {"PER", "LOC"}
    (home / "sentence.txt").write_text("Ana vive en Lima.\n", encoding="utf-8")
    translated = canner("translate", home / "translator", home / "sentence.txt", "--json")
    assert translated.status == 0, translated.err
    said = json.loads(translated.out)
    assert said["source"] == ["Ana", "vive", "en", "Lima", "."]


def test_a_wrong_one_is_told(canner, demo_corpus, home):
    text = demo_corpus / "test.conll"
    for named in (home / "translator", "transformers:someone/es-en"):
        broken = canner("align", text, text, "--translator", named)
        assert "got a model of transformers, which is not led through" in broken.complaint()
    (home / "classifier" / "model.safetensors").unlink()
    broken = canner("tag", GLOSS, text, "--teacher", home / "classifier", "-i", "conll", "-q")
    assert "expected a checkpoint of transformers" in broken.complaint()
    broken = canner("tag", home / "classifier", text, "--teacher", home / "translator", "-i", "conll", "-q")
    assert "expected a checkpoint of transformers" in broken.complaint()
