"""Scores of translators: error rate of known attention, words cut and joined again, BLEU of known output."""

from __future__ import annotations

import pytest
import torch

from canner.data.translation import Translation
from canner.evaluation.alignment import GoldAlignment
from canner.evaluation.translator_scores import attention_error_rates, score_translations


class Forced:
    """Gives each pair the attention that a function of (T, S) makes."""

    def __init__(self, produced, read=None, num_layers=1):
        self.produced, self.read, self.num_layers = produced, read, num_layers
        self.seen: list[tuple[tuple[str, ...], tuple[str, ...]]] = []

    def force_many(self, pairs):
        found = []
        for source, target in pairs:
            self.seen.append((tuple(source), tuple(target)))
            size = (len(target), len(source))
            read = None if self.read is None else self.read(*size)
            found.append(Translation(tuple(source), tuple(target), self.produced(*size), read))
        return found


def identity(num_target, num_source):
    return torch.eye(num_target, num_source)[None]


def mirror(num_target, num_source):
    return torch.eye(num_target, num_source).flip(1)[None]


def gold(*links):
    return GoldAlignment(frozenset(links), frozenset(links))


PAIRS = [(["ein", "rotes", "Haus"], ["a", "red", "house"]), (["ja", "doch"], ["yes", "indeed"])]
DIAGONAL = [gold((0, 0), (1, 1), (2, 2)), gold((0, 0), (1, 1))]
MIRRORED = [gold((0, 2), (1, 1), (2, 0)), gold((0, 1), (1, 0))]


def test_identity_attention_has_no_error_on_diagonal_gold():
    assert attention_error_rates(Forced(identity), PAIRS, DIAGONAL) == {"produced": [0.0], "read": [0.0]}


def test_identity_attention_on_mirrored_gold():
    # of five links only the middle one of three is right
    rates = attention_error_rates(Forced(identity), PAIRS, MIRRORED)
    assert rates["produced"][0] == pytest.approx(100 * (1 - 2 / 10))


def test_every_layer_and_both_readings_are_scored_apart():
    both = Forced(
        lambda t, s: torch.cat([identity(t, s), mirror(t, s)]), lambda t, s: torch.cat([mirror(t, s)] * 2), 2
    )
    rates = attention_error_rates(both, PAIRS, MIRRORED)
    assert rates == {"produced": [pytest.approx(80.0), 0.0], "read": [0.0, 0.0]}


def test_a_word_that_attends_mostly_to_the_end_has_no_link():
    def weak(num_target, num_source):
        weights = torch.eye(num_target, num_source)
        weights[0] *= 0.4  # the other 0.6 lies on <eos>
        return weights[None]

    rates = attention_error_rates(Forced(weak), PAIRS, DIAGONAL)
    assert rates["produced"][0] == pytest.approx(
        100 * (1 - 2 * 3 / (3 + 5))
    )  # two of five links are not made


def test_words_are_cut_for_the_translator_and_joined_for_the_gold():
    # Gold counts words 红色 房子; the translator reads characters, and "can't" as it is tokenised.
    pairs = [(["红色", "房子"], ["red", "house"])]
    forced = Forced(lambda t, s: torch.tensor([[0.3, 0.3, 0.4, 0.0], [0.0, 0.0, 0.5, 0.5]])[None])
    rates = attention_error_rates(forced, pairs, [gold((0, 0), (1, 1))])
    assert forced.seen == [(("红", "色", "房", "子"), ("red", "house"))]
    # 0.6 of "red" lies on the word 红色, though its strongest single character is in the other word
    assert rates["produced"] == [0.0]


def test_tokens_of_one_target_word_are_averaged():
    pairs = [(["a", "b"], ["红色"])]
    forced = Forced(lambda t, s: torch.tensor([[0.9, 0.1], [0.3, 0.7]])[None])
    assert attention_error_rates(forced, pairs, [gold((0, 0))])["produced"] == [0.0]
    assert attention_error_rates(forced, pairs, [gold((1, 0))])["produced"] == [100.0]


class Dictionary:
    fingerprint, num_layers = "dictionary", 1

    def translate(self, sentences, *, progress=None):
        found = [tuple(word.upper() for word in words) for words in sentences]
        return [
            Translation(tuple(s), t, torch.eye(len(s))[None]) for s, t in zip(sentences, found, strict=True)
        ]


def test_a_translation_that_is_the_reference_scores_100():
    scores = score_translations(Dictionary(), ["ein rotes haus, ja!"], ["EIN ROTES HAUS, JA!"])
    assert scores == {"bleu": pytest.approx(100), "chrf": pytest.approx(100)}


def test_a_wrong_translation_scores_low():
    scores = score_translations(Dictionary(), ["ein rotes haus, ja!"], ["nothing of the kind said here"])
    assert scores["bleu"] < 1
    assert scores["chrf"] < 20
