"""`canner reproduce` and `canner report` on the command line."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
import time
from pathlib import Path

import pytest

from canner.cli.console import start
from canner.experiment.tagger import EmbeddingsConfig

ROOT = Path(__file__).resolve().parents[2]
ONE_ROW = ("reproduce", "table5-weibo", "--seeds", 1, "--system", "random", "--no-prerequisites")
RESULTS_AND_RUNS = ("table5-weibo-fast.json", "runs/table5-weibo-fast.json")
"""What that leaves in the folder of results."""


@pytest.fixture
def tiny_weibo(tmp_path, monkeypatch):
    """A folder to work in, with a corpus in the place of Weibo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANNER_DATA", str(tmp_path))
    (tmp_path / "ner" / "weibo").mkdir(parents=True)
    for part in ("train", "dev", "test"):
        path = tmp_path / "ner" / "weibo" / f"weiboNER_2nd_conll.{part}"
        path.write_text("王 S-PER.NAM\n来 O\n\n" * 4, encoding="utf-8")


def test_without_a_table_they_are_listed(canner):
    answer = canner("reproduce")
    assert answer.status == 0
    names = [line.split()[0] for line in answer.out.splitlines()]
    assert {"table2-german", "table3-ontonotes", "table4-revised", "table5-weibo", "figure3-vectors"} <= set(
        names
    )


def test_a_table_of_one_protocol_alone_needs_none_to_be_named(canner, tmp_path):
    shown = canner("reproduce", "last-epoch-static", "--show", "--no-grid", "--results", tmp_path)
    assert "last-epoch-static-paper-no-grid.json: not run" in shown.out
    refused = canner("reproduce", "last-epoch-static", "--show", "--protocol", "fast").complaint()
    assert "expected --protocol paper, got fast" in refused
    assert (
        "longer-german-fast.json: not run"
        in canner("reproduce", "longer-german", "--show", "--results", tmp_path).out
    )


def test_what_is_to_be_run_needs_a_table(canner):
    for options in (("--seeds", 3), ("--smoke",), ("--max-minutes", 0)):
        assert "expected a table to run, got none" in canner("reproduce", *options).complaint()
    for options in (("--protocol", "paper"), ("--no-grid",)):
        assert "expected a table with --protocol" in canner("reproduce", *options).complaint()
    both = canner("reproduce", "few-labels-spanish", "--smoke", "--budget", 100).complaint()
    assert "expected --smoke without --budget, got both" in both
    assert "less than or equal to 100" in canner("reproduce", "table4", "--seeds", 3000).complaint()


def test_what_is_no_table_is_refused(canner):
    assert "expected a table" in canner("reproduce", "table9").complaint()


def test_a_name_that_is_nearly_a_table_is_told(canner):
    assert "did you mean table4-revised?" in canner("reproduce", "table4-revized").complaint()


def test_a_table_is_shown_as_it_was_last_made_without_data_and_without_writing(canner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CANNER_DATA", raising=False)
    figure = {"mean": 12.345, "sd": 0.0, "values": [12.345]}
    found = {"name": "n", "title": "Of paper", "rows": [{"system": "plain", "metrics": {"f1": figure}}]}
    path = tmp_path / "results" / "table4-original-paper-no-grid.json"
    path.parent.mkdir()
    path.write_text(json.dumps(found))
    answer = canner("reproduce", "table4", "--protocol", "paper", "--no-grid", "--show")
    assert answer.status == 0, answer.err
    assert "### Of paper" in answer.out
    assert "| plain | 12.35 | 1 |" in answer.out
    assert "table4-revised-paper-no-grid.json: not run" in answer.out
    assert sorted(tmp_path.rglob("*")) == [path.parent, path]
    with_grid = canner("reproduce", "table4-original", "--protocol", "paper", "--show").out
    assert "table4-original-paper.json: not run; without the grid of learning rates" in with_grid
    for option in (("--seeds", 2), ("--anew",), ("--max-minutes", 5)):
        assert "prints a table whole" in canner("reproduce", "table4", "--show", *option).complaint()
    assert "no such folder" in canner("reproduce", "table4", "--show", "--results", "none").complaint()
    assert "expected a folder, got a file" in canner("reproduce", "table4", "--results", path).complaint()


def test_a_table_without_its_data_is_refused_in_a_line(canner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANNER_DATA", str(tmp_path / "none"))
    complaint = canner("reproduce", "few-labels-swahili", "--system", "plain").complaint()
    assert "expected a file, got no such file" in complaint
    monkeypatch.delenv("CANNER_DATA")
    assert "docs/data.md says what it holds" in canner("reproduce", "few-labels-swahili").complaint()


@pytest.mark.data
def test_a_tiny_twin_of_a_table_runs_on_real_data_with_the_models_that_ship(
    canner, data_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("CANNER_DATA", str(data_folder))
    monkeypatch.chdir(tmp_path)
    os.symlink(ROOT / "models", tmp_path / "models")
    rows = ["--system", "plain", "--system", "CAN_gloss", "--system", "CAN_last"]
    answer = canner("reproduce", "few-labels-spanish", "--smoke", *rows)
    assert answer.status == 0, answer.err
    found = json.loads((tmp_path / "runs" / "few-labels-spanish-fast-smoke" / "results.json").read_text())
    ran = {row["system"]: bool(row["metrics"]) for row in found["rows"]}
    assert [name for name, run in ran.items() if run] == ["plain", "CAN_gloss", "CAN_last"]
    assert found["corpus"]["test"]["sentences"] == 1517
    assert found["command"] == "canner reproduce few-labels-spanish --protocol fast --smoke"
    assert found["data"].startswith("20 training, 10 development and 10 test sentences of")
    assert "\nNot run: " in answer.out
    assert "; CAN_first; " in answer.out
    assert not (tmp_path / "results").exists()  # a twin leaves no results


def test_a_call_with_fewer_seeds_does_not_replace_the_figures_of_more(canner, tiny_weibo, tmp_path):
    command = ["reproduce", "table5-weibo", "--system", "random", "--no-prerequisites"]
    path = tmp_path / "results" / "table5-weibo-fast.json"
    assert canner(*command, "--seeds", 2, "--max-minutes", 0).status == 0
    assert not path.exists()  # nothing has been run
    assert canner(*command, "--seeds", 2).status == 0
    before = path.read_bytes()
    later = time.time_ns() + 10**9
    os.utime(path, ns=(later, later))
    assert canner(*command, "--seeds", 2, "--workers", 1).status == 0
    assert path.stat().st_mtime_ns == later  # another command, the same figures: not written anew
    answer = canner(*command, "--seeds", 1)
    assert "left as it is: it has more runs of random than this call asks for: --seeds 2" in answer.err
    assert path.read_bytes() == before
    # asked for by mistake, and ended at once
    assert canner(*command, "--seeds", 30, "--max-minutes", 0).status == 0
    assert canner(*command, "--seeds", 3).status == 0
    assert json.loads(path.read_text())["rows"][0]["planned"] == 3
    assert path.read_bytes() != before
    path.write_text("{")
    assert canner(*command, "--seeds", 1).status == 0
    assert path.read_bytes() != b"{"


def test_a_plain_call_shows_all_runs_and_makes_as_many_as_the_table_has(canner, tiny_weibo, tmp_path):
    random = ["reproduce", "table5-weibo", "--system", "random", "--no-prerequisites"]
    path = tmp_path / "results" / "table5-weibo-fast.json"
    assert canner(*random, "--seeds", 4).status == 0
    before = path.read_bytes()
    answer = canner(*random)
    assert "left as it is" not in answer.err
    assert "| random | 100.00 ± 0.00 |" in answer.out
    assert "| 4 |" in answer.out
    assert path.read_bytes() == before
    assert json.loads(before)["command"].endswith("--seeds 4")
    path.unlink()
    assert canner(*random).status == 0
    assert json.loads(path.read_text())["rows"][0]["planned"] == 3


def test_other_data_do_not_take_the_figures_of_before_away(canner, tiny_weibo, tmp_path):
    assert canner(*ONE_ROW).status == 0
    results, kept = (tmp_path / "results" / name for name in RESULTS_AND_RUNS)
    before = results.read_bytes(), kept.read_bytes()
    assert "One embedding at a time" in canner("reproduce").out
    assert "run: --protocol fast: 1 of 5 rows\n" in canner("reproduce").out
    results.write_text("{")
    assert "run: --protocol fast: results/table5-weibo-fast.json is damaged\n" in canner("reproduce").out
    results.write_bytes(before[0])
    test = tmp_path / "ner" / "weibo" / "weiboNER_2nd_conll.test"
    test.write_text("王 S-PER.NAM\n来 O\n\n" * 5, encoding="utf-8")
    answer = canner(*ONE_ROW, "--max-minutes", 0)
    assert answer.status == 0, answer.err
    assert (
        "kept runs are not counted that are made with another version of $CANNER_DATA/ner/weibo/"
        "weiboNER_2nd_conll.test: random/subset0-seed1, say" in answer.err
    )
    assert "left as it is: it has figures of random, whose runs do not count here" in answer.err
    assert (results.read_bytes(), kept.read_bytes()) == before


def test_runs_are_kept_for_other_machines_unless_they_are_to_be_made_anew(canner, tiny_weibo, tmp_path):
    assert canner(*ONE_ROW).status == 0
    results, kept = (tmp_path / "results" / name for name in RESULTS_AND_RUNS)
    before = results.read_bytes(), kept.read_bytes()
    assert list(json.loads(before[1])["runs"]) == ["random/subset0-seed1"]
    trained = tmp_path / "runs" / "table5-weibo-fast" / "random" / "subset0-seed1" / "metrics.json"
    trained.parent.parent.rename(tmp_path / "elsewhere")
    assert canner(*ONE_ROW).status == 0
    assert not trained.exists()
    assert json.loads(results.read_text())["rows"] == json.loads(before[0])["rows"]
    assert kept.read_bytes() == before[1]
    results.unlink()
    answer = canner(*ONE_ROW, "--anew")
    assert "| random | 100.00 |" in answer.out
    assert trained.exists()
    assert not results.exists()
    assert kept.read_bytes() == before[1]


@pytest.mark.data
def test_ontonotes_4_is_read_as_it_is_published_and_left_out_of_table_3_where_it_is_not_there(
    canner, data_folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANNER_DATA", str(tmp_path))
    command = ["reproduce", "table3", "--smoke", "--max-minutes", 0]
    assert "expected a file, got no such file" in canner(*command).complaint()
    (tmp_path / "ner").mkdir()
    for place in ("ontonotes5_zh", "ontonotes4_zh"):
        answer = canner(*command)
        assert answer.status == (2 if place == "ontonotes5_zh" else 0)
        assert ("OntoNotes 4 Chinese (licensed), fast protocol: left out" in answer.err) == (
            place == "ontonotes4_zh"
        )
        (tmp_path / "ner" / place).mkdir()
        for part in ("train", "dev", "test"):
            demo = data_folder / "ner" / "ontonotes4_zh_demo" / f"demo.{part}.char"
            names = (
                [f"{part}.char"]
                if place == "ontonotes4_zh"
                else [f"{g}.{part}.char" for g in ("bn", "mz", "nw")]
            )
            for name in names:
                os.symlink(demo, tmp_path / "ner" / place / name)
    vectors = tmp_path / "runs" / "vectors-zh" / "vectors.vec"
    vectors.parent.mkdir(parents=True, exist_ok=True)
    vectors.write_text(f"1 100\n中 {' '.join(['0.1'] * 100)}\n", encoding="utf-8")
    answer = canner("reproduce", "table3-ontonotes4", "--smoke", "--system", "Char+BiLSTM+CRF")
    assert answer.status == 0, answer.err
    found = json.loads((tmp_path / "runs" / "table3-ontonotes4-fast-smoke" / "results.json").read_text())
    assert found["rows"][0]["metrics"]["f1"]["values"]
    sentences = [found["corpus"][part]["sentences"] for part in ("train", "dev", "test")]
    assert sentences == [1148, 114, 317]  # counted in the files, by their empty lines
    assert "left out" not in answer.err


def test_rows_are_looked_for_in_all_parts_before_any_is_run(canner, tiny_weibo, tmp_path):
    for part in ("train", "dev", "test"):
        (tmp_path / "ner" / "weibo" / f"weiboNER.conll.{part}").write_text("王 S-PER.NAM\n来 O\n\n" * 4)
    command = ["reproduce", "static", "--seeds", 1, "--no-prerequisites"]
    answer = canner(*command, "--system", "random", "--system", "none")
    assert answer.status == 2
    assert "expected --system among Char+BiLSTM+CRF; " in answer.err
    assert "; random; " in answer.err
    assert not (tmp_path / "runs").exists()
    answer = canner(*command, "--system", "random")
    assert answer.status == 0, answer.err
    assert (
        "Table 4, Weibo, revised annotation, fast protocol, 3 times its epochs: left out: it has none of the rows, or"
        in answer.err
    )
    assert "| random | 100.00 |" in answer.out
    assert [path.name for path in (tmp_path / "results").glob("*.json")] == ["static-embeddings-fast.json"]
    assert "expected --budget among none" in canner(*command, "--budget", 5).err
    # a row that is run with 100 sentences alone
    answer = canner("reproduce", "few-labels-spanish", "--system", "CAN_first", "--budget", 500)
    assert "left out: it has none of the rows, or training sets, that are asked for" in answer.err


def test_runs_that_break_off_leave_the_other_rows_and_parts_their_turn(
    canner, tiny_weibo, tmp_path, monkeypatch
):
    from canner.experiment import workers

    original = workers.run_and_record

    def breaking(experiment, folder, **options):
        if "weiboNER_2nd" in experiment.data.train[0]:
            raise MemoryError
        return original(experiment, folder, **options)

    for part in ("train", "dev", "test"):
        (tmp_path / "ner" / "weibo" / f"weiboNER.conll.{part}").write_text("王 S-PER.NAM\n来 O\n\n" * 4)
    monkeypatch.setattr(workers, "run_and_record", breaking)
    monkeypatch.setattr("canner.tables.chinese.CHARACTER_VECTORS", EmbeddingsConfig())
    row = "Char+BiLSTM+CRF"
    answer = canner("reproduce", "table4", "--seeds", 1, "--system", row, "--no-prerequisites")
    assert answer.status != 0
    assert "expected every run to come to its end, got 1 that broke off (MemoryError())" in answer.err
    assert not (tmp_path / "results" / "table4-revised-fast.json").exists()  # nothing of it has been run
    found = json.loads((tmp_path / "results" / "table4-original-fast.json").read_text())
    assert found["rows"][0]["metrics"]
    assert "CAN_first and CAN_last read" in answer.out  # what the rows' names mean


def test_only_the_rows_that_the_paper_has(canner, tiny_weibo, monkeypatch):
    answer = canner("reproduce", "table5-weibo", "--seeds", 1, "--paper-rows", "--max-minutes", 0)
    assert answer.status == 0, answer.err
    assert "left out, because models/zh-en is not there: CAN_first, CAN_last\n" in answer.err
    assert "CAN_gloss" not in answer.err
    assert "1 runs of 1 are to be made" in answer.err
    monkeypatch.setattr("canner.experiment.machine.workers_that_fit", lambda device: {"cpu": 3}[device])
    command = ["reproduce", "table5-weibo", "--seeds", 4, "--paper-rows", "--max-minutes", 0]
    assert "4 runs of 4 are to be made, 3 at a time" in canner(*command).err
    assert "4 runs of 4 are to be made, 2 at a time" in canner(*command, "--workers", 2).err
    complaint = canner("reproduce", "guidance", "--paper-rows").complaint()
    assert "expected a table of the paper, got one beyond it" in complaint


def test_report_writes_the_page_the_plot_and_the_readme(canner, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    figure = {"mean": 50.0, "sd": 1.0, "values": [49.0, 51.0]}
    rows = [{"system": name, "metrics": {"f1": figure}} for name in ("plain", "layer 1", "layer 2")]
    for row in rows[1:]:
        row["against"] = {"system": "plain", "difference": 1.0, "low": -1.0, "high": 3.0, "p": 0.3, "runs": 2}
        row["against"] |= {"by_run": {"seed 1": 0.0, "seed 2": 2.0}, "dev_by_run": {}}
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "figure3-x.json").write_text(
        json.dumps({"name": "figure3-x", "title": "Layers (zh → en), 1", "rows": rows})
    )
    (tmp_path / "README.md").write_text("<!-- results:begin -->\n<!-- results:end -->\n")
    (tmp_path / "models" / "es-en").mkdir(parents=True)
    (tmp_path / "models" / "es-en" / "README.md").write_text("# Translator\n")
    row = {
        "system": "es → en",
        "metrics": {"bleu": {"mean": 21.7, "sd": 0.0, "values": [21.7]}},
        "bundle": "models/es-en",
    }
    (tmp_path / "results" / "translators.json").write_text(
        json.dumps({"name": "translators", "title": "Translators", "rows": [row]})
    )
    assert canner("report").status == 0
    assert "| es → en | 21.70 | 1 |" in (tmp_path / "models" / "es-en" / "README.md").read_text()
    page = (tmp_path / "docs" / "results.md").read_text()
    assert "| layer 2 | 50.00 ± 1.00 | +1.00 [-1.00, +3.00], p 0.300 |" in page
    assert "- [Layers (zh → en), 1](#layers-zh--en-1)\n- [Translators](#translators)\n" in page
    assert "figures/figure3-x.svg" in page
    drawn = (tmp_path / "docs" / "figures" / "figure3-x.svg").read_bytes()
    assert b"<svg" in drawn
    assert b"CAN (2 runs)" in drawn
    assert "![Layers (zh → en), 1](docs/figures/figure3-x.svg)" in (tmp_path / "README.md").read_text()
    assert canner("report").status == 0
    assert (tmp_path / "docs" / "figures" / "figure3-x.svg").read_bytes() == drawn
    rows[1]["against"]["difference"] = 2.0
    changed = {"name": "figure3-x", "title": "Layers (zh → en), 1", "rows": rows}
    (tmp_path / "results" / "figure3-x.json").write_text(json.dumps(changed))
    assert canner("report").status == 0
    assert (tmp_path / "docs" / "figures" / "figure3-x.svg").read_bytes() != drawn
    one_missing = [*rows, {"system": "layer 3", "metrics": {}}]
    (tmp_path / "results" / "figure3-x.json").write_text(
        json.dumps({"name": "figure3-x", "title": "Layers", "rows": one_missing})
    )
    assert canner("report").status == 0
    assert "\n\nNot run: layer 3.\n" in (tmp_path / "docs" / "results.md").read_text()
    assert not (tmp_path / "docs" / "figures" / "figure3-x.svg").exists()


def test_a_table_makes_what_it_reads_unless_told_not_to(canner, tiny_weibo, tmp_path):
    (tmp_path / "text").write_text("王 来 了 。\n" * 20, encoding="utf-8")
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "vectors_zh.toml").write_text(
        'kind = "vectors"\ntext = ["text"]\ndim = 100\nmin_count = 1\nmax_chars = 0\nepochs = 1\n'
    )
    vectors = tmp_path / "runs" / "vectors-zh" / "vectors.vec"
    command = ["reproduce", "table5-weibo", "--seeds", 1, "--system"]
    assert canner(*command, "random", "--max-minutes", 1).status == 0
    assert not vectors.exists()  # no row that is wanted reads them
    for without in ("--no-prerequisites", "--smoke"):
        assert (
            "found none of runs/vectors-zh/vectors.vec" in canner(*command, "FastText", without).complaint()
        )
    assert canner(*command, "FastText", "--max-minutes", 0).status == 0
    assert not vectors.exists()
    answer = canner(*command, "FastText", "--max-minutes", 1)
    assert answer.status == 0, answer.err
    assert vectors.exists()
    found = json.loads((tmp_path / "results" / "table5-weibo-fast.json").read_text())
    assert [row["system"] for row in found["rows"] if row["metrics"]] == ["random", "FastText"]


def test_messages_go_where_stderr_is_at_the_moment_which_a_progress_bar_takes(monkeypatch):
    start()
    monkeypatch.setattr(sys, "stderr", taken := io.StringIO())
    logging.getLogger("canner.experiment.runner").info("training")
    assert taken.getvalue() == "training\n"


def test_a_report_without_a_readme_to_put_it_in_writes_nothing(canner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    assert "expected a file with the markers" in canner("report").complaint()
    (tmp_path / "README.md").write_text("no markers")
    assert "once each in README.md; put them back" in canner("report").complaint()
    text = "<!-- results:begin -->\nwhat stands there\n<!-- results:end -->\n"
    (tmp_path / "README.md").write_text(text)
    assert "expected results files (.json) in results, got none" in canner("report").complaint()
    assert (tmp_path / "README.md").read_text() == text
    assert not (tmp_path / "docs").exists()
