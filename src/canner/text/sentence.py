"""A sentence: tokens and, where it is labelled, one BIOES tag for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canner.text.entities import Entity
from canner.text.schemes import check_tags, decode_tags, encode_tags


@dataclass(frozen=True)
class Sentence:
    """Tokens with optional tags; inside the library tags are always BIOES.

    Attributes:
        tokens: the words (Chinese: characters), at least one, none empty.
        tags: one BIOES tag for each token, or None where the sentence is not labelled.

    Raises:
        ValueError: for an empty sentence or token, another number of tags than tokens, or a tag that is
            not of the shape `O` or `B-TYPE` with a letter of BIOES.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", tuple(self.tokens))
        if not self.tokens:
            raise ValueError("expected at least one token, got an empty sentence; leave it out")
        if not all(self.tokens):
            position = next(index for index, token in enumerate(self.tokens) if not token)
            raise ValueError(f"expected tokens that are not empty, got an empty one at position {position}")
        if self.tags is None:
            return
        object.__setattr__(self, "tags", tuple(self.tags))
        if len(self.tags) != len(self.tokens):
            raise ValueError(
                f"expected one tag for each token, got {len(self.tags)} tags for {len(self.tokens)} tokens"
            )
        check_tags(self.tags, "BIOES")

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def entities(self) -> list[Entity]:
        """The entities that the tags spell, in order; empty where there are no tags."""
        return [] if self.tags is None else decode_tags(self.tags)

    @property
    def text(self) -> str:
        """The tokens joined by spaces."""
        return " ".join(self.tokens)

    @staticmethod
    def from_entities(tokens: Sequence[str], entities: Iterable[Entity]) -> Sentence:
        """A labelled sentence from spans.

        Raises:
            ValueError: if entities overlap or reach beyond the tokens.
        """
        return Sentence(tuple(tokens), tuple(encode_tags(entities, len(tokens))))
