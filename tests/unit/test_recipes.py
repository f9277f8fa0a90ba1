"""What the recipes count and say: pairs on cards, names in the English, figures of language models."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from canner.decoding.neural_translator import NeuralTranslator
from canner.experiment.kinds import read_experiment
from canner.experiment.results import results_made_now, summarise
from canner.experiment.results_schema import Gain, Row
from canner.models.convs2s import ConvS2SConfig
from canner.tables.corpora import GERMAN
from canner.text.copying import Copier
from canner.text.segmentation import Segment
from canner.text.sentence import Sentence
from canner.training.translator import TranslatorExperiment

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


def recipe(name: str) -> dict[str, Any]:
    return runpy.run_path(str(RECIPES / f"{name}.py"))


def test_a_card_counts_the_pairs_that_were_taken_of_each_domain(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "xx-en"
    folder.mkdir()
    (folder / "train.xx").write_text("a\nb\nc\nd\n")
    (folder / "train.en").write_text("A\nB\nC\nD\n")
    (folder / "train.domain").write_text("news\nwiki\nnews\nnews\n")
    monkeypatch.setenv("TEXT", str(folder))
    data: dict[str, Any] = {
        "train_source": "$TEXT/train.xx",
        "train_target": "$TEXT/train.en",
        "batch_tokens": 9,
    }
    counted = recipe("ship")["parallel_text"]
    assert counted(data) == "xx-en, 4 pairs"
    domains = {"train_domains": "$TEXT/train.domain", "domain_limits": {"news": 2}}
    assert counted(data | domains) == "xx-en, 3 pairs (news 2, wiki 1)"
    assert counted(data | domains | {"max_pairs": 2}) == "xx-en, 2 pairs"


class Reader(NeuralTranslator):
    """A translator that reads token by token, and knows one name's English."""

    def __init__(self) -> None:
        self.copier = Copier((), {"Londres": "London"})

    def segments(self, tokens):
        return [Segment(token, (index,)) for index, token in enumerate(tokens)]


def test_names_are_found_as_they_are_and_under_their_english_those_that_no_translator_saw_apart() -> None:
    tags = ("O", "B-LOC", "O", "B-PER", "I-PER", "B-DATE")
    sentence = Sentence(("en", "Londres", "vio", "José", "Zzy", "hoy"), tags)
    found = recipe("diagnose_transfer")["names"](
        [sentence], [("Jose", "saw", "London")], Reader(), {"Londres", "José"}.__contains__
    )
    assert found == {
        "words of entities": 3,  # a date is nothing that the teacher has a word for
        "words of entities in the English %": pytest.approx(200 / 3),
        "unseen words of entities": 1,
        "unseen words of entities in the English %": 0.0,
    }


def test_language_models_are_collected_from_what_their_trainings_left(tmp_path: Path, monkeypatch) -> None:
    main = recipe("collect_charlms")["main"]
    main.__globals__["RESULTS"] = tmp_path
    run = tmp_path / "charlm-xx"
    run.mkdir()
    monkeypatch.setattr(sys, "argv", ["collect_charlms.py", str(run)])
    with pytest.raises(SystemExit, match="expected folders of trainings"):
        main()
    text = tmp_path / "text"
    text.write_bytes(b"abc")
    (run / "model.safetensors").write_bytes(b"")
    config = {"data": {"train": str(text)}, "model": {"hidden_dim": 8}, "seed": 3}
    (run / "training.json").write_text(json.dumps(config))
    (run / "environment.json").write_text('{"hardware": "a machine", "date": "2026-01-02"}')
    steps = [
        {
            "bits_per_char": bits,
            "bits_per_char_forward": 1.0,
            "bits_per_char_backward": 3.0,
            "step": n,
            "minutes": n,
        }
        for n, bits in enumerate((2.5, 2.0, 2.25), 1)
    ]
    (run / "log.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    main()
    content = json.loads((tmp_path / "charlms.json").read_text())
    (row,) = content["rows"]
    assert (row["system"], row["seeds"]) == ("charlm-xx, 2 × 8", ["seed 3"])
    assert [row["metrics"][name]["mean"] for name in ("bits per character", "steps")] == [2.0, 2.0]
    assert (content["hardware"], content["date"]) == ("a machine", "2026-01-02")
    assert row["made"]["files"] == {  # the SHA-256 of "abc" and of nothing
        f"{tmp_path.name}/text": "ba7816bf8f01",
        "charlm-xx/model.safetensors": "e3b0c44298fc",
    }


def test_gains_go_with_how_often_english_is_right_in_a_table_that_says_both(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    made = recipe("score_objections")
    gains, correlations, Tables, Plain = (
        made[name] for name in ("gains", "rank_correlations", "Tables", "Plain")
    )
    gains.__globals__["RESULTS"] = tmp_path
    tables = Tables(GERMAN, "few", "whole", more="more")
    few = written(
        tmp_path, "few", {"plain, 100 sentences": None, "CAN_last, 100 sentences": (8.0, [2.0, 4.0])}
    )
    whole = written(
        tmp_path, "whole", {"BiLSTM+CRF": None, "BiLSTM+CRF + CAN, DeepL (upper bound)": (4.5, [9])}
    )
    written(tmp_path, "more", {"BiLSTM+CRF": None, "BiLSTM+CRF + CAN_gloss": (1.0, [0.5])})
    of_few, of_all = Plain("100 sentences", "few", few[0], ()), Plain("all sentences", "whole", whole[0], ())
    found = {
        (plain.number, english): {name: metric.mean for name, metric in gains(tables, plain, english).items()}
        for plain in (of_few, of_all)
        for english in ("last layer", "gloss", "DeepL")
    }
    assert found == {
        ("100 sentences", "last layer"): {"dev gain, joined": 3.0, "gain, joined": 8.0},
        ("100 sentences", "gloss"): {},
        ("100 sentences", "DeepL"): {},
        ("all sentences", "last layer"): {},
        ("all sentences", "gloss"): {"dev gain, joined": 0.5, "gain, joined": 1.0},
        ("all sentences", "DeepL"): {"dev gain, joined": 9.0, "gain, joined": 4.5},
    }

    def row(number: str, right: float, plain: float, gain: float) -> Row:
        figures = {"English right %": right, "plain dev f1": plain, "dev gain, joined": gain}
        return summarise(f"German, {number}, gloss", {"dev": figures})

    figures = ((2, 50, 1), (1, 30, 2), (3, 40, 3), (5, 20, 4), (4, 10, 5))
    rows = [row("all sentences", *of_row) for of_row in figures]
    (found_row,) = correlations([*rows, row("100 sentences", 60, 5, 30)])
    assert {name: metric.mean for name, metric in found_row.metrics.items()} == {
        "any number of labels: with English right": 0.89,  # 1 - 6 * 4 / 210
        "any number of labels: with plain F1": -0.94,  # 1 - 6 * 68 / 210
        "any number of labels: with English right, plain F1 alike": 0.75,  # F1 and share: 1 - 6 * 62 / 210
        "any number of labels: pairs": 6,
        "all labels: with English right": 0.8,  # 1 - 6 * 4 / 120
        "all labels: with plain F1": -0.9,  # 1 - 6 * 38 / 120
        "all labels: with English right, plain F1 alike": 0.75,  # (0.8 - 0.9 * 0.6) / sqrt(0.19 * 0.64)
        "all labels: pairs": 5,
    }
    assert correlations(rows[:2]) == []


def written(folder: Path, name: str, rows: dict[str, tuple[float, list[float]] | None]) -> list[Row]:
    """A results file of rows with a gain each, on the test set and of each run on the development set."""
    made, plain = [], next(iter(rows))
    for system, gain in rows.items():
        row = summarise(system, {"seed 1": {"f1": 50.0, "dev f1": 50.0}})
        if gain is not None:
            by_run = {f"seed {seed}": of_dev for seed, of_dev in enumerate(gain[1])}
            against = Gain(
                system=plain,
                difference=gain[0],
                low=0,
                high=9,
                p=0.01,
                runs=len(by_run),
                by_run=by_run,
                dev_by_run=by_run,
            )
            row = row.model_copy(update={"against": against})
        made.append(row)
    results_made_now(name=name, title=name, rows=made, data="", protocol="", command="").save(
        folder / f"{name}.json"
    )
    return made


def test_rows_of_translators_stand_kind_by_kind_those_with_a_label_after_the_others() -> None:
    expected = ["eflomal", "layer 2", "layer 10", "alignment head", "distilled layer 1", "distilled layer 2"]
    rows = [Row(system=system, metrics={}) for system in reversed(expected)]
    by_kind = recipe("score_translators")["_by_kind"]
    assert [row.system for row in sorted(rows, key=by_kind)] == expected
    translators = [
        Row(system=f"{language} → en, {kind}", metrics={})
        for kind in ("word gloss", "ConvS2S")
        for language in ("de", "es")
    ]
    assert [row.system for row in sorted(translators, key=by_kind)] == [
        "de → en, ConvS2S",
        "es → en, ConvS2S",
        "de → en, word gloss",
        "es → en, word gloss",
    ]


@pytest.mark.parametrize("path", sorted(RECIPES.glob("translator_*.toml")), ids=lambda path: path.stem)
def test_a_translator_starts_from_one_of_its_sizes(path: Path, monkeypatch) -> None:
    monkeypatch.chdir(RECIPES.parent)
    config = read_experiment(path)
    assert isinstance(config, TranslatorExperiment)
    if config.start_from is not None:
        parent = json.loads(Path(config.start_from, "config.json").read_text(encoding="utf-8"))
        changed = {"dropout", "encoder_layers", "decoder_layers"}
        assert ConvS2SConfig(**parent["model"]).model_dump(exclude=changed) == config.model.model_dump(
            exclude=changed
        )
