"""Runs of other machines: they count if they are of the same configuration, data and bundles."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from canner.experiment import workers
from canner.experiment.comparison import ComparisonExperiment, System, plan
from canner.experiment.corpus_facts import CorpusFacts
from canner.experiment.kept_runs import KeptRuns, _packed
from canner.experiment.record import Record
from canner.experiment.results_schema import Results, Row
from canner.experiment.runner import RunnerOptions, run_comparison
from canner.experiment.summary import summary
from canner.experiment.tagger import TaggerExperiment

Make = Callable[..., ComparisonExperiment]
NOTHING = CorpusFacts({}, np.zeros(0, dtype=bool))
"""Nothing is known of the data."""


def never(*_: object, **__: object) -> None:
    raise AssertionError("a run was made")


def test_a_table_is_the_same_from_the_kept_runs_alone_and_nothing_is_trained(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make(grid={"batch_size": (4, 8)}, seeds=(1, 2))
    options = RunnerOptions(progress=False, kept=tmp_path / "kept" / "x.json")
    first = run_comparison(config, tmp_path / "here", command="c", options=options)
    monkeypatch.setattr(workers, "run_and_record", never)
    second = run_comparison(config, tmp_path / "there", command="c", options=options, prepare=_expects([]))
    assert first.rows == second.rows
    assert second.rows[1].against is not None
    assert second.date == first.date
    kept = json.loads((tmp_path / "kept" / "x.json").read_text())["runs"]
    assert len(kept) == 2 * 3
    assert not any("command" in run["environment"] for run in kept.values())


def _expects(vectors: Sequence[str | None]) -> Callable[[Sequence[TaggerExperiment]], None]:
    def prepare(experiments: Sequence[TaggerExperiment]) -> None:
        assert [experiment.embeddings.vectors for experiment in experiments] == list(vectors)

    return prepare


def test_only_what_is_not_kept_is_trained(make: Make, tmp_path: Path) -> None:
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run_comparison(make(), tmp_path / "here", command="c", options=options)
    more = make(seeds=(1, 2))
    results = run_comparison(more, tmp_path / "there", command="c", options=options)
    assert [row.seeds for row in results.rows] == [("subset 0, seed 1", "subset 0, seed 2")] * 2
    trained = {path.parent.name for path in (tmp_path / "there").glob("*/*/metrics.json")}
    assert trained == {"subset0-seed2"}
    # Fewer seeds are asked for: the others stay in the file.
    run_comparison(make(), tmp_path / "again", command="c", options=options)
    assert len(KeptRuns.read(tmp_path / "kept.json").runs) == 4


def test_a_kept_run_of_another_configuration_or_other_data_does_not_count(make: Make, tmp_path: Path) -> None:
    config = make()
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run_comparison(config, tmp_path / "here", command="c", options=options)
    experiment = config.base.model_copy(update={"seed": 1})
    kept = KeptRuns.read(tmp_path / "kept.json")
    assert kept.find("plain/subset0-seed1", experiment) is not None
    assert kept.find("plain/subset0-seed1", experiment.model_copy(update={"batch_size": 2})) is None
    assert kept.find("plain/subset0-seed9", experiment) is None
    entry = kept.runs["plain/subset0-seed1"]
    del entry["experiment"][
        "batch_size"
    ]  # as if the setting were younger than the run: it has its default, 16
    assert kept.find("plain/subset0-seed1", experiment) is None
    assert kept.find("plain/subset0-seed1", experiment.model_copy(update={"batch_size": 16})) is not None
    entry["experiment"]["gone"] = 1  # a setting that is no more
    assert kept.find("plain/subset0-seed1", experiment.model_copy(update={"batch_size": 16})) is None
    with open(config.base.data.test[0], "a", encoding="utf-8") as file:
        file.write("Zeus S-PER\n\n")
    assert KeptRuns.read(tmp_path / "kept.json").find("plain/subset0-seed1", experiment) is None


def with_vectors(make: Make, path: Path) -> ComparisonExperiment:
    path.write_text("1 8\nvive " + "0.1 " * 8 + "\n", encoding="utf-8")
    systems = (System(name="plain"), System(name="vectors", change={"embeddings.vectors": str(path)}))
    return make(systems=systems)


def test_what_is_made_anew_on_each_machine_counts_by_what_it_was_made_from(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = tmp_path / "words.vec"
    config = with_vectors(make, vectors)

    def call(folder: str, made_from: str) -> Results:
        options = RunnerOptions(
            progress=False,
            kept=tmp_path / "kept.json",
            identify=lambda path: made_from if path == str(vectors) else None,
        )
        return run_comparison(config, tmp_path / folder, command="c", options=options)

    first = call("here", "a recipe")
    with monkeypatch.context() as patch:
        patch.setattr(workers, "run_and_record", never)
        vectors.write_text("1 8\nvive " + "0.2 " * 8 + "\n", encoding="utf-8")
        assert call("there", "a recipe").rows == first.rows
        with pytest.raises(AssertionError, match="a run was made"):
            call("elsewhere", "another")


def test_of_what_is_not_there_the_kept_digest_is_believed_and_nothing_is_made(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = tmp_path / "words.vec"
    config = with_vectors(make, vectors)
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    first = run_comparison(config, tmp_path / "here", command="c", options=options)
    vectors.unlink()
    with monkeypatch.context() as patch:
        patch.setattr(workers, "run_and_record", never)
        second = run_comparison(
            config, tmp_path / "there", command="c", options=options, prepare=_expects([])
        )
    assert first.rows == second.rows


def test_of_two_parts_that_are_not_there_the_one_is_believed_that_most_runs_were_made_with(
    make: Make, tmp_path: Path
) -> None:
    vectors = tmp_path / "words.vec"
    config = with_vectors(make, vectors).model_copy(update={"seeds": (1, 2, 3)})
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run_comparison(config, tmp_path / "here", command="c", options=options)
    vectors.write_text("1 8\nvive " + "0.9 " * 8 + "\n", encoding="utf-8")
    first = config.model_copy(update={"seeds": (1,)})  # trained anew, and then interrupted
    run_comparison(first, tmp_path / "there", command="c", options=options)
    vectors.unlink()
    no_time = replace(options, max_minutes=0)
    plain, read = run_comparison(config, tmp_path / "third", command="c", options=no_time).rows
    assert len(plain.seeds) == 3
    assert read.seeds == ("subset 0, seed 2", "subset 0, seed 3")
    assert not read.outdated


def test_a_finished_table_is_shown_where_one_more_row_cannot_run(make: Make, tmp_path: Path) -> None:
    config = with_vectors(make, tmp_path / "words.vec")
    (tmp_path / "words.vec").unlink()
    for folder in ("here", "here", "there"):
        options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
        results = run_comparison(config, tmp_path / folder, command="c", options=options)
        assert [bool(row.metrics) for row in results.rows] == [True, False]


def test_a_training_that_is_a_row_of_another_table_is_not_made_twice(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(config: ComparisonExperiment) -> Results:
        name = config.name
        options = RunnerOptions(progress=False, kept=tmp_path / "kept" / f"{name}.json")
        return run_comparison(config, tmp_path / name, command="c", options=options)

    base = make().base
    first = call(make(name="a", base=base.model_copy(update={"name": "a"}), seeds=(1, 2)))
    (tmp_path / "kept" / "damaged.json").write_text("{")
    (tmp_path / "kept" / "odd.json").write_text('{"runs": {"a": null, "b": {"experiment": {}}}}')
    entry = {**json.loads((tmp_path / "kept" / "a.json").read_text())["runs"]["plain/subset0-seed1"]}
    half = {
        "c": {key: value for key, value in entry.items() if key != "minutes"},
        "d": {**entry, "inputs": [1]},
    }
    (tmp_path / "kept" / "0.json").write_text(json.dumps({"runs": half}))
    rows = (System(name="other"), System(name="as wide", change={"model.hidden_dim": 6}))
    other = make(name="b", base=base.model_copy(update={"name": "b"}), seeds=(1, 2), systems=rows)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "run_and_record", never)
        second = call(other).rows
    assert [row.metrics for row in second] == [row.metrics for row in first.rows]
    # The table's own file has it too, and needs no other.
    assert len(KeptRuns.read(tmp_path / "kept" / "b.json").runs) == 4
    monkeypatch.setattr(workers, "run_and_record", never)
    narrow = make(name="c", base=base.model_copy(update={"batch_size": 2}))
    with pytest.raises(AssertionError, match="a run was made"):
        call(narrow)


def test_a_training_of_another_table_counts_also_where_what_it_read_is_not_there_but_not_if_it_is_another(
    make: Make, tmp_path: Path
) -> None:
    vectors = tmp_path / "words.vec"
    config = with_vectors(make, vectors)

    def row(name: str, minutes: float | None = None) -> Row:
        path = tmp_path / "kept" / f"{name}.json"
        options = RunnerOptions(progress=False, kept=path, max_minutes=minutes)
        named = config.model_copy(update={"name": name})
        return run_comparison(named, tmp_path / name, command="c", options=options).rows[1]

    first = row("a")
    text = vectors.read_text()
    vectors.unlink()
    assert row("b", 0.0) == first
    vectors.write_text(text.replace("0.1", "0.3"))
    assert row("c", 0.0).metrics == {}


def test_two_that_write_lose_nothing_of_each_other(make: Make, tmp_path: Path) -> None:
    part = dict.fromkeys(("precision", "recall", "f1"), 100.0)
    experiment, record = make().base, Record({"dev": part, "test": part}, np.array([[1, 1, 1]]), 1.0)
    first, second = (KeptRuns.read(tmp_path / "kept.json") for _ in range(2))
    first.add("a/1", experiment, record)
    first.write()
    second.add("b/1", experiment, record)
    second.write()
    first.add("a/2", experiment, record)
    first.write()
    assert sorted(KeptRuns.read(tmp_path / "kept.json").runs) == ["a/1", "a/2", "b/1"]
    second.add("a/1", experiment, replace(record, minutes=2.0))
    second.write()
    first.add("a/3", experiment, record)
    first.write()  # a/1 is not its own any more
    found = KeptRuns.read(tmp_path / "kept.json").find("a/1", experiment)
    assert found is not None
    assert found.minutes == 2.0


def test_counts_and_failures_come_back_as_they_were(make: Make, tmp_path: Path) -> None:
    experiment = make().base
    counts = np.array([[0, 1, 2], [300, 65535, 40], [0, 0, 0]])
    part = {"precision": 100 * 300 / 65536, "recall": 100 * 300 / 42, "f1": 200 * 300 / 65578}
    scores = {"dev": {**part, "f1": 1.0}, "test": part}
    kept = KeptRuns(tmp_path / "kept.json")
    kept.add("a/1", experiment, Record(scores, counts, 2.5, None, {"date": "2026-01-01", "command": "x"}))
    kept.add("a/2", experiment, Record({}, None, 0.0, "training diverged"))
    kept.write()
    again = KeptRuns.read(tmp_path / "kept.json")
    good, failed = again.find("a/1", experiment), again.find("a/2", experiment)
    assert good is not None
    assert good.counts is not None
    assert good.counts.tolist() == counts.tolist()
    assert (good.scores, good.minutes, good.environment) == (scores, 2.5, {"date": "2026-01-01"})
    assert failed is not None
    assert (failed.failure, failed.dev_f1, failed.counts) == ("training diverged", -1.0, None)


def test_a_row_made_with_another_bundle_is_shown_and_marked_until_it_is_run_again(
    make: Make, tmp_path: Path
) -> None:
    vectors = tmp_path / "vectors.vec"
    vectors.write_text("2 8\nvive" + " 0.1" * 8 + "\nLima" + " 0.2" * 8 + "\n")
    known = {"embeddings.vectors": str(vectors)}
    systems = (System(name="plain"), System(name="wide", change=known), System(name="deep", change=known))
    config = make(systems=systems, seeds=(1, 2))
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    before = run_comparison(config, tmp_path / "here", command="c", options=options).rows
    assert not any(row.outdated for row in before)
    vectors.write_text("1 8\nvive" + " 0.1" * 8 + "\n")
    no_time = RunnerOptions(progress=False, kept=tmp_path / "kept.json", max_minutes=0.0)
    rows = run_comparison(config, tmp_path / "there", command="c", options=no_time).rows
    assert rows[0] == before[0]
    for row, former in zip(rows[1:], before[1:], strict=True):
        assert row == former.model_copy(update={"outdated": (str(vectors),)})
    # One run with the new bundle stands for its row; the others are as they were.
    first = RunnerOptions(progress=False, kept=tmp_path / "kept.json", systems=("wide",))
    rows = run_comparison(make(systems=systems), tmp_path / "there", command="c", options=first).rows
    assert (rows[1].seeds, rows[1].outdated) == (("subset 0, seed 1",), ())
    rows = run_comparison(config, tmp_path / "there", command="c", options=no_time).rows
    assert (rows[1].seeds, rows[1].outdated) == (("subset 0, seed 1",), ())
    assert rows[2] == before[2].model_copy(update={"outdated": (str(vectors),)})
    # Of other data nothing is shown.
    (tmp_path / "test").write_text("Ana S-PER\n\n")
    rows = run_comparison(config, tmp_path / "there", command="c", options=no_time).rows
    assert [row.seeds for row in rows] == [(), (), ()]


def test_outdated_runs_of_two_sets_of_bundles_are_not_pooled(make: Make, tmp_path: Path) -> None:
    config = make(seeds=(1, 2, 3))
    runs = plan(config, tmp_path)[0].known_runs({plan(config, tmp_path)[0].tries[0].folder: 1.0})

    def record(f1: float, **outdated: str) -> Record:
        part = {"precision": 1.0, "recall": 1.0, "f1": f1}
        return Record({"dev": part, "test": part}, np.array([[1, 1, 1]]), 1.0, outdated=outdated)

    def values(outdated: dict[Path, Record]) -> list[float]:
        cells = plan(config, tmp_path)
        found = summary(config, cells, {}, command="c", corpus=NOTHING, outdated=outdated).rows[0]
        return list(found.metrics["f1"].values)

    first, second, third = (run.folder for run in runs)
    both = {"m": "1", "g": "1"}
    assert values({first: record(1.0, **both), second: record(2.0, **both), third: record(3.0, m="1")}) == [
        1,
        2,
    ]
    assert values({first: record(1.0, **both), second: record(2.0, m="1"), third: record(3.0, m="1")}) == [
        2,
        3,
    ]
    assert values({first: record(1.0, m="1"), second: record(2.0, m="0")}) == [1]


def test_of_a_grid_what_is_outdated_is_shown_until_all_of_it_is_run_again(make: Make, tmp_path: Path) -> None:
    config = make(grid={"batch_size": (4, 8)}, seeds=(1, 2))
    cell = plan(config, tmp_path)[0]

    def scores(f1: float) -> dict[str, dict[str, float]]:
        return {key: {"precision": 1.0, "recall": 1.0, "f1": f1} for key in ("dev", "test")}

    former = Record(scores(7.0), np.array([[1, 1, 1]]), 1.0, outdated={"m": "1"})
    now = Record(scores(8.0), np.array([[1, 1, 1]]), 1.0)
    outdated = {run.folder: former for run in cell.known_runs({run.folder: 7.0 for run in cell.tries})}

    def shown(*folders: Path) -> list[float]:
        records = dict.fromkeys(folders, now)
        found = summary(
            config,
            plan(config, tmp_path),
            records,
            command="c",
            corpus=NOTHING,
            outdated=outdated,
        ).rows[0]
        return list(found.metrics["f1"].values)

    assert shown() == [7.0, 7.0]
    assert shown(*(run.folder for run in cell.tries)) == [8.0]


def test_the_text_that_a_run_takes_words_from_is_data_if_it_is_labelled(make: Make, tmp_path: Path) -> None:
    words = {"embeddings.vocabulary_text": [str(tmp_path / "train")]}
    config = make(systems=(System(name="plain", change=words),))
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    assert run_comparison(config, tmp_path / "here", command="c", options=options).rows[0].seeds
    (tmp_path / "train").write_text("Ana S-PER\n\n")
    no_time = RunnerOptions(progress=False, kept=tmp_path / "kept.json", max_minutes=0.0)
    assert not run_comparison(config, tmp_path / "there", command="c", options=no_time).rows[0].seeds


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: "x",
        lambda entry: {**entry, "counts": entry["counts"][:-8]},
        lambda entry: {**entry, "counts": "AAAA"},
        lambda entry: {**entry, "counts": _packed(np.ones((2, 3), np.int64))},  # those of another run
        lambda entry: {**entry, "experiment": []},
        lambda entry: {**entry, "scores": {}},
        lambda entry: {**entry, "counts": None, "scores": {}},
        lambda entry: {**entry, "minutes": "x"},
        lambda entry: {**entry, "environment": None},
        lambda entry: {**entry, "inputs": None},
        lambda entry: {key: value for key, value in entry.items() if key != "minutes"},
    ],
)
def test_a_damaged_run_counts_as_not_kept_and_is_said(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[dict], object]
) -> None:
    config, path = make(seeds=(1, 2)), tmp_path / "kept.json"
    options = RunnerOptions(progress=False, kept=path)
    whole = run_comparison(config, tmp_path / "here", command="c", options=options)
    runs = json.loads(path.read_text())["runs"]
    runs["plain/subset0-seed2"] = damage(runs["plain/subset0-seed2"])
    path.write_text(json.dumps({"runs": runs}))
    without = run_comparison(
        config, tmp_path / "there", command="c", options=replace(options, max_minutes=0.0)
    )
    assert [len(row.seeds) for row in without.rows] == [1, 2]
    assert f"{path}: damaged, as if there were none: plain/subset0-seed2" in caplog.text
    again = run_comparison(
        config, tmp_path / "there", command="c", options=options
    )  # trained anew, kept again
    assert again.rows == whole.rows
    assert len(KeptRuns.read(path).runs) == 4


@pytest.mark.parametrize("epochs", ["2", None, 1.5, True])
def test_epochs_that_make_no_sense_are_not_known(make: Make, tmp_path: Path, epochs: object) -> None:
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run_comparison(make(), tmp_path / "out", command="c", options=options)
    kept = KeptRuns.read(tmp_path / "kept.json")
    experiment = make().base
    record = kept.find("plain/subset0-seed1", experiment)
    assert record is not None
    assert record.epochs == 2
    kept.runs["plain/subset0-seed1"]["epochs"] = epochs
    record = kept.find("plain/subset0-seed1", experiment)
    assert record is not None
    assert record.epochs is None


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text("[]")
    with pytest.raises(ValueError, match="expected a JSON object"):
        KeptRuns.read(tmp_path / "kept.json")
    (tmp_path / "kept.json").write_text("{}")
    with pytest.raises(ValueError, match="expected an object with 'runs'"):
        KeptRuns.read(tmp_path / "kept.json")
    (tmp_path / "kept.json").write_text('{"runs": {"a/1": {"exp')
    with pytest.raises(ValueError, match=r"kept\.json.*fetch the file again \(git checkout\), or remove it"):
        KeptRuns.read(tmp_path / "kept.json")
