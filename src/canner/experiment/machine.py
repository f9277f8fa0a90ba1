"""What this machine has room for, in a container (its control groups) as on the bare machine."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import torch

MEMORY_OF_A_RUN = 4 * 2**30
"""Bytes that are reckoned for a run; those of the tables' largest sets, beside wide embeddings, come near it."""

_ROOT = Path("/")


def workers_that_fit(device: str) -> int:
    """Runs at a time: one a processor, while there is memory for each.

    Args:
        device: "cpu" or "cuda"; several small models share a GPU well.
    """
    memory = [_free_memory()]
    if torch.device(device).type == "cuda":
        memory.append(torch.cuda.mem_get_info(device)[0])
    return max(1, min(processors(), min(memory) // MEMORY_OF_A_RUN))


def processors() -> int:
    """Processors that this process may use at a time, and torch has threads for."""
    quotas = []
    for group in _control_groups("cpu"):
        one_file, two_files = _read(group / "cpu.max"), ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        quota, period = (one_file.split() or [_read(group / name) for name in two_files])[:2]
        if quota.isdigit() and period.isdigit():  # else there is no limit
            quotas.append(math.ceil(int(quota) / int(period)))
    return max(1, min([torch.get_num_threads(), *quotas]))


def _free_memory() -> int:
    """Bytes that a process may have; where the system does not tell, half of the machine's, or none."""
    lines = [line.split() for line in _read(_ROOT / "proc/meminfo").splitlines()]
    free = [1024 * int(number) for name, number, *_ in lines if name == "MemAvailable:"]
    for group in _control_groups("memory"):
        limits = [_read(group / name) for name in ("memory.max", "memory.limit_in_bytes")]
        free += [int(limit) for limit in limits if limit.isdigit()]
    try:
        return min(free) if free else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):  # no such call, or name, on this system
        return 0


def _control_groups(controller: str) -> Iterator[Path]:
    """Folders of the control groups, of either version, that this process is in, and of those above them."""
    top = _ROOT / "sys/fs/cgroup"
    for line in _read(_ROOT / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        group = top / controllers / path.lstrip("/")
        yield from (place for place in (group, *group.parents) if place.is_relative_to(top / controllers))


def _read(path: Path) -> str:
    """What a file of the system says; nothing where there is none."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
