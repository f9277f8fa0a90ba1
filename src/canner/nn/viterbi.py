"""The best tag sequence of a linear chain."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor


class _Halves(NamedTuple):
    """Where the two halves of each sentence lie in a step-major batch of 2B rows (see `viterbi`).

    Shapes: positions [H 2B] that each step of a row reads, last_step [2B], first_lengths [B].
    """

    positions: NDArray[np.int64]
    last_step: NDArray[np.int64]
    first_lengths: NDArray[np.int64]


def viterbi(
    emissions: Float[Tensor, "B S K"],
    mask: Bool[Tensor, "B S"],
    transitions: Float[Tensor, "K K"],
    start: Float[Tensor, "K"],
    end: Float[Tensor, "K"],
) -> tuple[Int[Tensor, "B S"], Float[Tensor, "B"]]:
    """The best tag sequence of each sentence (0 at padding) and its score, in double precision.

    The time goes into starting small operations, not into arithmetic. So each sentence is read from both
    ends at once, as two rows of one batch, and the halves are joined in the middle: half as many steps.

    Args:
        emissions: score of each tag at each position; B, S above 0.
        mask: right-padded.
        transitions: `[from, to]`.
        start: score of each tag at the first position.
        end: score of each tag at the last position.
    """
    num_sentences, num_steps, num_tags = emissions.shape
    device = emissions.device
    transitions, start, end = transitions.double(), start.double(), end.double()
    # Index arithmetic is numpy's: it is tiny, and numpy starts an operation several times faster than torch.
    lengths = mask.sum(dim=1).cpu().numpy()
    halves = _halve(lengths, num_steps)
    rows = np.arange(2 * num_sentences)
    sources = torch.from_numpy((rows % num_sentences * num_steps + halves.positions).ravel()).to(device)
    read_HRK = (
        emissions.reshape(-1, num_tags).index_select(0, sources).view(*halves.positions.shape, num_tags)
    )
    # [H K 2B]: with the batch innermost, sums and maxima run over whole rows of memory. What stands at
    # padding, even nan, comes after the end of a row and is never looked at.
    scores_HKR = transitions.new_empty(len(read_HRK), num_tags, len(rows)).copy_(read_HRK.transpose(1, 2))
    scores_HKR[0].view(num_tags, 2, -1).add_(torch.stack([start, end], dim=1)[:, :, None])
    both_ways = torch.stack([transitions.t(), transitions], dim=2)[..., None]
    _add_best_prefixes(scores_HKR, both_ways.expand(-1, -1, -1, num_sentences).flatten(1))
    scores_HRK = scores_HKR.transpose(1, 2).contiguous()

    # Join: the best pair of a tag at the end of the first half and one at the start of the second.
    final = torch.from_numpy(halves.last_step * len(rows) + rows).to(device)
    reached = scores_HRK.view(-1, num_tags).index_select(0, final)
    joined = reached[:num_sentences, :, None] + reached[num_sentences:, None, :] + transitions
    if (lengths < 2).any():
        alone = torch.full_like(transitions, -torch.inf)
        alone[:, 0] = end
        single = torch.from_numpy(lengths < 2).to(device)
        joined = torch.where(single[:, None, None], reached[:num_sentences, :, None] + alone, joined)
    best_score, pair = joined.flatten(1).max(dim=1)
    pair_ids = pair.cpu().numpy()
    entry = np.concatenate([pair_ids // num_tags, pair_ids % num_tags])

    path_HR = _trace_back(scores_HRK, transitions, halves.last_step, entry)
    positions = np.arange(num_steps)[None, :]
    in_first = positions < halves.first_lengths[:, None]
    steps = np.where(in_first, positions, np.maximum(lengths[:, None] - 1 - positions, 0))
    tag_ids = path_HR[steps, rows[:num_sentences, None] + np.where(in_first, 0, num_sentences)]
    tag_ids[positions >= lengths[:, None]] = 0
    if not lengths.all():
        best_score = torch.where(mask[:, 0], best_score, 0.0)
    return torch.from_numpy(tag_ids).to(device), best_score


def _halve(lengths: NDArray[np.int64], num_steps: int) -> _Halves:
    first_lengths = (lengths + 1) // 2
    steps = np.arange((num_steps + 1) // 2)[:, None]
    mirrored = np.maximum(lengths - 1 - steps, 0)
    last_step = np.concatenate([first_lengths, lengths - first_lengths]) - 1
    positions = np.concatenate([np.broadcast_to(steps, mirrored.shape), mirrored], axis=1)
    return _Halves(positions, np.maximum(last_step, 0), first_lengths)


def _add_best_prefixes(scores_HKR: Tensor, moves: Tensor) -> None:
    """To the score of each tag at each step adds that of the best prefix before it, in place.

    Args:
        scores_HKR: emissions, with the start scores at the first step.
        moves: transitions [K, K R], `[to, (from, row)]`, so that a sum over all tags before is one of long rows.
    """
    candidates, best = torch.empty_like(moves), torch.empty_like(scores_HKR[0])
    by_origin = candidates.view(len(best), *best.shape)
    for before, now in zip(scores_HKR.flatten(1).unbind(0), scores_HKR.unbind(0)[1:], strict=False):
        torch.add(moves, before, out=candidates)
        torch.amax(by_origin, dim=1, out=best)
        now.add_(best)


def _trace_back(
    scores_HRK: Tensor, transitions: Tensor, last_step: NDArray[np.int64], entry: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Tags [H R], from the given tag at the last step of each row back to its first step.

    The way is found again from the scores, which is cheaper than keeping a pointer for every tag; and on the
    processor, wherever the scores are: only the start of each operation counts here.
    """
    into = torch.cat([transitions.t(), transitions]).cpu().numpy()
    scores = scores_HRK.detach().cpu().numpy()
    rows = np.arange(scores.shape[1])
    offset = np.where(rows < len(rows) // 2, 0, scores.shape[2])
    # All rows start at the last step of the batch; this lets each pass its own last step at its own tag.
    scores[last_step, rows, entry] = np.inf
    path = np.empty(scores.shape[:2], dtype=np.int64)
    scores[-1].argmax(axis=1, out=path[-1])
    for step in range(len(scores) - 2, -1, -1):
        (into.take(path[step + 1] + offset, axis=0) + scores[step]).argmax(axis=1, out=path[step])
    return path
