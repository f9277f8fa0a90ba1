"""What a search needs of a model: one step for all live hypotheses, and their state picked by rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from canner.models.convs2s import ConvS2S, DecoderState, EncoderOutput

State = TypeVar("State")


@dataclass(frozen=True)
class Hypothesis:
    """A finished output: its tokens without `<eos>`, and the log probability of all of it with `<eos>`."""

    tokens: list[int]
    log_probability: float


def all_outputs(outputs: Sequence[Hypothesis | None]) -> list[Hypothesis]:
    """The outputs of a search, one for each sentence.

    Raises:
        ValueError: a sentence has none, or one without a score, as the model's scores are not numbers.
    """
    found = [output for output in outputs if output is not None and math.isfinite(output.log_probability)]
    if len(found) < len(outputs):
        raise ValueError(
            f"expected finite scores from the model, got others for {len(outputs) - len(found)} of "
            f"{len(outputs)} sentences; its weights are damaged or its training diverged"
        )
    return found


class StepFunction(Protocol[State]):
    """One step of any decoder; searches know no more of a model than this."""

    def start(self) -> State:
        """The state of B sentences with one hypothesis each, before the first step."""

    def step(self, ids_BM: Int[Tensor, "B M"], state: State) -> tuple[Float[Tensor, "B M V"], State]:
        """Reads one token for each hypothesis; gives the log probabilities of the next, and the new state."""

    def select(self, state: State, sentences_N: Int[Tensor, "N"], hypotheses_NM: Int[Tensor, "N M"]) -> State:
        """The state of N sentences, where hypothesis m of row n was hypotheses_NM[n, m] of sentences_N[n]."""


@dataclass(frozen=True)
class ConvS2SState:
    """Between two steps: what the decoder reads, its windows, and how many hypotheses a sentence has."""

    encoded: EncoderOutput
    decoder: DecoderState
    num_hypotheses: int


class ConvS2SStep:
    """Incremental decoding with ConvS2S: a step costs the same at any position.

    Args:
        model: in evaluation mode. Run the search inside `torch.nn.utils.parametrize.cached()`, or weight
            normalisation is computed again at every step.
        encoded: the sentences to translate.
    """

    def __init__(self, model: ConvS2S, encoded: EncoderOutput) -> None:
        self.model = model
        self.encoded = encoded

    def start(self) -> ConvS2SState:
        return ConvS2SState(
            self.encoded, self.model.decoder.start(len(self.encoded.keys), self.encoded.keys), 1
        )

    def step(
        self, ids_BM: Int[Tensor, "B M"], state: ConvS2SState
    ) -> tuple[Float[Tensor, "B M V"], ConvS2SState]:
        logits_BMV, _, decoder = self.model.decoder.step(ids_BM, state.encoded, state.decoder)
        next_state = ConvS2SState(state.encoded, decoder, state.num_hypotheses)
        return torch.log_softmax(logits_BMV.float(), dim=-1), next_state

    def select(
        self, state: ConvS2SState, sentences_N: Int[Tensor, "N"], hypotheses_NM: Int[Tensor, "N M"]
    ) -> ConvS2SState:
        rows = (sentences_N[:, None] * state.num_hypotheses + hypotheses_NM).flatten()
        # The encoder's output is large and changes only when sentences leave the batch.
        unchanged = len(sentences_N) == len(state.encoded.keys)
        encoded = state.encoded if unchanged else state.encoded.select(sentences_N)
        return ConvS2SState(encoded, state.decoder.select(rows), hypotheses_NM.shape[1])
