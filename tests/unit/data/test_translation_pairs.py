"""Training pairs: alignments carried from words to pieces, copy slots on both sides, padding."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.data.translation_pairs import PairExample, collate_pairs, prepare_pairs
from canner.text.copying import Copier
from canner.text.subwords import Subwords

SOURCE = ["el gato negro duerme", "la casa grande", "un gato grande", "la noche negra"]
TARGET = ["the black cat sleeps", "the big house", "a big cat", "the black night"]
LETTERS = [" ".join("abcdefghijklmnopqrstuvwxyz"), "abcdefghijklmnopqrstuvwxyz"]
SOURCE_SUBWORDS = Subwords.train([line.split() for line in SOURCE * 2 + LETTERS * 2], vocab_size=90)
TARGET_SUBWORDS = Subwords.train([line.split() for line in TARGET * 2 + LETTERS * 2], vocab_size=80)
PIECES = st.lists(st.integers(4, 50), min_size=1, max_size=7)
WORD = st.text("abcdefgt", min_size=1, max_size=9)


def prepare(pairs, links=None, copier=None, **changes):
    options = {"extra_copies": 0.0, "max_pieces": 100, "seed": 1, **changes}
    return prepare_pairs(pairs, links, SOURCE_SUBWORDS, TARGET_SUBWORDS, copier or Copier([]), **options)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_pieces_are_linked_exactly_where_their_words_are(data: st.DataObject) -> None:
    source = data.draw(st.lists(WORD, min_size=1, max_size=5))
    target = data.draw(st.lists(WORD, min_size=1, max_size=5))
    every = [(i, j) for i in range(len(source)) for j in range(len(target))]
    links = sorted(data.draw(st.sets(st.sampled_from(every))))
    found = prepare([(source, target)], [links], max_pieces=10**6)
    if not found:  # left out: the sides differ too much in length
        short, long = sorted(
            (len(SOURCE_SUBWORDS.encode(source).ids), len(TARGET_SUBWORDS.encode(target).ids))
        )
        assert long > 4 * short + 4
        return
    source_words = SOURCE_SUBWORDS.encode(source).words
    target_words = TARGET_SUBWORDS.encode(target).words
    expected = {
        (s, t) for s, i in enumerate(source_words) for t, j in enumerate(target_words) if (i, j) in links
    }
    assert set(found[0].links) == expected
    assert len(found[0].links) == len(expected)


def test_a_rare_name_on_both_sides_is_one_slot_with_its_links() -> None:
    source, target = ["la", "Zubizarreta", "duerme"], ["the", "Zubizarreta", "sleeps"]
    [example] = prepare([(source, target)], [[(0, 0), (1, 1), (2, 2)]])
    slot = Subwords.first_copy_id
    assert example.source.count(slot) == example.target.count(slot) == 1
    at = (example.source.index(slot), example.target.index(slot))
    assert at in example.links
    assert [link for link in example.links if at[0] == link[0] or at[1] == link[1]] == [at]


def test_a_slot_is_linked_with_itself_whatever_the_aligner_says() -> None:
    source, target = ["la", "Zubizarreta", "y", "Zoé"], ["the", "Zoé", "and", "Zubizarreta"]
    [example] = prepare([(source, target)], [[(0, 0), (1, 1), (3, 2), (2, 3)]])
    slots = Subwords.first_copy_id, Subwords.first_copy_id + 1
    of_slots = {(example.source.index(slot), example.target.index(slot)) for slot in slots}
    assert of_slots == {
        link for link in example.links if example.source[link[0]] in slots or example.target[link[1]] in slots
    }
    assert len(example.links) > len(of_slots)  # those of the other words stay


def test_a_name_that_is_translated_is_spelled_out() -> None:
    [example] = prepare([(["la", "Londres"], ["the", "London"])])
    assert Subwords.first_copy_id not in example.source + example.target


def test_known_names_become_slots_only_by_chance() -> None:
    pairs = [(["la", "Ana"], ["the", "Ana"])] * 200
    known = Copier(["Ana", "ana", "la"])
    slot = Subwords.first_copy_id
    assert not any(slot in e.source for e in prepare(pairs, copier=known))
    assert all(slot in e.source for e in prepare(pairs, copier=known, extra_copies=1.0))
    some = prepare(pairs, copier=known, extra_copies=0.25)
    assert 20 < sum(slot in e.source for e in some) < 90
    assert all((slot in e.source) == (slot in e.target) for e in some)
    assert some == prepare(pairs, copier=known, extra_copies=0.25)
    assert some != prepare(pairs, copier=known, extra_copies=0.25, seed=2)


def test_long_uneven_and_empty_pairs_are_left_out() -> None:
    even = (["gato"] * 6, ["cat"] * 6)
    pairs = [even, (["gato"] * 40, ["cat"]), ([], ["cat"]), (["gato"], []), even]
    assert len(prepare(pairs)) == 2
    assert prepare([even], max_pieces=2) == []


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(4, 50), min_size=1, max_size=7),
            st.lists(st.integers(4, 50), min_size=1, max_size=7),
        ),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2**16),
)
@settings(max_examples=30, deadline=None)
def test_batch_holds_what_a_loop_would_write(sides: list[tuple[list[int], list[int]]], seed: int) -> None:
    rng = random.Random(seed)
    examples = [
        PairExample(s, t, sorted({(rng.randrange(len(s)), rng.randrange(len(t))) for _ in range(3)}))
        for s, t in sides
    ]
    batch = collate_pairs(examples, with_links=True)
    assert batch.aligned is not None
    for row, example in enumerate(examples):
        num_source, num_target = len(example.source), len(example.target)
        assert batch.source[row].tolist()[: num_source + 1] == [*example.source, Subwords.eos_id]
        assert batch.source_mask[row].tolist() == [k <= num_source for k in range(batch.source.shape[1])]
        assert batch.target_in[row].tolist()[: num_target + 1] == [Subwords.bos_id, *example.target]
        assert batch.target_out[row].tolist()[: num_target + 1] == [*example.target, Subwords.eos_id]
        for side, length in (
            (batch.source, num_source),
            (batch.target_in, num_target),
            (batch.target_out, num_target),
        ):
            assert (side[row, length + 1 :] == Subwords.pad_id).all()
        expected = {(t, s) for s, t in example.links} | {(num_target, num_source)}
        assert {tuple(place) for place in batch.aligned[row].nonzero().tolist()} == expected
    assert batch.num_target == int((batch.target_out != Subwords.pad_id).sum())
    assert set(batch.aligned.unique().tolist()) <= {0.0, 1.0}


@pytest.mark.parametrize("with_links", [False, True])
def test_a_batch_moves_whole(with_links: bool) -> None:
    batch = collate_pairs([PairExample([5, 6], [7], [(0, 0)])], with_links=with_links)
    moved = batch.to("cpu")
    assert torch.equal(moved.source, batch.source)
    assert (moved.aligned is None) == (not with_links)
    assert moved.num_target == 2
