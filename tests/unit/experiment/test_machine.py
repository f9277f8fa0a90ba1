"""How many runs are made at a time where nobody says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from canner.experiment import machine, workers
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.machine import MEMORY_OF_A_RUN, processors, workers_that_fit
from canner.experiment.runner import RunnerOptions, run_comparison

System = Callable[[Mapping[str, str]], None]
ROOM = MEMORY_OF_A_RUN
MEMORY = {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable:  {100 * ROOM // 1024} kB\nHugePages_Total: 0\n"}


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """A machine of eight threads that says of itself what it is given."""

    def make(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")

    monkeypatch.setattr(machine, "_ROOT", tmp_path)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    return make


def test_as_many_as_the_processor_has_threads(system: System) -> None:
    system(MEMORY)
    assert workers_that_fit("cpu") == processors() == 8


@pytest.mark.parametrize(("rooms", "expected"), [(3.9, 3), (0.5, 1), (100, 8)])
def test_as_many_as_the_free_memory_has_room_for(system: System, rooms: float, expected: int) -> None:
    system({"proc/meminfo": f"MemAvailable: {int(rooms * ROOM) // 1024} kB\n"})
    assert workers_that_fit("cpu") == expected


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": str(3 * ROOM)}, 3),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 8),
        # A limit above the group that the process is in, as a job of a cluster has it.
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": str(2 * ROOM)}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "250000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        # The first version of control groups; the group's folder is seen under its name outside the container.
        (
            {
                "proc/self/cgroup": "4:memory:/docker/1\n1:cpu,cpuacct:/docker/1\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(5 * ROOM),
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            5,
        ),
        (
            {
                "proc/self/cgroup": "1:cpu,cpuacct:/\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
    ],
)
def test_the_limits_of_a_container_count(system: System, groups: Mapping[str, str], expected: int) -> None:
    system(MEMORY)
    system(groups)
    assert workers_that_fit("cpu") == expected


def test_on_a_gpu_its_memory_counts_too(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    system(MEMORY)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * ROOM, 9 * ROOM))
    assert workers_that_fit("cuda:0") == 5
    assert workers_that_fit("cpu") == 8


def test_a_system_that_does_not_tell_its_free_memory(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PHYS_PAGES": 2 * ROOM, "SC_PAGE_SIZE": 4}
    system({})
    monkeypatch.setattr(machine.os, "sysconf", lambda name: pages[name])
    assert workers_that_fit("cpu") == 4
    monkeypatch.delattr(machine.os, "sysconf")
    assert workers_that_fit("cpu") == 1


def test_no_more_processes_than_runs_can_be_made_at_once(
    make: Callable[..., ComparisonExperiment],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*_: object, **__: object) -> None:
        raise AssertionError("expected a lone run to be made in this process")

    caplog.set_level("INFO")
    late = RunnerOptions(20, progress=False, max_minutes=0.0)
    run_comparison(make(seeds=(1, 2, 3)), tmp_path / "a", command="c", options=late)
    assert "x: 6 runs of 6 are to be made, 6 at a time" in caplog.text
    # Two rows of two tries and, of what these choose, two more seeds: four, then four.
    with_grid = make(grid={"batch_size": (4, 8)}, seeds=(1, 2, 3))
    run_comparison(with_grid, tmp_path / "b", command="c", options=late)
    assert "x: 8 runs of 8 are to be made, 4 at a time" in caplog.text
    monkeypatch.setattr(workers, "ProcessPoolExecutor", none)
    one = RunnerOptions(8, progress=False, systems=("wide",))
    results = run_comparison(make(), tmp_path / "a", command="c", options=one)
    assert [bool(row.metrics) for row in results.rows] == [False, True]
