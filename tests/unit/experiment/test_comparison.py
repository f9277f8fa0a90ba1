"""Comparisons: every run planned once, the grid first, the other seeds where it was best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from canner.experiment.comparison import Cell, ComparisonExperiment, System, plan

Make = Callable[..., ComparisonExperiment]


def runs_of(cells: list[Cell]) -> list:
    return [run for cell in cells for run in cell.known_runs({run.folder: 0.0 for run in cell.tries})]


def test_the_plan_is_every_combination_once(make: Make, tmp_path: Path) -> None:
    cells = plan(make(budgets=(2, 4), subset_seeds=(0, 1, 2), seeds=(1, 2)), tmp_path)
    runs = runs_of(cells)
    assert len(runs) == len({run.folder for run in runs}) == 2 * 3 * 2 * 2 == sum(c.num_runs for c in cells)
    assert {run.row for run in runs} == {f"{s}, {b} sentences" for s in ("plain", "wide") for b in (2, 4)}
    for run in runs:
        data = run.experiment.data
        assert (data.num_sentences, f"subset {data.subset_seed}, seed {run.experiment.seed}") == (
            4 if "4 sentences" in run.row else 2,
            run.name,
        )
        assert run.experiment.model.hidden_dim == (6 if run.row.startswith("wide") else 4)


def test_without_a_budget_subsets_are_not_repeated(make: Make, tmp_path: Path) -> None:
    assert len(runs_of(plan(make(subset_seeds=(0, 1, 2), seeds=(1, 2)), tmp_path))) == 4


def test_a_system_runs_only_at_its_own_budgets(make: Make, tmp_path: Path) -> None:
    systems = (System(name="plain"), System(name="dear", budgets=(2,)))
    cells = plan(make(budgets=(2, 4), systems=systems), tmp_path)
    assert [c.row for c in cells] == ["plain, 2 sentences", "dear, 2 sentences", "plain, 4 sentences"]


def test_the_other_seeds_follow_the_combination_that_is_best_on_dev(make: Make, tmp_path: Path) -> None:
    grid = {"training.learning_rate": (0.1, 0.2), "batch_size": (4, 8)}
    cell = plan(make(grid=grid, seeds=(1, 2, 3)), tmp_path)[0]
    assert cell.num_runs == 4 + 2
    points = [tuple(run.point.values()) for run in cell.tries]
    assert points == [(0.1, 4), (0.1, 8), (0.2, 4), (0.2, 8)]
    assert [(r.experiment.training.learning_rate, r.experiment.batch_size) for r in cell.tries] == points
    assert {run.experiment.seed for run in cell.tries} == {1}
    dev_f1 = {run.folder: f1 for run, f1 in zip(cell.tries, (40.0, 50.0, -1.0), strict=False)}
    assert cell.chosen(dev_f1) is None
    assert cell.known_runs(dev_f1) == cell.tries
    dev_f1[cell.tries[3].folder] = 49.9
    assert cell.chosen(dev_f1) is cell.tries[1]
    counted = cell.counted_runs(dev_f1)
    assert [run.experiment.seed for run in counted] == [1, 2, 3]
    assert {tuple(run.point.values()) for run in counted} == {(0.1, 8)}
    assert len({run.folder for run in cell.known_runs(dev_f1)}) == 6


def test_a_change_that_is_no_experiment_names_its_system(make: Make, tmp_path: Path) -> None:
    config = make(systems=(System(name="odd", change={"model.hidden_dim": 0}),))
    with pytest.raises(ValueError, match=r"system 'odd': model\.hidden_dim"):
        plan(config, tmp_path)


def test_a_row_cannot_take_a_setting_away() -> None:
    """It would be lost without a word: TOML, in which a run keeps its configuration, has no nothing."""
    with pytest.raises(ValueError, match=r"change\.embeddings\.vectors: expected a value, got None"):
        System(name="random", change={"embeddings.vectors": None})
    with pytest.raises(ValueError, match=r"change\.training\.early_stopping: expected a value, got None"):
        System(name="patient", change={"training": {"max_epochs": 9, "early_stopping": None}})


def test_a_change_may_be_a_table_and_leaves_what_that_does_not_name(make: Make, tmp_path: Path) -> None:
    dotted, as_table = (
        make(systems=(System(name="a", change=change),), grid=grid)
        for change, grid in (
            ({"model.hidden_dim": 6}, {"training.learning_rate": (0.1, 0.2)}),
            ({"model": {"hidden_dim": 6}}, {"training": {"learning_rate": (0.1, 0.2)}}),
        )
    )
    experiment = plan(as_table, tmp_path)[0].tries[1].experiment
    assert experiment == plan(dotted, tmp_path)[0].tries[1].experiment
    assert (experiment.model.hidden_dim, experiment.model.word_dim) == (6, 8)
    assert (experiment.training.learning_rate, experiment.training.max_epochs) == (0.2, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 7},
        {"data": {"subset_seed": 1}},
        {"data.num_test": 2},
        {"data.test": ["x"]},
        {"data.num_sentences": 4},
        {"data.types": {"PER": "PER"}},
        {"data": {"tag_column": 1}},
    ],
)
def test_what_tells_runs_apart_is_not_for_a_row_or_a_grid_to_set(make: Make, change: dict) -> None:
    grids = ({"seed": (1, 2)}, {"data": ({"subset_seed": 1}, {"subset_seed": 2})})
    for wrong in ({"systems": (System(name="a", change=change),)}, *({"grid": grid} for grid in grids)):
        with pytest.raises(ValueError, match=r"expected systems and a grid that leave .* alone"):
            make(budgets=(2, 4), **wrong)
    rows = (System(name="a", change=change),)
    if change == {"data.num_sentences": 4}:
        assert make(systems=rows).systems[0].change == change
    else:
        with pytest.raises(ValueError, match=r"expected systems and a grid that leave .* alone"):
            make(systems=rows)
    other = (System(name="a", change={"data.train": ["x"]}),)
    assert make(systems=other, budgets=(2, 4)).systems[0].change == {"data.train": ["x"]}


def test_systems_have_names_of_their_own_and_baselines_that_exist(make: Make, tmp_path: Path) -> None:
    for what, twice in (
        ("systems", (System(name="a"), System(name="a"))),
        ("seeds", (1, 1)),
        ("budgets", (10, 10)),
        ("subset_seeds", (0, 0)),
    ):
        with pytest.raises(ValueError, match=f"expected {what} of their own, got (a, a|1, 1|10, 10|0, 0)"):
            make(**{what: twice})
    with pytest.raises(ValueError, match="expected a name for each system"):
        make(systems=(System(name="a"), System(name=" ")))
    with pytest.raises(ValueError, match="expected a baseline among"):
        make(systems=(System(name="a"), System(name="b", baseline="c")))
    with pytest.raises(ValueError, match=r"grid\.batch_size: expected values to try, got none"):
        make(grid={"batch_size": ()})
    config = make(systems=(System(name="a"), System(name="b"), System(name="c", baseline="b")))
    assert [config.baseline_of(system) for system in config.systems] == [None, "a", "b"]
    for names in (("A b", "a-b"), ("stores",)):
        with pytest.raises(ValueError, match="got two for one folder"):
            plan(make(systems=tuple(System(name=name) for name in names)), tmp_path)
    with pytest.raises(ValueError, match="got two for one folder"):
        plan(make(grid={"embeddings.vectors": ("V", "v")}), tmp_path)


def test_sentences_to_choose_and_to_compare_on_are_asked_for_before_any_run(make: Make) -> None:
    for part, said in (
        ("dev", "expected development sentences, got none"),
        ("test", "expected test sentences"),
    ):
        base = make().base.model_dump()
        base["data"][part] = ()
        with pytest.raises(ValueError, match=said):
            make(base=base)


def test_any_name_makes_a_folder(make: Make, tmp_path: Path) -> None:
    cells = plan(make(systems=(System(name="习"), System(name="大"), System(name="é"))), tmp_path)
    folders = {cell.tries[0].folder for cell in cells}
    assert len(folders) == 3
    assert all(folder.parent.parent == tmp_path for folder in folders)
