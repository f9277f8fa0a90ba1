"""Embeddings that are kept on disk are those of the embedder, and are computed once."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from torch import Tensor

from canner.data.shard_folder import OutOfTimeError
from canner.decoding import embedding_store
from canner.decoding.embedding_store import EmbeddingStore

SENTENCES = [("Ana",), ("vive", "en", "Lima"), ("el", "río"), ("a", "b", "c", "d"), ("e",)]


class Letters:
    """A vector of each word: its length and its first letter."""

    fingerprint = "letters"
    dim = 2

    def __init__(self) -> None:
        self.calls: list[list[tuple[str, ...]]] = []

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        self.calls.append([tuple(tokens) for tokens in sentences])
        return [torch.tensor([[len(w), ord(w[0]) / 8] for w in tokens]) for tokens in sentences]

    def save(self, folder: Path) -> None:
        raise AssertionError("a store has no use for this")


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_store, "_SHARD_SIZE", 2)


def filled(root: Path, embedder: Letters, sentences: Sequence[tuple[str, ...]]) -> EmbeddingStore:
    store = EmbeddingStore(root, embedder)
    store.add(sentences)
    return store


def test_gives_what_the_embedder_gives_in_the_order_asked_for(tmp_path):
    store = filled(tmp_path, Letters(), SENTENCES)
    asked = [SENTENCES[3], SENTENCES[0], SENTENCES[3], SENTENCES[1]]
    for found, expected in zip(store.embeddings(asked), Letters().embed(asked), strict=True):
        assert found.dtype == torch.float16
        torch.testing.assert_close(found.float(), expected)
    assert store.embeddings([]) == []


def test_each_sentence_is_embedded_once(tmp_path):
    first, second = Letters(), Letters()
    filled(tmp_path, first, [*SENTENCES[:3], *SENTENCES[:3]])
    assert sorted(s for call in first.calls for s in call) == sorted(SENTENCES[:3])
    # Accents written otherwise are the same text.
    decomposed = ("el", "ri\u0301o")
    store = filled(tmp_path, second, [*SENTENCES, decomposed])
    assert sorted(s for call in second.calls for s in call) == sorted(SENTENCES[3:])
    torch.testing.assert_close(store.embeddings([decomposed]), store.embeddings([SENTENCES[2]]))


def test_another_embedder_has_a_store_of_its_own(tmp_path):
    other = Letters()
    other.fingerprint = "others"
    filled(tmp_path, Letters(), SENTENCES)
    filled(tmp_path, other, SENTENCES)
    assert sum(map(len, other.calls)) == len(SENTENCES)


def test_stops_at_the_deadline_after_a_shard_and_goes_on(tmp_path):
    now = time.monotonic()
    for _ in range(2):
        with pytest.raises(OutOfTimeError, match="embedded 2 of"):
            EmbeddingStore(tmp_path, Letters()).add(SENTENCES, deadline=now)
    rest = Letters()
    EmbeddingStore(tmp_path, rest).add(SENTENCES, deadline=now)
    assert sum(map(len, rest.calls)) == 1


def test_waits_for_another_process_no_longer_than_the_deadline(tmp_path):
    store = filled(tmp_path, Letters(), SENTENCES[:1])
    with FileLock(store.folder / ".lock"), pytest.raises(OutOfTimeError, match="another process"):
        store.add(SENTENCES, deadline=time.monotonic() + 0.2)


def test_sees_what_another_process_added(tmp_path):
    mine, theirs = Letters(), Letters()
    store = filled(tmp_path, mine, SENTENCES[:2])
    filled(tmp_path, theirs, SENTENCES)
    store.add(SENTENCES)
    assert sum(map(len, mine.calls)) == 2
    assert len(store.embeddings(SENTENCES)) == 5


def test_a_sentence_that_is_not_there_and_a_damaged_shard(tmp_path):
    store = filled(tmp_path, Letters(), SENTENCES[:2])
    with pytest.raises(ValueError, match="expected a stored sentence, got 'el río'"):
        store.embeddings([SENTENCES[2]])
    (shard,) = store.folder.glob("shard-*.safetensors")
    shard.write_bytes(shard.read_bytes()[:40])
    with pytest.raises(ValueError, match=r"expected a whole shard, .*delete it"):
        store.embeddings(SENTENCES[:2])
    with pytest.raises(ValueError, match=r"expected a whole shard, .*delete it"):
        filled(tmp_path, Letters(), SENTENCES[:2])


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match="expected a folder to write to"):
        filled(tmp_path / "file", Letters(), SENTENCES)
