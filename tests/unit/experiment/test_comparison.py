"""Comparisons: every run planned once, figures joined over seeds, interrupted ones taken up."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pytest

from canner.data.corpus import CorpusConfig
from canner.experiment import comparison
from canner.experiment.comparison import ComparisonExperiment, System, figures, plan, run_comparison
from canner.experiment.results import Figure, summarise
from canner.experiment.tagger import TaggerExperiment
from canner.models.tagger import TaggerConfig
from canner.training.schedule import TrainingConfig

TRAIN = "".join(
    f"{name} S-PER\nvive O\nen O\n{town} S-LOC\n\n"
    for name in ("Ana", "Eva", "Luis", "Rosa")
    for town in ("Lima", "Quito")
)


def make(folder: Path, **changes: object) -> ComparisonExperiment:
    for name in ("train", "dev", "test"):
        (folder / name).write_text(TRAIN, encoding="utf-8")
    data = CorpusConfig(
        train=(str(folder / "train"),), dev=(str(folder / "dev"),), test=(str(folder / "test"),)
    )
    base = TaggerExperiment(
        data=data,
        model=TaggerConfig(hidden_dim=4, word_dim=8, char_encoder="none"),
        training=TrainingConfig(max_epochs=2, learning_rate=0.05),
        batch_size=4,
    )
    systems = (System(name="plain"), System(name="wide", change={"model.hidden_dim": 6}))
    config = ComparisonExperiment(name="x", title="X", base=base, systems=systems)
    return config.model_copy(update=changes)


def test_the_plan_is_every_combination_once(tmp_path: Path) -> None:
    config = make(tmp_path, budgets=(2, 4), subset_seeds=(0, 1, 2), seeds=(1, 2))
    runs = plan(config, tmp_path / "out")
    assert len(runs) == len({run.folder for run in runs}) == 2 * 3 * 2 * 2
    assert {run.row for run in runs} == {f"{s}, {b} sentences" for s in ("plain", "wide") for b in (2, 4)}
    for run in runs:
        data = run.experiment.data
        assert (data.num_sentences, f"subset {data.subset_seed}, seed {run.experiment.seed}") == (
            4 if "4 sentences" in run.row else 2,
            run.name,
        )
        assert run.experiment.model.hidden_dim == (6 if run.row.startswith("wide") else 4)


def test_without_a_budget_subsets_are_not_repeated(tmp_path: Path) -> None:
    runs = plan(make(tmp_path, subset_seeds=(0, 1, 2), seeds=(1, 2)), tmp_path)
    assert len(runs) == 4


def test_a_change_that_is_no_experiment_names_its_system(tmp_path: Path) -> None:
    config = make(tmp_path, systems=(System(name="odd", change={"model.hidden_dim": 0}),))
    with pytest.raises(ValueError, match=r"system 'odd': model\.hidden_dim"):
        plan(config, tmp_path)


def test_mean_and_deviation_against_the_standard_library() -> None:
    values = (48.2, 51.7, 46.9)
    row = summarise("plain", {f"seed {i}": {"f1": value} for i, value in enumerate(values)}).to_json()
    assert row["metrics"]["f1"]["mean"] == round(statistics.mean(values), 2)
    assert row["metrics"]["f1"]["sd"] == round(statistics.stdev(values), 2)
    assert row["metrics"]["f1"]["values"] == list(values)
    assert row["seeds"] == ["seed 0", "seed 1", "seed 2"]
    assert Figure((3.0,)).sd == 0.0
    with pytest.raises(ValueError, match="not finite"):
        summarise("plain", {"seed 0": {"f1": math.nan}})
    with pytest.raises(ValueError, match="got none"):
        summarise("plain", {})


def test_figures_take_the_test_part_and_weibo_subsets() -> None:
    part = {"precision": 1.0, "recall": 2.0, "f1": 3.0, "subsets": {"NE": {"f1": 4.0}}}
    found = figures({"dev": {"precision": 9.0, "recall": 9.0, "f1": 9.0}, "test": part})
    assert found == {"precision": 1.0, "recall": 2.0, "f1": 3.0, "NE f1": 4.0, "dev f1": 9.0}


def test_a_second_call_trains_only_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make(tmp_path)
    trained: list[str] = []
    original = comparison.run_and_record

    def counting(experiment: TaggerExperiment, folder: Path, **options: object) -> dict:
        trained.append(folder.parent.name)
        if len(trained) == 2:
            raise KeyboardInterrupt
        return original(experiment, folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(comparison, "run_and_record", counting)
    with pytest.raises(KeyboardInterrupt):
        run_comparison(config, tmp_path / "out", command="c", progress=False)
    results = run_comparison(config, tmp_path / "out", command="c", progress=False)
    assert trained == ["plain", "wide", "wide"]
    assert [row["system"] for row in results["rows"]] == ["plain", "wide"]
    assert (tmp_path / "out" / "results.json").exists()
    assert set(results) >= {
        "name",
        "title",
        "rows",
        "data",
        "protocol",
        "command",
        "hardware",
        "paper",
        "date",
    }
    other = config.model_copy(update={"base": config.base.model_copy(update={"batch_size": 2})})
    with pytest.raises(ValueError, match="one of another"):
        run_comparison(other, tmp_path / "out", command="c", progress=False)


def test_a_system_runs_only_at_its_own_budgets(tmp_path: Path) -> None:
    systems = (System(name="plain"), System(name="dear", budgets=(2,)))
    runs = plan(make(tmp_path, budgets=(2, 4), systems=systems), tmp_path)
    assert [run.row for run in runs] == ["plain, 2 sentences", "dear, 2 sentences", "plain, 4 sentences"]
