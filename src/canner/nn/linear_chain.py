"""Sums over all tag sequences of a linear chain: the numerics of the CRF.

Two ways to the same numbers. The fast one multiplies exponentiated scores (one small matrix product a
step, rescaled every few steps); the careful one adds logarithms. The fast one is taken only where nothing
underflows: where a bound on the scores proves it, or else where trying it, rescaled at every step, shows it.
Both compute in double precision, whatever the emissions are in, and both have their gradient written out
(forward-backward), so no graph is recorded step by step.
"""

from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from canner.nn.masking import reversed_positions

# exp(-700) is still a normal double; the margin keeps every product of the fast way away from it.
_LARGEST_EXPONENT = 650.0
_SMALLEST = 1e-290


class Chain(NamedTuple):
    """The scores of a batch of right-padded sentences, in double precision and step-major.

    Shapes: emissions [S B K] (zero at padding), mask [S B], lengths [B] (at least 1), transitions [K K],
    start [K], end [K]. `interval` is the number of steps between rescalings, or 0: add logarithms instead.
    """

    emissions: Tensor
    mask: Tensor
    lengths: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    interval: int

    @property
    def last(self) -> tuple[Tensor, Tensor]:
        """The index of each sentence's last real position in a step-major tensor."""
        return self.lengths - 1, torch.arange(len(self.lengths), device=self.lengths.device)

    def reversed_steps(self) -> Tensor:
        """Index [S B 1] that reverses the real part of each sentence."""
        return reversed_positions(self.lengths, self.emissions.size(0)).t()[:, :, None]


class Prefixes(NamedTuple):
    """Sums over all prefixes: `values * exp(log_scale)` [S B K], up to a factor constant in the sentence."""

    values: Tensor
    log_scale: Tensor


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
        per_step = float(spread + widest) + float(torch.tensor(float(emissions.size(2))).log())
        if per_step * (2 * mixing + 1) < _LARGEST_EXPONENT:
            interval = int(_LARGEST_EXPONENT / per_step) - mixing
        else:
            often = Chain(emissions_SBK, mask_SB, lengths, scores[2], scores[0], scores[1], interval=1)
            interval = int(_loses_nothing(often, allowed))
    return Chain(emissions_SBK, mask_SB, lengths, scores[2], scores[0], scores[1], interval)


# ---------------------------------------------------------------- the fast way: scaled probabilities
def _scaled_prefixes(factors: Tensor, matrix: Tensor, first: Tensor, interval: int) -> Prefixes:
    """Sums over prefixes of products; factors [S B K], matrix [K K], first [K]."""
    values = torch.empty_like(factors)
    log_scale = factors.new_zeros(factors.shape[:2])
    steps = values.unbind(0)
    torch.mul(factors[0], first, out=steps[0])
    for step, factors_BK in enumerate(factors.unbind(0)[1:], start=1):
        if step % interval == 0:
            largest = steps[step - 1].amax(dim=1, keepdim=True)
            steps[step - 1].div_(largest)
            log_scale[step - 1] = largest[:, 0].log()
        torch.mm(steps[step - 1], matrix, out=steps[step])
        steps[step].mul_(factors_BK)
    return Prefixes(values, log_scale.cumsum(dim=0))


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
    values, log_scale = _scaled_prefixes(factors, matrix, initial, interval)
    steps = torch.arange(len(emissions), device=emissions.device)[:, None]
    scale = log_scale + largest_SB.cumsum(dim=0) + steps * transitions.max() + first.max()
    return values.log() + scale[:, :, None]


class _Sums(NamedTuple):
    """Of each position: sums over prefixes, suffixes without and with its emission [S B K], each up to a factor."""

    alpha: Tensor
    beta: Tensor
    gamma: Tensor


def _scaled_sums(chain: Chain) -> tuple[_Sums, Tensor]:
    """The sums, and the exponentiated transitions."""
    factors, matrix, first, final, _ = _exponentiate(chain)
    index_SBK = chain.reversed_steps().expand_as(factors)
    alpha = _scaled_prefixes(factors, matrix, first, chain.interval).values
    gamma = _scaled_prefixes(factors.gather(0, index_SBK), matrix.t(), final, chain.interval).values
    gamma = gamma.gather(0, index_SBK)
    # The scale of a step cancels in a posterior; dividing by the largest keeps the products of two sums in range.
    alpha = alpha / alpha.amax(dim=2, keepdim=True)
    gamma = gamma / gamma.amax(dim=2, keepdim=True)
    beta = torch.zeros_like(gamma)  # not empty: 0 * nan in the padding of the last step would be nan
    torch.matmul(gamma[1:], matrix.t(), out=beta[:-1])
    beta[chain.last] = final
    return _Sums(alpha, beta, gamma), matrix


def _scaled_backward(chain: Chain, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Marginals [S B K] times the weight [B] of each sentence, and the expected transitions [K K]."""
    (alpha, beta, gamma), matrix = _scaled_sums(chain)
    joint = alpha * beta
    weighted = torch.where(chain.mask, weights / joint.sum(dim=2), 0.0)[:, :, None]
    follows = chain.mask[1:, :, None]
    before = torch.where(follows, alpha[:-1] * weighted[:-1], 0.0).flatten(0, 1)
    return joint * weighted, matrix * (before.t() @ gamma[1:].flatten(0, 1))


def _loses_nothing(chain: Chain, allowed: tuple[Tensor, Tensor, Tensor] | None) -> bool:
    """Whether all sums of the fast way that are not 0 by the constraints are normal numbers, and so exact."""
    (alpha, beta, gamma), _ = _scaled_sums(chain)
    # not "< _SMALLEST": where everything was lost there is nan
    kept = (alpha * beta).sum(dim=2) >= _SMALLEST
    if allowed is None:
        kept &= (alpha.amin(dim=2) >= _SMALLEST) & (gamma.amin(dim=2) >= _SMALLEST)
    else:
        start, end, matrix = allowed
        forward = _reachable(start, matrix, len(alpha))[:, None]
        backward = _reachable(end, matrix.t(), len(alpha))[:, None].expand_as(gamma)
        backward = backward.gather(0, chain.reversed_steps().expand_as(gamma))
        kept &= ((alpha >= _SMALLEST) | ~forward).all(dim=2) & ((gamma >= _SMALLEST) | ~backward).all(dim=2)
    return bool((kept | ~chain.mask).all())


def _reachable(first: Tensor, matrix: Tensor, num_steps: int) -> Tensor:
    """Whether a path of allowed steps leads to each tag, at each step [S K]."""
    steps, allowed = [first.double()], matrix.double()
    for _ in range(num_steps - 1):
        steps.append(((steps[-1] @ allowed) > 0).double())
    return torch.stack(steps) > 0


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
    factors, matrix, first, final, shift = _exponentiate(chain)
    prefixes = _scaled_prefixes(factors, matrix, first, chain.interval)
    # A step's own rescaling is recorded at that step, so values and scale of one step belong together.
    return (prefixes.values[chain.last] @ final).log() + prefixes.log_scale[chain.last] + shift


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
        return log_partition(chain)

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
