"""The prerequisites of tables: what they read beside the models that ship, such as vectors, translators, an encoder.

A recipe makes each; vectors that ship (Chinese characters) are unpacked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from canner.experiment.inputs import bundles_of, file_digest, inputs_here
from canner.experiment.kinds import read_experiment, run_experiment
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import read_json
from canner.tables.bundles import ENCODER, ENGLISH_ENCODER, VECTORS
from canner.tables.distillation import CONTINUED, DISTILLED
from canner.tables.guidance import GUIDANCE
from canner.tables.translation import BACK_TRANSLATED, LONGER
from canner.training.run_files import EXPERIMENT, INPUTS
from canner.training.vectors_bundle import DIGEST_FILE, unpack_vectors

logger = logging.getLogger(__name__)

RECIPES: dict[str, str] = {
    **{path: f"recipes/vectors_{language}.toml" for language, path in VECTORS.items()},
    **{f"runs/charlm-{name}": f"recipes/charlm_{name}.toml" for name in ("es", "de")},
    **{f"runs/translator-es-{kind}": f"recipes/translator_es_{kind}.toml" for kind in GUIDANCE},
    DISTILLED: "recipes/translator_zh_distilled.toml",
    CONTINUED: "recipes/translator_zh_continued.toml",
    ENCODER: "recipes/encoder_e5.py",
    ENGLISH_ENCODER: "recipes/tagger_en_encoder.toml",
}
"""The recipe of each, by the path that experiments read; both as seen from the root of the repository."""

ON_GPU: dict[str, str] = {
    **{LONGER[language]: f"recipes/translator_{language}_longer.toml" for language in LONGER},
    BACK_TRANSLATED: "recipes/back_translate.py",
}
"""The same for those that are not made here, as on a processor they would take hours."""

SHIPPED = Path("models")
"""Where vectors may lie packed, in a folder named as that from which they are read."""

_LATER = {("data", "english_by"): None, ("training", "keep"): "best", ("training", "decay_epochs"): None}
"""Settings that came after runs were kept, and what leaves a prerequisite the one that it was."""


def made_from(path: str) -> str | None:
    """A digest of the configuration from which a prerequisite is trained, or was where it is there.

    The same training gives other bytes on another processor, so the configuration says which it is.

    Returns:
        None for what counts by its bytes: what is no prerequisite, what a script makes (the same everywhere), what
        stands at the path without the configuration of its training, or is not what that made (published vectors), what
        is trained by the clock (a character language model): how far that comes depends on the machine; and what is
        trained on from other bundles, which the configuration only names. (A tagger's configuration and the encoder
        that it trained together say which it is, where that encoder is known.)
    """
    recipe = Path(RECIPES.get(path, ""))
    if recipe.suffix != ".toml":
        return None
    own = _folder_of(Path(path)) / EXPERIMENT
    source = own if Path(path).exists() else recipe
    if not source.is_file():
        return None
    if not _is_as_trained(Path(path)):
        return None
    said = read_experiment(source).model_dump(mode="json")
    for (section, setting), as_before in _LATER.items():
        known = said.get(section, {})
        if setting in known and known[setting] == as_before:
            del known[setting]
    by_clock = said.get("training", {}).get("decay_minutes") is not None
    if by_clock or said.get("start_from") is not None:
        return None
    if (encoder := said.get("embeddings", {}).get("fine_tuned")) is not None:
        digest = _inputs_of(source).get(encoder)
        if digest is None:
            return None
        said["embeddings"]["fine_tuned"] = [encoder, digest]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def _inputs_of(source: Path) -> dict[str, str]:
    """Digests of what a tagger was trained from, or would be, by its configuration."""
    kept = source.with_name(INPUTS)
    if source.name == EXPERIMENT and kept.exists():
        return read_json(kept)
    experiment = read_experiment(source)
    return inputs_here(experiment) if isinstance(experiment, TaggerExperiment) else {}


def _is_as_trained(path: Path) -> bool:
    """Whether vectors are still those that their training wrote; believed where it did not say which."""
    said = path.with_name(DIGEST_FILE)
    if not (path.is_file() and said.is_file()):
        return True
    return said.read_text(encoding="utf-8").strip() == file_digest(path).hex()


def _folder_of(path: Path) -> Path:
    return path.parent if path.suffix else path


def make_missing(
    experiments: Iterable[TaggerExperiment],
    *,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
    train: bool = True,
) -> None:
    """Makes the prerequisites that experiments read and that are not there.

    One that cannot be made is warned of: systems that do not read it run all the same. What stands at its path is
    taken as it is.

    Args:
        experiments: taggers to be trained.
        max_minutes: none is begun later, and a language model or translator goes on at the next call. Vectors and
            encoder are made to their end.
        device: "cpu" or "cuda".
        progress: show progress on a terminal.
        train: else only what ships is unpacked.

    Raises:
        KeyboardInterrupt: if a training was interrupted; the next call goes on.
    """
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    for path in dict.fromkeys(path for experiment in experiments for _, path in bundles_of(experiment)):
        if path in ON_GPU and train and not Path(path).exists():
            logger.warning("%s is not there; it is made by hand, on a GPU: %s", path, ON_GPU[path])
        recipe = Path(RECIPES.get(path, ""))
        if path not in RECIPES or Path(path).exists() or not (train or _shipped(recipe, Path(path))):
            continue
        try:
            _make(recipe, Path(path), deadline, device, progress)
        except (ValueError, OSError, RuntimeError) as error:
            logger.warning("%s could not be made: %s", path, error)


def _make(recipe: Path, path: Path, deadline: float | None, device: str, progress: bool) -> None:
    """Makes one prerequisite, unless another process makes it meanwhile.

    Raises:
        ValueError: there is no recipe, no time, or the recipe fails.
    """
    if not recipe.is_file():
        raise ValueError(f"expected {recipe}, got no such file; call this in the root of the repository")
    folder = _folder_of(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        with lock.acquire(timeout=-1 if deadline is None else max(0.0, deadline - time.monotonic())):
            if path.exists():
                return
            experiment = read_experiment(recipe) if recipe.suffix == ".toml" else None
            if isinstance(experiment, TaggerExperiment):
                left = None if deadline is None else (deadline - time.monotonic()) / 60
                make_missing([experiment], max_minutes=left, device=device, progress=progress)
            left = None if deadline is None else (deadline - time.monotonic()) / 60
            if left is not None and left <= 0:
                raise ValueError(f"expected time for {recipe}, got none; call again with more --max-minutes")
            if shipped := _shipped(recipe, path):
                logger.info("unpacking %s from %s", path, shipped)
                unpack_vectors(shipped, folder)
                return
            logger.info("making %s by %s", path, recipe)
            if recipe.suffix == ".py":
                _run_script(recipe)
            else:
                _train(recipe, path, left, device, progress)
    except Timeout:
        raise ValueError("the time is up, and another process is making it; call again") from None


def _shipped(recipe: Path, path: Path) -> Path | None:
    """The folder of packed vectors that ship and were trained by the recipe as it is, if there is one."""
    shipped = SHIPPED / path.parent.name
    own = shipped / EXPERIMENT
    if path.suffix != ".vec" or not (own.is_file() and recipe.is_file()):
        return None
    return shipped if read_experiment(own) == read_experiment(recipe) else None


def _train(recipe: Path, path: Path, max_minutes: float | None, device: str, progress: bool) -> None:
    """Trains beside the folder; the path is there only when all is done: what is half trained is read by nobody."""
    folder = _folder_of(path)
    making = folder.with_name(f"{folder.name}.making")
    if path.suffix and making.exists():  # vectors are trained in one go: what is left of them is of no use
        shutil.rmtree(making)
    outcome = run_experiment(
        read_experiment(recipe),
        making,
        command=f"canner train {recipe} -o {folder}",
        max_minutes=max_minutes,
        device=device,
        progress=progress,
    )
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
    if outcome.stopped == "time":
        raise ValueError(f"the time is up: {outcome.summary}; call again to go on")
    if path.suffix:
        folder.mkdir(exist_ok=True)
        for made in sorted(making.iterdir(), key=lambda made: made.name == path.name):  # what is read last
            made.replace(folder / made.name)
        making.rmdir()
    else:
        making.replace(folder)
    logger.info("%s: %s", folder, outcome.summary)


def _run_script(recipe: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, str(recipe)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ValueError((done.stderr.strip() or f"{recipe} ended with {done.returncode}").splitlines()[-1])
