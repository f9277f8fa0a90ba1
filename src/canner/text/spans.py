"""Typed spans of characters, as annotation tools write them, and entities over tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canner.text.entities import Entity
from canner.text.tokenizer import Token


@dataclass(frozen=True, order=True)
class Span:
    """A typed span of characters; `end` is exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Misfit:
    """A span that could not be taken as it was.

    Attributes:
        span: as given, in characters.
        text: what it covers.
        used: the characters that the entity covers instead, None where the span was dropped.
        reason: in words.
        line: line of the file, 1-based, where it was read from one.
    """

    span: Span
    text: str
    used: tuple[int, int] | None
    reason: str
    line: int | None = None


def misfits_in_words(misfits: Sequence[Misfit]) -> str:
    """How many spans did not fit, how many of them were dropped, and the first; at least one is there."""
    dropped, first = sum(misfit.used is None for misfit in misfits), misfits[0]
    return (
        f"{len(misfits)} spans do not fit the tokens, {dropped} of them dropped "
        f"(first: line {first.line}, {first.text!r}, {first.reason})"
    )


def fit_spans(text: str, tokens: Sequence[Token], spans: Iterable[Span]) -> tuple[list[Entity], list[Misfit]]:
    """Entities over tokens from spans over characters.

    Spans that fit are placed first, longer ones before shorter; one that overlaps a placed one is dropped.

    Raises:
        ValueError: for a span that is empty or reaches beyond the text.
    """
    placed: list[tuple[bool, Span, Entity]] = []
    misfits: list[Misfit] = []
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise ValueError(
                f"expected spans with 0 <= start < end <= {len(text)} characters, "
                f"got {span.start} to {span.end}"
            )
        touched = [i for i, token in enumerate(tokens) if token.start < span.end and span.start < token.end]
        if not touched:
            misfits.append(Misfit(span, text[span.start : span.end], None, "covers only white space"))
            continue
        entity = Entity(touched[0], touched[-1] + 1, span.label)
        used = (tokens[entity.start].start, tokens[entity.end - 1].end)
        placed.append((used == (span.start, span.end), span, entity))
    placed.sort(key=lambda item: (not item[0], -(item[1].end - item[1].start), item[1]))
    entities: list[Entity] = []
    for fits, span, entity in placed:
        covered = text[span.start : span.end]
        used = (tokens[entity.start].start, tokens[entity.end - 1].end)
        other = next((one for one in entities if one.start < entity.end and entity.start < one.end), None)
        if other is not None:
            if other != entity or not fits:
                misfits.append(Misfit(span, covered, None, f"overlaps another span ({other.type})"))
            continue
        entities.append(entity)
        if not fits:
            reason = "white space at its edge" if text[slice(*used)] == covered.strip() else "cuts a token"
            misfits.append(Misfit(span, covered, used, reason))
    return sorted(entities), sorted(misfits, key=lambda misfit: misfit.span)


def character_spans(tokens: Sequence[Token], entities: Iterable[Entity]) -> list[Span]:
    """The characters that entities cover: from the start of the first token to the end of the last."""
    return [Span(tokens[one.start].start, tokens[one.end - 1].end, one.type) for one in entities]
