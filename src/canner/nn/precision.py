"""Which number format a machine multiplies fastest in, and the context that uses it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch

Precision = Literal["auto", "float32", "bfloat16"]


@cache
def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX512-BF16 or AMX)."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return False
    flags = info.read_text(errors="replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


def autocast(device: str | torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """The autocast context of a device; "auto" takes bfloat16 where the hardware has it.

    Raises:
        ValueError: bfloat16 is asked for on a processor that lacks it, where an LSTM fails and all else crawls.
    """
    kind = torch.device(device).type
    if precision == "bfloat16" and kind == "cpu" and not cpu_has_bfloat16():
        raise ValueError(
            'expected a processor that has bfloat16, got one without; set precision to "auto" or "float32"'
        )
    if precision == "auto":
        has = (
            cpu_has_bfloat16()
            if kind == "cpu"
            else kind == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        )
        precision = "bfloat16" if has else "float32"
    return torch.autocast(kind, dtype=torch.bfloat16) if precision == "bfloat16" else nullcontext()
