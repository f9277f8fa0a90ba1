"""Word alignment: symmetrisation against its definition, eflomal on text whose alignment is known."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.transfer.word_alignment import align_words, grow_diagonal, intersect

LINK_SETS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12)


@settings(max_examples=100, deadline=None)
@given(forward=LINK_SETS, reverse=LINK_SETS)
def test_grown_links_lie_between_intersection_and_union(forward, reverse):
    both = intersect(forward, reverse)
    assert both == sorted(link for link in forward if link in reverse)
    grown = grow_diagonal(forward, reverse)
    assert grown == sorted(set(grown))
    assert set(both) <= set(grown) <= forward | reverse
    # nothing left to add: a neighbour of a link in the union whose words are not both aligned already
    rows, columns = {i for i, _ in grown}, {j for _, j in grown}
    for i, j in (forward | reverse) - set(grown):
        touches = any(max(abs(i - k), abs(j - m)) == 1 for k, m in grown)
        assert not touches or (i in rows and j in columns)


def test_grow_diagonal_by_hand():
    # (1,1) is certain; (1,2) and (2,2) touch it one after the other; (4,4) touches nothing
    assert grow_diagonal({(1, 1), (1, 2), (4, 4)}, {(1, 1), (2, 2)}) == [(1, 1), (1, 2), (2, 2)]
    assert grow_diagonal([], [(0, 0)]) == []


def toy_text(num_sentences=150, seed=0):
    """A language whose words stand in reverse order: the true link of i is length - 1 - i."""
    pytest.importorskip("eflomal")
    generator = random.Random(seed)
    words = [f"w{i}" for i in range(30)]
    source = [generator.sample(words, generator.randint(2, 6)) for _ in range(num_sentences)]
    return source, [[word.upper() + "en" for word in reversed(tokens)] for tokens in source]


def test_finds_the_alignment_of_a_reversed_language():
    source, target = toy_text()
    links = align_words(source, target, 1)
    true = {(k, i, len(s) - 1 - i) for k, s in enumerate(source) for i in range(len(s))}
    found = {(k, i, j) for k, pairs in enumerate(links) for i, j in pairs}
    assert len(found & true) / len(found) > 0.9
    assert len(found & true) / len(true) > 0.8


def test_same_seed_same_links_and_more_links_when_grown():
    source, target = toy_text(60)
    random.Random(1).shuffle(target)  # nothing to find: what is linked is chance
    first = align_words(source, target, 7, relative_iterations=0.1)
    assert align_words(source, target, 7, relative_iterations=0.1) == first
    others = [align_words(source, target, seed, relative_iterations=0.1) for seed in range(3)]
    assert any(other != first for other in others)
    grown = align_words(source, target, 7, relative_iterations=0.1, symmetrise="grow-diag")
    assert all(set(few) <= set(more) for few, more in zip(first, grown, strict=True))


def test_empty_and_overlong_lines_get_no_links():
    source, target = toy_text(40)
    source[3], target[5], source[7] = [], [], ["w1"] * 2000
    links = align_words(source, target, 1, relative_iterations=0.2)
    assert len(links) == 40
    assert links[3] == links[5] == links[7] == []
    # and the lines around them keep their places
    assert all(i < len(s) and j < len(t) for s, t, k in zip(source, target, links, strict=True) for i, j in k)
    assert sum(map(bool, links)) > 30
    assert align_words([], [], 0) == []
    assert align_words([[]], [["x"]], 0) == [[]]


def test_sides_of_unequal_length():
    with pytest.raises(ValueError, match="expected as many target as source sentences, got 1 source and 2"):
        align_words([["a"]], [["b"], ["c"]], 0)


def test_words_with_spaces_count_as_one():
    source, target = toy_text(40)
    source = [[word.replace("w", "w \u2028 ") for word in tokens] for tokens in source]
    links = align_words(source, target, 1, relative_iterations=0.2)
    assert all(i < len(tokens) for tokens, pairs in zip(source, links, strict=True) for i, _ in pairs)
    assert sum(map(len, links)) > 50
