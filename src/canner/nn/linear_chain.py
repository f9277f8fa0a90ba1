"""Sums over all tag sequences of a linear chain: the numerics of the CRF.

Two ways to the same numbers. The fast one multiplies exponentiated scores (one small matrix product a
step, rescaled every few steps); the careful one adds logarithms, several times as slow. The fast one is taken
only where nothing that counts underflows: where a bound on the scores proves it, or else where trying it,
rescaled at every step, shows it.
Both compute in double precision, whatever the emissions are in, and both have their gradient written out
(forward-backward), so no graph is recorded step by step.
"""

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from canner.nn.masking import reversed_positions

# exp(-700) is still a normal double; the margin keeps every product of the fast way away from it.
_LARGEST_EXPONENT = 650.0
# Where the fast way is tried, it may lose about exp(-50) of a sentence's partition (see `_loses_next_to_nothing`).
_MARGIN = 50.0


class Chain(NamedTuple):
    """The scores of a batch of right-padded sentences, in double precision and step-major.

    Shapes: emissions [S B K] (zero at padding), mask [S B], lengths [B] (at least 1), transitions [K K],
    start [K], end [K]. `interval` is the number of steps between rescalings, or 0: add logarithms instead.
    `sums`: those of the fast way, where it was tried.
    """

    emissions: Tensor
    mask: Tensor
    lengths: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    interval: int
    sums: "_Sums | None" = None

    @property
    def last(self) -> tuple[Tensor, Tensor]:
        """The index of each sentence's last real position in a step-major tensor."""
        return self.lengths - 1, torch.arange(len(self.lengths), device=self.lengths.device)

    def reversed_steps(self) -> Tensor:
        """Index [S B 1] that reverses the real part of each sentence."""
        return reversed_positions(self.lengths, self.emissions.size(0)).t()[:, :, None]


class Prefixes(NamedTuple):
    """Sums over all prefixes, up to a factor constant in the sentence.

    Values [S B K] of a step were divided by the divisors [S B] of all steps up to it.
    """

    values: Tensor
    divisors: Tensor

    @property
    def log_scale(self) -> Tensor:
        """Logarithm [S B] of what each step was divided by."""
        return self.divisors.log().cumsum(dim=0)


def make_chain(
    emissions: Float[Tensor, "B S K"],
    mask: Bool[Tensor, "B S"],
    transitions: Float[Tensor, "K K"],
    start: Float[Tensor, "K"],
    end: Float[Tensor, "K"],
    *,
    allowed: tuple[Tensor, Tensor, Tensor] | None,
    mixing: int | None,
) -> Chain:
    """Bring a batch into the form of the recursions and choose the safe way to run them.

    Args:
        emissions: score of each tag at each position.
        mask: right-padded.
        transitions: `[from, to]`; forbidden ones hold a very negative score.
        start: score of each tag at the first position.
        end: score of each tag at the last position.
        allowed: bool `(start, end, matrix)`, where some tags or transitions are forbidden.
        mixing: number of steps in which every tag can reach every other, None when there is none.
    """
    mask_SB = mask.t()
    lengths = mask.sum(dim=1).clamp(min=1)
    # A contiguous copy, not a view: the loops below read one step at a time.
    emissions_SBK = (
        emissions.detach().transpose(0, 1).to(torch.float64, memory_format=torch.contiguous_format)
    )
    emissions_SBK = torch.where(mask_SB[:, :, None], emissions_SBK, 0.0)
    scores = [values.detach().double() for values in (start, end, transitions)]
    interval = 0
    if mixing is not None:
        spread = (emissions_SBK.amax(dim=2) - emissions_SBK.amin(dim=2)).amax()
        widest = spread.new_zeros(())
        for index, values in enumerate(scores):
            used = values if allowed is None else values[allowed[index]]
            widest = torch.maximum(widest, used.max() - used.min())
        # Any reachable tag has at least exp(-mixing * per_step) of the weight of the best one.
        per_step = max(1.0, float(spread + widest) + math.log(emissions.size(2)))
        if per_step * (2 * mixing + 1) < _LARGEST_EXPONENT:
            interval = int(_LARGEST_EXPONENT / per_step) - mixing
        else:
            often = Chain(emissions_SBK, mask_SB, lengths, scores[2], scores[0], scores[1], interval=1)
            sums = _scaled_sums(often)
            if _loses_next_to_nothing(often, sums):
                return often._replace(sums=sums)
    return Chain(emissions_SBK, mask_SB, lengths, scores[2], scores[0], scores[1], interval)


# ---------------------------------------------------------------- the fast way: scaled probabilities
def _scaled_prefixes(factors: Tensor, matrix: Tensor, first: Tensor, interval: int) -> Prefixes:
    """Sums over prefixes of products; factors [S B K], matrix [K K], first [K]."""
    values = torch.empty_like(factors)
    divisors = factors.new_ones(factors.shape[:2])
    steps = values.unbind(0)
    torch.mul(factors[0], first, out=steps[0])
    for step, factors_BK in enumerate(factors.unbind(0)[1:], start=1):
        if step % interval == 0:
            largest = steps[step - 1].amax(dim=1, keepdim=True)
            steps[step - 1].div_(largest)
            divisors[step - 1] = largest[:, 0]
        torch.mm(steps[step - 1], matrix, out=steps[step])
        steps[step].mul_(factors_BK)
    return Prefixes(values, divisors)


def _exponentiate(chain: Chain) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Factors of all scores, each at most 1, and the logarithm [B] of what was divided away."""
    largest_SB1 = chain.emissions.amax(dim=2, keepdim=True)
    factors = (chain.emissions - largest_SB1).exp_()
    shift = largest_SB1[:, :, 0].sum(dim=0) + (chain.lengths - 1) * chain.transitions.max()
    shift = shift + chain.start.max() + chain.end.max()
    matrix = (chain.transitions - chain.transitions.max()).exp()
    first = (chain.start - chain.start.max()).exp()
    final = (chain.end - chain.end.max()).exp()
    return factors, matrix, first, final, shift


def _log_of_scaled(emissions: Tensor, transitions: Tensor, first: Tensor, interval: int) -> Tensor:
    """Log sums over prefixes [S B K], computed the fast way."""
    largest_SB = emissions.amax(dim=2)
    factors = (emissions - largest_SB[:, :, None]).exp_()
    matrix, initial = (transitions - transitions.max()).exp(), (first - first.max()).exp()
    prefixes = _scaled_prefixes(factors, matrix, initial, interval)
    steps = torch.arange(len(emissions), device=emissions.device)[:, None]
    scale = prefixes.log_scale + largest_SB.cumsum(dim=0) + steps * transitions.max() + first.max()
    return prefixes.values.log() + scale[:, :, None]


class _Sums(NamedTuple):
    """What the fast way gives for a batch.

    Attributes:
        alpha, beta, gamma: of each position the sums [S B K] over prefixes, over suffixes without and with its
            emission; alpha and gamma divided by their largest.
        matrix: the exponentiated transitions [K K], the largest 1.
        log_partition: [B].
        smallest_divisor: of all by which a step was divided.
    """

    alpha: Tensor
    beta: Tensor
    gamma: Tensor
    matrix: Tensor
    log_partition: Tensor
    smallest_divisor: Tensor


def _log_of_whole(chain: Chain, prefixes: Prefixes, final: Tensor, shift: Tensor) -> Tensor:
    """Log partition [B]. A step's rescaling is recorded at that step: values and scale of one belong together."""
    return (prefixes.values[chain.last] @ final).log() + prefixes.log_scale[chain.last] + shift


def _scaled_sums(chain: Chain) -> _Sums:
    factors, matrix, first, final, shift = _exponentiate(chain)
    index_SBK = chain.reversed_steps().expand_as(factors)
    ahead = _scaled_prefixes(factors, matrix, first, chain.interval)
    back = _scaled_prefixes(factors.gather(0, index_SBK), matrix.t(), final, chain.interval)
    log_partition = _log_of_whole(chain, ahead, final, shift)
    # The scale of a step cancels in a posterior; dividing by the largest keeps the products of two sums in range.
    largest = [prefixes.values.amax(dim=2, keepdim=True) for prefixes in (ahead, back)]
    alpha, gamma = ahead.values / largest[0], (back.values / largest[1]).gather(0, index_SBK)
    beta = torch.zeros_like(gamma)  # not empty: 0 * nan in the padding of the last step would be nan
    torch.matmul(gamma[1:], matrix.t(), out=beta[:-1])
    beta[chain.last] = final
    divisors = torch.stack([ahead.divisors, back.divisors, *(values[:, :, 0] for values in largest)])
    return _Sums(alpha, beta, gamma, matrix, log_partition, divisors.amin())


def _scaled_backward(chain: Chain, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Marginals [S B K] times the weight [B] of each sentence, and the expected transitions [K K]."""
    sums = chain.sums or _scaled_sums(chain)
    joint = sums.alpha * sums.beta
    weighted = torch.where(chain.mask, weights / joint.sum(dim=2), 0.0)[:, :, None]
    follows = chain.mask[1:, :, None]
    before = torch.where(follows, sums.alpha[:-1] * weighted[:-1], 0.0).flatten(0, 1)
    return joint * weighted, sums.matrix * (before.t() @ sums.gamma[1:].flatten(0, 1))


def _loses_next_to_nothing(chain: Chain, sums: _Sums) -> bool:
    """Whether what the fast way lost, rescaled at every step, is about exp(-50) of each sentence's partition.

    All factors are at most 1, so a step loses what is below exp(-700) before it is divided by its largest: after
    that, what is below exp(lost) of the largest sum at that step. Which paths may be lost, forbidden ones apart?

    1. Forwards at a step, with the suffix from there on kept. The suffix is at most the largest at that step. So
       these paths have at most exp(lost) / joint of the partition, where joint is what the kept prefixes and
       suffixes have together, each as a share of the largest at the step. The same of suffixes.
    2. Forwards at a step, and backwards at a later one. These have exp(2 lost) of the product of both largest sums
       with all ways between. That product is at most what the sentence would have if every tag followed every
       other with the largest of all transitions: a bound that is computed, and compared with the partition.

    Each is so for every step (and pair of steps) and tag (and pair of tags), whose numbers the exponent's margin of
    eight, from exp(-708) to exp(-700), and of 50 leaves room for.
    """
    unlimited = torch.where(chain.mask, torch.logsumexp(chain.emissions, dim=2), 0.0).sum(dim=0)
    unlimited = (
        unlimited + (chain.lengths - 1) * chain.transitions.max() + chain.start.max() + chain.end.max()
    )
    joint = torch.where(chain.mask, (sums.alpha * sums.beta).sum(dim=2), 1.0)
    lost = -700.0 - sums.smallest_divisor.log()
    kept = (joint.log() >= lost + _MARGIN).all()  # not "not <": where everything was lost there is nan
    return bool(kept & (unlimited - sums.log_partition <= -2 * lost - _MARGIN).all())


# ---------------------------------------------------------------- the careful way: logarithms
def _log_prefixes(emissions: Tensor, transitions: Tensor, first: Tensor) -> Tensor:
    steps = [emissions[0] + first]
    for emissions_BK in emissions.unbind(0)[1:]:
        steps.append(torch.logsumexp(steps[-1][:, :, None] + transitions, dim=1) + emissions_BK)
    return torch.stack(steps)


def _log_backward(chain: Chain, weights: Tensor) -> tuple[Tensor, Tensor]:
    log_alpha, log_beta, log_partition = log_posteriors(chain)
    marginals = (log_alpha + log_beta - log_partition[:, None]).exp() * weights[:, None]
    ahead = chain.emissions + log_beta - log_partition[:, None]
    expected = torch.zeros_like(chain.transitions)
    for step in range(1, len(ahead)):
        pairs = (log_alpha[step - 1][:, :, None] + chain.transitions + ahead[step][:, None, :]).exp()
        kept = torch.where(chain.mask[step], weights, 0.0)
        expected += (torch.where(chain.mask[step][:, None, None], pairs, 0.0) * kept[:, None, None]).sum(0)
    return torch.where(chain.mask[:, :, None], marginals, 0.0), expected


# ---------------------------------------------------------------- what the CRF asks for
def log_partition(chain: Chain) -> Float[Tensor, "B"]:
    """Logarithm of the sum over all tag sequences of exp(score), of each sentence."""
    if not chain.interval:
        log_alpha = _log_prefixes(chain.emissions, chain.transitions, chain.start)
        return torch.logsumexp(log_alpha[chain.last] + chain.end, dim=1)
    if chain.sums is not None:
        return chain.sums.log_partition
    factors, matrix, first, final, shift = _exponentiate(chain)
    return _log_of_whole(chain, _scaled_prefixes(factors, matrix, first, chain.interval), final, shift)


def expectations(chain: Chain, weights: Float[Tensor, "B"]) -> tuple[Float[Tensor, "S B K"], Tensor]:
    """Marginals and expected transition counts [K K], each sentence times its weight: the gradient."""
    return (_scaled_backward if chain.interval else _log_backward)(chain, weights)


def log_posteriors(chain: Chain) -> tuple[Float[Tensor, "S B K"], Float[Tensor, "S B K"], Float[Tensor, "B"]]:
    """Log sums at each tag over prefixes (with its emission) and suffixes (without); the log partition."""
    index_SBK = chain.reversed_steps().expand_as(chain.emissions)
    reversed_emissions = chain.emissions.gather(0, index_SBK)
    if chain.interval:
        log_alpha = _log_of_scaled(chain.emissions, chain.transitions, chain.start, chain.interval)
        log_gamma = _log_of_scaled(reversed_emissions, chain.transitions.t(), chain.end, chain.interval)
    else:
        log_alpha = _log_prefixes(chain.emissions, chain.transitions, chain.start)
        log_gamma = _log_prefixes(reversed_emissions, chain.transitions.t(), chain.end)
    log_beta = log_gamma.gather(0, index_SBK) - chain.emissions
    return log_alpha, log_beta, torch.logsumexp(log_alpha[chain.last] + chain.end, dim=1)


class LogPartition(torch.autograd.Function):
    """Log partition [B], in double, with forward-backward as its gradient (differentiable once)."""

    @staticmethod
    def forward(
        ctx: Any, emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor, chain: Chain
    ) -> Tensor:
        """See `log_partition`; `chain` holds the same scores, prepared."""
        ctx.chain, ctx.dtypes = chain, (emissions.dtype, transitions.dtype)
        # A copy: the chain may hold the sum, and holding the result, which holds the graph, would make a cycle.
        return log_partition(chain).clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Expected counts: of tags at positions, of transitions, of first and of last tags."""
        chain: Chain = ctx.chain
        emissions_type, scores_type = ctx.dtypes
        marginals_SBK, expected = expectations(chain, gradient)
        first, final = marginals_SBK[0].sum(dim=0), marginals_SBK[chain.last].sum(dim=0)
        return (
            marginals_SBK.transpose(0, 1).to(emissions_type),
            expected.to(scores_type),
            first.to(scores_type),
            final.to(scores_type),
            None,
        )
