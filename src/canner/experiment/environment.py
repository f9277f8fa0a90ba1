"""The machine and the packages that a run was made with."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from datetime import date
from pathlib import Path
from typing import Any

import torch

from canner.nn.precision import cpu_has_bfloat16


def hardware(device: str = "cpu") -> str:
    """What computes on a device, in a few words: accelerator, or processor, whether it has bfloat16, threads used."""
    if device != "cpu":
        return torch.cuda.get_device_name(device)
    kind = f"{_processor()}{' with bfloat16' if cpu_has_bfloat16() else ''}"
    return f"{kind}, {torch.get_num_threads()} of {os.cpu_count()} threads"


def _processor() -> str:
    """Model of the processor, where the system says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model} ({platform.machine()} CPU)" if model else f"{platform.machine()} CPU"


def environment(device: str) -> dict[str, Any]:
    """Versions and machine, kept in every run folder.

    Args:
        device: that the run computes on.
    """
    from importlib.metadata import version

    packages = ("canner", "torch", "numpy", "tokenizers", "safetensors", "pydantic")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hardware": hardware(device),
        "packages": {name: version(name) for name in packages},
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": date.today().isoformat(),
    }
