"""A tagger's bundle together with all that it refers to, in one folder that needs nothing else (decision 0010)."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from canner.data.bundle import (
    bundle_kind,
    config_of,
    read_bundle_config,
    reference_to,
    referred_to,
    save_json,
)
from canner.decoding.neural_aligner import translator_of
from canner.tagging.checkpoint import CHECKPOINT, Checkpoint
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger, save_tagger
from canner.tagging.transformer_features import TransformerFeatures
from canner.training.run_files import OF_TRAINING
from canner.transfer.views import TransferConfig

_TEACHER = "teacher"
"""The folder of the teacher's copy."""
_LEFT = (*OF_TRAINING, "resume.*", "*.log", ".*", "encoders")
"""Patterns of what is not copied; encoders are copied from where a bundle reads them."""


def pack(bundle: str | Path, folder: str | Path) -> None:
    """Copies a tagger's bundle together with its translators and teacher into one folder that needs nothing else.

    So are the checkpoints of encoders that tagger and teacher read; one that `transformers` knows by its name stays a
    name.

    Args:
        bundle: of a tagger.
        folder: new or empty.

    Raises:
        ValueError: if the folder is not empty or lies in what is copied, a view of the tagger is made of files, or a
            bundle is missing. Nothing is written then.
        OSError: if a copy fails; the folder is as it was, or not there as before.
    """
    source, target = Path(bundle).absolute(), Path(folder).resolve()
    config = read_bundle_config(source, "tagger")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ValueError(
            f"{folder}: expected a new or empty folder, got one with files, or a file; choose another"
        )
    _require_outside(target, source)
    transfer = teacher = None
    if config.get("transfer") is not None:
        transfer = config_of(TransferConfig, config["transfer"], source / "config.json")
        _check(transfer, source, target)
        if transfer.teacher in transfer.bundles() and bundle_kind(referred_to(transfer.teacher, source)):
            teacher = load_tagger(referred_to(transfer.teacher, source))
    tagger = load_tagger(source)
    readers = {".": tagger} if teacher is None else {".": tagger, _TEACHER: teacher}
    for reader in readers.values():
        for checkpoint in _local_checkpoints(reader).values():
            _require_outside(target, Path(checkpoint.path))
    with _made_whole(target) as making:
        save_tagger(making, tagger)
        written = read_bundle_config(making, "tagger")
        kept = {key: value for key, value in config.items() if key not in written}
        if transfer is not None:
            kept["transfer"] = _copied(transfer, source, making).model_dump(mode="json")
        copies: dict[Path, Path] = {}
        for place, reader in readers.items():
            _copy_checkpoints(making / place, reader, making / "encoders", copies)
        if (card := source / "README.md").is_file():
            shutil.copyfile(card, making / card.name)
        save_json(making / "config.json", {**written, **kept})


@contextmanager
def _made_whole(target: Path) -> Iterator[Path]:
    """A folder to fill, whose content is moved to `target` at the end, `config.json` last.

    If filling it fails, nothing is left, not even a target that was not there.
    """
    new = [folder for folder in (target, *target.parents) if not folder.exists()]
    target.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=target))
    try:
        yield making
        for child in sorted(making.iterdir(), key=lambda path: path.name == "config.json"):
            child.rename(target / child.name)
        new = []
    finally:
        _allow_writing(making)
        shutil.rmtree(making, ignore_errors=True)
        for folder in new:
            with contextlib.suppress(OSError):  # another process put something there
                folder.rmdir()


def _allow_writing(folder: Path) -> None:
    """To its owner, in all folders: what was copied may be read only."""
    for inner, _, _ in os.walk(folder):
        os.chmod(inner, os.stat(inner).st_mode | 0o700)


def _check(transfer: TransferConfig, source: Path, target: Path) -> None:
    """Whether everything that a tagger refers to can be copied.

    Raises:
        ValueError: if not.
    """
    if any(view.files is not None for view in transfer.views):
        raise ValueError(f"{source}: expected translators, got files of translations, which cannot be packed")
    origins = [referred_to(path, source) for path in transfer.bundles()]
    origins += [Path(translator_of(origin)) for origin in origins if bundle_kind(origin) == "aligner"]
    for origin in origins:
        bundle_kind(origin)  # complains where there is none
        _require_outside(target, origin)


def _require_outside(target: Path, origin: Path) -> None:
    if target.is_relative_to(origin.resolve()):
        raise ValueError(
            f"{target}: expected a folder outside of the bundles to be copied, got one in {origin}; choose another"
        )


def _local_checkpoints(tagger: SentenceTagger) -> dict[str, Checkpoint]:
    """The checkpoints of `transformers` that a tagger reads and that are folders here, by their references."""
    found = {
        f"embedder{number}": embedder.checkpoint
        for number, embedder in enumerate(tagger.embedders)
        if isinstance(embedder, TransformerFeatures)
    }
    if tagger.checkpoint is not None:
        found[CHECKPOINT] = tagger.checkpoint
    return {name: checkpoint for name, checkpoint in found.items() if Path(checkpoint.path).is_dir()}


def _copy_checkpoints(folder: Path, tagger: SentenceTagger, encoders: Path, copies: dict[Path, Path]) -> None:
    """Copies the checkpoints that a tagger saved in a folder refers to, and lets it refer to the copies.

    Args:
        folder: of the tagger.
        tagger: itself.
        encoders: the folder that checkpoints go to.
        copies: the copy of each checkpoint that was copied before; extended.
    """
    for name, checkpoint in _local_checkpoints(tagger).items():
        origin = Path(checkpoint.path).resolve()
        if origin not in copies:
            copies[origin] = _free(encoders / origin.name)
            shutil.copytree(origin, copies[origin], ignore=shutil.ignore_patterns(".*"))
            _allow_writing(copies[origin])
        checkpoint.path = str(copies[origin])
        checkpoint.save(folder / name)


def _copied(transfer: TransferConfig, source: Path, target: Path) -> TransferConfig:
    """Copies the bundles that a tagger in `source` refers to; the same with references to the copies."""
    copies: dict[Path, Path] = {}

    def copy(path: str) -> str:
        place = target / _TEACHER if path == transfer.teacher else None
        return reference_to(_copy_bundle(referred_to(path, source), target, copies, place), target)

    return transfer.with_paths(copy)


def _copy_bundle(origin: Path, target: Path, copies: dict[Path, Path], place: Path | None = None) -> Path:
    """Copies a bundle, and the translator that an aligner's refers to, without what only their training needs.

    Args:
        origin: the bundle.
        target: the folder that all copies go to.
        copies: the copy of each bundle that was copied before; extended.
        place: of the copy; None: among the translators, under the bundle's own name or, where another has that, with
            a number.

    Returns:
        The copy, made now or before.
    """
    known = origin.resolve()
    if known in copies:
        return copies[known]
    place = place or _free(target / "translators" / origin.name)
    shutil.copytree(origin, place, ignore=shutil.ignore_patterns(*_LEFT))
    _allow_writing(place)
    copies[known] = place
    if bundle_kind(place) == "aligner":
        translator = _copy_bundle(Path(translator_of(origin)), target, copies)
        config = read_bundle_config(place, "aligner")
        save_json(place / "config.json", {**config, "translator": reference_to(translator, place)})
    return place


def _free(path: Path) -> Path:
    """The path, or where something is there already, the first free one of path-2, path-3, …"""
    number, free = 2, path
    while free.exists():
        free = path.with_name(f"{path.name}-{number}")
        number += 1
    return free
