"""Cutting long sentences."""

from hypothesis import given
from hypothesis import strategies as st

from canner.decoding.splitting import split_sentence

words_and_pieces = st.lists(
    st.tuples(st.sampled_from(["a", "b", ".", ",", "。"]), st.integers(1, 9)), max_size=60
)


@given(words_and_pieces, st.integers(1, 20))
def test_parts_cover_the_sentence_and_keep_the_limit(words_and_pieces, limit):
    words, pieces = [w for w, _ in words_and_pieces], [n for _, n in words_and_pieces]
    parts = split_sentence(words, pieces, limit)
    assert [i for start, end in parts for i in range(start, end)] == list(range(len(words)))
    for start, end in parts:
        assert end - start == 1 or sum(pieces[start:end]) <= limit


def test_it_cuts_after_a_full_stop_rather_than_a_comma_rather_than_anywhere():
    words = ["a", "b", "c", "d", ".", "e", ",", "f", "g", "h"]
    assert split_sentence(words, [1] * 10, 8) == [(0, 5), (5, 10)]
    words[4] = "x"
    assert split_sentence(words, [1] * 10, 8) == [(0, 7), (7, 10)]
    words[6] = "x"
    assert split_sentence(words, [1] * 10, 8) == [(0, 8), (8, 10)]


def test_an_early_full_stop_does_not_make_a_tiny_part():
    words = ["a", ".", "b", "c", "d", "e", "f", "g", "h", "i"]
    assert split_sentence(words, [1] * 10, 8) == [(0, 8), (8, 10)]


def test_a_short_sentence_stays_whole():
    assert split_sentence(["a", ".", "b"], [1, 1, 1], 3) == [(0, 3)]
    assert split_sentence([], [], 3) == []
