"""Where models run, checked before anything is loaded."""

from __future__ import annotations

import re

import torch


def check_device(device: str) -> None:
    """Refuses a device that this machine does not have.

    Args:
        device: "cpu", "cuda", or "cuda:0" and so on.

    Raises:
        ValueError: if there is none of that name.
    """
    if device == "cpu":
        return
    match = re.fullmatch(r"cuda(?::(\d+))?", device) if isinstance(device, str) else None
    if match is None or not torch.cuda.is_available() or int(match[1] or 0) >= torch.cuda.device_count():
        raise ValueError(f"expected the device cpu (or cuda, where there is one), got {device!r}")
