"""Vectors of words in their sentence from a frozen encoder of `transformers` (optional extra)."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import (
    FORMAT,
    bundle_kind,
    read_bundle_config,
    reference_to,
    referred_to,
    save_json,
)
from canner.text.accents import all_composed
from canner.text.extras import missing_package
from canner.text.tokenizer import is_unspaced

_BATCH_PIECES = 4096
_LONGEST = 512
_LONGEST_RUN = 128
"""Tokens that are read without a space between; no text has longer runs without punctuation."""


class TransformerFeatures:
    """A frozen encoder as embeddings of words (a `WordEmbedder`).

    A word's vector is the mean of the last hidden states of its pieces; a word without pieces has zeros. Tokens of
    scripts without spaces (Chinese characters) are read as the running text that they stand for, where one piece may
    belong to several of them. A sentence of more pieces than the encoder reads is read in parts, cut between words.

    Args:
        path: of a local checkpoint, or a name that `transformers` knows.
        device: "cpu" or "cuda".

    Attributes:
        dim: width of a word's vector.
        fingerprint: of the weights.
        store_key: of the weights, the configuration and the tokenizer.

    Raises:
        ValueError: `transformers` is not installed, or it cannot read the checkpoint.
    """

    def __init__(self, path: str, *, device: str = "cpu") -> None:
        try:
            transformers: Any = importlib.import_module("transformers")
        except ImportError:
            raise missing_package("transformers", "transformers") from None
        try:
            with _progress_on_terminals_only(transformers):
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(path, use_fast=True)
                model = transformers.AutoModel.from_pretrained(path)
            self._model = model.to(device).eval().requires_grad_(False)
        except (OSError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"{path}: expected a checkpoint of transformers, got {reason}") from None
        self.path = path
        self.dim = int(self._model.config.hidden_size)
        limits = (
            self._tokenizer.model_max_length,
            getattr(self._model.config, "max_position_embeddings", _LONGEST),
        )
        # Encoders of the RoBERTa family count positions from 2.
        self._longest = min(_LONGEST, *(int(limit) for limit in limits)) - 4
        digest = hashlib.sha256()
        for name, weight in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.detach().float().cpu().contiguous().numpy().tobytes())
        self.fingerprint = f"transformer-{digest.hexdigest()[:16]}"
        settings = {k: v for k, v in self._model.config.to_dict().items() if k != "_name_or_path"}
        decisive = [self._tokenizer.backend_tokenizer.to_str(), self._longest, settings]
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode())
        self.store_key = f"{self.fingerprint}-{digest.hexdigest()[:8]}"

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> TransformerFeatures:
        """Reads a reference that `save` wrote, or a checkpoint itself.

        Raises:
            ValueError: the checkpoint is gone, or is another one.
        """
        if bundle_kind(folder) != "transformer":
            return cls(str(folder), device=device)
        config = read_bundle_config(folder, "transformer")
        path = str(config["path"])
        if path.startswith(".") or Path(path).is_absolute():  # else a name that `transformers` knows
            place = referred_to(path, folder)
            if not place.is_dir():
                raise ValueError(
                    f"{folder}: expected the encoder that the tagger was trained with in {place}, got no such folder; "
                    "put it there"
                )
            path = str(place)
        features = cls(path, device=device)
        if features.fingerprint != config["fingerprint"]:
            raise ValueError(
                f"{features.path}: expected the encoder {config['fingerprint']} that the tagger was trained with, "
                f"got {features.fingerprint}; restore it"
            )
        return features

    def save(self, folder: Path) -> None:
        """Writes a reference to the checkpoint, not its weights: encoders are large and have homes of their own.

        Where a local one is, as a relative path (decision 0010); else the name that `transformers` knows.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = f"./{reference_to(self.path, folder)}" if Path(self.path).exists() else self.path
        reference = {"format": FORMAT, "kind": "transformer", "path": path, "fingerprint": self.fingerprint}
        save_json(folder / "config.json", reference)

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """For each sentence its vectors [S, dim], in single precision."""
        vectors = [torch.zeros(len(tokens), self.dim) for tokens in sentences]
        parts = [
            (sentence, start, runs)
            for sentence, tokens in enumerate(sentences)
            for start, runs in self._parts(all_composed(tokens))
        ]
        lengths = [sum(len(run.ids) for run in runs) + 2 for _, _, runs in parts]
        for batch in bucket_by_length(lengths, max_tokens=_BATCH_PIECES, shuffle=False):
            for index, rows in zip(batch, self._read([parts[i][2] for i in batch]), strict=True):
                sentence, start, _ = parts[index]
                vectors[sentence][start : start + len(rows)] = rows
        return vectors

    def _parts(self, tokens: Sequence[str]) -> list[tuple[int, list[_Run]]]:
        """The runs of a sentence, in parts that the encoder can read: (index of the first token, runs)."""
        parts: list[tuple[int, list[_Run]]] = []
        room = start = 0
        for run in self._runs(tokens):
            if not parts or len(run.ids) > room:
                parts.append((start, []))
                room = self._longest
            parts[-1][1].append(run)
            room -= len(run.ids)
            start += len(run.pieces)
        return parts

    def _runs(self, tokens: Sequence[str]) -> list[_Run]:
        groups = _without_spaces(tokens, min(_LONGEST_RUN, self._longest // 2))
        if not groups:
            return []
        texts = ["".join(group) for group in groups]
        encoded = self._tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
        runs = []
        for group, ids, offsets in zip(groups, encoded["input_ids"], encoded["offset_mapping"], strict=True):
            ids = ids[: self._longest]
            if len(group) == 1:
                runs.append(_Run(ids, [range(len(ids))]))
            else:
                runs.append(_Run(ids, _pieces_of(group, offsets[: self._longest])))
        return runs

    @torch.no_grad()
    def _read(self, sentences: Sequence[list[_Run]]) -> list[Tensor]:
        """Vectors of the words of each part, from one batch."""
        tokenizer, device = self._tokenizer, self._model.device
        first = [i for i in (tokenizer.cls_token_id, tokenizer.bos_token_id) if i is not None][:1]
        last = [i for i in (tokenizer.sep_token_id, tokenizer.eos_token_id) if i is not None][:1]
        rows = [first + [i for run in runs for i in run.ids] + last for runs in sentences]
        longest = max(len(row) for row in rows)
        pad = tokenizer.pad_token_id or 0
        input_ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
        states = self._model(input_ids=input_ids, attention_mask=mask).last_hidden_state.float().cpu()
        results = []
        for row, runs in enumerate(sentences):
            vectors, place = [], len(first)
            for run in runs:
                of_run = states[row, place : place + len(run.ids)]
                vectors += [
                    of_run[list(pieces)].mean(0) if len(pieces) else torch.zeros(self.dim)
                    for pieces in run.pieces
                ]
                place += len(run.ids)
            results.append(torch.stack(vectors))
        return results


@contextlib.contextmanager
def _progress_on_terminals_only(transformers: Any) -> Iterator[None]:
    """Keeps the progress bar of loading out of files and pipes."""
    settings = transformers.utils.logging
    if sys.stderr.isatty() or not settings.is_progress_bar_enabled():
        yield
        return
    settings.disable_progress_bar()
    try:
        yield
    finally:
        settings.enable_progress_bar()


@dataclass(frozen=True)
class _Run:
    """Tokens that the encoder reads without a space between: their piece ids, and the pieces of each token."""

    ids: list[int]
    pieces: list[range]


def _without_spaces(tokens: Sequence[str], longest: int) -> list[list[str]]:
    """Groups of tokens between which text has no space: a word alone, or characters of Chinese side by side."""
    groups: list[list[str]] = []
    for token in tokens:
        joins = groups and is_unspaced(groups[-1][-1][-1:]) and is_unspaced(token[:1])
        if joins and len(groups[-1]) < longest:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


def _pieces_of(group: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[range]:
    """For each token of a run the pieces that share a character with it."""
    found, end, first = [], 0, 0
    for token in group:
        start, end = end, end + len(token)
        while first < len(offsets) and offsets[first][1] <= start:
            first += 1
        last = first
        while last < len(offsets) and offsets[last][0] < end:
            last += 1
        found.append(range(first, last))
    return found
