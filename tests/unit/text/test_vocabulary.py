"""Ids are stable, files are complete, unknown items are treated as said."""

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from canner.text.vocabulary import PAD_ID, UNK_ID, Vocabulary


def test_specials_come_first_and_unknown_items_are_unk() -> None:
    vocabulary = Vocabulary(["b", "a", "b", "<unk>"])
    assert vocabulary.items == ("<pad>", "<unk>", "b", "a")
    assert (vocabulary.id("<pad>"), vocabulary.id("<unk>")) == (PAD_ID, UNK_ID)
    assert vocabulary.ids(["a", "new", "b"]) == [3, UNK_ID, 2]
    assert "a" in vocabulary
    assert "new" not in vocabulary


def test_without_specials_an_unknown_item_is_an_error() -> None:
    tags = Vocabulary(["O", "B-LOC", "E-LOC", "S-PER"], specials=())
    with pytest.raises(ValueError, match=r"known items \(O, B-LOC, E-LOC, S-PER\), got 'B-ORG'"):
        tags.id("B-ORG")


@given(st.lists(st.text(st.characters(), max_size=4)))
def test_json_keeps_everything(items: list[str]) -> None:
    vocabulary = Vocabulary(items)
    again = Vocabulary.from_json(vocabulary.to_json())
    assert again == vocabulary
    assert hash(again) == hash(vocabulary)
    assert again.ids(items) == vocabulary.ids(items)
    assert [vocabulary.items[index] for index in vocabulary.ids(items)] == items


def test_files_keep_lone_surrogates_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    vocabulary = Vocabulary(["京", "\ud83d", "\ufffd", "a\u2028b", "\x00"])
    vocabulary.save(tmp_path / "words.json")
    assert Vocabulary.load(tmp_path / "words.json") == vocabulary
    assert [path.name for path in tmp_path.iterdir()] == ["words.json"]


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    for text, message in [
        ("[1]", "expected a vocabulary"),
        ('{"items": ["a", 1], "specials": []}', "expected a vocabulary"),
        ('{"items": ["a", "a"], "specials": []}', "expected distinct items"),
        ('{"items": ["a", ', "not JSON"),
    ]:
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            Vocabulary.load(path)
