"""What tables read and nobody ships: word vectors, character language models, an encoder; a recipe makes each."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from canner.experiment.kinds import read_experiment, run_experiment
from canner.experiment.record import bundles_of
from canner.experiment.tagger import TaggerExperiment
from canner.tables.protocols import ENCODER
from canner.training.run_state import RESUME

logger = logging.getLogger(__name__)

RECIPES: dict[str, str] = {
    **{f"runs/vectors-{name}/vectors.vec": f"recipes/vectors_{name}.toml" for name in ("es", "de", "zh")},
    **{f"runs/charlm-{name}": f"recipes/charlm_{name}.toml" for name in ("es", "de")},
    ENCODER: "recipes/encoder_e5.py",
}
"""The recipe of each part, by the path that experiments read; both as seen from the root of the repository."""


def make_missing(
    experiments: Iterable[TaggerExperiment],
    *,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> None:
    """Makes the parts that experiments read and that are not there, if their recipes are.

    A part that cannot be made is warned of: systems that do not read it run all the same.

    Args:
        experiments: taggers to be trained.
        max_minutes: no part is begun later, and a language model goes on at the next call. Vectors and encoder take
            minutes, and are made to their end.
        device: "cpu" or "cuda".
        progress: show progress on a terminal.

    Raises:
        KeyboardInterrupt: if a training was interrupted; the next call goes on.
    """
    started = time.monotonic()
    for path in dict.fromkeys(path for experiment in experiments for _, path in bundles_of(experiment)):
        recipe = Path(RECIPES.get(path, ""))
        if not recipe.is_file() or _is_made(Path(path)):
            continue
        left = None if max_minutes is None else max_minutes - (time.monotonic() - started) / 60
        if left is not None and left <= 0:
            return
        logger.info("making %s by %s", path, recipe)
        try:
            _make(recipe, Path(path), left, device, progress)
        except (ValueError, OSError) as error:
            logger.warning("%s could not be made by %s: %s", path, recipe, error)


def _is_made(path: Path) -> bool:
    return path.exists() and not (path / RESUME).exists()


def _make(recipe: Path, path: Path, max_minutes: float | None, device: str, progress: bool) -> None:
    if recipe.suffix == ".py":
        done = subprocess.run([sys.executable, str(recipe)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ValueError((done.stderr.strip() or f"it ended with {done.returncode}").splitlines()[-1])
        return
    folder = path.parent if path.suffix else path
    outcome = run_experiment(
        read_experiment(recipe),
        folder,
        command=f"canner train {recipe} -o {folder}",
        max_minutes=max_minutes,
        device=device,
        progress=progress,
    )
    logger.info("%s: %s", folder, outcome.summary)
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt
