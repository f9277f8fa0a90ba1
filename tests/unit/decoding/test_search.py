"""Greedy and beam search against enumeration of every output."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from canner.decoding.beam import beam_search
from canner.decoding.constraints import Constraints
from canner.decoding.greedy import greedy_search

BOS, EOS, PAD, SLOT_A, SLOT_B, WORD = range(6)
VOCABULARY = 6


class RecurrentToy:
    """A random recurrent model: what comes next depends on the whole prefix, and on the sentence."""

    def __init__(self, seeds: list[int]) -> None:
        self.starts, self.mixes, self.outs, self.tokens = (
            torch.stack(x) for x in zip(*map(self._draw, seeds), strict=False)
        )

    @staticmethod
    def _draw(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        shapes = [(8,), (8, 8), (8, VOCABULARY), (VOCABULARY, 8)]
        return tuple(1.5 * torch.randn(s, generator=generator, dtype=torch.float64) for s in shapes)

    def start(self) -> tuple[Tensor, Tensor]:
        return torch.arange(len(self.starts)), self.starts[:, None]

    def step(self, ids: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        rows, hidden = state
        read = self.tokens[rows[:, None], ids]
        hidden = torch.tanh(hidden @ self.mixes[rows] + read)
        return torch.log_softmax(hidden @ self.outs[rows], dim=-1).float(), (rows, hidden)

    def select(
        self, state: tuple[Tensor, Tensor], sentences: Tensor, hypotheses: Tensor
    ) -> tuple[Tensor, Tensor]:
        rows, hidden = state
        return rows[sentences], hidden[sentences[:, None], hypotheses]

    def log_probability(self, sentence: int, output: tuple[int, ...]) -> float:
        """Of an output with <eos>, one token at a time."""
        hidden, total = self.starts[sentence], 0.0
        for read, written in zip((BOS, *output), (*output, EOS), strict=True):
            hidden = torch.tanh(hidden @ self.mixes[sentence] + self.tokens[sentence, read])
            total += float(torch.log_softmax(hidden @ self.outs[sentence], dim=-1)[written])
        return total


@dataclass(frozen=True)
class Rules:
    """The constraints of one sentence, said again in plain Python."""

    longest: int
    slots: tuple[int, int]
    all_slots: bool = False
    no_repeat: int | None = None

    def following(self, prefix: tuple[int, ...]) -> set[int]:
        """What may come after a prefix."""
        if len(prefix) == self.longest - 1:
            return {EOS}
        allowed = {WORD}
        counts = (prefix.count(SLOT_A), prefix.count(SLOT_B))
        allowed |= {t for t, c, limit in zip((SLOT_A, SLOT_B), counts, self.slots, strict=True) if c < limit}
        if self.no_repeat == 1:
            allowed -= set(prefix)
        if self.no_repeat == 2:
            allowed = {t for t in allowed if (*prefix[-1:], t) not in set(itertools.pairwise(prefix))}
        missing = sum(self.slots) - sum(counts) if self.all_slots else 0
        if missing >= self.longest - 1 - len(prefix):
            allowed -= {WORD}
        if prefix and not missing:
            allowed.add(EOS)
        return allowed or {EOS}

    def allow(self, output: tuple[int, ...]) -> bool:
        return all(token in self.following(output[:i]) for i, token in enumerate((*output, EOS)))


def make_constraints(rules: list[Rules]) -> Constraints:
    forbidden = torch.zeros(VOCABULARY, dtype=torch.bool)
    forbidden[[BOS, PAD]] = True
    return Constraints(
        eos_id=EOS,
        forbidden=forbidden,
        max_length=torch.tensor([r.longest for r in rules]),
        slot_ids=torch.tensor([SLOT_A, SLOT_B]),
        slot_limit=torch.tensor([r.slots for r in rules]),
        all_slots=rules[0].all_slots,
        no_repeat=rules[0].no_repeat,
    )


def best_by_enumeration(
    model: RecurrentToy, sentence: int, rules: Rules, alpha: float
) -> tuple[list[int], float]:
    found: list[tuple[float, float, list[int]]] = []

    def extend(prefix: tuple[int, ...], hidden: Tensor, score: float) -> None:
        read = model.tokens[sentence, prefix[-1] if prefix else BOS]
        hidden = torch.tanh(hidden @ model.mixes[sentence] + read)
        scores = torch.log_softmax(hidden @ model.outs[sentence], dim=-1).tolist()
        for token in rules.following(prefix):
            if token == EOS:
                total = score + scores[token]
                found.append((total / (len(prefix) + 1) ** alpha, total, list(prefix)))
            else:
                extend((*prefix, token), hidden, score + scores[token])

    extend((), model.starts[sentence], 0.0)
    _, score, output = max(found)
    return output, score


def search(model: RecurrentToy, rules: list[Rules], beam_size: int, alpha: float):
    return beam_search(
        model,
        num_sentences=len(rules),
        bos_id=BOS,
        constraints=make_constraints(rules),
        beam_size=beam_size,
        length_penalty=alpha,
    )


slots = st.tuples(st.integers(0, 2), st.integers(0, 2))
sentence_rules = st.tuples(st.integers(2, 5), slots)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sentences=st.lists(sentence_rules, min_size=1, max_size=3),
    alpha=st.sampled_from([0.0, 0.6, 1.0, 2.0]),
    all_slots=st.booleans(),
    no_repeat=st.sampled_from([None, 1, 2]),
)
def test_a_beam_with_room_for_all_is_exhaustive_search(seed, sentences, alpha, all_slots, no_repeat):
    rules = [Rules(n, s, all_slots, no_repeat) for n, s in sentences]
    model = RecurrentToy([seed + i for i in range(len(rules))])
    found = search(model, rules, 250, alpha)
    for sentence, rule in enumerate(rules):
        output, score = best_by_enumeration(model, sentence, rule, alpha)
        assert found[sentence].tokens == output
        assert found[sentence].log_probability == pytest.approx(score, abs=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), sentences=st.lists(sentence_rules, min_size=1, max_size=4))
def test_greedy_is_a_beam_of_one(seed, sentences):
    rules = [Rules(n + 3, s) for n, s in sentences]
    model = RecurrentToy([seed + i for i in range(len(rules))])
    greedy = greedy_search(model, num_sentences=len(rules), bos_id=BOS, constraints=make_constraints(rules))
    for one, other in zip(greedy, search(model, rules, 1, 1.0), strict=True):
        assert one.tokens == other.tokens
        assert one.log_probability == pytest.approx(other.log_probability, abs=1e-5)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    sentences=st.lists(sentence_rules, min_size=2, max_size=5),
    beam_size=st.integers(1, 6),
    alpha=st.sampled_from([0.0, 1.0]),
)
def test_a_sentence_is_translated_alike_alone_and_in_a_batch(seed, sentences, beam_size, alpha):
    rules = [Rules(n + 3, s) for n, s in sentences]
    together = search(RecurrentToy([seed + i for i in range(len(rules))]), rules, beam_size, alpha)
    for i, rule in enumerate(rules):
        (alone,) = search(RecurrentToy([seed + i]), [rule], beam_size, alpha)
        assert alone.tokens == together[i].tokens
        assert alone.log_probability == pytest.approx(together[i].log_probability, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    length=st.integers(2, 12),
    slots=slots,
    beam_size=st.integers(1, 8),
    no_repeat=st.sampled_from([None, 2]),
)
def test_every_output_keeps_the_rules(seed, length, slots, beam_size, no_repeat):
    rule = Rules(length, slots, no_repeat=no_repeat)
    model = RecurrentToy([seed])
    (found,) = search(model, [rule], beam_size, 1.0)
    output = tuple(found.tokens)
    assert rule.allow(output)
    assert found.log_probability == pytest.approx(model.log_probability(0, output), abs=1e-4)


def test_a_wider_beam_finds_what_greedy_misses():
    better = 0
    for seed in range(20):
        rule, model = Rules(8, (2, 2)), RecurrentToy([seed])
        (narrow,), (wide,) = search(model, [rule], 1, 0.0), search(model, [rule], 50, 0.0)
        assert wide.log_probability >= narrow.log_probability - 1e-5
        better += wide.log_probability > narrow.log_probability + 1e-3
    assert better > 0


def test_no_sentences_give_no_outputs():
    constraints = make_constraints([Rules(4, (1, 1))]).select(torch.zeros(0, dtype=torch.long))
    model = RecurrentToy([1])
    model.starts = model.starts[:0]
    assert greedy_search(model, num_sentences=0, bos_id=BOS, constraints=constraints) == []


def test_an_output_needs_room_for_a_token_and_its_end():
    with pytest.raises(ValueError, match="expected room for a token and <eos>, got a maximal length of 1"):
        make_constraints([Rules(1, (0, 0))])


def test_the_search_stops_when_nothing_alive_can_win():
    """A model that ends with near certainty after one token is asked only twice, whatever the length allows."""

    class Counting:
        calls = 0

        def start(self) -> None:
            return None

        def step(self, ids: Tensor, state: None) -> tuple[Tensor, None]:
            self.calls += 1
            logits = torch.zeros(*ids.shape, VOCABULARY)
            logits[..., EOS] = 20.0
            return torch.log_softmax(logits, dim=-1), None

        def select(self, state: None, sentences: Tensor, hypotheses: Tensor) -> None:
            return None

    model = Counting()
    (found,) = search(model, [Rules(1000, (1000, 1000))], 3, 0.0)
    assert len(found.tokens) == 1
    assert math.isfinite(found.log_probability)
    assert model.calls == 2


@pytest.mark.parametrize("beam_size", [1, 3])
def test_scores_that_are_no_numbers_are_an_error_not_a_missing_sentence(beam_size):
    model, rule = RecurrentToy([1, 2]), Rules(4, (1, 1))
    model.outs[1] = math.nan
    with pytest.raises(
        ValueError, match="expected finite scores from the model, got others for 1 of 2 sentences"
    ):
        search(model, [rule, rule], beam_size, 1.0)
    with pytest.raises(ValueError, match="expected finite scores from the model"):
        greedy_search(model, num_sentences=2, bos_id=BOS, constraints=make_constraints([rule, rule]))
