"""Rare names as copy slots."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.capitals import NameGuesser
from canner.text.copying import Copier
from canner.text.subwords import COPY_SLOTS, NUM_COPY_SLOTS

COPIER = Copier(["la", "casa", "Lima", "1999"])
some_words = st.lists(
    st.sampled_from(
        ["la", "La", "casa", "Lima", "1999", "Aranda", "Zoé", "B12", "42", "mcDuff", "raro", "<copy3>"]
    ),
    max_size=15,
)


@given(some_words)
def test_slots_mean_the_words_that_they_replace(words):
    masked, slots = COPIER.mask(words)
    assert [slots.get(word, word) for word in masked] == words
    assert len(set(slots.values())) == len(slots)


@given(some_words)
def test_what_is_masked_is_rare_and_may_be_a_name(words):
    masked, slots = COPIER.mask(words)
    assert set(slots.values()) == {
        w for w in words if w in ("Aranda", "Zoé", "B12", "42", "mcDuff", "<copy3>")
    }
    assert [i for i, word in enumerate(masked) if word in COPY_SLOTS] == COPIER.positions(words)


@given(some_words)
def test_slots_are_numbered_from_left_to_right(words):
    masked, slots = COPIER.mask(words)
    met = list(dict.fromkeys(word for word in masked if word in slots))
    assert met == list(COPY_SLOTS[: len(met)])


def test_known_words_are_translated_in_either_case():
    assert COPIER.mask(["La", "LIMA", "Lima", "CASA"]) == (
        ["La", "<copy0>", "Lima", "CASA"],
        {"<copy0>": "LIMA"},
    )


def test_there_are_slots_for_so_many_distinct_words():
    words = [f"Name{i}" for i in range(20)]
    masked, slots = COPIER.mask(["Name0", *words, "Name3", "<copy3>"])
    assert len(slots) == NUM_COPY_SLOTS
    assert masked[0] == masked[1] == "<copy0>"
    assert masked[-2] == "<copy3>"
    assert masked[17] == "Name16"
    # No slot is left for the last word, whose letters are those of a slot: it must not be read as one.
    assert masked[-1] not in COPY_SLOTS


def test_training_counts_capitalised_words_as_small_ones_too():
    sentences = [["El", "perro"], ["el", "gato"], ["el", "Pérez"], ["Pérez"]]
    copier = Copier.train(sentences, min_count=3)
    assert copier.known == {"el"}
    assert copier.positions(["El", "Pérez", "perro"]) == [1]
    assert Copier.train(sentences, min_count=2).positions(["Pérez"]) == []


def test_a_training_pair_has_slots_only_where_both_sides_have_the_word():
    source = ["Aranda", "vio", "Londres", "y", "Zoé", "Zoé", "Lima"]
    target = ["Aranda", "saw", "London", "and", "Zoé", "Lima"]
    masked = COPIER.mask_pair(source, target, random.Random(0), extra=0.0)
    assert masked == (
        ["<copy0>", "vio", "Londres", "y", "<copy1>", "<copy1>", "Lima"],
        ["<copy0>", "saw", "London", "and", "<copy1>", "Lima"],
    )
    with_extra, _ = COPIER.mask_pair(source, target, random.Random(0), extra=1.0)
    assert with_extra == ["<copy0>", "vio", "Londres", "y", "<copy1>", "<copy1>", "<copy2>"]


@given(some_words, some_words, st.integers(0, 99), st.floats(0, 1))
def test_a_training_pair_can_be_read_back(source, target, seed, extra):
    source, target = ([w for w in side if w not in COPY_SLOTS] for side in (source, target))
    masked_source, masked_target = COPIER.mask_pair(source, target, random.Random(seed), extra)
    slots = {m: w for m, w in zip(masked_source, source, strict=True) if m in COPY_SLOTS}
    assert [slots.get(w, w) for w in masked_source] == source
    assert [slots.get(w, w) for w in masked_target] == target


def test_a_saved_copier_is_the_same(tmp_path):
    COPIER.save(tmp_path / "copier.json")
    assert Copier.load(tmp_path / "copier.json").known == COPIER.known


def test_a_frequent_name_that_is_never_translated_is_copied_and_others_are_not():
    pairs = [("Sánchez vive en Londres", "Sánchez lives in London"), ("En Londres", "In London")] * 5
    sources, targets = zip(*[(s.split(), t.split()) for s, t in pairs], strict=True)
    copier = Copier.train(sources, targets, min_count=3)
    assert copier.positions(["Sánchez", "En", "Londres", "Vive"]) == [0]
    assert Copier.train(sources, min_count=3).positions(["Sánchez", "En", "Londres"]) == []


def test_a_name_that_loses_its_accent_in_english_is_copied_all_the_same():
    pairs = [("Pérez vive en Perú", "Perez lives in Peru"), ("En Perú", "In Peru"), ("París", "Paris")] * 5
    sources, targets = zip(*[(s.split(), t.split()) for s, t in pairs], strict=True)
    copier = Copier.train(sources, targets, min_count=3)
    assert copier.positions(["Pérez", "En", "Perú"]) == [0, 2]
    masked = copier.mask_pair(["Vio", "a", "Pérez"], ["Saw", "Perez"], random.Random(0), extra=0.0)
    assert masked == (["Vio", "a", "<copy0>"], ["Saw", "<copy0>"])
    assert copier.mask(["Pérez"]) == (["<copy0>"], {"<copy0>": "Pérez"})


NAMED = Copier(["北京", "la"], {"北京": "Beijing", "Londres": "London"})


def test_a_name_with_an_english_form_is_carried_over_under_it():
    masked, slots = NAMED.mask(["la", "北京", "Aranda", "Londres", "上海"])
    assert masked == ["la", "<copy0>", "<copy1>", "<copy2>", "上海"]
    assert slots == {"<copy0>": "Beijing", "<copy1>": "Aranda", "<copy2>": "London"}


def test_a_training_pair_has_a_slot_for_a_name_where_its_english_stands():
    source = ["北京", "y", "Londres"]
    pair = NAMED.mask_pair(source, ["Beijing", "and", "London"], random.Random(0), extra=0.0)
    assert pair == (["<copy0>", "y", "<copy1>"], ["<copy0>", "and", "<copy1>"])
    pair = NAMED.mask_pair(source, ["Peking", "and", "London"], random.Random(0), extra=0.0)
    assert pair == (["北京", "y", "<copy0>"], ["Peking", "and", "<copy0>"])


def test_a_saved_copier_keeps_its_names(tmp_path):
    NAMED.save(tmp_path / "copier.json")
    loaded = Copier.load(tmp_path / "copier.json")
    assert (loaded.known, loaded.names) == (NAMED.known, NAMED.names)


@given(st.lists(st.sampled_from(["北京", "京", "la", "Aranda", "Beijing", "Zoé"]), max_size=12))
def test_training_and_translating_number_the_slots_alike(words):
    copier = Copier(["la"], {"北京": "Beijing", "京": "Beijing"})
    english = [copier.english(word) for word in words]
    masked, slots = copier.mask(words)
    assert (masked, masked) == copier.mask_pair(words, english, random.Random(0), extra=0.0)
    assert len(set(slots.values())) == len(slots)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ('{"known": [], "names": {"a": 1}}', "English in one word"),
        ('{"known": [], "names": {"a": "New York"}}', "English in one word"),
        ('{"known": [], "names": {"a": ""}}', "English in one word"),
        ('{"names": {}}', "list of words"),
    ],
)
def test_a_damaged_copier_is_refused(tmp_path, content, wrong):
    (tmp_path / "copier.json").write_text(content)
    with pytest.raises(ValueError, match=f"expected .*{wrong}.*copy the bundle again"):
        Copier.load(tmp_path / "copier.json")


GERMAN = Copier(
    ["die"],
    {"Moskau": "Moscow"},
    NameGuesser({"ending": {"": (10, 10), "g": (0, 99)}, "beginning": {}, "length": {}}),
)


def test_where_nouns_have_capitals_too_they_are_not_copied(tmp_path):
    words = ["Die", "Moskau", "Frickelung", "Neumann", "U2"]
    assert GERMAN.positions(words) == [1, 3, 4]
    masked, _ = GERMAN.mask_pair(
        ["Frickelung", "Neumann"], ["Frickelung", "Neumann"], random.Random(0), extra=1.0
    )
    assert masked == ["Frickelung", "<copy0>"]
    GERMAN.save(tmp_path / "copier.json")
    assert Copier.load(tmp_path / "copier.json").positions(words) == [1, 3, 4]
