"""Frozen embeddings on disk: every sentence is read once for all the taggers that are trained on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from canner.data.bundle import save_tensors
from canner.data.embedding import WordEmbedder
from canner.data.shard_folder import fill, sentence_key, shard_name, writing_shard

_FORMAT = 1
"""Of the folder, and of how embedders read their sentences: raised where either changes."""
_SHARD_SIZE = 256


class EmbeddingStore:
    """The vectors of sentences by one embedder, in half precision.

    A folder of shards, each a file with the vectors of its sentences one below the other, their lengths, and in its
    header their keys. A file appears whole or not at all: an interrupted build goes on where it was.

    Args:
        root: the store lies in a folder of it that is named by the embedder.
        embedder: reads what the store lacks.
    """

    def __init__(self, root: str | Path, embedder: WordEmbedder) -> None:
        self.folder = Path(root) / f"embeddings-{_FORMAT}-{embedder.store_key}"
        self._embedder = embedder
        self._shards: dict[str, list[str]] = {}
        self._shard_of: dict[str, str] = {}

    def add(
        self,
        sentences: Sequence[Sequence[str]],
        *,
        deadline: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Computes the vectors of those sentences that are not in the store.

        Args:
            sentences: tokens of each.
            deadline: on the clock of `time.monotonic`; the shard in hand is finished.
            progress: called with sentences done and sentences to do, after each shard.

        Raises:
            ValueError: if a shard is damaged, or the folder cannot be written to.
            OutOfTimeError: at the deadline; what was finished stays.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{self.folder}: expected a folder to write to, got {error}") from None
        self._look()
        wanted = {sentence_key(tokens): tokens for tokens in sentences}
        # of similar length together: less padding in the encoder
        missing = sorted((t for k, t in wanted.items() if k not in self._shard_of), key=len, reverse=True)
        fill(
            self.folder,
            missing,
            self._add,
            doing="embedded",
            shard_size=_SHARD_SIZE,
            deadline=deadline,
            progress=progress,
        )

    def embeddings(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """For each sentence its vectors [S, dim], float16.

        Raises:
            ValueError: if a sentence is not in the store, or a shard is damaged.
        """
        keys = [sentence_key(tokens) for tokens in sentences]
        for key, tokens in zip(keys, sentences, strict=True):
            if key not in self._shard_of:
                raise ValueError(
                    f"{self.folder}: expected a stored sentence, got {' '.join(tokens)[:80]!r}; add it"
                )
        wanted, found = set(keys), {}
        for name in sorted({self._shard_of[key] for key in wanted}):
            found.update({key: rows.clone() for key, rows in self._read(name).items() if key in wanted})
        return [found[key] for key in keys]

    def remove(self) -> None:
        """Deletes the store, for who needs it no more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _add(self, sentences: Sequence[Sequence[str]]) -> None:
        self._look()
        lacking = [tokens for tokens in sentences if sentence_key(tokens) not in self._shard_of]
        if not lacking:
            return
        vectors = [rows.half() for rows in self._embedder.embed(lacking)]
        lengths = [len(rows) for rows in vectors]
        if lengths != [len(tokens) for tokens in lacking]:
            raise ValueError(
                f"expected a vector of each token, got {lengths[:3]}… of {lacking[:3]}…; mend the embedder"
            )
        keys = [sentence_key(tokens) for tokens in lacking]
        tensors = {"vectors": torch.cat(vectors), "lengths": torch.tensor(lengths)}
        with writing_shard(self.folder):
            save_tensors(self.folder / f"{shard_name(keys)}.safetensors", tensors, {"keys": json.dumps(keys)})
        self._look()

    def _look(self) -> None:
        """Takes in the shards that were written since, here or by another process."""
        for path in sorted(self.folder.glob("shard-*.safetensors")):
            if path.stem not in self._shards:
                with _whole(path), safe_open(path, framework="pt") as shard:
                    keys = [str(key) for key in json.loads(shard.metadata()["keys"])]
                self._shards[path.stem] = keys
                self._shard_of.update(dict.fromkeys(keys, path.stem))

    def _read(self, name: str) -> dict[str, Tensor]:
        """The vectors of a shard's sentences, by their keys."""
        path = self.folder / f"{name}.safetensors"
        with _whole(path), safe_open(path, framework="pt") as shard:
            vectors = shard.get_tensor("vectors").split(shard.get_tensor("lengths").tolist())
            return dict(zip(self._shards[name], vectors, strict=True))


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path}: expected a whole shard, got {error}; delete it: it is computed again"
        ) from None
