"""Entity scores against a re-implementation of conlleval's counting, straight from its description."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canner.evaluation.entities import PRF, score_entities, score_subsets
from canner.text.entities import Entity
from canner.text.schemes import decode_tags


def end_of_chunk(before: str, tag: str, before_type: str, tag_type: str) -> bool:
    """conlleval's endOfChunk, with S- as its later versions have it."""
    if before in ("E", "S"):
        return True
    if before in ("B", "I") and tag in ("B", "S", "O"):
        return True
    return before != "O" and before_type != tag_type


def start_of_chunk(before: str, tag: str, before_type: str, tag_type: str) -> bool:
    """conlleval's startOfChunk, with S- as its later versions have it."""
    if tag in ("B", "S"):
        return True
    if before in ("E", "S", "O") and tag in ("E", "I"):
        return True
    return tag != "O" and before_type != tag_type


def conlleval_counts(gold: list[list[str]], predicted: list[list[str]]) -> tuple[int, int, int]:
    """Correct, found and gold chunks, counted token by token as conlleval does; no span is ever built."""
    correct_chunks = found_correct = found_guessed = 0
    in_correct = False
    last_gold, last_gold_type, last_guess, last_guess_type = "O", "", "O", ""
    stream: list[tuple[str, str]] = []
    for gold_tags, predicted_tags in zip(gold, predicted, strict=True):
        stream += [*zip(gold_tags, predicted_tags, strict=True), ("O", "O")]  # a boundary is an O for both
    for gold_tag, guess_tag in stream:
        gold_letter, _, gold_type = gold_tag.partition("-")
        guess_letter, _, guess_type = guess_tag.partition("-")
        gold_ends = end_of_chunk(last_gold, gold_letter, last_gold_type, gold_type)
        guess_ends = end_of_chunk(last_guess, guess_letter, last_guess_type, guess_type)
        gold_starts = start_of_chunk(last_gold, gold_letter, last_gold_type, gold_type)
        guess_starts = start_of_chunk(last_guess, guess_letter, last_guess_type, guess_type)
        if in_correct:
            if gold_ends and guess_ends and last_guess_type == last_gold_type:
                in_correct = False
                correct_chunks += 1
            elif gold_ends != guess_ends or guess_type != gold_type:
                in_correct = False
        if gold_starts and guess_starts and guess_type == gold_type:
            in_correct = True
        found_correct += gold_starts
        found_guessed += guess_starts
        last_gold, last_gold_type, last_guess, last_guess_type = (
            gold_letter,
            gold_type,
            guess_letter,
            guess_type,
        )
    return correct_chunks, found_guessed, found_correct


def corpora(letters: str) -> st.SearchStrategy[list[list[tuple[str, str]]]]:
    """Sentences of (gold, predicted) tags, mostly ill formed; predictions agree with gold half of the time."""
    tags = st.sampled_from(["O"] + [f"{letter}-{kind}" for letter in letters for kind in ("A", "B")])
    pair = st.tuples(tags, tags, st.booleans()).map(lambda one: (one[0], one[0] if one[2] else one[1]))
    return st.lists(st.lists(pair, min_size=1, max_size=10), min_size=1, max_size=4)


@pytest.mark.parametrize(("scheme", "letters"), [("IOB2", "BI"), ("BIOES", "BIES")])
def test_counts_are_those_of_conlleval(scheme: str, letters: str) -> None:
    @settings(max_examples=200, deadline=None)
    @given(corpora(letters))
    def check(corpus: list[list[tuple[str, str]]]) -> None:
        gold = [[pair[0] for pair in sentence] for sentence in corpus]
        predicted = [[pair[1] for pair in sentence] for sentence in corpus]
        scores = score_entities(*([decode_tags(tags, scheme) for tags in side] for side in (gold, predicted)))
        micro = scores.micro
        assert (micro.tp, micro.num_predicted, micro.num_gold) == conlleval_counts(gold, predicted)
        assert sum(one.tp for one in scores.by_type.values()) == micro.tp
        for kind, one in scores.by_type.items():
            # With all other types as O, a type is counted alone: a change of type ends a chunk just as O does.
            only = [
                [[tag if tag.endswith(kind) else "O" for tag in sentence] for sentence in side]
                for side in (gold, predicted)
            ]
            assert (one.tp, one.num_predicted, one.num_gold) == conlleval_counts(only[0], only[1])

    check()


def test_one_example_by_hand() -> None:
    gold = [[Entity(0, 2, "PER"), Entity(3, 4, "LOC")], [Entity(0, 1, "LOC")], []]
    predicted = [
        [Entity(0, 2, "PER", 0.9), Entity(3, 4, "ORG")],
        [Entity(0, 2, "LOC")],
        [Entity(5, 6, "PER")],
    ]
    scores = score_entities(gold, predicted)
    assert scores.micro == PRF(25.0, pytest.approx(100 / 3), pytest.approx(200 / 7), 1, 4, 3)
    assert scores.by_type == {
        "LOC": PRF(0.0, 0.0, 0.0, 0, 1, 2),
        "ORG": PRF(0.0, 0.0, 0.0, 0, 1, 0),
        "PER": PRF(50.0, 100.0, pytest.approx(200 / 3), 1, 2, 1),
    }


def test_nothing_to_find_scores_zero() -> None:
    assert score_entities([[]], [[]]).micro == PRF(0.0, 0.0, 0.0, 0, 0, 0)


def test_perfect_is_a_hundred() -> None:
    found = [[Entity(0, 2, "A")]]
    assert score_entities(found, found).micro == PRF(100.0, 100.0, 100.0, 1, 1, 1)


def test_weibo_subsets() -> None:
    gold = [[Entity(0, 1, "PER.NAM"), Entity(1, 2, "PER.NOM"), Entity(2, 3, "LOC.NAM")]]
    predicted = [[Entity(0, 1, "PER.NAM"), Entity(1, 2, "PER.NAM")]]
    scores = {name: one.micro for name, one in score_subsets(gold, predicted).items()}
    assert list(scores) == ["NE", "NM", "Overall"]
    assert (scores["NE"].tp, scores["NE"].num_predicted, scores["NE"].num_gold) == (1, 2, 2)
    assert (scores["NM"].tp, scores["NM"].num_predicted, scores["NM"].num_gold) == (0, 0, 1)
    assert (scores["Overall"].tp, scores["Overall"].num_predicted, scores["Overall"].num_gold) == (1, 2, 3)


def test_a_type_that_is_not_weibos_counts_overall_alone() -> None:
    gold = [[Entity(0, 1, "PER.NAM"), Entity(1, 2, "PER.NOM")]]
    scores = score_subsets(gold, [[Entity(0, 1, "PER.NAM"), Entity(1, 2, "PER")]])
    counts = {
        name: (one.micro.tp, one.micro.num_predicted, one.micro.num_gold) for name, one in scores.items()
    }
    assert counts == {"NE": (1, 1, 1), "NM": (0, 0, 1), "Overall": (1, 2, 2)}


def test_there_are_no_weibo_subsets_of_another_corpus() -> None:
    assert score_subsets([[Entity(0, 1, "PER.NAM"), Entity(1, 2, "PER")]], [[]]) == {}
    assert score_subsets([[]], [[Entity(0, 1, "PER.NAM")]]) == {}


def test_unequal_numbers() -> None:
    with pytest.raises(ValueError, match="predictions for 2 sentences, got 1"):
        score_entities([[], []], [[]])
