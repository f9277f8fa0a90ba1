"""Fixtures and switches that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

torch.set_num_threads(1)
# A busy machine is not a bug: no deadline for a single example.
settings.register_profile("canner", deadline=None)
settings.load_profile("canner")


def find_data_folder() -> Path | None:
    """The folder of real corpora: `CANNER_DATA`, or `../shared/data` beside the repository."""
    named = os.environ.get("CANNER_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def data_folder() -> Path:
    folder = find_data_folder()
    if folder is None:
        pytest.skip("no corpora: set CANNER_DATA to the data folder")
    return folder
