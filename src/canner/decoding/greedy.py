"""Greedy search: the likeliest token at every step."""

import torch
from torch import Tensor

from canner.decoding.constraints import Constraints
from canner.decoding.step import Hypothesis, State, StepFunction, all_outputs


def greedy_search(
    function: StepFunction[State], *, num_sentences: int, bos_id: int, constraints: Constraints
) -> list[Hypothesis]:
    """The output of each of B sentences, by the likeliest token at every step.

    Args:
        function: the model.
        num_sentences: B.
        bos_id: what the model reads first.
        constraints: limits on the outputs, of the same B sentences.
    """
    device = constraints.max_length.device
    outputs: list[Hypothesis | None] = [None] * num_sentences
    sentences_B = torch.arange(num_sentences, device=device)
    tokens_BT = sentences_B.new_zeros(num_sentences, 0)
    scores_B = torch.zeros(num_sentences, device=device)
    read_B1 = sentences_B.new_full((num_sentences, 1), bos_id)
    state = function.start()
    while len(sentences_B):
        log_probs_B1V, state = function.step(read_B1, state)
        best_B, token_B = constraints.apply(log_probs_B1V, tokens_BT[:, None]).squeeze(1).max(dim=-1)
        scores_B = scores_B + best_B
        done_B = token_B == constraints.eos_id
        _collect(outputs, sentences_B[done_B], tokens_BT[done_B], scores_B[done_B])
        keep = (~done_B).nonzero().squeeze(1)
        tokens_BT = torch.cat([tokens_BT, token_B[:, None]], dim=1)[keep]
        sentences_B, scores_B, read_B1 = sentences_B[keep], scores_B[keep], token_B[keep, None]
        if len(keep) < len(done_B):
            state = function.select(state, keep, torch.zeros_like(keep)[:, None])
            constraints = constraints.select(keep)
    return all_outputs(outputs)


def _collect(outputs: list[Hypothesis | None], rows: Tensor, tokens: Tensor, scores: Tensor) -> None:
    for row, output, score in zip(rows.tolist(), tokens.tolist(), scores.tolist(), strict=True):
        outputs[row] = Hypothesis(output, score)
