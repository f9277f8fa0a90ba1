"""Words to pieces and back, every piece with its word."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.text.subwords import BOS, COPY_SLOTS, EOS, PAD, UNK, Subwords

LETTERS = "abcdeé科技-'9"


@pytest.fixture(scope="module")
def subwords() -> Subwords:
    rng = random.Random(4)
    words = ["".join(rng.choices(LETTERS, k=rng.randint(1, 7))) for _ in range(60)]
    return Subwords.train([[rng.choice(words) for _ in range(9)] for _ in range(80)], vocab_size=110)


known_words = st.lists(st.text(LETTERS, min_size=1, max_size=12), max_size=10)
anything = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.text(LETTERS + "ñ▁ <>", max_size=9),
        st.sampled_from([PAD, BOS, EOS, UNK, "a<eos>b", "▁", "a▁b", "\ud800", "\u2028", "\x85"]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(words=known_words)
def test_known_letters_come_back(subwords, words):
    ids, owners = subwords.encode(words)
    grouped = [[i for i, owner in zip(ids, owners, strict=True) if owner == n] for n in range(len(words))]
    assert [subwords.word(group) for group in grouped] == words
    assert subwords.word_indices(ids) == owners


@settings(deadline=None)
@given(words=anything)
def test_every_word_has_pieces_whatever_it_is_made_of(subwords, words):
    ids, owners = subwords.encode(words)
    assert owners == sorted(owners)
    assert sorted(set(owners)) == list(range(len(words)))
    assert not {subwords.pad_id, subwords.bos_id, subwords.eos_id} & set(ids)
    assert not any(subwords.is_copy(i) for i in ids)
    assert subwords.word_indices(ids) == owners


@settings(deadline=None)
@given(words=st.lists(st.one_of(st.sampled_from(COPY_SLOTS), st.text(LETTERS + "ñ", min_size=1, max_size=9))))
def test_slots_are_one_piece_and_one_word(subwords, words):
    ids, owners = subwords.encode(words)
    assert subwords.word_indices(ids) == owners
    slots = [(subwords.piece(i), owner) for i, owner in zip(ids, owners, strict=True) if subwords.is_copy(i)]
    assert slots == [(word, n) for n, word in enumerate(words) if word in COPY_SLOTS]


def test_many_is_each(subwords):
    sentences = [["abc", "科技"], [], ["<copy1>", "9"]]
    assert subwords.encode_many(sentences) == [subwords.encode(words) for words in sentences]


def test_special_pieces_have_fixed_ids(subwords):
    assert [subwords.piece(i) for i in range(4)] == [PAD, BOS, EOS, UNK]
    assert (subwords.pad_id, subwords.bos_id, subwords.eos_id, subwords.unk_id) == (0, 1, 2, 3)
    first = subwords.first_copy_id
    assert tuple(subwords.piece(i) for i in range(first, first + len(COPY_SLOTS))) == COPY_SLOTS
    assert len(subwords) <= 110


def test_slots_are_not_learned_as_letters():
    trained = Subwords.train([["<copy0>", "ab"]] * 5, vocab_size=60)
    pieces = {trained.piece(i) for i in range(len(trained))}
    assert not {"<", "c", "o", "p", "y", "0", ">"} & pieces
    assert {PAD, BOS, EOS, UNK, *COPY_SLOTS, "▁", "a", "b", "▁ab"} <= pieces


def test_rare_characters_are_unknown():
    trained = Subwords.train([["abab"]] * 9 + [["z"]], vocab_size=60, limit_alphabet=3)
    assert trained.unk_id in trained.encode(["az"]).ids
    assert trained.unk_id not in trained.encode(["ab"]).ids


def test_a_saved_vocabulary_is_the_same(subwords, tmp_path):
    subwords.save(tmp_path / "v.json")
    loaded = Subwords.load(tmp_path / "v.json")
    words = ["abc", "<copy2>", "科技9", "ñ"]
    assert loaded.encode(words) == subwords.encode(words)
    assert len(loaded) == len(subwords)


def test_a_damaged_or_missing_vocabulary_is_a_clear_error(subwords, tmp_path):
    with pytest.raises(ValueError, match="expected a subword vocabulary"):
        Subwords.load(tmp_path / "none.json")
    subwords.save(tmp_path / "v.json")
    (tmp_path / "v.json").write_text(
        (tmp_path / "v.json").read_text(encoding="utf-8")[:200], encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"v\.json: expected a subword vocabulary .* damaged"):
        Subwords.load(tmp_path / "v.json")
