"""Vectors of words in their sentence from a frozen encoder of `transformers` (optional extra)."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import FORMAT, bundle_kind, read_bundle_config, save_json

_BATCH_PIECES = 4096
_LONGEST = 512


class TransformerFeatures:
    """A frozen encoder as embeddings of words (a `WordEmbedder`).

    A word's vector is the mean of the last hidden states of its pieces; a word without pieces has zeros. A sentence
    of more pieces than the encoder reads is read in parts, cut between words.

    Args:
        path: of a local checkpoint, or a name that `transformers` knows.
        device: "cpu" or "cuda".

    Attributes:
        dim: width of a word's vector.
        fingerprint: of the weights.

    Raises:
        ValueError: `transformers` is not installed, or it cannot read the checkpoint.
    """

    def __init__(self, path: str, *, device: str = "cpu") -> None:
        try:
            transformers: Any = importlib.import_module("transformers")
        except ImportError:
            raise ValueError(
                "expected the package transformers, found none; install it with: pip install 'canner[transformers]'"
            ) from None
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(path, use_fast=True)
            self._model = transformers.AutoModel.from_pretrained(path).to(device).eval().requires_grad_(False)
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

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> TransformerFeatures:
        """Reads a reference that `save` wrote, or a checkpoint itself.

        Raises:
            ValueError: the checkpoint is gone, or is another one.
        """
        if bundle_kind(folder) != "transformer":
            return cls(str(folder), device=device)
        config = read_bundle_config(folder, "transformer")
        features = cls(str(config["path"]), device=device)
        if features.fingerprint != config["fingerprint"]:
            raise ValueError(
                f"{config['path']}: expected the encoder {config['fingerprint']} that the tagger was trained with, "
                f"got {features.fingerprint}; restore it"
            )
        return features

    def save(self, folder: Path) -> None:
        """Writes a reference to the checkpoint, not its weights: encoders are large and have homes of their own."""
        folder.mkdir(parents=True, exist_ok=True)
        path = str(Path(self.path).resolve()) if Path(self.path).exists() else self.path
        reference = {"format": FORMAT, "kind": "transformer", "path": path, "fingerprint": self.fingerprint}
        save_json(folder / "config.json", reference)

    def embed(self, sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        """For each sentence its vectors [S, dim], in single precision."""
        vectors = [torch.zeros(len(tokens), self.dim) for tokens in sentences]
        parts = [
            (sentence, start, words)
            for sentence, tokens in enumerate(sentences)
            for start, words in self._parts(tokens)
        ]
        lengths = [sum(len(ids) for ids in words) + 2 for _, _, words in parts]
        for batch in bucket_by_length(lengths, max_tokens=_BATCH_PIECES, shuffle=False):
            for index, rows in zip(batch, self._read([parts[i][2] for i in batch]), strict=True):
                sentence, start, words = parts[index]
                vectors[sentence][start : start + len(words)] = rows
        return vectors

    def _parts(self, tokens: Sequence[str]) -> list[tuple[int, list[list[int]]]]:
        """Piece ids of each word, in parts that the encoder can read: (index of the first word, words)."""
        encode = self._tokenizer(list(tokens), add_special_tokens=False)["input_ids"] if tokens else []
        parts: list[tuple[int, list[list[int]]]] = []
        room = 0
        for index, ids in enumerate(encode):
            ids = ids[: self._longest]
            if not parts or len(ids) > room:
                parts.append((index, []))
                room = self._longest
            parts[-1][1].append(ids)
            room -= len(ids)
        return parts

    @torch.no_grad()
    def _read(self, sentences: Sequence[list[list[int]]]) -> list[Tensor]:
        """Vectors of the words of each part, from one batch."""
        tokenizer, device = self._tokenizer, self._model.device
        first = [i for i in (tokenizer.cls_token_id, tokenizer.bos_token_id) if i is not None][:1]
        last = [i for i in (tokenizer.sep_token_id, tokenizer.eos_token_id) if i is not None][:1]
        rows = [first + [i for ids in words for i in ids] + last for words in sentences]
        longest = max(len(row) for row in rows)
        pad = tokenizer.pad_token_id or 0
        input_ids = torch.tensor([row + [pad] * (longest - len(row)) for row in rows], device=device)
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows], device=device)
        states = self._model(input_ids=input_ids, attention_mask=mask).last_hidden_state.float().cpu()
        results = []
        for row, words in enumerate(sentences):
            vectors, place = torch.zeros(len(words), self.dim), len(first)
            for index, ids in enumerate(words):
                if ids:
                    vectors[index] = states[row, place : place + len(ids)].mean(0)
                place += len(ids)
            results.append(vectors)
        return results
