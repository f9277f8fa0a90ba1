"""How many runs are made at a time where nobody says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from canner.experiment import workers
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.runner import RunnerOptions, run_comparison
from canner.experiment.workers import MEMORY_OF_A_RUN, workers_that_fit


@pytest.mark.parametrize(
    ("threads", "memory", "expected"),
    [(8, 100, 8), (8, 3.9, 3), (2, 100, 2), (8, 0.5, 1), (1, 100, 1)],
)
def test_as_many_as_the_processor_has_threads_and_the_memory_room(
    threads: int, memory: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(workers, "_free_memory", lambda: int(memory * MEMORY_OF_A_RUN))
    assert workers_that_fit("cpu") == expected


def test_on_a_gpu_its_memory_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    monkeypatch.setattr(workers, "_free_memory", lambda: 100 * MEMORY_OF_A_RUN)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * MEMORY_OF_A_RUN, 9 * MEMORY_OF_A_RUN))
    assert workers_that_fit("cuda:0") == 5
    assert workers_that_fit("cpu") == 16


def test_a_system_that_does_not_tell_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    pages = {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(Path, "read_text", nothing)
    monkeypatch.setattr(workers.os, "sysconf", lambda name: pages[name])
    assert workers._free_memory() == 1000 * 4096 // 2
    monkeypatch.delattr(workers.os, "sysconf")
    assert workers._free_memory() == 0
    assert workers_that_fit("cpu") == 1


def test_no_more_processes_than_runs_are_left(
    make: Callable[..., ComparisonExperiment],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*_: object, **__: object) -> None:
        raise AssertionError("expected a lone run to be made in this process")

    caplog.set_level("INFO")
    late = RunnerOptions(8, progress=False, max_minutes=0.0)
    run_comparison(make(seeds=(1, 2, 3)), tmp_path / "out", command="c", options=late)
    assert "x: 6 runs of 6 are to be made, 6 at a time" in caplog.text
    monkeypatch.setattr(workers, "ProcessPoolExecutor", none)
    one = RunnerOptions(8, progress=False, systems=("wide",))
    results = run_comparison(make(), tmp_path / "out", command="c", options=one)
    assert [bool(row["metrics"]) for row in results["rows"]] == [False, True]
