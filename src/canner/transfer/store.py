"""The transfer store: every sentence is translated and read by the teacher once, then looked up.

Kept is what cannot be computed cheaply: the attention of *all* layers, R and the tag posteriors, not the
aligned features; so another layer, reading or normalisation needs no rebuild.

A store is a folder: `store.json` names translator, teacher and options; each shard is a pair of files, the
tensors (`<shard>.safetensors`, float16) and, written after them, the index (`<shard>.json`). Files appear
whole or not at all, and a shard counts once its index is there: an interrupted build goes on where it was.
Processes that build the same store share the shards (`.lock-*`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from canner.data.bundle import save_json
from canner.data.shard_folder import LOCK, fill, sentence_key, writing_shard
from canner.data.translation import Translation, Translator
from canner.transfer.aligned import (
    Transfer,
    TransferOptions,
    aligned_features,
    transfer_sentences,
)
from canner.transfer.shards import DamagedShardError, Place, ShardReader, read_index, read_json, write_shard
from canner.transfer.teacher import Teacher

logger = logging.getLogger(__name__)

FORMAT = 2
"""2: with the words that were copied."""
_MANIFEST = "store.json"


@dataclass(frozen=True)
class BuildReport:
    """What a build did: sentences new and already there, seconds, bytes of the new ones."""

    num_built: int
    num_reused: int
    seconds: float
    num_bytes: int

    @property
    def sentences_per_second(self) -> float:
        return self.num_built / self.seconds if self.seconds > 0 else 0.0

    @property
    def bytes_per_sentence(self) -> float:
        return self.num_bytes / self.num_built if self.num_built else 0.0


class TransferStore:
    """Translations and teacher features of many sentences, on disk; open one with `open` or `build`."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.num_layers: int = manifest["num_layers"]
        self.features_dim: int = manifest["features_dim"]
        self.tags: tuple[str, ...] = tuple(manifest["tags"])
        self.report: BuildReport | None = None
        self._reader = ShardReader(folder, self.num_layers)
        self._places: dict[str, Place] = {}
        self._indexes: set[Path] = set()
        self._damaged: dict[Path, int | None] = {}
        self._read_indexes()

    @classmethod
    def open(cls, folder: str | Path) -> TransferStore:
        """Open a store that was built.

        Raises:
            ValueError: if the folder is no store, of a newer format, or damaged.
        """
        path = Path(folder) / _MANIFEST
        if not path.is_file():
            raise ValueError(f"{folder}: expected a transfer store, found no {_MANIFEST}; build one first")
        try:
            manifest = read_json(path)
        except ValueError as error:
            raise ValueError(f"{error}; delete the folder {folder}: it is built again") from None
        if manifest.get("kind") == "transfer-store" and manifest.get("format", 0) > FORMAT:
            raise ValueError(
                f"{path}: expected a transfer store of format {FORMAT}, got one of format {manifest['format']}; "
                "install a newer canner"
            )
        if (manifest.get("kind"), manifest.get("format")) != ("transfer-store", FORMAT):
            raise ValueError(
                f"{path}: expected a transfer store of format {FORMAT}, got {manifest.get('kind')!r} of format "
                f"{manifest.get('format')!r}; delete the folder: it is built again"
            )
        return cls(Path(folder), manifest)

    @classmethod
    def build(
        cls,
        folder: str | Path,
        sentences: Iterable[Sequence[str]],
        translator: Translator,
        teacher: Teacher,
        *,
        shard_size: int = 256,
        before: TransferStore | None = None,
        deadline: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> TransferStore:
        """Build a store, or complete one: only sentences that it lacks are translated.

        Processes that build one store at the same time share the work.

        Args:
            folder: made if absent.
            sentences: tokens of each; repeated ones are translated once.
            translator: makes the English and the attention.
            teacher: reads the English.
            shard_size: sentences translated, read and written at a time; what an interruption can cost.
            before: a store of the same English with another attention, by the same teacher: where the translator can
                `realign`, its sentences are neither translated nor read again.
            deadline: on the clock of `time.monotonic`; the shard in hand is finished, and one in any case, unless
                another process is at work all the time.
            progress: called with sentences done and sentences to do, after each shard.

        Returns:
            The store, its `report` filled.

        Raises:
            ValueError: if the folder holds a store of another translator or teacher, or something else; if the
                disk is full (what was finished stays).
            OutOfTimeError: at the deadline.
        """
        store = _open_or_create(Path(folder), translator, teacher)
        wanted = {sentence_key(tokens): tuple(tokens) for tokens in sentences}
        # of similar length together: less padding in the translator; longest first: trouble comes early
        missing = sorted((t for k, t in wanted.items() if k not in store._places), key=len, reverse=True)
        started, num_bytes, num_built = time.monotonic(), 0, 0

        def add(shard: Sequence[Sequence[str]]) -> None:
            nonlocal num_bytes, num_built
            store._read_indexes()
            if lacking := [tokens for tokens in shard if tokens not in store]:
                num_bytes += store._write_shard(_transfers(lacking, translator, teacher, before))
                num_built += len(lacking)

        fill(
            store.folder,
            missing,
            add,
            doing="translated",
            shard_size=shard_size,
            deadline=deadline,
            progress=progress,
        )
        store.report = BuildReport(num_built, len(wanted) - num_built, time.monotonic() - started, num_bytes)
        return store

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, tokens: Sequence[str]) -> bool:
        return sentence_key(tokens) in self._places

    def transfer(self, tokens: Sequence[str]) -> Transfer:
        """Translation and teacher features of a sentence, as they were stored (float16).

        Raises:
            ValueError: if the sentence is not in the store, or its shard is damaged.
        """
        place = self._places.get(sentence_key(tokens))
        if place is None:
            start = " ".join(tokens)[:80]
            raise ValueError(
                f"{self.folder}: expected a stored sentence, got {start!r}, which is not; build the store "
                "again with it: only what is missing is translated"
            )
        return self._reader.read(tokens, place)

    def aligned(self, tokens: Sequence[str], options: TransferOptions) -> Tensor:
        """Aligned features [S, F] of a sentence, float32.

        Raises:
            ValueError: if the sentence is not in the store, or the layer does not exist.
        """
        return aligned_features(self.transfer(tokens), options)

    def _read_indexes(self) -> None:
        """Takes in the shards that were written since, here or by another process; damaged ones count as not there."""
        for path in sorted(self.folder.glob("shard-*.json")):
            if path in self._indexes or self._damaged.get(path) == _changed(path):
                continue
            found = _changed(path)
            try:
                places = dict(read_index(path, self.num_layers))
                self._reader.open(path.stem)
            except DamagedShardError as error:
                self._damaged[path] = found
                logger.warning("a shard counts as not there, its sentences are translated anew: %s", error)
                continue
            self._places.update(places)
            self._indexes.add(path)

    def _remove_damaged(self) -> None:
        """Removes damaged shards, whose sentences are going to be in others, unless they were made anew meanwhile."""
        for path, found in self._damaged.items():
            if found is not None and _changed(path) == found:
                path.unlink(missing_ok=True)
                path.with_suffix(".safetensors").unlink(missing_ok=True)
        self._damaged.clear()

    def _write_shard(self, transfers: Sequence[Transfer]) -> int:
        """Write a shard and take its index in; returns its bytes."""
        with writing_shard(self.folder):
            _, num_bytes = write_shard(self.folder, transfers, num_layers=self.num_layers)
        self._read_indexes()
        return num_bytes


def _changed(path: Path) -> int | None:
    """When a file was changed; None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


@runtime_checkable
class _Realigns(Protocol):
    def realign(self, translations: Sequence[Translation]) -> list[Translation]: ...


def _transfers(
    sentences: Sequence[Sequence[str]],
    translator: Translator,
    teacher: Teacher,
    before: TransferStore | None,
) -> list[Transfer]:
    """Transfers of sentences: those of the store before aligned anew, then the others."""
    if before is None or not isinstance(translator, _Realigns):
        return transfer_sentences(sentences, translator, teacher)
    known = [before.transfer(tokens) for tokens in sentences if tokens in before]
    realigned = translator.realign([transfer.translation for transfer in known])
    transfers = [replace(t, translation=found) for t, found in zip(known, realigned, strict=True)]
    new = [tokens for tokens in sentences if tokens not in before]
    return transfers + (transfer_sentences(new, translator, teacher) if new else [])


def load_aligned(
    sources: Sequence[tuple[TransferStore, TransferOptions]],
    sentences: Sequence[Sequence[str]],
    *,
    dtype: torch.dtype = torch.float16,
) -> list[Tensor]:
    """Aligned features of sentences in memory, once for all epochs: [S, F] each.

    Args:
        sources: stores with the options each is read with; several stand side by side in the features.
        sentences: tokens of each.
        dtype: half precision keeps 8,000 sentences of 30 tokens and 512 features in 250 MB.

    Raises:
        ValueError: if no store is given, or a sentence is missing in one.
    """
    if not sources:
        raise ValueError("expected one or more transfer stores, got none")
    return [
        torch.cat([store.aligned(tokens, options).to(dtype) for store, options in sources], dim=1)
        for tokens in sentences
    ]


def _open_or_create(folder: Path, translator: Translator, teacher: Teacher) -> TransferStore:
    wanted = {
        "translator": translator.fingerprint,
        "teacher": teacher.fingerprint,
        "num_layers": translator.num_layers,
        "features_dim": teacher.features_dim,
        "tags": list(teacher.tags),
    }
    path = folder / _MANIFEST
    others = (
        [p for p in folder.iterdir() if not p.name.startswith((LOCK, f".{_MANIFEST}."))]
        if folder.exists()
        else []
    )
    # asked last: another process may have made the store meanwhile
    if not path.is_file():
        if others:
            raise ValueError(
                f"{folder}: expected a new or empty folder or a transfer store, got other files and no {_MANIFEST}; "
                "delete the folder if it was a store: it is built again"
            )
        try:
            save_json(path, {"format": FORMAT, "kind": "transfer-store", **wanted})
        except OSError as error:
            raise ValueError(f"{folder}: expected a folder to write to, got {error}") from None
    store = TransferStore.open(folder)
    found = read_json(path)
    for name, value in wanted.items():
        if found[name] != value:
            raise ValueError(
                f"{folder}: expected a transfer store of {name} {value!r}, got one of {found[name]!r}; "
                "give another folder, or delete this one to build it anew"
            )
    store._remove_damaged()
    return store
