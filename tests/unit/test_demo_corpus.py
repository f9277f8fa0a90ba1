"""The demonstration corpus: its CoNLL files are those of the marked-up sources and keep what they promise."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from canner.text.entities import Entity
from canner.text.schemes import decode_tags

ROOT = Path(__file__).resolve().parents[2]
RECIPE = runpy.run_path(str(ROOT / "recipes" / "build_demo_corpus.py"))
FOLDER: Path = RECIPE["FOLDER"]


def read(part: str) -> list[tuple[list[str], list[Entity]]]:
    return RECIPE["read_marked"](FOLDER / f"{part}.txt")


@pytest.mark.parametrize(("part", "least"), [("train", 120), ("test", 150)])
def test_conll_files_are_current(part: str, least: int) -> None:
    sentences = read(part)
    text = (FOLDER / f"{part}.conll").read_text(encoding="utf-8")
    assert text == RECIPE["conll"](sentences)
    assert len(sentences) >= least
    blocks = [[line.split("\t") for line in block.split("\n")] for block in text.strip().split("\n\n")]
    assert [[token for token, _ in block] for block in blocks] == [tokens for tokens, _ in sentences]
    decoded = [decode_tags([tag for _, tag in block], "IOB2") for block in blocks]
    assert decoded == [entities for _, entities in sentences]


def test_parts_share_no_sentence_and_few_names() -> None:
    parts = [read("train"), read("test")]
    texts = [{" ".join(tokens) for tokens, _ in part} for part in parts]
    assert not texts[0] & texts[1]
    people, others = [
        [
            {
                " ".join(t[e.start : e.end])
                for t, entities in part
                for e in entities
                if (e.type == "PER") is wanted
            }
            for part in parts
        ]
        for wanted in (True, False)
    ]
    assert not people[0] & people[1]
    assert len(others[0] & others[1]) <= 15


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[PER Ana llega", "closing bracket"),
        ("Ana] llega", "opened entity"),
        ("[DOG Ana] llega", "expected one of"),
        ("[PER Ana [LOC Roma]]", "expected one of"),
        ("Ana llega.", "punctuation separated"),
    ],
)
def test_markup_errors_are_found(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RECIPE["parse_line"](line)
