"""Word vectors trained here: read by the loader of published files, alike for the same seed."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from canner.text.vectors import load_vectors, words_of_vectors
from canner.training.vectors import VectorsExperiment, train_vectors
from canner.training.vectors_bundle import VECTORS_FILE, pack_vectors, unpack_vectors

TEXT = "el gato come pescado\nel perro come carne\nla gata come pescado\nun perro bebe agua\n" * 30


@pytest.fixture
def config(tmp_path: Path) -> VectorsExperiment:
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    (tmp_path / "train.conll").write_text("Lima S-LOC\ncome O\n\n" * 3, encoding="utf-8")
    return VectorsExperiment(
        text=(str(tmp_path / "text.txt"),), labelled=(str(tmp_path / "train.conll"),), dim=12, epochs=2
    )


def test_the_loader_reads_what_was_trained(config, tmp_path):
    pytest.importorskip("gensim")
    number = train_vectors(config, tmp_path / "run")
    words = ["gato", "Lima", "come", "nunca"]
    vectors = load_vectors(tmp_path / "run" / VECTORS_FILE, words)
    assert vectors.found.tolist() == [True, True, True, False]
    assert vectors.matrix.shape == (4, 12)
    assert number == len(set((TEXT + " Lima").split()))
    # of the length that random vectors have
    assert np.allclose(np.linalg.norm(vectors.matrix[:3], axis=1), 0.1 * np.sqrt(12), atol=1e-3)


def test_rare_words_get_vectors_from_their_subwords_and_nothing_is_trained_on_those_looked_up(
    config, tmp_path
):
    pytest.importorskip("gensim")
    (tmp_path / "test.conll").write_text("gatos O\nQuito S-LOC\ngatos O\n", encoding="utf-8")
    more = config.model_copy(
        update={"looked_up": (str(tmp_path / "test.conll"),), "min_count": 4, "epochs": 40}
    )
    less = more.model_copy(update={"looked_up": ()})
    assert train_vectors(more, tmp_path / "more") == train_vectors(less, tmp_path / "less") + 2
    words = ["gato", "gata", "perro", "agua", "Lima"]
    files = [tmp_path / name / VECTORS_FILE for name in ("more", "less")]
    first, second = (load_vectors(file, words) for file in files)
    assert first.found.all()  # Lima stands three times, in the labelled file
    assert np.array_equal(first.matrix, second.matrix)
    unseen = load_vectors(files[0], ["gatos"]).matrix[0]
    likeness = first.matrix @ unseen / np.linalg.norm(first.matrix, axis=1) / np.linalg.norm(unseen)
    assert words[int(likeness.argmax())] == "gato"


def test_words_that_a_file_of_vectors_cannot_hold_are_left_out(config, tmp_path):
    pytest.importorskip("gensim")
    (tmp_path / "test.conll").write_text("12 3\tO\nzz\tO\nQuito\tS-LOC\n", encoding="utf-8")
    more = config.model_copy(
        update={"looked_up": (str(tmp_path / "test.conll"),), "min_chars": 5, "max_chars": 6}
    )
    train_vectors(more, tmp_path / "run")
    words = words_of_vectors(tmp_path / "run" / VECTORS_FILE)
    assert "Quito" in words
    assert not {"12 3", "zz"} & set(words)  # white space; too short to have subwords
    assert np.abs(load_vectors(tmp_path / "run" / VECTORS_FILE, words).matrix).sum(axis=1).all()


def test_without_subwords_a_rare_word_has_no_vector(config, tmp_path):
    pytest.importorskip("gensim")
    train_vectors(config.model_copy(update={"max_chars": 0, "min_count": 4}), tmp_path / "run")
    found = load_vectors(tmp_path / "run" / VECTORS_FILE, ["gato", "Lima"]).found
    assert found.tolist() == [True, False]


def test_lower_case_is_for_every_text(config, tmp_path):
    pytest.importorskip("gensim")
    (tmp_path / "test.conll").write_text("Quito S-LOC\n", encoding="utf-8")
    lower = config.model_copy(update={"lowercase": True, "looked_up": (str(tmp_path / "test.conll"),)})
    train_vectors(lower, tmp_path / "run")
    words = words_of_vectors(tmp_path / "run" / VECTORS_FILE)
    assert {"lima", "quito"} < set(words)
    assert words == [word.lower() for word in words]


def test_the_same_seed_gives_the_same_file(config, tmp_path):
    pytest.importorskip("gensim")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train_vectors(config.model_copy(update={"seed": seed}), tmp_path / name)
    first, second, third = ((tmp_path / name / VECTORS_FILE).read_bytes() for name in "abc")
    assert first == second != third


def test_too_little_text_and_missing_files_are_refused(config, tmp_path):
    pytest.importorskip("gensim")
    with pytest.raises(ValueError, match="occur 1000 times in the texts, got none"):
        train_vectors(config.model_copy(update={"min_count": 1000}), tmp_path / "run")
    with pytest.raises(ValueError, match="text: expected a file, got no such file"):
        train_vectors(config.model_copy(update={"text": ("nowhere.txt",)}), tmp_path / "run")


def test_without_gensim_the_error_says_what_to_install(config, tmp_path, monkeypatch):
    original = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> object:
        if name.startswith("gensim"):
            raise ImportError(name)
        return original(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[vectors\]'"):
        train_vectors(config, tmp_path / "run")


def test_subwords_must_have_a_length():
    with pytest.raises(ValueError, match="expected max_chars of at least min_chars"):
        VectorsExperiment(min_chars=6, max_chars=3)
    assert VectorsExperiment(min_chars=6, max_chars=0).max_chars == 0


def test_packed_vectors_are_the_same_to_half_precision(config, tmp_path):
    pytest.importorskip("gensim")
    run, bundle, again = tmp_path / "run", tmp_path / "bundle", tmp_path / "again"
    train_vectors(config, run)
    (run / "experiment.toml").write_text('kind = "vectors"\n', encoding="utf-8")
    pack_vectors(run, bundle)
    assert load_file(bundle / "model.safetensors")["vectors"].dtype == torch.float16
    unpack_vectors(bundle, again)
    assert (again / "experiment.toml").read_text(encoding="utf-8") == 'kind = "vectors"\n'
    words = words_of_vectors(run / VECTORS_FILE)
    assert words_of_vectors(again / VECTORS_FILE) == words
    before, after = (load_vectors(folder / VECTORS_FILE, words).matrix for folder in (run, again))
    assert np.allclose(before, after, rtol=1e-3, atol=2e-5)
    assert after.any(axis=1).all()


def test_damaged_packed_vectors_leave_none(config, tmp_path):
    pytest.importorskip("gensim")
    train_vectors(config, tmp_path / "run")
    (tmp_path / "run" / "experiment.toml").write_text('kind = "vectors"\n', encoding="utf-8")
    pack_vectors(tmp_path / "run", tmp_path / "bundle")
    (tmp_path / "bundle" / "words.json").unlink()
    with pytest.raises(ValueError, match=r"words\.json: expected this file in the bundle"):
        unpack_vectors(tmp_path / "bundle", tmp_path / "again")
    assert not (tmp_path / "again" / VECTORS_FILE).exists()
