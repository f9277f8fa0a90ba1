"""Rows that are scored one at a time stand beside those scored before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from canner.experiment.results_schema import Made, Results, Row
from canner.experiment.scored_rows import made_in_all, made_now, with_earlier_rows


def rows(*systems: str) -> list[Row]:
    """Rows of one run each."""
    metrics = {"f1": {"mean": 50.0, "sd": 0.0, "values": [50.0]}}
    return [Row(system=system, metrics=metrics, seeds=("seed 1",)) for system in systems]


def test_rows_scored_later_stand_beside_earlier_ones_and_each_says_how_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"command": "first", "date": "2026-01-02", "files": {"a/b": "0"}}
    path = tmp_path / "x.json"
    Results(name="x", title="X", rows=rows("plain", "wide"), **made).save(path)
    monkeypatch.setattr(sys, "argv", ["score.py", "--corpus", "a b"])
    read = tmp_path / "read"
    read.write_bytes(b"abc")
    new = [made_now(row, [read]) for row in rows("wide", "more")]
    found = {row.system: row for row in with_earlier_rows(path, new)}
    assert list(found) == ["plain", "wide", "more"]
    assert found["plain"].made.model_dump(exclude_unset=True) == made
    assert found["wide"].made == found["more"].made
    assert found["more"].made.command == "python score.py --corpus 'a b'"
    assert found["more"].made.files == {f"{tmp_path.name}/read": "ba7816bf8f01"}  # the SHA-256 of "abc"
    other = Row(system="x", metrics={}, made=Made(hardware="m; n", date="2026-01-02, 2026-01-03"))
    assert made_in_all([found["plain"], other]) == {
        "hardware": "m; n",
        "date": "2026-01-02, 2026-01-03",
    }
    assert [row.system for row in with_earlier_rows(tmp_path / "none.json", new)] == ["wide", "more"]
