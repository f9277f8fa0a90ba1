"""When `canner reproduce` writes a results file anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from canner.experiment.results_schema import Results, Row
from canner.report.publishing import more_seeds, publish, why_kept


def results(planned: int = 3, **runs: int) -> Results:
    """Results with so many runs of each row."""
    rows = []
    for system, number in runs.items():
        values = [50.0] * number
        metrics = {"f1": {"mean": 50.0, "sd": 0.0, "values": values}} if number else {}
        seeds = [f"subset 0, seed {seed + 1}" for seed in range(number)]
        rows.append(Row(system=system, metrics=metrics, seeds=seeds, planned=planned))
    return Results(name="x", title="X", command="c", rows=rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A results file of two rows with three runs each."""
    found = tmp_path / "results" / "x.json"
    publish(found, results(plain=3, wide=3))
    assert found.exists()
    return found


def test_a_row_keeps_its_figures_where_another_gains(path: Path) -> None:
    before, now = path.read_bytes(), results(plain=0, wide=3, new=3)
    publish(path, now)
    assert path.read_bytes() == before
    assert "it has figures of plain, whose runs do not count here" in str(why_kept(path, now))


def test_a_call_for_fewer_runs_does_not_replace_one_row(path: Path) -> None:
    publish(path, results(plain=3, wide=3, new=3))
    before, now = path.read_bytes(), results(planned=2, plain=2, wide=2, new=2)
    publish(path, now)
    assert path.read_bytes() == before
    assert why_kept(path, now) == "it has more runs of plain, wide, new than this call asks for: --seeds 3"


def test_a_call_for_more_runs_that_makes_none_leaves_the_file_alone(path: Path) -> None:
    before = path.read_bytes()
    publish(path, results(planned=5, plain=3, wide=3))
    assert path.read_bytes() == before
    publish(path, results(planned=5, plain=4, wide=3))
    assert [row["planned"] for row in json.loads(path.read_text())["rows"]] == [5, 5]


def test_what_is_made_anew_takes_the_place_of_what_was_there(path: Path) -> None:
    """One run with the present translator stands for three with an earlier one (decision 0022)."""
    now = results(plain=1, wide=3)
    assert why_kept(path, now) is None
    publish(path, now)
    assert Results.read(path) == now


def test_a_row_that_the_table_no_longer_has_goes(path: Path) -> None:
    publish(path, results(plain=3))
    assert [row["system"] for row in json.loads(path.read_text())["rows"]] == ["plain"]


def test_a_damaged_file_is_replaced_and_nothing_is_written_of_nothing(path: Path, tmp_path: Path) -> None:
    path.write_text("{")
    publish(path, results(plain=1))
    assert json.loads(path.read_text())["rows"][0]["system"] == "plain"
    publish(tmp_path / "none.json", results(plain=0))
    assert not (tmp_path / "none.json").exists()


def test_more_seeds_than_a_tables_own_are_those_that_were_run(path: Path, tmp_path: Path) -> None:
    publish(path, results(planned=30, plain=5, wide=3))
    assert (more_seeds(path, 3), more_seeds(path, 5)) == (5, None)
    assert more_seeds(tmp_path / "none.json", 1) is None
    path.write_text("{")
    assert more_seeds(path, 1) is None


def test_runs_that_failed_are_no_fewer(path: Path) -> None:
    """Else a plain call would ask for one seed less each time."""
    of_ten = results(planned=10, plain=9, wide=3)
    plain = of_ten.rows[0].model_copy(update={"failed": {"subset 0, seed 4": "nan"}})
    publish(path, of_ten.model_copy(update={"rows": (plain, of_ten.rows[1])}))
    assert more_seeds(path, 3) == 10
    assert "--seeds 10" in str(why_kept(path, results(planned=9, plain=8, wide=3)))


def test_figures_of_a_file_without_seeds_count(path: Path) -> None:
    without = {"seeds", "planned"}
    older = results(plain=3).model_dump(exclude_unset=True, exclude={"rows": {0: without}})
    path.write_text(json.dumps(older))
    assert why_kept(path, results(plain=0)) is not None
    assert why_kept(path, results(planned=1, plain=1)) is not None
