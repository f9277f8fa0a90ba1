"""Beam search over any step function, many sentences at a time."""

from dataclasses import dataclass, replace
from typing import Generic

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from canner.decoding.constraints import NEVER, Constraints
from canner.decoding.step import Hypothesis, State, StepFunction, all_outputs


@dataclass(frozen=True)
class Beam(Generic[State]):
    """The live hypotheses of the sentences that are still searched; best first.

    Attributes:
        sentences: which sentences they are.
        tokens: the T tokens of each hypothesis so far.
        scores: their log probabilities.
        state: of the model.
        constraints: of these sentences.
    """

    sentences: Int[Tensor, "B"]
    tokens: Int[Tensor, "B M T"]
    scores: Float[Tensor, "B M"]
    state: State
    constraints: Constraints

    def select(self, keep: Int[Tensor, "N"]) -> "Beam[State]":
        """The kept sentences; the state is the model's to select."""
        return replace(
            self,
            sentences=self.sentences[keep],
            tokens=self.tokens[keep],
            scores=self.scores[keep],
            constraints=self.constraints.select(keep),
        )


@dataclass(frozen=True)
class Candidates:
    """The best 2M ways to go on (N of them, best first): from which hypothesis, with which token."""

    hypotheses: Int[Tensor, "B N"]
    tokens: Int[Tensor, "B N"]
    scores: Float[Tensor, "B N"]

    def select(self, keep: Int[Tensor, "N"]) -> "Candidates":
        """Those of the kept sentences."""
        return Candidates(self.hypotheses[keep], self.tokens[keep], self.scores[keep])


class Finished:
    """The best finished hypothesis of each sentence so far, and how many have finished.

    Args:
        num_sentences: of the whole search.
        length_penalty: exponent of the length that a log probability is divided by.
    """

    def __init__(self, num_sentences: int, length_penalty: float, device: torch.device) -> None:
        self.length_penalty = length_penalty
        self.best = torch.full((num_sentences,), NEVER, device=device)
        self.counts = torch.zeros(num_sentences, dtype=torch.long, device=device)
        self.outputs: list[Hypothesis | None] = [None] * num_sentences

    def normalise(self, scores: Tensor, length: int | Tensor) -> Tensor:
        """Log probability over length to the power of the penalty; the length counts `<eos>`."""
        return scores / length**self.length_penalty

    def add(self, beam: Beam[State], found: Candidates, ending_BN: Bool[Tensor, "B N"]) -> None:
        """Takes up the candidates that end here; all have the same length, so the first of a row is its best."""
        if not bool(ending_BN.any()):
            return
        self.counts[beam.sentences] += ending_BN.sum(dim=1)
        rows = ending_BN.any(dim=1).nonzero().squeeze(1)
        first = ending_BN[rows].int().argmax(dim=1)
        sentences, scores = beam.sentences[rows], found.scores[rows, first]
        ranks = self.normalise(scores, beam.tokens.shape[2] + 1)
        better = ranks > self.best[sentences]
        rows, first, sentences = rows[better], first[better], sentences[better]
        self.best[sentences] = ranks[better]
        tokens = beam.tokens[rows, found.hypotheses[rows, first]]
        for at, output, score in zip(
            sentences.tolist(), tokens.tolist(), scores[better].tolist(), strict=True
        ):
            self.outputs[at] = Hypothesis(output, score)


def beam_search(
    function: StepFunction[State],
    *,
    num_sentences: int,
    bos_id: int,
    constraints: Constraints,
    beam_size: int,
    length_penalty: float,
) -> list[Hypothesis]:
    """The best output found for each of B sentences.

    A hypothesis finishes when `<eos>` after it is among the best `beam_size` candidates of its sentence. A sentence
    is done, and leaves the batch, when `beam_size` hypotheses have finished, or none that lives can still surpass
    the best finished one. With `beam_size` 1 this is greedy search; with room for all outputs it is exhaustive.

    Args:
        function: the model.
        num_sentences: B.
        bos_id: what the model reads first.
        constraints: limits on the outputs, of the same B sentences.
        beam_size: most live hypotheses of a sentence.
        length_penalty: outputs are ranked by log probability / length ** length_penalty.
    """
    device = constraints.max_length.device
    sentences_B = torch.arange(num_sentences, device=device)
    beam = Beam(
        sentences_B,
        sentences_B.new_zeros(num_sentences, 1, 0),
        torch.zeros(num_sentences, 1, device=device),
        function.start(),
        constraints,
    )
    finished = Finished(num_sentences, length_penalty, device)
    read_BM = sentences_B.new_full((num_sentences, 1), bos_id)
    while len(beam.sentences):
        log_probs_BMV, state = function.step(read_BM, beam.state)
        found = _expand(beam, log_probs_BMV, beam_size)
        ending_BN = (found.tokens == constraints.eos_id) & (found.scores > NEVER)
        ending_BN[:, beam_size:] = False
        finished.add(beam, found, ending_BN)
        live = _live(found, constraints.eos_id, beam_size)
        keep = (~_done(beam, live, finished, beam_size)).nonzero().squeeze(1)
        beam = _advance(beam, live, keep, function.select(state, keep, live.hypotheses[keep]))
        read_BM = beam.tokens[..., -1]
    return all_outputs(finished.outputs)


def _expand(beam: Beam[State], log_probs_BMV: Tensor, beam_size: int) -> Candidates:
    """The best 2M candidates of each sentence: at most M of them end, so at least M go on."""
    candidates_BMV = beam.scores[..., None] + beam.constraints.apply(log_probs_BMV, beam.tokens)
    # They all have one of the 2M tokens that are best after any hypothesis: finding these first leaves few to sort.
    tokens_BN = candidates_BMV.amax(dim=1).topk(min(2 * beam_size, candidates_BMV.shape[2])).indices
    num_tokens = tokens_BN.shape[1]
    among = candidates_BMV.gather(2, tokens_BN[:, None].expand(-1, candidates_BMV.shape[1], -1)).flatten(1)
    scores, index = among.topk(min(2 * beam_size, among.shape[1]))
    return Candidates(index // num_tokens, tokens_BN.gather(1, index % num_tokens), scores)


def _live(found: Candidates, eos_id: int, beam_size: int) -> Candidates:
    """The best candidates that do not end."""
    scores_BN = found.scores.masked_fill(found.tokens == eos_id, NEVER)
    scores_BM, at_BM = scores_BN.topk(min(beam_size, scores_BN.shape[1]))
    return Candidates(found.hypotheses.gather(1, at_BM), found.tokens.gather(1, at_BM), scores_BM)


def _done(beam: Beam[State], live: Candidates, finished: Finished, beam_size: int) -> Bool[Tensor, "B"]:
    """Sentences with enough finished hypotheses, or whose live ones cannot surpass the best finished one."""
    best_live_B = live.scores[:, 0]
    # Scores only fall, and the longest output divides by the most: this is the best that can still come.
    bound_B = finished.normalise(best_live_B, beam.constraints.max_length)
    enough_B = finished.counts[beam.sentences] >= beam_size
    return (
        enough_B | (finished.best[beam.sentences] >= bound_B) | ~(best_live_B > NEVER)
    )  # not a number is dead, too


def _advance(beam: Beam[State], live: Candidates, keep: Int[Tensor, "N"], state: State) -> Beam[State]:
    """The beam one token longer, without the sentences that are done."""
    if len(keep) < len(beam.sentences):
        beam, live = beam.select(keep), live.select(keep)
    before = beam.tokens.gather(1, live.hypotheses[..., None].expand(-1, -1, beam.tokens.shape[2]))
    tokens_BMT = torch.cat([before, live.tokens[..., None]], dim=2)
    return Beam(beam.sentences, tokens_BMT, live.scores, state, beam.constraints)
