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
from canner.experiment.results_schema import Row
from canner.models.convs2s import ConvS2SConfig
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
