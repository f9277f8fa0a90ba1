"""Names and nouns that both have capitals, told apart."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.capitals import NameGuesser

NOUNS = ["Freiheit", "Schönheit", "Wahrheit", "Krankheit", "Kindheit", "Gesundheit", "Sicherheit"]
NAMES = ["Bergmann", "Hoffmann", "Neumann", "Lehmann", "Bachmann", "Hartmann", "Eichmann"]
GERMAN = [
    *((f"Die {noun} kommt".split(), ["So", "it", "comes", "here"]) for noun in NOUNS for _ in range(40)),
    *((f"Dort lebt {name}".split(), f"There lives {name}".split()) for name in NAMES for _ in range(40)),
]
SPANISH = [(["La", "casa", "de", "Aranda"], ["The", "house", "of", "Aranda"])] * 5


def guesser():
    found = NameGuesser.train(GERMAN)
    assert found is not None
    return found


def test_unseen_words_are_guessed_by_their_parts():
    assert all(guesser().is_noun(word) for word in ("Einheit", "Trägheit", "Einheit-Trägheit", "Einheit-"))
    assert [guesser().is_noun(word) for word in ("Kaufmann", "Zimmermann")] == [False, False]


@pytest.mark.parametrize("word", ["CDU", "Bad-Freiheit", "B1", "freiheit", "F", "", "1999", "EU-Freiheit"])
def test_what_does_not_look_like_a_noun_is_none(word):
    assert not guesser().is_noun(word)


def test_the_first_word_of_a_sentence_says_nothing():
    first = [(["Dieheit", *source], target) for source, target in GERMAN]
    counts = NameGuesser.train(first, capitalised_nouns=True, min_count=1).counts
    assert counts["beginning"].get("Dieh") is None
    assert counts["beginning"]["Frei"] == (0, 1)


def test_names_in_the_genitive_are_names():
    genitive = [
        (f"Die Stadt {name}s".split(), f"The town of {name}".split()) for name in NAMES for _ in range(9)
    ]
    found = NameGuesser.train([*GERMAN, *genitive])
    assert not found.is_noun("Zimmermanns")


def test_a_language_whose_nouns_are_small_needs_no_guesses():
    assert NameGuesser.train(SPANISH) is None
    assert NameGuesser.train([]) is None
    # a few sentences with names say nothing; nor does English in lower case
    assert NameGuesser.train(GERMAN[:20]) is None
    long = ["La", "casa", "grande", "y", "buena", "de", "Aranda", "está", "aquí"]
    assert NameGuesser.train([(long, ["a", "house", "in", "aranda"])] * 500) is None
    assert NameGuesser.train(GERMAN, capitalised_nouns=False) is None
    assert NameGuesser.train(SPANISH, capitalised_nouns=True, min_count=1) is not None


def test_counts_are_of_words_not_of_their_occurrences():
    assert guesser().counts["ending"][""] == (len(NAMES), len(NOUNS))
    assert guesser().counts["ending"]["heit"] == (0, len(NOUNS))
    assert guesser().counts["ending"]["mann"] == (len(NAMES), 0)
    assert "ichmann" not in guesser().counts["ending"]  # fewer than five words


@given(st.text(alphabet="ABCabcdefheitmnÄöß", max_size=12))
def test_a_guess_is_the_same_after_a_round_trip(word):
    again = NameGuesser.from_json(json.loads(guesser().to_json()))
    assert again.is_noun(word) == guesser().is_noun(word)
    assert again.to_json() == guesser().to_json()


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {"ending": {}},
        {"ending": {"a": 3}, "beginning": {}, "length": {}},
        {"ending": {"a": [1, -1]}, "beginning": {}, "length": {}},
        {"ending": {"a": [1, float("inf")]}, "beginning": {}, "length": {}},
    ],
)
def test_something_else_is_refused(content):
    with pytest.raises(ValueError, match=r"expected counts of ending.*copy the bundle again"):
        NameGuesser.from_json(content)
