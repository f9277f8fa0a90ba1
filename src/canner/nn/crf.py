"""Linear-chain conditional random field over tag sequences."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from canner.nn import linear_chain
from canner.nn.masking import require_right_padding
from canner.nn.viterbi import viterbi

# Low enough that no sum of emissions buys a forbidden transition, small enough to stay finite in float32.
FORBIDDEN_SCORE = -1e4

TagConstraints = tuple[Sequence[bool], Sequence[bool], Sequence[Sequence[bool]]]


class CRF(nn.Module):
    """Scores tag sequences by emissions and transitions, with start and end scores.

    score(x, y) = start[y_1] + sum_i emissions[i, y_i] + sum_i transitions[y_i, y_i+1] + end[y_S]

    All sums over tag sequences run in double precision (see `linear_chain`), so results in float32 are
    right to rounding for sentences of any length. A sentence without tokens has one (empty) tag sequence.

    Implements: [CAN, Eq. 13]

    Args:
        num_tags: number of tags K.
        constraints: `(start, end, matrix)` of bools that say which tags may begin a sentence, end it, and
            follow each other (`matrix[from][to]`), as `text.schemes.allowed_transitions` gives them.
            Forbidden scores are fixed at `FORBIDDEN_SCORE` and get no gradient.

    Attributes:
        transitions: [K K], `[from, to]`.
        start_transitions: [K].
        end_transitions: [K].
    """

    allowed_start: Tensor | None
    allowed_end: Tensor | None
    allowed_transitions: Tensor | None

    def __init__(self, num_tags: int, *, constraints: TagConstraints | None = None) -> None:
        super().__init__()
        if num_tags < 1:
            raise ValueError(
                f"expected at least one tag, got num_tags={num_tags}; pass the size of the tag set"
            )
        self.num_tags = num_tags
        self.transitions = nn.Parameter(torch.empty(num_tags, num_tags).uniform_(-0.1, 0.1))
        self.start_transitions = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))
        self.end_transitions = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))
        allowed = _as_tensors(constraints, num_tags)
        # Not saved: constraints follow from the tag set, which is saved beside the weights.
        for name, values in zip(("start", "end", "transitions"), allowed or (None, None, None), strict=True):
            self.register_buffer(f"allowed_{name}", values, persistent=False)
        self._mixing = 1 if allowed is None else _mixing_steps(*allowed)

    def log_likelihood(
        self, emissions: Float[Tensor, "B S K"], tag_ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B"]:
        """Log probability of the given tag sequences.

        Raises:
            ValueError: on shapes that do not fit, tag ids out of range, or a mask not padded on the right.
        """
        gold_score = self._score(emissions, tag_ids, mask)
        return (gold_score - self._log_partition(emissions, mask)).to(emissions.dtype)

    def score(
        self, emissions: Float[Tensor, "B S K"], tag_ids: Int[Tensor, "B S"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B"]:
        """Score of the given tag sequences, not normalised."""
        return self._score(emissions, tag_ids, mask).to(emissions.dtype)

    def log_partition(
        self, emissions: Float[Tensor, "B S K"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B"]:
        """Logarithm of the sum over all tag sequences of exp(score)."""
        return self._log_partition(emissions, mask).to(emissions.dtype)

    @torch.no_grad()
    def marginals(
        self, emissions: Float[Tensor, "B S K"], mask: Bool[Tensor, "B S"]
    ) -> Float[Tensor, "B S K"]:
        """Probability of each tag at each position given the sentence; 0 at padding. Records no gradient."""
        self._require_shapes(emissions, mask)
        if not emissions.numel():
            return torch.zeros_like(emissions)
        chain = self._chain(emissions, mask)
        marginals_SBK, _ = linear_chain.expectations(chain, chain.emissions.new_ones(mask.size(0)))
        return marginals_SBK.transpose(0, 1).to(emissions.dtype)

    @torch.no_grad()
    def span_probability(
        self,
        emissions: Float[Tensor, "B S K"],
        mask: Bool[Tensor, "B S"],
        spans: Int[Tensor, "N 3"],
        tag_ids: Int[Tensor, "N W"],
    ) -> Float[Tensor, "N"]:
        """Exact probability that the positions of a span carry the given tags, whatever the others carry.

        Args:
            emissions: as in `log_likelihood`.
            mask: as in `log_likelihood`.
            spans: `(sentence, start, end)` of each span, end-exclusive.
            tag_ids: the tags of each span's positions, from its start; what lies beyond its end is ignored.

        Raises:
            ValueError: where a span is empty, leaves its sentence, or is longer than its row of tags.
        """
        self._require_shapes(emissions, mask)
        if not len(spans):
            return emissions.new_zeros(0)
        self._require_spans(mask, spans, tag_ids)
        chain = self._chain(emissions, mask)
        sentences, starts, ends = spans.unbind(1)
        log_alpha, log_beta, log_partition = linear_chain.log_posteriors(chain)
        offsets = torch.arange(tag_ids.size(1), device=spans.device)[None, :]
        inside = offsets < (ends - starts)[:, None]
        tags = torch.where(inside, tag_ids, 0)
        steps = (starts[:, None] + offsets).clamp(max=mask.size(1) - 1)
        inner = (
            chain.emissions[steps, sentences[:, None], tags][:, 1:]
            + chain.transitions[tags[:, :-1], tags[:, 1:]]
        )
        last_tag = tags.gather(1, (ends - starts - 1)[:, None])[:, 0]
        log_probability = (
            log_alpha[starts, sentences, tags[:, 0]]
            + torch.where(inside[:, 1:], inner, 0.0).sum(dim=1)
            + log_beta[ends - 1, sentences, last_tag]
            - log_partition[sentences]
        )
        return log_probability.exp().clamp(max=1.0).to(emissions.dtype)

    @torch.no_grad()
    def viterbi(
        self, emissions: Float[Tensor, "B S K"], mask: Bool[Tensor, "B S"]
    ) -> tuple[Int[Tensor, "B S"], Float[Tensor, "B"]]:
        """The best tag sequence of each sentence (0 at padding) and its score."""
        self._require_shapes(emissions, mask)
        if not emissions.numel():
            return mask.long(), emissions.new_zeros(len(mask))
        tag_ids, scores = viterbi(emissions, mask, *self._scores())
        return tag_ids, scores.to(emissions.dtype)

    def _scores(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transition, start and end scores with the constraints applied."""
        if self.allowed_transitions is None or self.allowed_start is None or self.allowed_end is None:
            return self.transitions, self.start_transitions, self.end_transitions
        return (
            torch.where(self.allowed_transitions, self.transitions, FORBIDDEN_SCORE),
            torch.where(self.allowed_start, self.start_transitions, FORBIDDEN_SCORE),
            torch.where(self.allowed_end, self.end_transitions, FORBIDDEN_SCORE),
        )

    def _chain(self, emissions: Tensor, mask: Tensor) -> linear_chain.Chain:
        transitions, start, end = self._scores()
        allowed = None
        if (
            self.allowed_transitions is not None
            and self.allowed_start is not None
            and self.allowed_end is not None
        ):
            allowed = (self.allowed_start, self.allowed_end, self.allowed_transitions)
        return linear_chain.make_chain(
            emissions, mask, transitions, start, end, allowed=allowed, mixing=self._mixing
        )

    def _log_partition(self, emissions: Tensor, mask: Tensor) -> Tensor:
        """In double precision, so that differences of large scores keep their digits."""
        self._require_shapes(emissions, mask)
        if not emissions.numel():
            return emissions.new_zeros(mask.size(0)).double()
        chain = self._chain(emissions, mask)
        log_partition = linear_chain.LogPartition.apply(emissions, *self._scores(), chain)
        return torch.where(mask[:, 0], log_partition, 0.0)

    def _score(self, emissions: Tensor, tag_ids: Tensor, mask: Tensor) -> Tensor:
        self._require_shapes(emissions, mask)
        if tag_ids.shape != mask.shape:
            raise ValueError(
                f"expected tag ids of shape {tuple(mask.shape)} as the mask, got {tuple(tag_ids.shape)}; "
                "pad them alike"
            )
        if not emissions.numel():
            return emissions.new_zeros(mask.size(0)).double()
        tags = torch.where(mask, tag_ids, 0)
        if int(tags.min()) < 0 or int(tags.max()) >= self.num_tags:
            raise ValueError(
                f"expected tag ids from 0 to {self.num_tags - 1}, "
                f"got {int(tags.min())} to {int(tags.max())}; "
                "encode them with the tag vocabulary of this model"
            )
        transitions, start, end = self._scores()
        emitted = torch.where(mask, emissions.gather(2, tags[:, :, None])[:, :, 0].double(), 0.0).sum(dim=1)
        moves = (tags[:, :-1] * self.num_tags + tags[:, 1:]).flatten()
        moved = transitions.flatten().double().index_select(0, moves).view(tags.size(0), -1)
        moved = torch.where(mask[:, 1:], moved, 0.0).sum(dim=1)
        last_tag = tags.gather(1, (mask.sum(dim=1, keepdim=True) - 1).clamp(min=0))[:, 0]
        ends = start[tags[:, 0]].double() + end[last_tag].double()
        return emitted + moved + torch.where(mask[:, 0], ends, 0.0)

    def _require_shapes(self, emissions: Tensor, mask: Tensor) -> None:
        if emissions.dim() != 3 or emissions.size(2) != self.num_tags or emissions.shape[:2] != mask.shape:
            raise ValueError(
                f"expected emissions [B S {self.num_tags}] with a mask [B S], got {tuple(emissions.shape)} "
                f"and {tuple(mask.shape)}; check the number of tags and the padding"
            )
        require_right_padding(mask)

    @staticmethod
    def _require_spans(mask: Tensor, spans: Tensor, tag_ids: Tensor) -> None:
        sentences, starts, ends = spans.unbind(1)
        lengths = mask.sum(dim=1)[sentences]
        wrong = (starts < 0) | (ends <= starts) | (ends > lengths) | (ends - starts > tag_ids.size(1))
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            raise ValueError(
                f"expected spans inside their sentence with a tag for each position, got span {row} = "
                f"{spans[row].tolist()} in a sentence of {int(lengths[row])} "
                f"with {tag_ids.size(1)} tags a row; pass (sentence, start, end), end-exclusive"
            )


def _as_tensors(constraints: TagConstraints | None, num_tags: int) -> tuple[Tensor, Tensor, Tensor] | None:
    if constraints is None:
        return None
    start, end, matrix = (torch.as_tensor(values, dtype=torch.bool) for values in constraints)
    shapes = (tuple(start.shape), tuple(end.shape), tuple(matrix.shape))
    if shapes != ((num_tags,), (num_tags,), (num_tags, num_tags)):
        raise ValueError(
            f"expected constraints (start [{num_tags}], end [{num_tags}], matrix [{num_tags} {num_tags}]), "
            f"got shapes {shapes}; build them from the same tags"
        )
    return start, end, matrix


def _mixing_steps(start: Tensor, end: Tensor, matrix: Tensor) -> int | None:
    """The number of steps in which every tag reaches every other, if there is one.

    None also where some length admits no tag sequence at all.
    """
    reach, prefix = torch.eye(len(matrix)), start.float()
    for steps in range(len(matrix) ** 2 + 1):
        if not bool((prefix * end).any()):
            return None
        if steps and bool(reach.all()):
            return steps
        reach, prefix = (reach @ matrix.float() > 0).float(), (prefix @ matrix.float() > 0).float()
    return None
