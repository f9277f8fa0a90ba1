"""The runner: only what is missing, several at a time, taken up after a kill, within its time."""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from canner.experiment import runner, workers
from canner.experiment.comparison import ComparisonExperiment, System, plan
from canner.experiment.inputs import inputs_of
from canner.experiment.record import read_record, run_and_record
from canner.experiment.results_schema import Results
from canner.experiment.runner import BrokenRunsError, RunnerOptions, run_comparison
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import to_toml
from canner.report.table import table
from canner.training.run_files import RESUME
from canner.training.run_state import DamagedStateError, DivergedError

Make = Callable[..., ComparisonExperiment]


def test_a_second_call_trains_only_what_is_missing(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make()
    trained: list[str] = []

    def counting(experiment: TaggerExperiment, folder: Path, **options: object) -> dict:
        trained.append(folder.parent.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return run_and_record(experiment, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "run_and_record", counting)
    quiet = RunnerOptions(progress=False)
    with pytest.raises(KeyboardInterrupt):
        run_comparison(config, tmp_path / "out", command="c", options=quiet)
    partial = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [bool(row["metrics"]) for row in partial["rows"]] == [True, False]
    results = run_comparison(config, tmp_path / "out", command="c", options=quiet)
    assert trained == ["plain", "wide", "wide"]
    assert [row.system for row in results.rows] == ["plain", "wide"]
    sizes = {"sentences": 8, "tokens": 32, "entities": 16}
    assert results.corpus["test"].model_dump(include=set(sizes)) == sizes
    other = config.model_copy(update={"base": config.base.model_copy(update={"batch_size": 2})})
    with pytest.raises(ValueError, match="one of another"):
        run_comparison(other, tmp_path / "out", command="c", options=quiet)
    for metrics in (tmp_path / "out").glob("*/*/metrics.json"):
        metrics.unlink()  # as if they had been stopped before they trained
    assert all(
        row.metrics for row in run_comparison(other, tmp_path / "out", command="c", options=quiet).rows
    )


def test_workers_give_what_one_gives(make: Make, tmp_path: Path) -> None:
    config = make(grid={"batch_size": (4, 8)}, seeds=(1, 2))
    one = run_comparison(config, tmp_path / "a", command="c", options=RunnerOptions(progress=False))
    two = run_comparison(config, tmp_path / "b", command="c", options=RunnerOptions(2, progress=False))
    for first, second in zip(one.rows, two.rows, strict=True):
        assert first.metrics == second.metrics
        assert first.chosen == second.chosen
        assert first.seeds == ("subset 0, seed 1", "subset 0, seed 2")
    assert len(list((tmp_path / "b").glob("*/*/metrics.json"))) == 2 * 3


def test_runs_that_a_finished_grid_makes_known_are_looked_for_among_the_kept(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(name: str) -> RunnerOptions:
        return RunnerOptions(progress=False, kept=tmp_path / "kept" / f"{name}.json")

    config = make(name="without-grid", seeds=(1, 2))
    run_comparison(config, tmp_path / "a", command="c", options=kept("without-grid"))
    trained: list[Path] = []

    def counting(experiment: TaggerExperiment, folder: Path, **options: object) -> dict:
        trained.append(folder)
        return run_and_record(experiment, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "run_and_record", counting)
    # The better point: the other hardly learns.
    grid = {"training.learning_rate": (1e-9, config.base.training.learning_rate)}
    results = run_comparison(make(seeds=(1, 2), grid=grid), tmp_path / "b", command="c", options=kept("grid"))
    assert [row.chosen["subset 0, seed 1"]["training.learning_rate"] for row in results.rows] == [
        0.05,
        0.05,
    ]
    assert all(len(row.seeds) == 2 for row in results.rows)
    assert ["1e-09" in folder.name for folder in trained] == [True, True]


CALL = """
import logging, signal, sys
from pathlib import Path
from canner.experiment.kinds import read_experiment
from canner.experiment.runner import RunnerOptions, run_comparison
for number in (signal.SIGTERM, signal.SIGINT):  # a job in the background ignores the latter
    signal.signal(number, signal.default_int_handler)
logging.basicConfig(level=logging.INFO, format="%(message)s")
config = read_experiment(Path(sys.argv[1]))
run_comparison(config, sys.argv[2], command="c", options=RunnerOptions(2, progress=False))
"""


def endless_call(make: Make, folder: Path) -> list[str]:
    """A command that trains two systems, at a time and without end, in `out`."""
    config = make()
    training = config.base.training.model_copy(update={"max_epochs": 100_000})
    endless = make(base=config.base.model_copy(update={"training": training}))
    (folder / "endless.toml").write_text(to_toml(endless), encoding="utf-8")
    return [sys.executable, "-c", CALL, str(folder / "endless.toml"), str(folder / "out")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_call_and_their_runs_go_on_at_the_next(
    make: Make, tmp_path: Path, number: signal.Signals
) -> None:
    command, out = endless_call(make, tmp_path), tmp_path / "out"
    # Workers have its output: that comes to an end when they have.
    call = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 120
        while len(list(out.glob("*/*/log.jsonl"))) < 2:
            assert call.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        call.send_signal(number)
        call.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(call.pid, signal.SIGKILL)
    assert len(list(out.glob("*/*/resume.safetensors"))) == 2
    ends = [json.loads(path.read_text())["stopped"] for path in out.glob("*/*/metrics.json")]
    assert set(ends) <= {"interrupted"}
    assert not [path for path in out.rglob("*") if path.name.endswith((".tmp", ".part"))]


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.5])
def test_ctrl_c_while_workers_start_ends_the_call_and_says_nothing_of_them(
    make: Make, tmp_path: Path, delay: float
) -> None:
    command = endless_call(make, tmp_path)
    call = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True, text=True)
    assert call.stderr is not None
    try:
        said = ""
        while "training wide" not in said:
            line = call.stderr.readline()
            assert line, said
            said += line
        time.sleep(delay)  # at first they are started, then they import torch
        os.killpg(call.pid, signal.SIGINT)  # as a terminal does: the call and its workers
        _, said = call.communicate(timeout=120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(call.pid, signal.SIGKILL)
    assert said.count("Traceback") == 1, said  # the call's own, of the script above
    assert said.strip().endswith("KeyboardInterrupt")


def test_no_run_starts_after_the_time_is_up_and_the_table_says_what_is_missing(
    make: Make, tmp_path: Path
) -> None:
    options = RunnerOptions(max_minutes=0.0, progress=False)
    results = run_comparison(make(seeds=(1, 2)), tmp_path / "out", command="c", options=options)
    assert [(row.metrics, row.planned) for row in results.rows] == [({}, 2), ({}, 2)]


def test_only_the_systems_asked_for_are_run_and_all_are_reported(make: Make, tmp_path: Path) -> None:
    for name in ("wide", "plain"):
        options = RunnerOptions(systems=(name,), progress=False)
        results = run_comparison(make(), tmp_path / "out", command="c", options=options)
    assert all(row.metrics for row in results.rows)
    assert results.rows[1].against is not None
    with pytest.raises(ValueError, match="expected systems among plain; wide, got 'none'"):
        run_comparison(
            make(), tmp_path / "out", command="c", options=RunnerOptions(systems=("none",), progress=False)
        )


def test_a_system_without_its_bundle_is_left_out_and_shown(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = {"embeddings.vectors": str(tmp_path / "nowhere.vec")}
    systems = (System(name="plain"), System(name="vectors", change=vectors))
    quiet = RunnerOptions(progress=False)
    results = run_comparison(make(systems=systems), tmp_path / "out", command="c", options=quiet)
    assert [bool(row.metrics) for row in results.rows] == [True, False]
    assert f"left out, because {tmp_path / 'nowhere.vec'} is not there: vectors" in caplog.text
    with pytest.raises(ValueError, match=r"found none of .*nowhere\.vec"):
        run_comparison(make(systems=systems[1:]), tmp_path / "other", command="c", options=quiet)
    late = RunnerOptions(progress=False, max_minutes=0.0)  # without time only the results are wanted
    results = run_comparison(make(systems=systems[1:]), tmp_path / "other", command="c", options=late)
    assert [bool(row.metrics) for row in results.rows] == [False]


@pytest.mark.parametrize("left", [["training.json"], ["training.json", "fit.json", RESUME]])
def test_a_bundle_whose_training_has_not_ended_is_not_read(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, left: list[str]
) -> None:
    encoder = tmp_path / "charlm"
    encoder.mkdir()
    for name in ("config.json", "model.safetensors", *left):
        (encoder / name).write_text("{}", encoding="utf-8")
    systems = (
        System(name="plain"),
        System(name="charlm", change={"embeddings.contextual": [str(encoder)]}),
    )
    quiet = RunnerOptions(progress=False)
    results = run_comparison(make(systems=systems), tmp_path / "out", command="c", options=quiet)
    assert [bool(row.metrics) for row in results.rows] == [True, False]
    assert f"left out, because {encoder} is not finished: charlm" in caplog.text


def test_what_systems_read_can_be_made_first_under_the_lock_and_with_the_corpus_read(
    make: Make, tmp_path: Path
) -> None:
    vectors = tmp_path / "made.vec"
    systems = (System(name="plain"), System(name="vectors", change={"embeddings.vectors": str(vectors)}))
    asked: list[list[str | None]] = []

    def prepare(experiments: Sequence[TaggerExperiment]) -> None:
        asked.append([experiment.embeddings.vectors for experiment in experiments])
        assert (tmp_path / "out" / ".lock").exists()
        vectors.write_text("1 8\nvive " + "0.1 " * 8 + "\n", encoding="utf-8")

    options = RunnerOptions(progress=False, systems=("vectors",))
    config = make(systems=systems)
    results = run_comparison(config, tmp_path / "out", command="c", options=options, prepare=prepare)
    assert asked == [[str(vectors)]]
    assert [bool(row.metrics) for row in results.rows] == [False, True]
    (tmp_path / "test").unlink()  # nothing is made for a corpus that is not there
    with pytest.raises(ValueError, match="got no such file"):
        run_comparison(config, tmp_path / "out", command="c", options=options, prepare=prepare)
    assert len(asked) == 1


def test_a_row_never_mixes_runs_of_a_part_that_was_made_anew_with_those_of_before(
    make: Make, tmp_path: Path
) -> None:
    vectors = tmp_path / "made.vec"
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")

    def prepare(value: str) -> Callable[[Sequence[TaggerExperiment]], None]:
        text = "1 8\nvive " + f"{value} " * 8 + "\n"
        return lambda _: None if vectors.exists() else vectors.write_text(text, encoding="utf-8") and None

    def call(folder: str, *seeds: int, value: str = "0.1") -> Results:
        config = make(seeds=seeds, systems=(System(name="a", change={"embeddings.vectors": str(vectors)}),))
        return run_comparison(config, tmp_path / folder, command="c", options=options, prepare=prepare(value))

    call("here", 1)
    vectors.unlink()
    (row,) = call("there", 1, 2, value="0.9").rows
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))["runs"]
    assert len(row.seeds) == len(kept) == 2
    assert len({run["inputs"][str(vectors)] for run in kept.values()}) == 1


def test_what_is_finished_is_published_after_every_run_and_where_a_call_is_interrupted(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = workers.run_and_record

    def only_the_first(experiment: TaggerExperiment, folder: Path, **options: Any) -> Any:
        if folder.parent.name != "plain":
            raise KeyboardInterrupt
        return run(experiment, folder, **options)

    monkeypatch.setattr(workers, "run_and_record", only_the_first)
    published: list[list[bool]] = []
    with pytest.raises(KeyboardInterrupt):
        run_comparison(
            make(),
            tmp_path / "out",
            command="c",
            options=RunnerOptions(progress=False),
            publish=lambda found: published.append([bool(row.metrics) for row in found.rows]),
        )
    assert published == [[True, False]] * 2


def test_what_another_process_finished_meanwhile_stays_in_the_table(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run, others = workers.run_and_record, []

    def beside_another(experiment: TaggerExperiment, folder: Path, **more: Any) -> Any:
        if not others:
            others.append(folder)
            only = replace(options, systems=("wide",))
            run_comparison(make(), tmp_path / "other", command="c", options=only)
        return run(experiment, folder, **more)

    monkeypatch.setattr(workers, "run_and_record", beside_another)
    only = replace(options, systems=("plain",))
    results = run_comparison(make(), tmp_path / "out", command="c", options=only)
    assert [len(row.seeds) for row in results.rows] == [1, 1]


def test_a_run_whose_loss_is_not_finite_is_shown_and_the_others_go_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import canner.experiment.record as record

    original = record.train_tagger

    def diverging(config: TaggerExperiment, folder: Path, **options: object) -> object:
        if config.seed == 2 or config.batch_size == 8:
            raise DivergedError("training diverged: expected a finite loss, got nan")
        return original(config, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(record, "train_tagger", diverging)
    config = make(grid={"batch_size": (8, 4)}, seeds=(1, 2, 3))
    results = run_comparison(config, tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    for row in results.rows:
        assert row.seeds == ("subset 0, seed 1", "subset 0, seed 3")
        assert list(row.failed) == ["subset 0, seed 2"]
        assert row.chosen == {"subset 0, seed 1": {"batch_size": 4}}


def test_runs_made_with_other_vectors_do_not_count(make: Make, tmp_path: Path) -> None:
    vectors = tmp_path / "words.vec"
    lines = (f"{word} {' '.join(['0.1'] * 8)}\n" for word in ("lima", "vive", "Lima"))
    vectors.write_text("".join(lines), encoding="utf-8")
    experiment = make().base.model_copy(
        update={"embeddings": make().base.embeddings.model_copy(update={"vectors": str(vectors)})}
    )
    run_and_record(experiment, tmp_path / "run", progress=False)
    found = read_record(experiment, tmp_path / "run")
    assert found is not None
    assert found.counts is not None
    assert found.counts.shape == (8, 3)
    assert math.isclose(found.figures()["dev f1"], found.dev_f1)
    (tmp_path / "run" / "inputs.json").write_text('{"words.vec": "another"}', encoding="utf-8")
    assert read_record(experiment, tmp_path / "run") is None


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "spiece.model", "vocab.txt"])
def test_every_file_that_decides_what_an_encoder_does_counts(make: Make, tmp_path: Path, name: str) -> None:
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    file = encoder / name
    base = make().base
    embeddings = base.embeddings.model_copy(update={"contextual": (str(encoder),)})
    experiment = base.model_copy(update={"embeddings": embeddings})
    file.write_bytes(b"one")
    before = inputs_of(experiment)[str(encoder)]
    (encoder / "log.txt").write_text("how it was made")
    assert inputs_of(experiment)[str(encoder)] == before
    file.write_bytes(b"others")
    assert inputs_of(experiment)[str(encoder)] != before


def test_runs_on_other_data_do_not_count(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    quiet = RunnerOptions(progress=False)
    run_comparison(make(), tmp_path / "out", command="c", options=quiet)
    config = make()
    with open(config.base.data.test[0], "a", encoding="utf-8") as file:
        file.write("Zeus S-PER\n\n")
    with open(config.base.data.train[0], "a", encoding="utf-8") as file:
        file.write("Zeus S-PER\nNeu S-ORG\n\n")
    results = run_comparison(config, tmp_path / "out", command="c", options=quiet)
    assert results.corpus["test"].sentences == 9
    assert results.corpus["test"].in_train == 8
    assert "other data or bundles" in caplog.text
    for row in config.systems:
        record = read_record(
            config.base.model_copy(
                update={"model": config.base.model.model_copy(update={"hidden_dim": 6 if row.change else 4})}
            ),
            tmp_path / "out" / row.name / "subset0-seed1",
        )
        assert record is not None
        assert record.counts is not None
        assert len(record.counts) == 9


def test_a_run_killed_while_it_is_scored_need_not_be_trained_again(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import canner.experiment.tagger as tagger_module

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    experiment = make().base
    with monkeypatch.context() as patch:
        patch.setattr(tagger_module, "find_entities", killed)
        with pytest.raises(KeyboardInterrupt):
            run_and_record(experiment, tmp_path / "run", progress=False)
    assert read_record(experiment, tmp_path / "run") is None
    log = (tmp_path / "run" / "log.jsonl").read_text()
    run_and_record(experiment, tmp_path / "run", progress=False)
    assert (tmp_path / "run" / "log.jsonl").read_text() == log  # nothing was trained
    assert read_record(experiment, tmp_path / "run") is not None
    assert not (tmp_path / "run" / "resume.safetensors").exists()


def test_an_unfinished_run_on_other_data_starts_again(make: Make, tmp_path: Path) -> None:
    experiment = make().base
    run_and_record(experiment, tmp_path / "run", max_minutes=0.0, progress=False)
    assert (tmp_path / "run" / "resume.safetensors").exists()
    with open(experiment.data.train[0], "a", encoding="utf-8") as file:
        file.write("Zeus S-PER\nNeu S-ORG\n\n")
    run_and_record(experiment, tmp_path / "run", progress=False)
    found = read_record(experiment, tmp_path / "run")
    assert found is not None
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [0, 1]


def test_a_folder_in_which_another_process_is_at_work_is_refused(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with FileLock(tmp_path / "out" / ".lock"), pytest.raises(ValueError, match="another process is at work"):
        run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    results = run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    assert all(row.metrics for row in results.rows)


@pytest.mark.parametrize(
    ("damaged", "content"),
    [
        ("metrics.json", '{"dev": '),
        ("metrics.json", '{"stopped": "converged"}'),
        ("metrics.json", '{"stopped": "converged", "dev": {}}'),
        ("counts.json", '{"dev": '),
        ("counts.json", '{"dev": [1, 2], "test": [1, 2]}'),
        ("counts.json", "{}"),
        ("inputs.json", '{"dev": '),
        ("environment.json", '{"dev": '),
        ("experiment.toml", 'kind = "tag'),
        ("experiment.toml", ""),
    ],
)
def test_a_damaged_run_is_trained_again_and_the_others_stay(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, damaged: str, content: str
) -> None:
    quiet = RunnerOptions(progress=False)
    before = run_comparison(make(), tmp_path / "out", command="c", options=quiet).rows
    run, other = (tmp_path / "out" / name / "subset0-seed1" for name in ("plain", "wide"))
    untouched = (other / "metrics.json").stat().st_mtime_ns
    (run / damaged).write_text(content, encoding="utf-8")
    assert run_comparison(make(), tmp_path / "out", command="c", options=quiet).rows[1] == before[1]
    assert f"{run}: the run is damaged and is trained again" in caplog.text
    assert read_record(make().base.model_copy(update={"seed": 1}), run) is not None
    assert (other / "metrics.json").stat().st_mtime_ns == untouched


def test_a_setting_that_a_run_did_not_know_has_its_default(make: Make, tmp_path: Path) -> None:
    experiment = make().base.model_copy(update={"batch_size": 16})
    run_and_record(experiment, tmp_path / "run", progress=False)
    config = tmp_path / "run" / "experiment.toml"
    known = config.read_text().replace("batch_size = 16\n", "")
    assert known != config.read_text()
    config.write_text(known)
    assert read_record(experiment, tmp_path / "run") is not None
    with pytest.raises(ValueError, match=r"got one of another \(batch_size: 2 asked for, 16 there\); remove"):
        read_record(experiment.model_copy(update={"batch_size": 2}), tmp_path / "run")
    config.write_text(known + "gone = 1\n")
    with pytest.raises(
        ValueError, match=r"got one of another \(training\.gone: nothing asked for, 1 there\)"
    ):
        read_record(experiment, tmp_path / "run")


@pytest.mark.parametrize("number", [1, 2])
def test_a_run_that_breaks_off_leaves_the_others_their_turn(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    systems = (System(name="plain", change={"model.hidden_dim": 10**9}), System(name="wide"))
    config, options = make(systems=systems), RunnerOptions(number, progress=False)
    with pytest.raises(BrokenRunsError, match="expected every run to come to its end, got 1 that broke off"):
        run_comparison(config, tmp_path / "out", command="c", options=options)
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [bool(row["metrics"]) for row in results["rows"]] == [False, True]


def test_a_run_whose_data_or_settings_do_not_fit_leaves_the_others_their_turn(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(experiment: TaggerExperiment, folder: Path, **options: object) -> dict:
        if experiment.model.hidden_dim == 4:
            raise ValueError("expected x, got y")
        return run_and_record(experiment, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "run_and_record", refusing)
    with pytest.raises(BrokenRunsError, match=r"got 1 that broke off \(expected x, got y\)"):
        run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert [bool(row["metrics"]) for row in results["rows"]] == [False, True]


def test_each_subset_holds_out_sentences_of_its_own(make: Make, tmp_path: Path) -> None:
    config = make()
    data = config.base.data.model_copy(update={"dev": (), "num_held_out": 3})
    base = config.base.model_copy(update={"data": data})
    config = make(base=base.model_dump(), budgets=(8,), subset_seeds=(0, 1))
    results = run_comparison(config, tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    assert [len(row.metrics["dev f1"].values) for row in results.rows] == [2, 2]
    assert sorted(results.corpus) == ["test", "train"]
    assert (results.corpus["train"].sentences, results.corpus["train"].held_out) == (8, 3)
    assert "3 held out by each run" in table(results)
    assert results.corpus["test"].in_train == 8


def test_other_sentences_are_held_out_with_another_subset_seed_without_budgets_too(make: Make) -> None:
    base = make().base.model_dump()
    base["data"] |= {"dev": (), "num_held_out": 3}
    config = make(base=base, subset_seeds=(4, 5))
    assert config.num_seeds == 2
    seeds = [cell.tries[0].experiment.data.subset_seed for cell in plan(config, Path("x"))]
    assert seeds == [4, 4, 5, 5]
    assert make(subset_seeds=(4, 5)).num_seeds == 1  # nothing is drawn


def test_held_out_sentences_are_the_same_for_all_rows_and_no_test(make: Make) -> None:
    base = make().base.model_dump()
    base["data"] |= {"dev": (), "num_held_out": 3}
    smaller = (System(name="plain"), System(name="few", change={"data.num_sentences": 5}))
    with pytest.raises(ValueError, match=r"leave data\.num_sentences alone"):
        make(base=base, systems=smaller)
    with pytest.raises(ValueError, match=r"expected budgets above num_held_out \(3\), got 3"):
        make(base=base, budgets=(8, 3))
    base["data"]["test"] = ()
    with pytest.raises(ValueError, match="expected test sentences, got none"):
        make(base=base)


def test_budgets_that_the_corpus_has_not_are_refused_before_any_run(make: Make, tmp_path: Path) -> None:
    config, options = make(budgets=(2, 100), subset_seeds=(0, 1)), RunnerOptions(progress=False)
    with pytest.raises(ValueError, match=r"budgets: expected at most 8 training sentences, .* got 100"):
        run_comparison(config, tmp_path / "out", command="c", options=options)
    assert list((tmp_path / "out").iterdir()) == []
    smaller = RunnerOptions(progress=False, budgets=(2,))
    rows = run_comparison(config, tmp_path / "out", command="c", options=smaller).rows
    assert [bool(row.metrics) for row in rows] == [True, True, False, False]


def test_a_folder_with_another_run_is_in_the_way_of_its_own_row_alone(make: Make, tmp_path: Path) -> None:
    quiet = RunnerOptions(progress=False)
    run_comparison(make(), tmp_path / "out", command="c", options=quiet)
    systems = (System(name="plain", change={"batch_size": 2}), *make().systems[1:], System(name="new"))
    other = make(systems=systems)
    with pytest.raises(BrokenRunsError, match="expected the run of this configuration, got one of another"):
        run_comparison(other, tmp_path / "out", command="c", options=quiet)
    results = Results.model_validate_json((tmp_path / "out" / "results.json").read_bytes())
    assert [bool(row.metrics) for row in results.rows] == [False, True, True]
    wide = RunnerOptions(progress=False, systems=("wide",))
    assert run_comparison(other, tmp_path / "out", command="c", options=wide).rows == results.rows


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: b"",
        lambda state: state[:100],
        lambda state: state[:-10],
        lambda state: state[: len(state) // 2] + bytes(len(state) - len(state) // 2),
        lambda state: state.replace(b'"run"', b'"ran"'),
    ],
    ids=["empty", "head", "tail", "zeros", "unknown"],
)
def test_an_unfinished_run_whose_state_is_damaged_starts_again(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
) -> None:
    config, run = make(systems=(System(name="plain"),)), tmp_path / "out" / "plain" / "subset0-seed1"
    run_and_record(config.base, run, max_minutes=0.0, progress=False)
    whole = (run / RESUME).read_bytes()
    damaged = damage(whole)
    assert damaged != whole
    (run / RESUME).write_bytes(damaged)
    with pytest.raises(DamagedStateError, match="copy it again"):  # alone it is refused, and kept
        run_and_record(config.base, run, progress=False)
    assert (run / RESUME).read_bytes() == damaged
    run_comparison(config, tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    assert "training starts again" in caplog.text
    lines = (run / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [0, 1]
    assert read_record(config.base, run) is not None


def test_how_many_epochs_a_run_had_is_kept(make: Make, tmp_path: Path) -> None:
    options = RunnerOptions(progress=False, kept=tmp_path / "kept.json")
    run_comparison(make(), tmp_path / "out", command="c", options=options)
    (entry, _) = json.loads((tmp_path / "kept.json").read_text())["runs"].values()
    lines = (tmp_path / "out" / "plain" / "subset0-seed1" / "log.jsonl").read_text().splitlines()
    f1 = [json.loads(line)["f1"] for line in lines]
    assert entry["epochs"] == len(f1) == 2
    assert entry["best_epoch"] == 1 + f1.index(max(f1))


@pytest.mark.parametrize(
    "error", [MemoryError, NotImplementedError, partial(RuntimeError, "\nCUDA out of memory\nhelp")]
)
def test_what_a_broken_run_held_is_free_for_the_next(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]
) -> None:
    held: list[weakref.ref[list]] = []

    class Weights(list):  # type: ignore[type-arg]
        """What can be referred to weakly."""

    def breaking(experiment: TaggerExperiment, folder: Path, **options: object) -> dict:
        if not held:
            weights = Weights()
            held.append(weakref.ref(weights))
            raise error()
        assert held[0]() is None
        return run_and_record(experiment, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(workers, "run_and_record", breaking)
    with pytest.raises(
        BrokenRunsError, match=r"got 1 that broke off \((MemoryError|NotImpl|CUDA out of memory help\))"
    ):
        run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))


def test_an_unfinished_run_whose_configuration_is_damaged_starts_again(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    experiment = make().base
    run_and_record(experiment, tmp_path / "run", max_minutes=0.0, progress=False)
    (tmp_path / "run" / "experiment.toml").write_text("")
    assert read_record(experiment, tmp_path / "run") is None
    run_and_record(experiment, tmp_path / "run", progress=False)
    assert "training starts again" in caplog.text
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [0, 1]
    assert read_record(experiment, tmp_path / "run") is not None


def test_a_worker_that_is_killed_ends_the_call_and_what_is_finished_is_written(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise BrokenProcessPool("a child process terminated abruptly")

    run_comparison(
        make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False, systems=("wide",))
    )
    monkeypatch.setattr(runner, "wait", killed)
    with pytest.raises(BrokenRunsError, match=r"got one that was killed \(out of memory\?\)"):
        run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert bool(results["rows"][1]["metrics"])


def test_how_many_runs_are_to_be_made_is_said_beforehand(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run_comparison(make(), tmp_path / "out", command="c", options=RunnerOptions(progress=False))
    assert "x: 2 runs of 2 are to be made" in caplog.text
    late = RunnerOptions(progress=False, max_minutes=0.0)
    run_comparison(make(seeds=(1, 2, 3)), tmp_path / "out", command="c", options=late)
    assert "x: 4 runs of 6 are to be made; at 0.0 minutes each, that is 0.0 minutes" in caplog.text
    for metrics in (tmp_path / "out").glob("*/*/metrics.json"):
        found = json.loads(metrics.read_text())
        metrics.write_text(json.dumps({**found, "minutes": 90.0}))
    late = RunnerOptions(2, progress=False, max_minutes=0.0)
    run_comparison(make(seeds=(1, 2, 3)), tmp_path / "out", command="c", options=late)
    assert (
        "x: 4 runs of 6 are to be made, 2 at a time; at 90.0 minutes each, that is 3.0 hours" in caplog.text
    )
