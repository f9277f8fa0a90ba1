"""The CRF against enumeration of all tag sequences, against pytorch-crf, and against numerical gradients."""

import gc
import itertools
import weakref

import hypothesis.strategies as st
import pytest
import torch
import torchcrf
from hypothesis import given, settings
from torch import Tensor

from canner.nn import linear_chain
from canner.nn.crf import CRF
from canner.nn.masking import lengths_to_mask

BIOES = ["O", "B-X", "I-X", "E-X", "S-X"]


def bioes_constraints() -> tuple[list[bool], list[bool], list[list[bool]]]:
    opens, closes = {"O", "B-X", "S-X"}, {"O", "E-X", "S-X"}
    inside = {"I-X", "E-X"}
    matrix = [[(b in inside) if a in {"B-X", "I-X"} else (b in opens) for b in BIOES] for a in BIOES]
    return [tag in opens for tag in BIOES], [tag in closes for tag in BIOES], matrix


def make_crf(num_tags: int, *, scale: float, constrain: bool = False, seed: int = 0) -> CRF:
    torch.manual_seed(seed)
    crf = CRF(num_tags, constraints=bioes_constraints() if constrain else None)
    for values in crf.parameters():
        torch.nn.init.normal_(values, std=scale)
    return crf


def enumerate_scores(crf: CRF, emissions: Tensor, length: int) -> dict[tuple[int, ...], float]:
    """Score of every tag sequence of one sentence, in plain Python; forbidden sequences are left out."""
    transitions, start, end = (
        crf.transitions.tolist(),
        crf.start_transitions.tolist(),
        crf.end_transitions.tolist(),
    )
    everything = [True] * crf.num_tags
    allowed = (
        bioes_constraints()
        if crf.allowed_start is not None
        else (everything, everything, [everything] * crf.num_tags)
    )
    rows = emissions.tolist()
    scores = {}
    for tags in itertools.product(range(crf.num_tags), repeat=length):
        pairs = list(itertools.pairwise(tags))
        if not (allowed[0][tags[0]] and allowed[1][tags[-1]] and all(allowed[2][a][b] for a, b in pairs)):
            continue
        score = start[tags[0]] + end[tags[-1]] + sum(rows[i][tag] for i, tag in enumerate(tags))
        scores[tags] = score + sum(transitions[a][b] for a, b in pairs)
    return scores


# The last two spreads are beyond what exponentials hold: there the CRF must add logarithms.
CASES = [
    pytest.param(scale, constrain, dtype, id=f"{scale}-{constrain}-{dtype}".replace("torch.", ""))
    for scale in (1.0, 20.0, 300.0, 1500.0)
    for constrain in (False, True)
    for dtype in (torch.float32, torch.float64)
]


@pytest.mark.parametrize(("scale", "constrain", "dtype"), CASES)
def test_everything_equals_enumeration(scale: float, constrain: bool, dtype: torch.dtype) -> None:
    crf = make_crf(5, scale=min(scale, 20.0), constrain=constrain).to(dtype)
    lengths = torch.tensor([4, 1, 3, 2])
    mask = lengths_to_mask(lengths, 5)
    emissions = torch.randn(4, 5, 5, dtype=dtype) * scale
    partition, marginals = crf.log_partition(emissions, mask), crf.marginals(emissions, mask)
    best_ids, best_scores = crf.viterbi(emissions, mask)
    tolerance = {"rtol": 2e-6, "atol": 2e-5} if dtype == torch.float32 else {"rtol": 1e-10, "atol": 1e-10}
    for row, length in enumerate(lengths.tolist()):
        scores = enumerate_scores(crf, emissions[row], length)
        values = torch.tensor(list(scores.values()), dtype=torch.float64)
        expected = torch.logsumexp(values, 0)
        torch.testing.assert_close(partition[row].double(), expected, **tolerance)
        probabilities = (values - expected).exp()
        expected_marginals = torch.zeros(5, 5, dtype=torch.float64)
        for tags, probability in zip(scores, probabilities, strict=True):
            expected_marginals[torch.arange(length), torch.tensor(tags)] += probability
        torch.testing.assert_close(marginals[row].double(), expected_marginals, rtol=1e-5, atol=1e-6)
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])
        assert tuple(best_ids[row, :length].tolist()) == ranked[0][0]
        assert best_ids[row, length:].tolist() == [0] * (5 - length)
        torch.testing.assert_close(best_scores[row].item(), ranked[0][1], rtol=1e-5, atol=1e-5)
        tags = ranked[min(2, len(ranked) - 1)][0]
        padded = torch.tensor([*tags, *[3] * (5 - length)])
        likelihood = crf.log_likelihood(emissions[row : row + 1], padded[None], mask[row : row + 1])
        torch.testing.assert_close(likelihood.item(), scores[tags] - expected.item(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("constrain", [False, True])
def test_span_probability_equals_enumeration(scale: float, constrain: bool) -> None:
    crf = make_crf(5, scale=1.0, constrain=constrain).double()
    lengths = [4, 2, 3]
    mask = lengths_to_mask(torch.tensor(lengths))
    emissions = torch.randn(3, 4, 5, dtype=torch.float64) * scale
    spans, tags = [], []
    for row, length in enumerate(lengths):
        best = crf.viterbi(emissions[row : row + 1], mask[row : row + 1])[0][0].tolist()
        for start, end in itertools.combinations(range(length + 1), 2):
            for wanted in (best[start:end], [4] * (end - start), [1, *[2] * (end - start - 1)]):
                spans.append((row, start, end))
                tags.append(wanted + [0] * (4 - len(wanted)))
    found = crf.span_probability(emissions, mask, torch.tensor(spans), torch.tensor(tags))
    for (row, start, end), wanted, probability in zip(spans, tags, found.tolist(), strict=True):
        scores = enumerate_scores(crf, emissions[row], lengths[row])
        values = torch.tensor(list(scores.values()), dtype=torch.float64)
        carries = torch.tensor([list(path[start:end]) == wanted[: end - start] for path in scores])
        expected = (
            torch.logsumexp(values.masked_fill(~carries, -torch.inf), 0) - torch.logsumexp(values, 0)
        ).exp()
        assert probability == pytest.approx(expected.item(), abs=1e-9)


@pytest.mark.parametrize("length", [2, 40, 400])
def test_equals_pytorch_crf(length: int) -> None:
    torch.manual_seed(length)
    # The other library loses digits in single precision on long sentences, so it computes in double.
    ours, theirs = CRF(9), torchcrf.CRF(9, batch_first=True).double()
    theirs.load_state_dict({name: values.detach() for name, values in ours.state_dict().items()})
    lengths = torch.randint(1, length + 1, (7,))
    lengths[0] = length
    mask = lengths_to_mask(lengths)
    tags = torch.randint(0, 9, mask.shape)
    emissions = torch.randn(*mask.shape, 9) * 3
    gradients = []
    for crf in (ours, theirs):
        scores = emissions.clone().to(crf.transitions.dtype).requires_grad_()
        likelihood = (
            crf.log_likelihood(scores, tags, mask)
            if crf is ours
            else theirs(scores, tags, mask=mask, reduction="none")
        )
        (likelihood * torch.arange(1, 8)).sum().backward()
        gradients.append(
            [likelihood.detach(), scores.grad, *(crf.get_parameter(n).grad for n in ours.state_dict())]
        )
    for mine, other in zip(*gradients, strict=True):
        torch.testing.assert_close(mine.double(), other, rtol=1e-5, atol=1e-5)
    assert [path[:n] for path, n in zip(ours.viterbi(emissions, mask)[0].tolist(), lengths, strict=True)] == (
        theirs.decode(emissions.double(), mask=mask)
    )


@pytest.mark.parametrize("scale", [1.0, 200.0])
@pytest.mark.parametrize("constrain", [False, True])
def test_gradient_equals_numerical_gradient(scale: float, constrain: bool) -> None:
    crf = make_crf(5, scale=1.0, constrain=constrain).double()
    mask = lengths_to_mask(torch.tensor([4, 1, 3]))
    tags = torch.tensor([[1, 2, 3, 0], [4, 1, 1, 1], [0, 1, 3, 2]])
    emissions = (torch.randn(3, 4, 5, dtype=torch.float64) * scale).requires_grad_()

    def likelihood(emissions: Tensor, *_: Tensor) -> Tensor:
        return crf.log_likelihood(emissions, tags, mask)

    assert torch.autograd.gradcheck(likelihood, (emissions, *crf.parameters()))


def test_forbidden_scores_get_no_gradient_and_are_never_decoded() -> None:
    crf = make_crf(5, scale=5.0, constrain=True)
    mask = lengths_to_mask(torch.tensor([9, 4]))
    emissions = torch.randn(2, 9, 5) * 5
    crf.log_likelihood(emissions, torch.zeros(2, 9, dtype=torch.long), mask).sum().backward()
    start, end, matrix = (torch.tensor(values) for values in bioes_constraints())
    assert crf.transitions.grad is not None
    assert crf.transitions.grad[~matrix].abs().max() == 0
    assert crf.transitions.grad[matrix].abs().min() > 0
    for row, length in zip(crf.viterbi(emissions, mask)[0].tolist(), [9, 4], strict=True):
        path = row[:length]
        assert start[path[0]]
        assert end[path[-1]]
        assert all(matrix[a][b] for a, b in itertools.pairwise(path))


@settings(max_examples=15, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 7), min_size=1, max_size=4),
    scale=st.sampled_from([0.1, 5.0, 400.0]),
    constrain=st.booleans(),
    seed=st.integers(0, 9),
)
def test_padding_never_changes_a_result(lengths: list[int], scale: float, constrain: bool, seed: int) -> None:
    crf = make_crf(5, scale=1.0, constrain=constrain, seed=seed)
    mask = lengths_to_mask(torch.tensor(lengths), max(lengths) + 2)
    emissions = torch.randn(*mask.shape, 5) * scale
    emissions[~mask] = torch.nan
    tags = torch.where(mask, 0, 77)
    together = [
        crf.log_likelihood(emissions, tags, mask),
        crf.marginals(emissions, mask),
        *crf.viterbi(emissions, mask),
    ]
    for row, length in enumerate(lengths):
        inputs = emissions[row : row + 1, :length], mask[row : row + 1, :length]
        alone = [
            crf.log_likelihood(inputs[0], tags[row : row + 1, :length], inputs[1]),
            crf.marginals(*inputs),
        ]
        for batched, single in zip(together, [*alone, *crf.viterbi(*inputs)], strict=True):
            single = single[0].float()
            expected = single if single.dim() == 0 else single[:length]
            found = batched[row].float() if single.dim() == 0 else batched[row, :length].float()
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        assert together[1][row, length:].abs().sum() == 0


def test_two_thousand_tokens_in_single_precision() -> None:
    crf = make_crf(9, scale=2.0)
    emissions, mask = torch.randn(1, 2000, 9) * 4, torch.ones(1, 2000, dtype=torch.bool)
    tags, score = crf.viterbi(emissions, mask)
    exact = CRF(9).double()
    exact.load_state_dict(crf.state_dict())
    likelihood = crf.log_likelihood(emissions, tags, mask)
    torch.testing.assert_close(
        likelihood.double(), exact.log_likelihood(emissions.double(), tags, mask), rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(score, crf.score(emissions, tags, mask))
    torch.testing.assert_close(
        crf.marginals(emissions, mask).sum(2), torch.ones(1, 2000), rtol=1e-6, atol=1e-6
    )


def test_a_cycle_that_never_mixes_is_summed_by_logarithms() -> None:
    """Tags that must alternate: no number of steps leads from every tag to every other."""
    crf = CRF(2, constraints=([True, False], [True, True], [[False, True], [True, False]])).double()
    emissions, mask = torch.randn(1, 5, 2, dtype=torch.float64), torch.ones(1, 5, dtype=torch.bool)
    alternating = torch.tensor([[0, 1, 0, 1, 0]])
    torch.testing.assert_close(crf.log_partition(emissions, mask), crf.score(emissions, alternating, mask))
    assert crf.viterbi(emissions, mask)[0].equal(alternating)


def test_sentences_without_tokens() -> None:
    crf = CRF(4)
    for mask in (torch.zeros(2, 0, dtype=torch.bool), torch.zeros(2, 3, dtype=torch.bool)):
        emissions, tags = torch.zeros(*mask.shape, 4), torch.zeros(mask.shape, dtype=torch.long)
        assert crf.log_likelihood(emissions, tags, mask).tolist() == [0, 0]
        assert crf.viterbi(emissions, mask)[1].tolist() == [0, 0]
        assert crf.marginals(emissions, mask).abs().sum() == 0


def test_errors_say_what_was_expected() -> None:
    crf, mask, tags = CRF(3), torch.ones(1, 2, dtype=torch.bool), torch.zeros(1, 2, dtype=torch.long)
    emissions = torch.zeros(1, 2, 3)
    with pytest.raises(ValueError, match=r"expected emissions \[B S 3\]"):
        crf.log_partition(torch.zeros(1, 2, 4), mask)
    with pytest.raises(ValueError, match="padded on the right"):
        crf.log_partition(emissions, torch.tensor([[False, True]]))
    with pytest.raises(ValueError, match="expected tag ids from 0 to 2"):
        crf.log_likelihood(emissions, tags + 3, mask)
    with pytest.raises(ValueError, match="expected spans inside"):
        crf.span_probability(emissions, mask, torch.tensor([[0, 1, 3]]), torch.zeros(1, 3, dtype=torch.long))
    with pytest.raises(ValueError, match="expected constraints"):
        CRF(3, constraints=([True], [True], [[True]]))
    with pytest.raises(ValueError, match="expected at least one tag"):
        CRF(0)


def require_careful_equals(crf: CRF, emissions: Tensor, mask: Tensor) -> linear_chain.Chain:
    """The way that was chosen for a batch gives what adding logarithms gives."""
    chain = crf._chain(emissions, mask)
    careful = chain._replace(interval=0)
    weights = torch.rand(len(mask), dtype=torch.float64)
    torch.testing.assert_close(
        linear_chain.log_partition(chain), linear_chain.log_partition(careful), rtol=1e-12, atol=1e-9
    )
    for fast, slow in zip(
        linear_chain.expectations(chain, weights), linear_chain.expectations(careful, weights), strict=True
    ):
        torch.testing.assert_close(fast, slow, rtol=1e-9, atol=1e-12)
    return chain


@pytest.mark.parametrize(
    ("scale", "constrain", "fast"),
    [
        *((scale, False, True) for scale in (30.0, 120.0, 600.0, 2000.0)),  # the best tags make up the sum
        *((scale, True, scale < 200) for scale in (30.0, 60.0, 120.0, 2000.0)),
    ],
)
def test_wide_scores_take_the_fast_way_only_as_long_as_it_is_exact(
    scale: float, constrain: bool, fast: bool
) -> None:
    torch.manual_seed(int(scale))
    mask = lengths_to_mask(torch.tensor([17, 17, 9, 1]), 17)
    crf = make_crf(5, scale=2.0, constrain=constrain)
    chain = require_careful_equals(crf, torch.randn(4, 17, 5) * scale, mask)
    assert (chain.interval > 0) == fast


@given(
    scales=st.lists(st.sampled_from([0.0, 30.0, 150.0, 400.0, 1000.0]), min_size=1, max_size=8),
    constrain=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_steps_of_any_width_give_what_logarithms_give(
    scales: list[float], constrain: bool, seed: int
) -> None:
    crf = make_crf(5, scale=3.0, constrain=constrain, seed=seed)
    emissions = torch.randn(2, len(scales), 5) * torch.tensor(scales)[None, :, None]
    require_careful_equals(crf, emissions, torch.ones(2, len(scales), dtype=torch.bool))


def test_a_path_whose_prefix_alone_is_lost_is_found_by_the_careful_way() -> None:
    # One entity through all of the sentence: unlikely at first, the best in the end.
    crf = make_crf(5, scale=0.0, constrain=True)
    emissions = torch.full((1, 17, 5), -3000.0)
    emissions[0, :8, 0], emissions[0, 8:, 0] = 0.0, -95.0
    emissions[0, 0, 1] = emissions[0, 1:8, 2] = -95.0
    emissions[0, 8:-1, 2] = emissions[0, -1, 3] = 0.0
    chain = require_careful_equals(crf, emissions, torch.ones(1, 17, dtype=torch.bool))
    assert chain.interval == 0
    assert float(linear_chain.log_partition(chain)) == pytest.approx(-760.0, abs=1e-6)


def test_a_loss_that_is_dropped_leaves_nothing_behind() -> None:
    crf = make_crf(5, scale=1.0)
    emissions = (torch.randn(2, 9, 5) * 400).requires_grad_()
    mask = torch.ones(2, 9, dtype=torch.bool)
    assert crf._chain(emissions, mask).sums is not None  # the fast way was tried, and its sums are held
    gc.collect()
    gc.disable()
    try:
        loss = crf.log_likelihood(emissions, torch.zeros(2, 9, dtype=torch.long), mask).sum()
        held = weakref.ref(emissions)
        del emissions, loss
        assert held() is None
    finally:
        gc.enable()


def test_a_single_tag_is_certain() -> None:
    crf = CRF(1)
    emissions, mask = torch.randn(2, 3, 1), torch.ones(2, 3, dtype=torch.bool)
    torch.testing.assert_close(crf.marginals(emissions, mask), torch.ones(2, 3, 1))
    tag_ids = torch.zeros(2, 3, dtype=torch.long)
    torch.testing.assert_close(crf.log_likelihood(emissions, tag_ids, mask), torch.zeros(2))


def test_a_path_that_is_lost_from_both_ends_is_found_by_the_careful_way() -> None:
    # From the first tag to the second leads only the third, which costs more than either at every step.
    allowed = [[True, False, True], [False, True, True], [True, True, False]]
    crf = CRF(3, constraints=([True] * 3, [True] * 3, allowed))
    emissions = torch.zeros(1, 40, 3)
    emissions[0, :, 2] = -3000.0
    emissions[0, :5, 1] = emissions[0, -5:, 1] = -200.0
    emissions[0, 5:-5, 0] = -93.0
    chain = require_careful_equals(crf, emissions, torch.ones(1, 40, dtype=torch.bool))
    assert chain.interval == 0
    assert float(linear_chain.log_partition(chain)) == pytest.approx(-2000.0, abs=10)
    fast = linear_chain.log_partition(chain._replace(interval=1))
    assert float(fast) == pytest.approx(-2790.0, abs=10)  # what it would have found


def test_a_path_that_only_a_lost_sum_leads_to_is_found_by_the_careful_way() -> None:
    # O is the likelier tag by exp(1000) at every step but the last, where only E-X is possible
    crf = make_crf(5, scale=0.0, constrain=True)
    emissions = torch.zeros(1, 6, 5)
    emissions[0, :, 0] = 1000.0
    emissions[0, -1] = torch.tensor([-9000.0, -9000.0, -9000.0, 0.0, -9000.0])
    chain = crf._chain(emissions, torch.ones(1, 6, dtype=torch.bool))
    assert chain.interval == 0
    # O O O O B-X E-X is the best path: four times O
    assert float(linear_chain.log_partition(chain)) == pytest.approx(4000.0, abs=1e-6)
