"""The folder of a run is of one configuration: it is refused to others, and given up by a run that came to nothing."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from canner.data.bundle import save_json, save_text
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.environment import environment
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import is_written, read_json, read_toml, to_toml
from canner.text.config import Config
from canner.training.run_files import ENVIRONMENT, EXPERIMENT, FIT, RESUME, STORES


@contextlib.contextmanager
def claimed(folder: Path, experiment: Config, device: str) -> Iterator[None]:
    """Writes the configuration into the folder of a run, which is made in the context.

    A run that fails before it leaves anything gives the folder up, so that a mended configuration may have it. A
    comparison may have the folder of another with the same base: of its rows, what is run is known.
    """
    path, new_folder = folder / EXPERIMENT, not folder.exists()
    before = set() if new_folder else {found.name for found in folder.iterdir()}
    new = not path.exists()
    if not new and not _is_of(experiment, path):
        raise ValueError(
            f"{folder}: expected a new folder or the run of this configuration, got one of another; "
            "choose another --output, or remove that folder"
        )
    finished = ending_of(folder) not in (None, "time", "interrupted") and not (folder / RESUME).exists()
    if not new and finished:
        raise ValueError(
            f"{folder}: expected a new folder or an unfinished run, got a finished one; "
            "choose another --output, or remove that folder to train again"
        )
    try:
        save_text(path, to_toml(experiment))
        save_json(folder / ENVIRONMENT, environment(device))
        yield
    except (ValueError, OSError):
        if new and folder.exists() and not (folder / RESUME).exists():
            references = r"embedder\d+|checkpoint" if isinstance(experiment, TaggerExperiment) else ""
            _give_up(folder, before, new_folder, re.compile(references))
        raise


def _is_of(experiment: Config, path: Path) -> bool:
    """Whether a run's file holds this configuration, or that of a comparison with the same base.

    One that is damaged does not.
    """
    with contextlib.suppress(ValueError):
        found = read_toml(path)
        if isinstance(experiment, ComparisonExperiment) and found.get("kind") == experiment.kind:
            return isinstance(found.get("base"), dict) and is_written(experiment.base, found["base"])
        return is_written(experiment, found)
    return False


def _give_up(folder: Path, before: set[str], new_folder: bool, references: re.Pattern[str]) -> None:
    """Removes what a run left that failed before it could be taken up, its references too; its transfer stores stay.

    A comparison keeps everything: its folders hold finished runs.
    """
    found = [path for path in folder.iterdir() if path.name not in before]
    folders = [path for path in found if path.is_dir() and path.name != STORES]
    if not all(references.fullmatch(path.name) for path in folders):
        return
    for path in found:
        if path.is_file():
            path.unlink()
    for path in folders:
        shutil.rmtree(path)
    if new_folder and not any(folder.iterdir()):
        folder.rmdir()


def ending_of(folder: Path) -> str | None:
    """How the training in a folder ended; None if it has not, or nothing is trained in steps there."""
    path = folder / FIT
    return str(read_json(path)["stopped"]) if path.exists() else None
