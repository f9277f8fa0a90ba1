"""Annotation projection: entities without a labelled sentence, the teacher's own, carried back by the attention."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from canner.text.entities import Entity
from canner.transfer.aligned import TransferOptions

PROJECTED = TransferOptions(reading="copied", features=False, posteriors=True, normalise="source")
"""What is carried to the tokens: the teacher's tag probabilities, those of each token scaled to one mass."""


class ProjectionTagger:
    """Reads entities off the tag probabilities that the attention carries to the source tokens.

    Each token has the likeliest of "no entity" and the types; neighbours of one type are one entity. A translation
    moves and merges words, so the positions within an entity (B, I, E, S) say little of the source and are added up.

    Args:
        teacher_tags: the K tags of the teacher, in the order of its posteriors.
        types: find these only; None: all that the teacher knows.

    Raises:
        ValueError: if the teacher does not know one of the types, or there is none.
    """

    def __init__(self, teacher_tags: Sequence[str], types: Sequence[str] | None = None) -> None:
        known = sorted({tag[2:] for tag in teacher_tags if tag != "O"})
        chosen = sorted(set(known if types is None else types))
        unknown = [name for name in chosen if name not in known]
        if unknown or not chosen:
            raise ValueError(
                f"expected types among {', '.join(known)}, which the teacher knows, got {', '.join(unknown) or 'none'}"
            )
        self.tags = [tag for tag in teacher_tags if tag == "O" or tag[2:] in chosen]
        self._num_tags = len(teacher_tags)
        self._types = chosen
        self._columns = [
            [index for index, tag in enumerate(teacher_tags) if tag[2:] == name] for name in chosen
        ]

    def entities(
        self,
        sentences: Sequence[Sequence[str]],
        *,
        aligned: Sequence[Tensor] | None = None,
        confidence: bool = False,
    ) -> list[list[Entity]]:
        """The entities of each sentence.

        Args:
            sentences: tokens of each.
            aligned: of each the tag probabilities [S, K] carried to its tokens; a token that no English word looked
                at (that of a gloss or a file: the attention of a network is never quite nothing) has zeros, and is
                in no entity.
            confidence: also give each entity the probability that its tokens, and no neighbour, have its type, as
                if tokens were independent.

        Raises:
            ValueError: if the probabilities are not those of the sentences.
        """
        expected = [(len(tokens), self._num_tags) for tokens in sentences]
        if (given := [tuple(posteriors.shape) for posteriors in aligned or ()]) != expected:
            raise ValueError(f"expected tag probabilities of shapes {expected[:3]}…, got {given[:3]}…")
        return [self._entities(posteriors, confidence) for posteriors in aligned or ()]

    def _entities(self, posteriors_SK: Float[Tensor, "S K"], confidence: bool) -> list[Entity]:
        of_type = torch.stack([posteriors_SK[:, columns].sum(1) for columns in self._columns], dim=1)
        of_none = 1 - of_type.sum(1, keepdim=True)
        best = torch.cat([of_none, of_type], dim=1).argmax(dim=1).tolist()
        found, start = [], 0
        for end in range(1, len(best) + 1):
            if end < len(best) and best[end] == best[start]:
                continue
            if best[start]:
                column = of_type[:, best[start] - 1]
                score = _alone(column, start, end) if confidence else None
                found.append(Entity(start, end, self._types[best[start] - 1], score))
            start = end
        return found


def _alone(column_S: Float[Tensor, "S"], start: int, end: int) -> float:
    """The probability that a type holds from start to end and at neither neighbour."""
    inside = column_S[start:end].prod()
    before = 1 - column_S[start - 1] if start else 1.0
    after = 1 - column_S[end] if end < len(column_S) else 1.0
    return float((inside * before * after).clamp(0, 1))
