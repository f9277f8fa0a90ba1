"""Tags to entities and back."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.entities import Entity, first_overlap
from canner.text.schemes import (
    SCHEMES,
    Repair,
    TagError,
    allowed_transitions,
    check_tags,
    convert_tags,
    decode_tags,
    detect_scheme,
    encode_tags,
    split_tag,
)
from canner.text.sentence import Sentence

LETTERS = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BMES": "BMES", "BILOU": "BILU"}
SPELLED = {
    "IOB1": "I-A I-A B-A O I-B I-A B-A I-A",
    "IOB2": "B-A I-A B-A O B-B B-A B-A I-A",
    "BIOES": "B-A E-A S-A O S-B S-A B-A E-A",
    "BMES": "B-A E-A S-A O S-B S-A B-A E-A",
    "BILOU": "B-A L-A U-A O U-B U-A B-A L-A",
}
SPELLED_ENTITIES = [
    Entity(0, 2, "A"),
    Entity(2, 3, "A"),
    Entity(4, 5, "B"),
    Entity(5, 6, "A"),
    Entity(6, 8, "A"),
]


@st.composite
def labelled(draw: st.DrawFn) -> tuple[list[Entity], int]:
    """Entities that do not overlap, and the length of their sentence."""
    entities, position = [], 0
    for gap, length, kind in draw(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(["A", "B", "A-B"])), max_size=6
        )
    ):
        entities.append(Entity(position + gap, position + gap + length, kind))
        position += gap + length
    return entities, position + draw(st.integers(0, 2))


def any_tags(scheme: str) -> st.SearchStrategy[list[str]]:
    tags = ["O"] + [f"{letter}-{kind}" for letter in LETTERS[scheme] for kind in "AB"]
    return st.lists(st.sampled_from(tags), max_size=10)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spelling_by_hand(scheme: str) -> None:
    tags = SPELLED[scheme].split()
    assert decode_tags(tags, scheme) == SPELLED_ENTITIES
    assert encode_tags(SPELLED_ENTITIES, 8, scheme) == tags


def test_long_entities_have_inner_letters() -> None:
    entity = [Entity(0, 4, "A")]
    assert encode_tags(entity, 4, "BIOES") == ["B-A", "I-A", "I-A", "E-A"]
    assert encode_tags(entity, 4, "BMES") == ["B-A", "M-A", "M-A", "E-A"]
    assert encode_tags(entity, 4, "BILOU") == ["B-A", "I-A", "I-A", "L-A"]


@given(labelled(), st.sampled_from(SCHEMES))
def test_entities_to_tags_and_back(case: tuple[list[Entity], int], scheme: str) -> None:
    entities, length = case
    tags = encode_tags(entities, length, scheme)
    assert len(tags) == length
    assert decode_tags(tags, scheme) == entities


@given(labelled(), st.sampled_from(SCHEMES), st.sampled_from(SCHEMES))
def test_conversion_of_well_formed_tags_loses_and_repairs_nothing(
    case: tuple[list[Entity], int], first: str, second: str
) -> None:
    tags = encode_tags(*case, first)
    converted, repairs = convert_tags(tags, first, second)
    assert repairs == []
    assert decode_tags(converted, second) == case[0]
    assert convert_tags(converted, second, first) == (tags, [])


@given(st.data(), st.sampled_from(SCHEMES))
def test_every_tag_that_is_not_o_is_in_exactly_one_entity(data: st.DataObject, scheme: str) -> None:
    tags = data.draw(any_tags(scheme))
    entities = decode_tags(tags, scheme)
    assert first_overlap(entities) is None
    assert sorted(i for one in entities for i in range(one.start, one.end)) == [
        i for i, tag in enumerate(tags) if tag != "O"
    ]
    assert all(tags[i][2:] == one.type for one in entities for i in range(one.start, one.end))


@given(st.data(), st.sampled_from(SCHEMES))
def test_repairs_are_exactly_what_differs_from_the_well_formed_tags(data: st.DataObject, scheme: str) -> None:
    tags = data.draw(any_tags(scheme))
    repaired, repairs = convert_tags(tags, scheme, scheme)
    assert convert_tags(repaired, scheme, scheme) == (repaired, [])
    assert decode_tags(repaired, scheme) == decode_tags(tags, scheme)
    for repair in repairs:
        assert tags[repair.position] == repair.found
        assert repaired[repair.position] == repair.used
        tags[repair.position] = repair.used
    assert tags == repaired


@pytest.mark.parametrize(
    ("scheme", "tags", "repairs"),
    [
        ("IOB2", "I-A I-A", [Repair(0, "I-A", "B-A", "I-A starts an entity")]),
        ("IOB2", "B-A I-B", [Repair(1, "I-B", "B-B", "type changes inside an entity: I-B after B-A")]),
        ("IOB1", "O B-A", [Repair(1, "B-A", "I-A", "B-A where no entity of its type ends before it")]),
        ("BIOES", "O E-A", [Repair(1, "E-A", "S-A", "E-A starts an entity")]),
        ("BIOES", "B-A O", [Repair(0, "B-A", "S-A", "B-A ends an entity")]),
        ("BIOES", "B-A I-A S-A", [Repair(1, "I-A", "E-A", "I-A ends an entity")]),
        ("BMES", "M-A E-A", [Repair(0, "M-A", "B-A", "M-A starts an entity")]),
        ("BILOU", "L-A", [Repair(0, "L-A", "U-A", "L-A starts an entity")]),
    ],
)
def test_repairs_say_what_was_wrong(scheme: str, tags: str, repairs: list[Repair]) -> None:
    assert convert_tags(tags.split(), scheme, "BIOES")[1] == repairs


@pytest.mark.parametrize("scheme", SCHEMES)
def test_detection(scheme: str) -> None:
    # A file needs long entities to show the letter M.
    tags = [*encode_tags([Entity(0, 3, "A"), Entity(3, 4, "A"), Entity(5, 6, "B")], 6, scheme)]
    assert detect_scheme([["O"], tags]) == scheme


def test_detection_without_evidence_is_iob2() -> None:
    assert detect_scheme([["O", "O"], []]) == "IOB2"


def test_one_wrong_start_does_not_turn_iob2_into_iob1() -> None:
    assert detect_scheme([["B-A", "O", "B-A"], ["I-A"]]) == "IOB2"


@pytest.mark.parametrize(
    ("sequences", "place"),
    [([["B-A", "M-A"], ["I-A"]], (1, 0)), ([["U-A"], ["O", "S-A"]], (1, 1)), ([["M-A", "L-A"]], (0, 1))],
)
def test_mixed_schemes_are_refused_where_they_meet(
    sequences: list[list[str]], place: tuple[int, int]
) -> None:
    with pytest.raises(TagError, match="mixed schemes") as caught:
        detect_scheme(sequences)
    assert (caught.value.sentence, caught.value.position) == place


@pytest.mark.parametrize("tag", ["", "PER", "B", "B-", "B_PER", "X-PER", "o", "PER-B", "-B"])
def test_tags_of_unknown_shape(tag: str) -> None:
    assert split_tag(tag) is None
    with pytest.raises(ValueError, match="expected a tag"):
        detect_scheme([[tag]])
    with pytest.raises(ValueError, match=r"expected a tag of BIOES .* at position 1"):
        check_tags(["O", tag], "BIOES")


def test_a_letter_of_another_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a tag of IOB2"):
        decode_tags(["S-A"], "IOB2")


def test_unknown_scheme() -> None:
    with pytest.raises(ValueError, match="expected a scheme of IOB1, IOB2"):
        decode_tags(["O"], "IOBES")


@pytest.mark.parametrize(
    ("entities", "message"),
    [([Entity(0, 2, "A"), Entity(1, 3, "B")], "do not overlap"), ([Entity(2, 4, "A")], "within 3 tokens")],
)
def test_entities_that_tags_cannot_spell(entities: list[Entity], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode_tags(entities, 3)


@pytest.mark.parametrize("span", [(1, 1), (2, 1), (-1, 1)])
def test_impossible_entities(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="0 <= start < end"):
        Entity(*span, "A")
    with pytest.raises(ValueError, match="entity type"):
        Entity(0, 1, "")


def test_score_of_an_entity_is_no_part_of_its_identity() -> None:
    assert Entity(0, 1, "A", 0.5) == Entity(0, 1, "A")
    assert len({Entity(0, 1, "A", 0.5), Entity(0, 1, "A")}) == 1


def test_allowed_transitions_by_enumeration() -> None:
    """A sequence is allowed exactly if it is well formed, for all sequences of up to four tags."""
    tags = ["O", *(f"{letter}-{kind}" for kind in "AB" for letter in "BIES")]
    start, end, matrix = allowed_transitions(tags)
    for length in range(1, 5):
        for ids in product(range(len(tags)), repeat=length):
            allowed = start[ids[0]] and end[ids[-1]]
            allowed = allowed and all(matrix[i][j] for i, j in pairwise(ids))
            sequence = [tags[i] for i in ids]
            assert allowed == (encode_tags(decode_tags(sequence), length) == sequence)


def test_allowed_transitions_of_unknown_tags() -> None:
    with pytest.raises(ValueError, match="expected a tag of BIOES"):
        allowed_transitions(["O", "<pad>"])


def test_sentence_knows_its_entities() -> None:
    sentence = Sentence.from_entities(["Ana", "Sol", "ríe"], [Entity(0, 2, "PER")])
    assert sentence.tags == ("B-PER", "E-PER", "O")
    assert sentence.entities == [Entity(0, 2, "PER")]
    assert Sentence(("a",)).entities == []


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        ((), None, "empty sentence"),
        (("a", ""), None, "empty one at position 1"),
        (("a", "b"), ("O",), "1 tags for 2 tokens"),
        (("a",), ("M-A",), "expected a tag of BIOES"),
    ],
)
def test_impossible_sentences(tokens: tuple[str, ...], tags: tuple[str, ...] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sentence(tokens, tags)
