"""What English says against a tagger: counted by hand."""

from __future__ import annotations

import pytest

from canner.evaluation.objections import objection_figures, token_types
from canner.text.entities import Entity

KNOWN = {"PER", "LOC", "ORG", "MISC"}


def test_tokens_have_the_types_that_the_teacher_has_names_for() -> None:
    entities = [
        Entity(0, 2, "PER.NAM"),
        Entity(2, 3, "PER.NOM"),
        Entity(4, 5, "GPE"),
        Entity(5, 6, "DATE"),
        Entity(6, 7, "GPE.NAM"),
    ]
    assert token_types(entities, 8, KNOWN) == ["PER", "PER", None, "", "LOC", None, "LOC", ""]
    assert token_types([], 2, KNOWN) == ["", ""]


def test_english_objects_where_it_names_another_type_and_one_is_right_or_none() -> None:
    cases = [  # gold standard, tagger, English
        ("PER", "PER", "PER"),  # all agree
        ("PER", "", "PER"),  # the tagger missed what English names
        ("LOC", "PER", "LOC"),  # it has another type
        ("", "LOC", ""),  # it has one where none is: English, which names none, does not object
        ("", "", "PER"),  # a false alarm of the English's
        ("ORG", "ORG", "PER"),  # and another type
        ("ORG", "ORG", "MISC"),
        ("ORG", "ORG", ""),  # silence is no objection
        ("MISC", "", "ORG"),  # neither is right
        ("LOC", "PER", "ORG"),
        ("LOC", None, "ORG"),  # the tagger names a type that does not count
        (None, "", "PER"),  # does not count
    ]
    gold, said, english = ([list(column)] for column in zip(*cases, strict=True))
    found = objection_figures(gold, said, english)
    assert found["wrong tokens"] == 6
    assert found["named rightly by the English %"] == pytest.approx(100 / 3)  # 2 of 6
    assert found["English objects, tokens"] == 8
    assert found["English right %"] == pytest.approx(25)  # 2 of 8
    assert found["tagger right %"] == pytest.approx(37.5)  # 3 of 8
    assert found["in no entity %"] == pytest.approx(12.5)  # 1 of 8


def test_where_nobody_is_wrong_shares_are_of_nothing() -> None:
    assert set(objection_figures([["PER", ""]], [["PER", ""]], [["", ""]]).values()) == {0}


@pytest.mark.parametrize(
    ("gold", "said", "english"),
    [
        ([["PER"]], [["PER"]], []),
        ([["PER"]], [["PER", ""]], [["PER"]]),
        ([["PER"]], [["PER"]], [["PER", ""]]),
    ],
)
def test_other_sentences_are_refused(gold, said, english) -> None:
    with pytest.raises(ValueError, match="types of the same tokens"):
        objection_figures(gold, said, english)
