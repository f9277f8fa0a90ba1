"""Texts and names as messages quote them."""

from __future__ import annotations

from collections.abc import Sequence


def shorten(text: str, length: int = 80) -> str:
    """The text, or as much of its beginning as makes it so long, with `…`."""
    return text if len(text) <= length else text[: length - 1] + "…"


def some_of(names: Sequence[str]) -> str:
    """The first three of some names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
