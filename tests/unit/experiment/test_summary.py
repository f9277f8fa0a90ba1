"""Results files from finished runs: means, tests against the baseline, collapsed seeds, the choice on dev."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from canner.evaluation.bootstrap import paired_bootstrap_of_counts, paired_bootstrap_of_runs
from canner.experiment.comparison import ComparisonExperiment, System, plan
from canner.experiment.corpus_facts import CorpusFacts
from canner.experiment.record import Record
from canner.experiment.results import summarise
from canner.experiment.results_schema import Gain, Row
from canner.experiment.summary import summary
from canner.report.table import table

Make = Callable[..., ComparisonExperiment]
NOTHING = CorpusFacts({}, np.zeros(0, dtype=bool))
"""Nothing is known of the data."""


def part(f1: float) -> dict[str, float]:
    return {"precision": f1, "recall": f1, "f1": f1}


def record(dev: float, test: float, counts: list[list[int]]) -> Record:
    return Record({"dev": part(dev), "test": part(test)}, np.array(counts), 1.0)


def test_mean_and_deviation_against_the_standard_library() -> None:
    values = (48.2, 51.7, 46.9)
    row = summarise("plain", {f"seed {i}": {"f1": value} for i, value in enumerate(values)})
    assert row.metrics["f1"].mean == round(statistics.mean(values), 2)
    assert row.metrics["f1"].sd == round(statistics.stdev(values), 2)
    assert row.metrics["f1"].values == values
    assert row.seeds == ("seed 0", "seed 1", "seed 2")
    assert summarise("plain", {"seed 0": {"f1": 3.0}}).metrics["f1"].sd == 0.0
    with pytest.raises(ValueError, match="not finite"):
        summarise("plain", {"seed 0": {"f1": math.nan}})
    with pytest.raises(ValueError, match="got none"):
        summarise("plain", {})


def test_figures_take_the_test_part_and_weibo_subsets_but_not_all_of_them_again() -> None:
    subsets = {"NE": {"f1": 4.0}, "Overall": {"f1": 3.0}}
    scores = {"dev": part(9.0), "test": part(3.0) | {"subsets": subsets}}
    assert Record(scores, None, 0.0).figures() == {
        "precision": 3.0,
        "recall": 3.0,
        "f1": 3.0,
        "NE f1": 4.0,
        "dev f1": 9.0,
    }


def test_gains_are_tested_on_the_pooled_counts_and_the_best_is_chosen_on_dev(
    make: Make, tmp_path: Path
) -> None:
    systems = (System(name="plain"), System(name="a"), System(name="b"))
    cells = plan(make(systems=systems, seeds=(1, 2)), tmp_path)
    worse, better = [[1, 2, 2], [0, 1, 2], [1, 2, 2]] * 4, [[2, 2, 2], [1, 1, 2], [1, 2, 2]] * 4
    # a is better on dev, b on test
    wanted = {"plain": (50.0, 50.0, worse), "a": (70.0, 60.0, better), "b": (60.0, 70.0, better)}
    records = {
        run.folder: record(*wanted[cell.system.name])
        for cell in cells
        for run in cell.known_runs({run.folder: 1.0 for run in cell.tries})
    }
    plain, first, second = summary(
        make(systems=systems, seeds=(1, 2)), cells, records, command="c", corpus=NOTHING
    ).rows
    test = paired_bootstrap_of_counts(2 * np.array(worse), 2 * np.array(better))
    with_runs = paired_bootstrap_of_runs(np.array([worse] * 2), np.array([better] * 2))
    assert first.against.p_with_runs == round(with_runs.p_value, 4)
    assert plain.against is None
    for key in ("difference", "low", "high", "p"):
        assert getattr(first.against, key) == getattr(second.against, key)
    assert first.against.system == "plain"
    assert first.against.runs == 2
    assert first.against.difference == round(test.difference.value, 2) > 0
    assert first.against.low == round(test.difference.low, 2)
    assert first.against.by_run == {"subset 0, seed 1": 10.0, "subset 0, seed 2": 10.0}
    assert second.against.by_run == {"subset 0, seed 1": 20.0, "subset 0, seed 2": 20.0}
    dev = [set(row.against.dev_by_run.values()) for row in (first, second)]
    assert dev == [{20.0}, {10.0}]
    assert first.best_on_dev
    assert not second.best_on_dev


def test_on_dev_a_row_is_compared_with_the_plain_runs_of_its_own_seeds(make: Make, tmp_path: Path) -> None:
    systems = tuple(System(name=name) for name in ("plain", "a", "b", "lone"))
    config = make(systems=systems, seeds=(1, 2))
    cells = plan(config, tmp_path)
    # Seeds 1 and 2; a gains 5 twice, b more on the second alone, and "lone", which has one run, most of all.
    dev = {"plain": (50.0, 60.0), "a": (55.0, 65.0), "b": (49.0, 67.0), "lone": (90.0,)}

    def best(dev: dict[str, tuple[float, ...]]) -> list[str]:
        records = {
            run.folder: record(f1, 50.0, [[1, 1, 1], [0, 1, 1]])
            for cell in cells
            for run, f1 in zip(
                cell.known_runs({cell.tries[0].folder: 1.0}), dev[cell.system.name], strict=False
            )
        }
        rows = summary(config, cells, records, command="c", corpus=NOTHING).rows
        return [row.system for row in rows if row.best_on_dev]

    assert best(dev) == ["a"]
    assert best({**dev, "b": (49.0, 72.0)}) == ["b"]
    assert best({**dev, "a": (50.0, 60.0)}) == ["b"]
    # None gains: the plain tagger is the choice.
    assert best({**dev, "a": (49.0, 61.0), "b": (40.0, 60.0)}) == ["plain"]


def test_more_seeds_of_one_row_do_not_leave_out_the_others(make: Make, tmp_path: Path) -> None:
    config = make(
        systems=tuple(System(name=name) for name in ("plain", "a", "b", "lone")), seeds=(1, 2, 3, 4)
    )
    plain = (50.0, 50.0, 50.0, 50.0)
    # a has a fourth run, in which it gains most; by the three that b has, too, b gains more.
    dev = {"plain": plain, "a": (52.0, 52.0, 52.0, 90.0), "b": (53.0, 53.0, 53.0), "lone": (60.0, 60.0)}
    assert best_on_dev(config, tmp_path, dev) == ["b"]
    assert best_on_dev(config, tmp_path, {**dev, "b": (51.0, 51.0, 51.0)}) == ["a"]
    # The seed that all three share is one alone: each counts by its own.
    five = make(systems=tuple(System(name=name) for name in ("plain", "a", "b", "c")), seeds=(1, 2, 3, 4, 5))
    apart = {"a": (55.0, 55.0, 49.0), "b": (51.0, 51.0, 51.0), "c": (-1.0, -1.0, 40.0, 40.0, 40.0)}
    assert best_on_dev(five, tmp_path, {"plain": (50.0,) * 5, **apart}) == ["a"]
    assert best_on_dev(config, tmp_path, {"plain": plain, "a": (50.1, 50.2, 49.7), "b": (), "lone": ()}) == [
        "plain"
    ]


def best_on_dev(
    config: ComparisonExperiment, tmp_path: Path, dev: dict[str, tuple[float, ...]], **kind: str
) -> list[str]:
    """The rows marked as best on dev; runs with an F1 below 0 were not made, those of `kind` are outdated."""
    cells = plan(config, tmp_path)
    groups: dict[bool, dict[Path, Record]] = {False: {}, True: {}}
    for cell in cells:
        name = cell.system.name
        for run, f1 in zip(cell.known_runs({cell.tries[0].folder: 1.0}), dev[name], strict=False):
            if f1 < 0:
                continue
            made = record(f1, 50.0, [[1, 1, 1], [0, 1, 1]])
            outdated = kind.get(name) == "outdated"
            groups[outdated][run.folder] = replace(made, outdated={"m": "1"}) if outdated else made
    found = summary(config, cells, groups[False], command="c", corpus=NOTHING, outdated=groups[True])
    return [row.system for row in found.rows if row.best_on_dev]


def test_an_outdated_row_is_chosen_only_where_no_other_is_tested(make: Make, tmp_path: Path) -> None:
    config = make(systems=tuple(System(name=name) for name in ("plain", "now", "former")), seeds=(1, 2))
    dev = {"plain": (50.0, 50.0), "now": (52.0,), "former": (60.0, 60.0)}
    assert best_on_dev(config, tmp_path, dev, former="outdated") == ["now"]
    assert best_on_dev(config, tmp_path, {**dev, "now": ()}, former="outdated") == ["former"]


def test_each_baseline_has_a_choice_of_its_own_and_none_without_a_run_that_reads_english(
    make: Make, tmp_path: Path
) -> None:
    english = {"transfer": {"teacher": "t", "views": [{"translator": "x"}]}}
    systems = (
        System(name="plain"),
        System(name="softmax"),
        System(name="CAN", change=english),
        System(name="big", baseline="big"),
        System(name="big CAN", change={**english, "model.hidden_dim": 6}, baseline="big"),
    )
    config = make(systems=systems)
    dev = {"plain": (50.0,), "softmax": (55.0,), "CAN": (51.0,), "big": (70.0,), "big CAN": (60.0,)}
    assert best_on_dev(config, tmp_path, dev) == ["CAN", "big"]
    assert best_on_dev(config, tmp_path, {**dev, "CAN": ()}) == ["big"]
    nested = make(systems=(*systems[:2], systems[2].model_copy(update={"baseline": "softmax"})))
    assert best_on_dev(nested, tmp_path, {**dev, "CAN": (56.0,)}) == ["CAN"]
    assert (
        best_on_dev(nested, tmp_path, dev) == []
    )  # "softmax", which is tested against "plain", is not its choice


def test_the_best_on_dev_reads_english_where_a_system_does(make: Make, tmp_path: Path) -> None:
    english = {"transfer": {"teacher": "t", "views": [{"translator": "x"}]}}
    systems = (System(name="plain"), System(name="other"), System(name="CAN", change=english))
    cells = plan(make(systems=systems), tmp_path)
    dev = {"plain": 50.0, "other": 70.0, "CAN": 60.0}
    records = {
        cell.tries[0].folder: record(dev[cell.system.name], 50.0, [[1, 1, 1], [0, 1, 1]]) for cell in cells
    }
    rows = summary(make(systems=systems), cells, records, command="c", corpus=NOTHING).rows
    assert [row.best_on_dev for row in rows] == [False, False, True]
    assert [row.reads_english for row in rows] == [False, False, True]
    collapsed = {folder: record(0.0, 0.0, [[0, 0, 1], [0, 0, 1]]) for folder in records}
    rows = summary(make(systems=systems), cells, collapsed, command="c", corpus=NOTHING).rows
    assert not any(row.best_on_dev for row in rows)


def test_where_nothing_gains_the_plain_row_says_of_how_many_if_some_were_not_run(
    make: Make, tmp_path: Path
) -> None:
    files = {"source": ("s",), "english": ("e",), "alignments": ("a",)}
    english = {"transfer": {"teacher": "t", "views": [{"translator": "x"}]}}
    systems = (
        System(name="plain"),
        System(name="softmax"),
        System(name="bound", change={"transfer": {"teacher": "t", "views": [{"files": files}]}}),
        System(name="CAN", change=english),
        System(name="gloss", change={**english, "model.hidden_dim": 6}),
        System(name="broken", change={**english, "model.hidden_dim": 7}),
    )
    config = make(systems=systems)
    cells = plan(config, tmp_path)
    places = {cell.system.name: cell.tries[0].folder for cell in cells}
    counts = [[1, 1, 1], [0, 1, 1]]
    dev = {"plain": 50.0, "CAN": 49.0}
    records = {places[name]: record(f1, 50.0, counts) for name, f1 in dev.items()}
    records[places["broken"]] = Record({}, None, 0.0, failure="nan")

    def plain() -> Row:
        (row,) = (
            r
            for r in summary(config, cells, records, command="c", corpus=NOTHING).rows
            if r.system == "plain"
        )
        return row

    assert plain().best_on_dev
    assert plain().chosen_among == (1, 3)
    records[places["gloss"]] = record(48.0, 50.0, counts)
    assert plain().chosen_among == (2, 3)  # one broke
    records[places["broken"]] = record(47.0, 50.0, counts)
    assert plain().chosen_among is None
    del records[places["CAN"]]
    records[places["gloss"]] = record(51.0, 50.0, counts)
    assert (plain().best_on_dev, plain().chosen_among) == (False, None)
    (gloss,) = (
        r for r in summary(config, cells, records, command="c", corpus=NOTHING).rows if r.system == "gloss"
    )
    assert (gloss.best_on_dev, gloss.chosen_among) == (True, (2, 3))


def test_the_share_of_the_upper_bounds_gain(make: Make, tmp_path: Path) -> None:
    files = {"source": ("s",), "english": ("e",), "alignments": ("a",)}
    bound = {"transfer": {"teacher": "t", "views": [{"files": files}]}}
    ours_too = {"transfer": {"teacher": "t", "views": [{"translator": "x"}]}}
    systems = (
        System(name="plain"),
        System(name="bound", change=bound),
        System(name="lower", change={**bound, "model.hidden_dim": 6}),
        System(name="ours", change=ours_too),
        System(name="ours at the input", change={**ours_too, "model.aligned_at": "input"}),
        System(name="softmax", change={"model.emissions": "softmax"}),
    )
    cells = plan(make(systems=systems), tmp_path)
    # Of ten sentences with an entity each, one is found in so many.
    right = {"plain": 0, "bound": 8, "lower": 4, "ours": 2, "ours at the input": 2, "softmax": 2}
    records = {
        cell.tries[0].folder: record(
            float(right[cell.system.name]),
            10.0 * right[cell.system.name],
            [[int(n < right[cell.system.name]), 1, 1] for n in range(10)],
        )
        for cell in cells
    }
    rows = summary(make(systems=systems), cells, records, command="c", corpus=NOTHING).rows
    plain, bound_row, lower, ours, ours_at_the_input, softmax = rows
    assert bound_row.upper_bound
    assert lower.upper_bound
    assert lower.against.share_of_upper_bound is None
    assert bound_row.against.share_of_upper_bound is None
    assert ours.against.share_of_upper_bound == 25.0
    assert ours_at_the_input.against.share_of_upper_bound is None
    assert softmax.against.share_of_upper_bound is None  # it reads no English
    assert not bound_row.best_on_dev
    assert ours.best_on_dev
    assert plain.against is None


def test_the_share_is_of_the_upper_bounds_gain_with_the_same_seeds(make: Make, tmp_path: Path) -> None:
    files = {"source": ("s",), "english": ("e",), "alignments": ("a",)}
    bound = {"transfer": {"teacher": "t", "views": [{"files": files}]}}
    english = {"transfer": {"teacher": "t", "views": [{"translator": "x"}]}}
    systems = (
        System(name="plain"),
        System(name="bound", change=bound),
        System(name="ours", change=english),
    )
    config = make(systems=systems, seeds=(1, 2))
    cells = plan(config, tmp_path)
    test_f1 = {"plain": (10.0, 20.0), "bound": (30.0, 60.0), "ours": (20.0, 50.0)}

    def ours(**runs: int) -> Gain:
        records = {
            run.folder: record(1.0, f1, [[1, 1, 1], [0, 1, 1]])
            for cell in cells
            for run, f1 in zip(
                cell.known_runs({cell.tries[0].folder: 1.0})[: runs.get(cell.system.name)],
                test_f1[cell.system.name],
                strict=False,
            )
        }
        return summary(config, cells, records, command="c", corpus=NOTHING).rows[2].against

    assert ours().share_of_upper_bound == round(100 * 20 / 30, 1)
    test_f1["bound"] = (10.0, 20.0)
    assert ours().share_of_upper_bound is None
    test_f1["bound"] = (30.0, 60.0)
    assert ours(ours=1).share_of_upper_bound == 50.0
    assert ours(bound=1).share_of_upper_bound is None


def test_a_row_that_finds_next_to_nothing_is_collapsed(make: Make, tmp_path: Path) -> None:
    config = make(systems=(System(name="plain"), System(name="poor"), System(name="none")))
    cells = plan(config, tmp_path)
    dev = {"plain": 60.0, "poor": 10.0, "none": 0.0}
    records = {cell.tries[0].folder: record(dev[cell.system.name], 50.0, [[1, 1, 1]]) for cell in cells}
    rows = summary(config, cells, records, command="c", corpus=NOTHING).rows
    assert [row.collapsed for row in rows] == [(), (), ("subset 0, seed 1",)]


def test_a_collapsed_seed_is_shown(make: Make, tmp_path: Path) -> None:
    cells = plan(make(seeds=(1, 2, 3)), tmp_path)
    runs = cells[0].known_runs({cells[0].tries[0].folder: 1.0})
    f1 = (80.0, 20.0, 79.0)
    records = {run.folder: record(x, x, [[1, 1, 1]]) for run, x in zip(runs, f1, strict=True)}
    row = summary(make(seeds=(1, 2, 3)), cells, records, command="c", corpus=NOTHING).rows[0]
    assert row.collapsed == ("subset 0, seed 2",)
    assert row.metrics["f1"].values == f1


def test_a_run_that_the_limit_of_epochs_cut_off_is_named(make: Make, tmp_path: Path) -> None:
    config = make(seeds=(1, 2, 3, 4))
    cells, limit = plan(config, tmp_path), 20
    training = config.base.training.model_copy(update={"max_epochs": limit})
    config = config.model_copy(update={"base": config.base.model_copy(update={"training": training})})
    cells = plan(config, tmp_path)
    runs = cells[0].known_runs({cells[0].tries[0].folder: 1.0})
    epochs = (
        (limit, limit),
        (limit, 18),
        (19, 19),
        (None, None),
    )  # cut off; best too early; stopped; not known
    records = {
        run.folder: replace(record(50.0, 50.0, [[1, 1, 1]]), epochs=had, best_epoch=best)
        for run, (had, best) in zip(runs, epochs, strict=True)
    }
    results = summary(config, cells, records, command="c", corpus=NOTHING)
    assert results.rows[0].cut_off == ("subset 0, seed 1",)
    assert "| 4 (1 cut off) |" in table(results)


def test_the_limit_of_epochs_is_that_of_the_run_that_the_grid_chose(make: Make, tmp_path: Path) -> None:
    config = make(grid={"training.max_epochs": (20, 40)}, systems=(System(name="plain"),))
    (cell,) = plan(config, tmp_path)
    few, many = (run.folder for run in cell.tries)
    records = {
        few: replace(record(50.0, 50.0, [[1, 1, 1]]), epochs=20, best_epoch=12),
        many: replace(record(60.0, 60.0, [[1, 1, 1]]), epochs=40, best_epoch=39),
    }
    (row,) = summary(config, [cell], records, command="c", corpus=NOTHING).rows
    assert row.cut_off == ("subset 0, seed 1",)
    records[few] = replace(records[few], scores=record(70.0, 70.0, []).scores, best_epoch=18)
    assert not summary(config, [cell], records, command="c", corpus=NOTHING).rows[0].cut_off


def test_a_gain_is_told_without_the_sentences_of_the_training_part_too_if_these_are_many(
    make: Make, tmp_path: Path
) -> None:
    cells = plan(make(), tmp_path)
    worse, better = [[0, 1, 2], [1, 2, 2]] * 10, [[2, 2, 2], [1, 2, 2]] * 10
    records = {
        cell.tries[0].folder: record(50.0, 50.0, counts)
        for cell, counts in zip(cells, (worse, better), strict=True)
    }
    for num_seen, is_told in ((0, False), (1, True), (8, True), (20, False)):
        corpus = CorpusFacts({}, np.arange(20) < num_seen)
        results = summary(make(), cells, records, command="c", corpus=corpus)
        against = results.rows[1].against
        assert (against.unseen is not None) == is_told
        if is_told:
            test = paired_bootstrap_of_counts(np.array(worse[num_seen:]), np.array(better[num_seen:]))
            assert against.unseen.difference == round(test.difference.value, 2)
            assert against.unseen.p == round(test.p_value, 4)
            assert f"; unseen {test.difference.value:+.2f} [" in table(results)
    few = CorpusFacts({}, np.arange(100) < 4)
    many = {folder: record(50.0, 50.0, found.counts.tolist() * 5) for folder, found in records.items()}
    assert summary(make(), cells, many, command="c", corpus=few).rows[1].against.unseen is None


def test_what_of_the_test_part_stands_in_the_training_part_is_found(make: Make, tmp_path: Path) -> None:
    data = make().base.data
    (tmp_path / "test").write_text(
        "Ana S-PER\nvive O\nen O\nLima S-LOC\n\nAna S-PER\n\n" * 2, encoding="utf-8"
    )
    facts = CorpusFacts.of(data)
    assert facts.seen.tolist() == [True, False, True, False]
    assert facts.described["test"].in_train == 2
    assert facts.described["dev"].in_train == facts.described["dev"].sentences == 8
    assert facts.described["test"].entities == 6
    assert len(CorpusFacts.of(data.model_copy(update={"num_test": 3})).seen) == 3


def test_machine_and_date_are_those_of_the_runs(make: Make, tmp_path: Path) -> None:
    cells = plan(make(seeds=(1, 2)), tmp_path)
    runs = cells[0].known_runs({cells[0].tries[0].folder: 1.0})
    machines = ({"hardware": "b", "date": "2026-01-02"}, {"hardware": "a", "date": "2026-01-01"})
    records = {
        run.folder: Record({"dev": part(1.0), "test": part(1.0)}, np.array([[1, 1, 1]]), 1.0, None, made)
        for run, made in zip(runs, machines, strict=True)
    }
    results = summary(make(seeds=(1, 2)), cells, records, command="c", corpus=NOTHING)
    assert (results.hardware, results.date) == ("a; b", "2026-01-01 to 2026-01-02")
