"""Static word vectors in a run's folder, as text, and packed small as a bundle that ships."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from canner.data.bundle import (
    FORMAT,
    load_tensors,
    read_bundle_config,
    read_bundle_file,
    save_json,
    save_tensors,
    save_text,
)
from canner.text.files import write_atomically
from canner.text.vectors import load_vectors, words_of_vectors
from canner.training.run_files import EXPERIMENT

VECTORS_FILE = "vectors.vec"
DIGEST_FILE = "vectors.sha256"
"""Digest of the file that the training beside it wrote: other vectors in its place do not count as these."""


def save_vectors(folder: Path, words: Sequence[str], vectors: NDArray[np.float32]) -> None:
    """Writes `vectors.vec` (fastText's text format), whole or not at all, then its digest.

    Args:
        folder: gets the files.
        words: without white space.
        vectors: [words, dim], a row a word.

    Raises:
        OSError: if the disk is full.
    """

    def write(path: Path) -> None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{len(words)} {vectors.shape[1]}\n")
            for word, vector in zip(words, vectors, strict=True):
                file.write(f"{word} {' '.join(f'{value:.5f}' for value in vector)}\n")

    folder.mkdir(parents=True, exist_ok=True)
    (folder / DIGEST_FILE).unlink(missing_ok=True)  # of vectors of before
    write_atomically(folder / VECTORS_FILE, write)
    with open(folder / VECTORS_FILE, "rb") as file:
        save_text(folder / DIGEST_FILE, hashlib.file_digest(file, "sha256").hexdigest() + "\n")


def pack_vectors(folder: str | Path, bundle: str | Path) -> None:
    """Writes trained vectors small, to be shipped: the words, their vectors in half precision, the configuration.

    Args:
        folder: of `train_vectors`, with the `experiment.toml` of its training.
        bundle: folder to write.
    """
    folder, bundle = Path(folder), Path(bundle)
    words = words_of_vectors(folder / VECTORS_FILE)
    vectors = torch.from_numpy(load_vectors(folder / VECTORS_FILE, words).matrix).half()
    save_json(bundle / "config.json", {"format": FORMAT, "kind": "vectors"})
    save_json(bundle / "words.json", words)
    save_text(bundle / EXPERIMENT, (folder / EXPERIMENT).read_text(encoding="utf-8"))
    save_tensors(bundle / "model.safetensors", {"vectors": vectors})


def unpack_vectors(bundle: str | Path, folder: str | Path) -> None:
    """Writes what `pack_vectors` packed as `vectors.vec` again, with its `experiment.toml`; the vectors last.

    Raises:
        ValueError: if the bundle is damaged.
    """
    bundle, folder = Path(bundle), Path(folder)
    read_bundle_config(bundle, "vectors")
    words = read_bundle_file(bundle / "words.json", lambda path: json.loads(path.read_text(encoding="utf-8")))
    vectors = (
        read_bundle_file(bundle / "model.safetensors", load_tensors)
        .get("vectors", torch.zeros(0, 0))
        .float()
        .numpy()
    )
    if not isinstance(words, list) or len(words) != len(vectors):
        raise ValueError(f"{bundle}: expected a vector for each word, got others; copy the bundle again")
    save_text(folder / EXPERIMENT, (bundle / EXPERIMENT).read_text(encoding="utf-8"))
    save_vectors(folder, words, vectors)
