"""What a run folder says of the machine."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import canner
from canner.experiment import record
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.environment import environment
from canner.experiment.kinds import GlossExperiment, run_experiment
from canner.experiment.record import run_and_record
from canner.experiment.results import results_made_now, weights_of
from canner.training.run_state import DivergedError


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that says it has two GPUs."""
    names = {"cuda": "the first", "cuda:1": "the second"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", names.__getitem__)


def hardware_in(folder: Path) -> str:
    return str(json.loads((folder / "environment.json").read_text(encoding="utf-8"))["hardware"])


def test_a_results_file_says_which_files_were_read(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "lexicon.json").write_bytes(b"abc")
    content = results_made_now(
        name="n",
        title="t",
        rows=[],
        data="d",
        protocol="p",
        command="c",
        files=[weights_of(tmp_path / "model")],
    )
    assert content.files == {"model/lexicon.json": "ba7816bf8f01"}  # SHA-256 of "abc", FIPS 180
    (tmp_path / "model" / "model.safetensors").touch()
    assert weights_of(tmp_path / "model").name == "model.safetensors"
    with pytest.raises(ValueError, match="expected a bundle with weights or a lexicon"):
        weights_of(tmp_path)


@pytest.mark.usefixtures("two_gpus")
def test_the_device_is_named_and_not_what_the_machine_has() -> None:
    assert "CPU" in environment("cpu")["hardware"]
    assert environment("cuda")["hardware"] == "the first"


def test_the_commit_of_the_source_is_told_where_there_is_a_repository() -> None:
    root, found = Path(canner.__file__).parents[2], environment("cpu")
    assert {"canner", "torch"} <= found["packages"].keys()
    if not (root / ".git").exists() or shutil.which("git") is None:
        assert "commit" not in found
        return
    git = ["git", "-C", str(root)]
    last, changed = (
        subprocess.run(
            [*git, *command, "--", "src"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for command in (["rev-list", "-1", "HEAD"], ["status", "--porcelain"])
    )
    commit, _, state = found["commit"].partition("-")
    assert commit
    assert last.startswith(commit)
    assert state == ("dirty" if changed else "")


@pytest.mark.usefixtures("two_gpus")
def test_a_tagger_run_names_the_device_that_it_was_given(
    make: Callable[..., ComparisonExperiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(*_: object, **__: object) -> None:
        raise DivergedError("made to")

    monkeypatch.setattr(record, "train_tagger", diverges)
    with pytest.raises(DivergedError):
        run_and_record(make().base, tmp_path / "run", device="cuda:1", progress=False)
    assert hardware_in(tmp_path / "run") == "the second"


def test_a_training_that_diverged_leaves_its_folder_to_a_mended_configuration(
    make: Callable[..., ComparisonExperiment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(experiment: object, folder: Path, **_: object) -> None:
        (folder / "model.safetensors").write_bytes(b"")
        raise DivergedError("made to")

    monkeypatch.setattr(record, "train_tagger", diverges)
    for seed in (1, 2):
        experiment = make().base.model_copy(update={"seed": seed})
        with pytest.raises(DivergedError):
            run_experiment(experiment, tmp_path / "run", command="", progress=False)
        assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("two_gpus")
def test_a_gloss_is_made_on_the_processor_whatever_the_device(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("la casa\nel perro\n" * 5, encoding="utf-8")
    (tmp_path / "target").write_text("the house\nthe dog\n" * 5, encoding="utf-8")
    experiment = GlossExperiment(
        kind="gloss", train_source=str(tmp_path / "source"), train_target=str(tmp_path / "target")
    )
    run_experiment(experiment, tmp_path / "run", command="", device="cuda", progress=False)
    assert "CPU" in hardware_in(tmp_path / "run")
