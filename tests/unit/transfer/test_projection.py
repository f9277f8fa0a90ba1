"""Entities read off carried tag probabilities: by hand, and their confidence by enumeration."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.text.entities import Entity
from canner.transfer.projection import ProjectionTagger

TAGS = ["O", "B-LOC", "S-LOC", "E-LOC", "B-PER", "S-PER"]


def spread(*rows):
    """Tag probabilities from what each token says: a tag, or nothing (no word looked at it)."""
    table = torch.zeros(len(rows), len(TAGS))
    for index, row in enumerate(rows):
        for tag, weight in (row or {}).items():
            table[index, TAGS.index(tag)] = weight
    return table


def found(tagger, table, confidence=False):
    (entities,) = tagger.entities([["w"] * len(table)], aligned=[table], confidence=confidence)
    return entities


def test_neighbours_of_one_type_are_one_entity_wherever_their_words_stood():
    table = spread({"E-LOC": 1}, {"B-LOC": 1}, {"S-PER": 1}, {"O": 1}, {"S-PER": 1}, None)
    assert found(ProjectionTagger(TAGS), table) == [
        Entity(0, 2, "LOC"),
        Entity(2, 3, "PER"),
        Entity(4, 5, "PER"),
    ]


def test_tags_of_a_type_are_added_up_and_what_is_missing_is_no_entity():
    table = spread({"B-LOC": 0.3, "E-LOC": 0.3, "O": 0.4}, {"S-PER": 0.4}, {"S-PER": 0.4, "S-LOC": 0.3})
    assert found(ProjectionTagger(TAGS), table) == [Entity(0, 1, "LOC"), Entity(2, 3, "PER")]


def test_other_types_can_be_left_out():
    table = spread({"S-PER": 1}, {"S-LOC": 0.6, "S-PER": 0.4})
    tagger = ProjectionTagger(TAGS, ["LOC"])
    assert found(tagger, table) == [Entity(1, 2, "LOC")]
    assert tagger.tags == ["O", "B-LOC", "S-LOC", "E-LOC"]
    with pytest.raises(ValueError, match="expected types among LOC, PER, which the teacher knows, got DATE"):
        ProjectionTagger(TAGS, ["DATE"])
    with pytest.raises(ValueError, match="got none"):
        ProjectionTagger(TAGS, [])


def test_without_english_there_is_nothing_to_read():
    for aligned in (None, [torch.zeros(2, len(TAGS))], [torch.zeros(1, 2)], [torch.zeros(1, len(TAGS))] * 2):
        with pytest.raises(ValueError, match="expected tag probabilities of shapes"):
            ProjectionTagger(TAGS).entities([["w"]], aligned=aligned)
    assert ProjectionTagger(TAGS).entities([[]], aligned=[torch.zeros(0, len(TAGS))]) == [[]]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(0, 10_000))
def test_confidence_is_the_share_of_all_taggings_that_hold_exactly_this_entity(length, seed):
    generator = torch.Generator().manual_seed(seed)
    table = torch.rand(length, len(TAGS), generator=generator, dtype=torch.float64)
    table /= table.sum(1, keepdim=True)
    entities = found(ProjectionTagger(TAGS), table, confidence=True)
    kinds = ["", "LOC", "PER"]
    of_kind = [
        [sum(table[i, k] for k, t in enumerate(TAGS) if t[2:] == kind) for kind in kinds]
        for i in range(length)
    ]
    totals = dict.fromkeys(entities, 0.0)
    for tagging in itertools.product(range(3), repeat=length):
        weight = 1.0
        for place, kind in enumerate(tagging):
            weight *= float(of_kind[place][kind])
        for entity in entities:
            whole = all(kinds[tagging[i]] == entity.type for i in range(entity.start, entity.end))
            edges = [i for i in (entity.start - 1, entity.end) if 0 <= i < length]
            if whole and all(kinds[tagging[i]] != entity.type for i in edges):
                totals[entity] += weight
    for entity in entities:
        assert entity.score == pytest.approx(totals[entity])
