"""An entity: a typed span of tokens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Entity:
    """A typed span of tokens; `end` is exclusive.

    Equality and order ignore `score`, so that a predicted entity equals the gold one it hits.

    Attributes:
        start: index of the first token.
        end: index after the last token.
        type: for example `PER`, or `PER.NAM` in the Weibo corpus.
        score: confidence in 0..1, where the model gave one.

    Raises:
        ValueError: if the span is empty or negative, or the type is empty.
    """

    start: int
    end: int
    type: str
    score: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(
                f"expected an entity with 0 <= start < end, got start {self.start} and end {self.end}; "
                "end is exclusive"
            )
        if not self.type:
            raise ValueError("expected an entity type such as 'PER', got an empty string")

    def __len__(self) -> int:
        return self.end - self.start


def first_overlap(entities: Iterable[Entity]) -> tuple[Entity, Entity] | None:
    """The first two entities (in order of start) that share a token, or None."""
    ordered = sorted(entities)
    for left, right in pairwise(ordered):
        if right.start < left.end:
            return left, right
    return None
