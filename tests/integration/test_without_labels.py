"""Tagging a language of which nothing is labelled, with the models that ship."""

import json
from pathlib import Path

import pytest

import canner

MODELS = Path(__file__).resolve().parents[2] / "models"
TEACHER = MODELS / "teacher-en"
TEXT = "Rais wa Tanzania Samia Suluhu Hassan alitembelea Nairobi."


@pytest.mark.parametrize("translator", ["sw-en-gloss", "sw-en", "sw-en-aligner"])
def test_entities_come_with_offsets_confidence_and_english(translator):
    tagger = canner.Tagger.without_labels(MODELS / translator, TEACHER)
    result = tagger.tag(TEXT)
    assert {entity.text: entity.type for entity in result.entities}.items() >= {"Nairobi": "LOC"}.items()
    for entity in result.entities:
        assert TEXT[entity.start : entity.end] == entity.text
        assert 0 < entity.confidence <= 1
    assert "Nairobi" in result.english
    assert tagger.reads_english
    assert tagger.tag("").entities == ()
    with pytest.raises(ValueError, match="keep its translator and its teacher"):
        tagger.save("nowhere")
    assert [r.entities for r in tagger.tag_texts(["", "."])] == [(), ()]
    assert tagger.types == ["LOC", "MISC", "ORG", "PER"]


def test_on_the_command_line(canner, tmp_path):
    with_teacher = ["--teacher", TEACHER]
    text = tmp_path / "text.txt"
    text.write_text(TEXT + "\n", encoding="utf-8")
    answer = canner("tag", MODELS / "sw-en-gloss", text, *with_teacher, "--type", "LOC")
    assert answer.out == "Rais wa [LOC Tanzania] Samia Suluhu Hassan alitembelea [LOC Nairobi].\n"
    page = tmp_path / "page.html"
    assert canner("explain", MODELS / "sw-en-gloss", *with_teacher, TEXT, "-o", page).status == 0
    assert "Nairobi" in page.read_text(encoding="utf-8")
    gold = tmp_path / "gold.conll"
    gold.write_text("Rais O\nwa O\nTanzania B-LOC\n\n", encoding="utf-8")
    answer = canner("evaluate", gold, "--tagger", MODELS / "sw-en-gloss", *with_teacher, "--json")
    assert json.loads(answer.out)["all"]["f1"] == 100.0
    gold.write_text("Rais O\nwa O\nTanzania B-LOC\nmwaka B-DATE\n2001 I-DATE\n\n", encoding="utf-8")
    of_teacher = ["--type", "LOC", "--json"]
    answers = [
        canner("evaluate", gold, "--tagger", MODELS / "sw-en-gloss", *with_teacher, *more)
        for more in (["--json"], of_teacher)
    ]
    recalls = [json.loads(answer.out)["all"]["recall"] for answer in answers]
    assert recalls == [50.0, 100.0]  # dates count as missed unless other types are asked for
    asked = canner(
        "evaluate", gold, "--tagger", MODELS / "sw-en-gloss", *with_teacher, "--type", "ORG", "--json"
    )
    assert json.loads(asked.out)["all"]["num_gold"] == 0  # the teacher knows it, though there is none
    command = ["evaluate", gold, "--tagger", MODELS / "es-can", "--type"]
    assert json.loads(canner(*command, "LOC", "--json").out)["all"]["num_gold"] == 1
    message = "expected --type among DATE, LOC, MISC, ORG, PER, got 'LCO'"
    assert message in canner(*command, "LCO").complaint()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["tag", MODELS / "sw-en-gloss", "text.txt"],
            "to tag without labels, name an English tagger: --teacher",
        ),
        (["tag", MODELS / "es-can", "text.txt", "--type", "PER"], "expected --teacher beside --type"),
        (
            ["tag", MODELS / "es-can", "text.txt", "--teacher", TEACHER],
            "expected a translator, an aligner or a gloss",
        ),
        (["evaluate", "a.conll", "b.conll", "--teacher", TEACHER], "expected --tagger beside --teacher"),
        (
            [
                "tag",
                MODELS / "sw-en-gloss",
                "text.txt",
                "--teacher",
                TEACHER,
                "--type",
                "PER",
                "--type",
                "DATE",
            ],
            "expected types among LOC, MISC, ORG, PER, which the teacher knows, got DATE",
        ),
    ],
)
def test_what_does_not_fit_is_refused(canner, arguments, message):
    assert message in canner(*arguments).complaint()
