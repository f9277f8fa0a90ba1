"""The attention of every layer for outputs that are known, in one parallel pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pad_sequence

from canner.models.alignment_head import AlignmentHead, alignment_inputs
from canner.models.convs2s import ConvS2S
from canner.text.subwords import Pieces, Subwords


class UnreadablePairsError(ValueError):
    """Some pairs have a side that is empty, or longer than a translator can read.

    Attributes:
        reasons: what is wrong with each of these, by its number among the pairs given, from 0.
    """

    def __init__(self, reasons: Mapping[int, str]) -> None:
        number = min(reasons)
        more = f" (and {len(reasons) - 1} more pairs)" if len(reasons) > 1 else ""
        super().__init__(f"pair {number}: {reasons[number]}{more}; leave it out or split it")
        self.reasons = dict(reasons)


def require_readable(sources: Sequence[Pieces], targets: Sequence[Pieces], longest: int) -> None:
    """Refuses pairs with a side that has no pieces, or more than `longest`.

    Raises:
        UnreadablePairsError: there is such a pair.
    """
    reasons = {
        number: f"expected 1 to {longest} pieces on the {side} side, got {len(pieces.ids)}"
        for side, sentences in (("source", sources), ("target", targets))
        for number, pieces in enumerate(sentences)
        if not 0 < len(pieces.ids) <= longest
    }
    if reasons:
        raise UnreadablePairsError(reasons)


@dataclass(frozen=True)
class Forced:
    """One output: the attention of each step (the last produces `<eos>`), and its log probability with `<eos>`."""

    attention: Float[Tensor, "L T S"]
    log_probability: float


@torch.inference_mode()
def force(
    model: ConvS2S,
    source_BS: Int[Tensor, "B S"],
    mask_BS: Bool[Tensor, "B S"],
    targets: Sequence[Sequence[int]],
    *,
    head: AlignmentHead | None = None,
) -> list[Forced]:
    """Runs the decoder over given outputs.

    The decoder sees only what lies before a step, so this is the attention that the search itself had.

    Args:
        model: in evaluation mode.
        source_BS: sources with `<eos>`.
        mask_BS: True at real source pieces.
        targets: output of each, without `<bos>` and `<eos>`.
        head: gives the attention in the place of the layers: L is 1. What stands in the last row means nothing.

    Returns:
        For each output its attention [L, its pieces + 1, its source pieces with `<eos>`], on the CPU.
    """
    device, bos_id, eos_id = source_BS.device, Subwords.bos_id, Subwords.eos_id
    read = [torch.tensor([bos_id, *target]) for target in targets]
    written = [torch.tensor([*target, eos_id]) for target in targets]
    read_BT = pad_sequence(read, batch_first=True, padding_value=eos_id).to(device)
    written_BT = pad_sequence(written, batch_first=True, padding_value=eos_id).to(device)
    with parametrize.cached():
        encoded = model.encode(source_BS, mask_BS)
        hidden_BTD, layers = model.decoder.hidden_states(read_BT, encoded)
        scores_BT = _token_scores(model.decoder.finish(hidden_BTD), written_BT)
        if head is not None:
            aligned_BTS = head(alignment_inputs(model, source_BS, encoded, read_BT, hidden_BTD))
            layers = [torch.nn.functional.pad(aligned_BTS, (0, 0, 0, 1))]  # `<eos>` is not aligned
    attention_BLTS = torch.stack(layers, dim=1).float().cpu()
    num_source = mask_BS.sum(dim=1).tolist()
    results = []
    for row, tokens in enumerate(written):
        attention_LTS = attention_BLTS[row, :, : len(tokens), : num_source[row]].clone()
        results.append(Forced(attention_LTS, float(scores_BT[row, : len(tokens)].sum())))
    return results


def _token_scores(logits_BTV: Float[Tensor, "B T V"], tokens_BT: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
    """Log probability of each token, without a copy of all logits."""
    chosen_BT = logits_BTV.gather(2, tokens_BT[..., None]).squeeze(2).float()
    return chosen_BT - torch.logsumexp(logits_BTV.float(), dim=-1)
