"""What a hypothesis may not hold: tokens, copy slots that its source lacks, repetitions, too many tokens."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from canner.decoding.options import TranslateOptions
from canner.text.subwords import COPY_SLOTS, Subwords

NEVER = float("-inf")


@dataclass(frozen=True)
class Constraints:
    """Limits on the outputs of B sentences.

    Attributes:
        eos_id: ends an output; never the first token of one.
        forbidden: tokens that never occur.
        max_length: most tokens, `<eos>` included; at least 2.
        slot_ids: the tokens whose number is limited (copy slots) …
        slot_limit: … and how often each may occur.
        all_slots: every slot occurs as often as it may, if the maximal length has room for them.
        no_repeat: length of sequences that may not occur twice; None: no such limit.
    """

    eos_id: int
    forbidden: Bool[Tensor, "V"]
    max_length: Int[Tensor, "B"]
    slot_ids: Int[Tensor, "K"]
    slot_limit: Int[Tensor, "B K"]
    all_slots: bool = False
    no_repeat: int | None = None

    def __post_init__(self) -> None:
        if bool((self.max_length < 2).any()):
            raise ValueError(
                f"expected room for a token and <eos>, got a maximal length of {int(self.max_length.min())}; "
                "give at least 2"
            )

    def select(self, rows: Int[Tensor, "N"]) -> "Constraints":
        """The limits of the sentences at the given rows."""
        return replace(self, max_length=self.max_length[rows], slot_limit=self.slot_limit[rows])

    def apply(
        self, log_probs_BMV: Float[Tensor, "B M V"], tokens_BMT: Int[Tensor, "B M T"]
    ) -> Float[Tensor, "B M V"]:
        """Log probabilities of the next token with -inf where it may not follow the T tokens so far."""
        length = tokens_BMT.shape[2]
        limited = log_probs_BMV.masked_fill(self.forbidden, NEVER)
        if len(self.slot_ids):
            left_BMK = self.slot_limit[:, None] - (tokens_BMT[..., None] == self.slot_ids).sum(dim=2)
            spent = limited[..., self.slot_ids].masked_fill(left_BMK <= 0, NEVER)
            limited[..., self.slot_ids] = spent
            if self.all_slots:
                self._require_slots(limited, left_BMK.sum(dim=-1), length)
        if self.no_repeat is not None and length >= self.no_repeat:
            limited = _forbid_repeats(limited, tokens_BMT, self.no_repeat)
        if length == 0:
            limited[..., self.eos_id] = NEVER
        return self._end_where_full(limited, log_probs_BMV, length)

    def _require_slots(self, limited: Tensor, missing_BM: Tensor, length: int) -> None:
        """No `<eos>` while slots are missing, and only slots where the room left is just enough for them."""
        limited[..., self.eos_id].masked_fill_(missing_BM > 0, NEVER)
        room_B1 = (self.max_length - 1 - length)[:, None]
        others = torch.ones_like(self.forbidden)
        others[self.slot_ids] = False
        limited.masked_fill_(((missing_BM > 0) & (missing_BM >= room_B1))[..., None] & others, NEVER)

    def _end_where_full(self, limited: Tensor, log_probs: Tensor, length: int) -> Tensor:
        """Only `<eos>` at the maximal length, and where nothing else may follow: every output ends."""
        full_B1 = (self.max_length <= length + 1)[:, None]
        ending_BM = full_B1 | (limited.amax(dim=-1) == NEVER)
        if not bool(ending_BM.any()):
            return limited
        only_end = torch.full_like(log_probs, NEVER)
        only_end[..., self.eos_id] = log_probs[..., self.eos_id]
        return torch.where(ending_BM[..., None], only_end, limited)


def constraints_of(
    ids_BS: Int[Tensor, "B S"],
    mask_BS: Bool[Tensor, "B S"],
    num_pieces: int,
    max_positions: int,
    options: TranslateOptions,
) -> Constraints:
    """No padding, no second start, and of the copy slots only those of the source, as often as there.

    Args:
        ids_BS, mask_BS: source pieces and which of them are real.
        num_pieces: size of the target vocabulary.
        max_positions: most pieces that the model can write.
        options: of the search.
    """
    device = ids_BS.device
    forbidden_V = torch.zeros(num_pieces, dtype=torch.bool, device=device)
    forbidden_V[[Subwords.pad_id, Subwords.bos_id]] = True
    slots_K = torch.arange(len(COPY_SLOTS), device=device) + Subwords.first_copy_id
    longest_B = (mask_BS.sum(dim=1) * options.max_length_ratio).long() + options.max_length_extra
    return Constraints(
        eos_id=Subwords.eos_id,
        forbidden=forbidden_V,
        max_length=longest_B.clamp(max=max_positions),
        slot_ids=slots_K,
        slot_limit=(ids_BS[..., None] == slots_K).sum(dim=1),
        all_slots=options.all_slots,
        no_repeat=options.no_repeat,
    )


def _forbid_repeats(
    log_probs_BMV: Float[Tensor, "B M V"], tokens_BMT: Int[Tensor, "B M T"], size: int
) -> Float[Tensor, "B M V"]:
    """-inf where the next token would make the last `size` tokens a sequence that occurred before."""
    windows_BMWn = tokens_BMT.unfold(2, size, 1)
    start = tokens_BMT.shape[2] - (size - 1)
    same_BMW = (windows_BMWn[..., :-1] == tokens_BMT[:, :, None, start:]).all(dim=-1)
    penalty = torch.zeros_like(log_probs_BMV)
    return log_probs_BMV + penalty.scatter_add_(
        2, windows_BMWn[..., -1], torch.where(same_BMW, NEVER, 0.0).to(penalty.dtype)
    )
