"""Embeddings that are kept on disk are those of the embedder, and are computed once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from torch import Tensor

from canner.data.shard_folder import OutOfTimeError, lock_of
from canner.tagging import embedding_store
from canner.tagging.embedding_store import EmbeddingStore

SENTENCES = [("Ana",), ("vive", "en", "Lima"), ("el", "río"), ("a", "b", "c", "d"), ("e",)]


class Letters:
    """A vector of each word: its length and its first letter."""

    fingerprint = store_key = "letters"
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
    other.store_key = "others"
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


def test_what_another_process_has_in_hand_comes_last(tmp_path):
    """Sentences of one shard are in other hands; the rest is done meanwhile, then they are waited for."""
    by_length = sorted(SENTENCES, key=len, reverse=True)
    embedder, store = Letters(), filled(tmp_path, Letters(), [])
    theirs = lock_of(store.folder, by_length[:2])
    assert theirs not in {lock_of(store.folder, by_length[2:4]), lock_of(store.folder, by_length[4:])}
    mine = EmbeddingStore(tmp_path, embedder)
    with FileLock(theirs), pytest.raises(OutOfTimeError, match="another process"):
        mine.add(SENTENCES, deadline=time.monotonic() + 1)
    assert embedder.calls == [by_length[2:4], by_length[4:]]
    mine.add(SENTENCES)
    assert embedder.calls[2:] == [by_length[:2]]


def test_processes_share_the_work(tmp_path):
    """Two at a time: no sentence is computed twice, and both find all of them."""
    sentences = [tuple(f"w{number}{place}" for place in range(number % 7 + 1)) for number in range(60)]
    embedders = Letters(), Letters()
    stores = [EmbeddingStore(tmp_path, embedder) for embedder in embedders]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda store: store.add(sentences), stores))
    computed = [tokens for embedder in embedders for call in embedder.calls for tokens in call]
    assert sorted(computed) == sorted(sentences)
    for store in stores:
        for found, tokens in zip(store.embeddings(sentences), sentences, strict=True):
            torch.testing.assert_close(found.float(), Letters().embed([tokens])[0].half().float())


def test_an_embedder_that_loses_a_token_leaves_nothing(tmp_path):
    class Careless(Letters):
        def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
            return [rows[:1] for rows in super().embed(sentences)]

    with pytest.raises(ValueError, match="expected a vector of each token"):
        filled(tmp_path, Careless(), SENTENCES)
    assert len(filled(tmp_path, Letters(), SENTENCES).embeddings(SENTENCES)) == 5


def test_a_store_that_is_removed_is_made_anew(tmp_path):
    filled(tmp_path, Letters(), SENTENCES).remove()
    assert not list(tmp_path.iterdir())
    assert len(filled(tmp_path, Letters(), SENTENCES).embeddings(SENTENCES)) == 5


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
