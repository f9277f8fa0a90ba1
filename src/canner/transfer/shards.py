"""How a shard of the transfer store lies on disk: flat tensors, and an index that says where each sentence is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from canner.data.bundle import save_json, save_tensors
from canner.data.shard_folder import sentence_key, shard_name
from canner.data.translation import Translation
from canner.transfer.aligned import Transfer
from canner.transfer.teacher import TargetFeatures


class DamagedShardError(ValueError):
    """A shard is not what was written: its files can be removed, and its sentences translated anew."""


@dataclass(frozen=True)
class Place:
    """Where a sentence lies in its shard: offsets into the flat attention and the rows of features."""

    shard: str
    source_length: int
    target: tuple[str, ...]
    score: float
    parts: int
    copies: tuple[tuple[int, int], ...]
    attention_start: int
    row_start: int


def write_shard(folder: Path, transfers: Sequence[Transfer], *, num_layers: int) -> tuple[Path, int]:
    """Write a shard: the tensors first, then the index, by which it counts.

    The attention at the step after each word is written where all sentences have it.

    Args:
        folder: of the store.
        transfers: what to write.
        num_layers: L, of every attention.

    Returns:
        The path of the index, and the bytes of both files.

    Raises:
        ValueError: if the values do not fit half precision, or the layers are others.
        OSError: if they cannot be written; nothing half-written is left.
    """
    tensors = _tensors(transfers, num_layers)
    entries = [
        {
            "key": sentence_key(transfer.translation.source),
            "source_length": len(transfer.translation.source),
            "target": transfer.translation.target,
            "score": transfer.translation.score,
            "parts": transfer.translation.parts,
            "copies": transfer.translation.copies,
        }
        for transfer in transfers
    ]
    name = shard_name([str(entry["key"]) for entry in entries])
    paths = folder / f"{name}.safetensors", folder / f"{name}.json"
    save_tensors(paths[0], tensors)
    save_json(paths[1], entries)
    return paths[1], sum(path.stat().st_size for path in paths)


def read_index(path: Path, num_layers: int) -> Iterator[tuple[str, Place]]:
    """Key and place of every sentence of a shard.

    Raises:
        DamagedShardError: if the index is no such thing.
        ValueError: if it cannot be read.
    """
    entries = read_json(path)
    try:
        yield from _places(entries, path.stem, num_layers)
    except (AttributeError, KeyError, TypeError) as error:
        raise DamagedShardError(
            f"{path}: expected the index of a shard, got {type(error).__name__} {error}; build the store again"
        ) from None


def _places(entries: Any, shard: str, num_layers: int) -> Iterator[tuple[str, Place]]:
    attention_start = row_start = 0
    for entry in entries:
        length, target = entry["source_length"], tuple(entry["target"])
        copies = tuple((word, token) for word, token in entry["copies"])
        yield (
            entry["key"],
            Place(
                shard,
                length,
                target,
                entry["score"],
                entry["parts"],
                copies,
                attention_start,
                row_start,
            ),
        )
        attention_start += num_layers * len(target) * length
        row_start += len(target)


class ShardReader:
    """Reads sentences from the shards of a folder; files are mapped once and kept open."""

    def __init__(self, folder: Path, num_layers: int) -> None:
        self._folder = folder
        self._num_layers = num_layers
        self._open: dict[str, Any] = {}

    def read(self, tokens: Sequence[str], place: Place) -> Transfer:
        """The transfer of a sentence, float16 as stored.

        Raises:
            ValueError: if the shard is missing or damaged.
        """
        shape = (self._num_layers, len(place.target), place.source_length)
        size = shape[0] * shape[1] * shape[2]
        attentions = slice(place.attention_start, place.attention_start + size)
        rows = slice(place.row_start, place.row_start + len(place.target))
        shard = self.open(place.shard)
        try:
            attention = shard.get_slice("attention")[attentions].view(shape)
            has_reading = "reading_attention" in shard.keys()  # noqa: SIM118 (no mapping)
            reading = shard.get_slice("reading_attention")[attentions].view(shape) if has_reading else None
            target = TargetFeatures(shard.get_slice("features")[rows], shard.get_slice("posteriors")[rows])
        except (SafetensorError, OSError, RuntimeError) as error:
            raise ValueError(self._said(place.shard, error)) from None
        translation = Translation(
            tuple(tokens),
            place.target,
            attention,
            reading,
            place.score,
            place.parts,
            copies=place.copies,
        )
        return Transfer(translation, target)

    def open(self, shard: str) -> Any:
        """The tensors of a shard, of which none is read yet.

        Raises:
            DamagedShardError: if they are missing or not whole.
            ValueError: if they cannot be read.
        """
        if shard not in self._open:
            try:
                self._open[shard] = safe_open(self._path(shard), framework="pt")
            except (SafetensorError, FileNotFoundError) as error:
                raise DamagedShardError(self._said(shard, error)) from None
            except OSError as error:
                raise ValueError(self._said(shard, error)) from None
        return self._open[shard]

    def _path(self, shard: str) -> Path:
        return self._folder / f"{shard}.safetensors"

    def _said(self, shard: str, error: Exception) -> str:
        return f"{self._path(shard)}: expected a whole shard, got {error}; build the store again, which makes it anew"


def read_json(path: Path) -> Any:
    """What a JSON file of the store holds.

    Raises:
        DamagedShardError: if it is no JSON.
        ValueError: if it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: expected JSON of a transfer store, got {error}") from None
    except ValueError as error:
        raise DamagedShardError(
            f"{path}: expected JSON of a transfer store, got what is none ({error})"
        ) from None


def _tensors(transfers: Sequence[Transfer], num_layers: int) -> dict[str, Tensor]:
    attentions, readings, features, posteriors = [], [], [], []
    for transfer in transfers:
        translation = transfer.translation
        if len(translation.attention) != num_layers:
            raise ValueError(
                f"expected {num_layers} layers of attention, got {len(translation.attention)}; "
                "mend the translator"
            )
        attentions.append(translation.attention.cpu().half().flatten())
        if translation.reading_attention is not None:
            readings.append(translation.reading_attention.cpu().half().flatten())
        features.append(transfer.target.features.cpu().half())
        posteriors.append(transfer.target.posteriors.cpu().half())
    tensors = {
        "attention": torch.cat(attentions),
        "features": torch.cat(features),
        "posteriors": torch.cat(posteriors),
    }
    if len(readings) == len(transfers):
        tensors["reading_attention"] = torch.cat(readings)
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(
                f"expected {name} that fit half precision, got infinite or undefined values; check the "
                "translator and the teacher"
            )
    return tensors
