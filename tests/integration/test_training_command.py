"""`canner train` on the demonstration corpus: runs, resumes, stops at Ctrl-C, and what is left in the folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from functools import partial

import pytest

from canner.data.bundle import load_tensors
from canner.experiment import kinds
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.kinds import read_experiment
from canner.experiment.runner import BrokenRunsError
from canner.experiment.toml import to_toml
from canner.training.tagger import TaggerTask
from canner.transfer.store import TransferStore


@pytest.fixture
def config(demo_corpus, write_config):
    return write_config(
        demo_corpus / "train.conll",
        demo_corpus / "test.conll",
        lines="batch_size = 8",
        training="max_epochs = 4",
    )


@pytest.fixture
def base_of(config, demo_corpus):
    """The base of a comparison, with changes; the demonstration has no third part to compare on."""

    def base(**changes):
        return read_experiment(config, {"data.test": [str(demo_corpus / "test.conll")], **changes})

    return base


def test_train_then_tag_and_evaluate(canner, config, tmp_path, demo_corpus):
    run = tmp_path / "run"
    answer = canner("train", config, "-o", run, "--set", "training.max_epochs=3", "--quiet")
    assert (answer.status, answer.err) == (0, "")
    log = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in log] == [0, 1, 2]
    assert log[-1]["train_loss"] < 0.8 * log[0]["train_loss"]
    saved = tomllib.loads((run / "experiment.toml").read_text())
    assert saved["training"]["max_epochs"] == 3
    assert saved["model"]["hidden_dim"] == 8
    assert json.loads((run / "environment.json").read_text())["packages"]["canner"]
    best = max(line["f1"] for line in log)
    assert json.loads((run / "metrics.json").read_text())["dev"]["f1"] == pytest.approx(best, abs=0.01)

    scored = canner("evaluate", demo_corpus / "test.conll", "--tagger", run, "--json", "-q")
    assert json.loads(scored.out)["all"]["f1"] == pytest.approx(best, abs=0.01)
    tagged = canner(
        "tag", run, demo_corpus / "test.conll", "-i", "conll", "-f", "conll", "-o", tmp_path / "out", "-q"
    )
    assert tagged.status == 0
    again = canner("evaluate", demo_corpus / "test.conll", tmp_path / "out", "--json", "-q")
    assert json.loads(again.out)["all"] == json.loads(scored.out)["all"]


def test_a_comparison_makes_its_runs_side_by_side(canner, base_of, tmp_path, monkeypatch):
    base = base_of(**{"training.max_epochs": 1, "data.num_dev": 10})
    widths = [System(name=f"of {width}", change={"model.hidden_dim": width}) for width in (4, 6)]
    comparison = ComparisonExperiment(name="widths", title="Widths", base=base, systems=widths, budgets=(20,))
    (tmp_path / "comparison.toml").write_text(to_toml(comparison), encoding="utf-8")
    monkeypatch.setattr(kinds, "workers_that_fit", lambda device: 2)
    answer = canner("train", tmp_path / "comparison.toml", "-o", tmp_path / "run")
    assert answer.status == 0, answer.err
    assert "2 runs of 2 are to be made, 2 at a time" in answer.err
    rows = json.loads((tmp_path / "run" / "results.json").read_text())["rows"]
    assert [row["system"] for row in rows] == ["of 4", "of 6"]
    assert all(row["metrics"]["f1"]["values"] for row in rows)
    assert "| of 4 |" in answer.out
    assert canner("report", tmp_path / "run").out.startswith(answer.out.rstrip())


def test_a_comparison_gains_rows_and_seeds_in_its_folder(canner, config, base_of, tmp_path):
    base = base_of(**{"training.max_epochs": 1, "data.num_dev": 10, "data.num_sentences": 20})
    of_4, of_6 = (System(name=f"of {width}", change={"model": {"hidden_dim": width}}) for width in (4, 6))
    path, run = tmp_path / "comparison.toml", tmp_path / "run"

    def call(*systems: System, title: str = "Widths", seeds: tuple[int, ...] = (1,)):
        comparison = ComparisonExperiment(name="w", title=title, base=base, systems=systems, seeds=seeds)
        path.write_text(to_toml(comparison), encoding="utf-8")
        return canner("train", path, "-o", run)

    assert call(of_4).status == 0
    first = (run / "of-4" / "subset0-seed1" / "metrics.json").stat().st_mtime_ns
    answer = call(of_4, of_6, title="Wider", seeds=(1, 2))
    assert answer.status == 0, answer.err
    assert "3 runs of 4 are to be made" in answer.err
    assert (run / "of-4" / "subset0-seed1" / "metrics.json").stat().st_mtime_ns == first
    assert "| of 6 |" in answer.out
    assert tomllib.loads((run / "experiment.toml").read_text())["title"] == "Wider"
    before = {name: (run / name).read_bytes() for name in ("results.json", "experiment.toml")}
    for other in ((path, "--set", "base.batch_size=4"), (path, "--set", "base.data.num_dev=9"), (config,)):
        answer = canner("train", *other, "-o", run)
        assert answer.status == 2
        assert "expected a new folder or the run of this configuration" in answer.err
    path.write_text(path.read_text().replace("hidden_dim = 6", "hiden_dim = 6"), encoding="utf-8")
    assert "hiden_dim" in canner("train", path, "-o", run).err
    assert before == {name: (run / name).read_bytes() for name in before}


def test_a_comparison_that_breaks_off_keeps_its_runs_whatever_their_names(base_of, tmp_path, monkeypatch):
    def breaks_off(comparison, folder, **options):
        (folder / "embedder0").mkdir()
        raise BrokenRunsError("no memory")

    monkeypatch.setattr(kinds, "run_comparison", breaks_off)
    systems = (System(name="embedder0"),)
    base = base_of()
    comparison = ComparisonExperiment(name="one", title="One", base=base, systems=systems, budgets=(20,))
    with pytest.raises(BrokenRunsError):
        kinds.run_experiment(comparison, tmp_path / "run", command="", progress=False)
    assert (tmp_path / "run" / "embedder0").exists()


def test_best_weights_survive_an_interruption_after_them(canner, config, tmp_path, monkeypatch):
    # Validation falls from epoch to epoch, so the first weights stay the best through stop and resume.
    validate, falling = TaggerTask.validate, iter(range(100, 0, -1))

    def worse_and_worse(self):
        return {**validate(self), "f1": float(next(falling))}

    monkeypatch.setattr(TaggerTask, "validate", worse_and_worse)
    with monkeypatch.context() as patch:
        count, loss = iter(range(1, 10**6)), TaggerTask.loss

        def interrupted(self, batch):
            if next(count) == 30:
                os.kill(os.getpid(), signal.SIGINT)
            return loss(self, batch)

        patch.setattr(TaggerTask, "loss", interrupted)
        stopped = canner("train", config, "-o", tmp_path / "run", "-q")
    assert (stopped.status, stopped.err) == (130, "canner: interrupted\n")
    assert (tmp_path / "run" / "resume.safetensors").exists()
    first = load_tensors(tmp_path / "run" / "model.safetensors")
    assert canner("train", config, "-o", tmp_path / "run", "-q").status == 0
    fit = json.loads((tmp_path / "run" / "fit.json").read_text())
    assert (fit["stopped"], fit["best_epoch"], fit["epochs"]) == ("finished", 0, 4)
    last = load_tensors(tmp_path / "run" / "model.safetensors")
    assert all(first[name].equal(last[name]) for name in first)


def test_the_tagger_knows_every_word_of_a_file_of_vectors(canner, config, tmp_path):
    rows = [f"{word} {number}.5 1 2\n" for number, word in enumerate(("El", "Zaragoza", "Unseen"))]
    (tmp_path / "some.vec").write_text("".join(rows), encoding="utf-8")
    vectors = tmp_path / "some.vec"
    settings = ["model.word_dim=3", f"embeddings.vectors={vectors}", "training.max_epochs=1"]
    settings.append(f'embeddings.vocabulary_text=["{vectors}"]')
    command = ["train", config, "-o", tmp_path / "run", "-q", *(x for s in settings for x in ("--set", s))]
    answer = canner(*command)
    assert answer.status == 0, answer.err
    known = json.loads((tmp_path / "run" / "words.json").read_text())
    assert {"el", "zaragoza", "unseen"} <= set(known["items"] if isinstance(known, dict) else known)


def test_a_budget_of_time_holds_for_translating_too(canner, config, bundles, tmp_path, monkeypatch):
    monkeypatch.setattr(TransferStore, "build", partial(TransferStore.build, shard_size=4))
    teacher, translator, run = bundles / "plain", bundles / "translator", tmp_path / "run"
    view = f'[{{translator = "{translator}"}}]'
    settings = [
        f"transfer.teacher={teacher}",
        f"transfer.views={view}",
        "data.num_sentences=8",
        "data.num_dev=2",
    ]
    command = ["train", config, "-o", run, *(item for setting in settings for item in ("--set", setting))]
    answer = canner(*command, "--max-minutes", 0)
    assert answer.status == 0, answer.err
    assert "the time was up: translated 4 of 10 sentences; call again to go on" in answer.err
    assert not (run / "metrics.json").exists()
    assert canner(*command, "-q").status == 0
    assert json.loads((run / "metrics.json").read_text())["stopped"] == "finished"


def test_a_folder_of_another_configuration_is_refused(canner, config, tmp_path):
    settings = [
        "--set",
        "training.max_epochs=1",
        "--set",
        "data.num_sentences=8",
        "-q",
        "-o",
        tmp_path / "run",
    ]
    assert canner("train", config, *settings).status == 0
    message = canner("train", config, *settings, "--set", "seed=7").complaint()
    assert "got one of another; choose another --output" in message
    # A setting that an earlier version did not know does not make it another.
    written = tmp_path / "run" / "experiment.toml"
    known = written.read_text().replace("accumulate = 1\n", "")
    assert known != written.read_text()
    written.write_text(known)
    assert "got a finished one" in canner("train", config, *settings).complaint()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_a_run_that_goes_on(config, tmp_path, canner, number):
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "canner",
        "train",
        config,
        "-o",
        run,
        "--set",
        "training.max_epochs=100000",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 240
        while not (run / "log.jsonl").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(number)
        out, err = process.communicate(timeout=240)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert out == ""
    assert "Traceback" not in err
    assert err.endswith("canner: interrupted\n")
    steps = json.loads((run / "fit.json").read_text())["steps"]
    assert (run / "resume.safetensors").exists()
    assert not [path for path in run.rglob("*") if path.name.endswith((".tmp", ".part"))]
    assert canner("tag", run, "-q", "-i", "tokens", config).status == 0  # whole enough to tag with

    settings = ["--set", "training.max_epochs=100000", "--max-minutes", "0.001", "-q"]
    assert canner("train", config, "-o", run, *settings).status == 0
    after = json.loads((run / "fit.json").read_text())
    assert after["stopped"] == "time"
    assert after["steps"] > steps
