"""What an experiment reads: its corpus, and the bundles that were made beforehand, each with a digest."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

from canner.data.corpus import data_path
from canner.experiment.tagger import TaggerExperiment
from canner.training.run_files import FIT, INPUTS, OF_TRAINING, RESUME, TRAINING

Identify = Callable[[str], str | None]
"""Gives what to record of a path whose digest differs wherever it is made, in the place of that; else None."""

# Of bundles and of checkpoints of `transformers`.
_READ = ("*.safetensors", "*.json", "*.bin", "*.model", "*.spm", "vocab.txt", "merges.txt")


def bundles_of(experiment: TaggerExperiment) -> list[tuple[str, str]]:
    """The folders and files, made beforehand, that an experiment reads beside its corpus: (key, path)."""
    embeddings, transfer = experiment.embeddings, experiment.transfer
    named: list[tuple[str, str | None]] = [("embeddings.vectors", embeddings.vectors)]
    texts = (path for path in embeddings.vocabulary_text if path != embeddings.vectors)
    named += [("embeddings.vocabulary_text", path) for path in texts]
    named += [("embeddings.contextual", path) for path in embeddings.contextual]
    named.append(("embeddings.fine_tuned", embeddings.fine_tuned))
    if transfer is not None:
        named.append(("transfer.teacher", transfer.teacher))
        for view in transfer.views:
            named.append(("transfer.views.translator", view.translator))
            if view.files is not None:
                paths = [*view.files.source, *view.files.english, *view.files.alignments]
                named += [("transfer.views.files", path) for path in paths]
    elsewhere = ("package:", "transformers:")
    return [(key, path) for key, path in named if path is not None and not path.startswith(elsewhere)]


def trained_bundles(experiment: TaggerExperiment) -> set[str]:
    """The paths of `bundles_of` that are no corpus: of vectors, language models, teacher, translators."""
    data = experiment.data
    texts = {*data.train, *data.dev, *data.test}
    return {path for key, path in bundles_of(experiment) if key != "transfer.views.files"} - texts


def missing_bundles(experiment: TaggerExperiment) -> list[str]:
    """The paths of `bundles_of` that are not there, or whose training has not ended."""
    missing = []
    for key, path in bundles_of(experiment):
        try:
            unfinished = _is_unfinished(data_path(path, key))
        except ValueError:
            unfinished = True
        missing += [path] if unfinished else []
    return missing


def _is_unfinished(bundle: Path) -> bool:
    began = any((bundle / name).exists() for name in (TRAINING, INPUTS))
    return began and (not (bundle / FIT).exists() or (bundle / RESUME).exists())


def inputs_of(experiment: TaggerExperiment, identify: Identify | None = None) -> dict[str, str]:
    """A digest of every file and bundle that a run reads: a table must not mix runs of other data or translators.

    Args:
        experiment: of the run.
        identify: of what differs wherever it is made.

    Raises:
        ValueError: one is not there; names its key.
    """
    return {path: _digest_of(path, key, identify) for key, path in _files_of(experiment)}


def inputs_here(experiment: TaggerExperiment, identify: Identify | None = None) -> dict[str, str]:
    """As `inputs_of`, without what is not there."""
    found = {}
    for key, path in _files_of(experiment):
        with contextlib.suppress(ValueError):
            found[path] = _digest_of(path, key, identify)
    return found


def _files_of(experiment: TaggerExperiment) -> list[tuple[str, str]]:
    """Everything that a run reads: (key, path)."""
    data = experiment.data
    parts = (("data.train", data.train), ("data.dev", data.dev), ("data.test", data.test))
    return [(key, path) for key, paths in parts for path in paths] + bundles_of(experiment)


def _digest_of(path: str, key: str, identify: Identify | None) -> str:
    return (identify and identify(path)) or _digest(data_path(path, key))


def _digest(path: Path) -> str:
    """Of a file, or of the weights and texts of a bundle."""
    files = [path] if path.is_file() else sorted(found for kind in _READ for found in path.glob(kind))
    digest = hashlib.sha256()
    for file in files:
        if path.is_file() or file.name not in OF_TRAINING:
            digest.update(file_digest(file))
    return digest.hexdigest()[:16]


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file, which is read again only when it has changed."""
    stat = path.stat()
    return _file_digest(str(path.resolve()), stat.st_mtime_ns, stat.st_size)


@functools.cache
def _file_digest(path: str, changed: int, size: int) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
