"""Figures of the benchmarks (`results/*-speed.json`) as Markdown tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_HEADINGS = {
    "crf": "CRF against pytorch-crf (milliseconds for a batch; above 1: ours is faster)",
    "decoding": "Translating: incremental search against computing everything anew",
    "tagging": "Tagging a file with the Spanish bundle",
    "transfer": "The transfer store, and an epoch of CAN against one of the plain tagger",
}


def speed_tables(folder: Path) -> str:
    """All benchmarks of a folder, each under a heading; "" if there are none.

    Raises:
        ValueError: if a file is not a JSON object.
    """
    return "\n\n".join(_section(path) for path in sorted(folder.glob("*-speed.json")))


def _section(path: Path) -> str:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"expected JSON in {path}, got {error}; run its benchmark again") from error
    if not isinstance(content, dict):
        raise ValueError(
            f"expected an object in {path}, got {type(content).__name__}; run its benchmark again"
        )
    name = path.stem.removesuffix("-speed")
    lines = [f"### {_HEADINGS.get(name, name)}", ""]
    single = {key: value for key, value in content.items() if not isinstance(value, list)}
    lines += _table([dict(_flat(single))])
    for rows in (value for value in content.values() if isinstance(value, list) and value):
        lines += ["", *_table([dict(_flat(row)) for row in rows])]
    return "\n".join([*lines, "", f"command: `python benchmarks/{name}.py`."])


def _flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The figures of nested objects, named by their keys."""
    for key, inner in value.items():
        name = f"{before} {key}".strip().replace("_", " ")
        if isinstance(inner, Mapping):
            yield from _flat(inner, name)
        else:
            yield name, inner


def _table(rows: list[dict[str, Any]]) -> list[str]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if len(rows) == 1:  # one row of many columns reads better upright
        return ["| | |", "| --- | ---: |", *(f"| {key} | {_figure(rows[0][key])} |" for key in columns)]
    lines = [f"| {' | '.join(columns)} |", f"|{' ---: |' * len(columns)}"]
    return lines + [f"| {' | '.join(_figure(row.get(key)) for key in columns)} |" for row in rows]


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if value is None else str(value)
