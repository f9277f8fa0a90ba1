"""JSON lines with entities: `{"text", "entities": [{"start", "end", "label"}]}` or `{"tokens", "tags"}`.

Offsets count characters (Unicode code points), `end` exclusive. Text is split by `canner.text.tokenizer`; a
span that does not begin and end with a token is widened to the tokens it touches, and reported.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from canner.text.files import (
    Destination,
    Source,
    name_of,
    read_lenient_lines,
    replace_surrogates,
    write_lines,
)
from canner.text.schemes import Repair, TagError, convert_tags, detect_scheme, encode_tags
from canner.text.sentence import Sentence
from canner.text.spans import Misfit, Span, character_spans, fit_spans, misfits_in_words
from canner.text.tokenizer import Token, spaced_tokens, tokenize


@dataclass(frozen=True)
class JsonlReport:
    """What a reader found and put right: spans (`misfits`) and tags (`repairs`), with their lines."""

    path: str
    scheme: str | None
    num_sentences: int
    misfits: list[Misfit] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    @property
    def is_literal(self) -> bool:
        """Whether everything was taken as it stands."""
        return not self.misfits and not self.repairs

    def summary(self) -> str:
        """One line for people."""
        parts = [f"{self.path}: {self.num_sentences} sentences"]
        if self.misfits:
            parts.append(misfits_in_words(self.misfits))
        if self.repairs:
            first_repair = self.repairs[0]
            parts.append(
                f"{len(self.repairs)} tags repaired (first: line {first_repair.line}, {first_repair.reason})"
            )
        return "; ".join(parts)


def read_jsonl(source: Source, *, scheme: str | None = None) -> list[Sentence]:
    """Read JSON lines; tags become BIOES, lines without entities or tags stay unlabelled.

    Args:
        source: a path, or a binary stream.
        scheme: of `"tags"`; detected where None.

    Raises:
        ValueError: with file and line, for an empty file, an empty sentence, a line that is not a JSON object
            of one of the two forms, a span outside the text, or a wrong tag.
    """
    return read_jsonl_with_report(source, scheme=scheme)[0]


def read_jsonl_with_report(
    source: Source, *, scheme: str | None = None
) -> tuple[list[Sentence], JsonlReport]:
    """`read_jsonl`, with a report of spans that do not fit tokens and tags that were repaired."""
    name = name_of(source)
    records = []
    for number, line in enumerate(read_lenient_lines(source)[0], 1):
        if line.strip():
            records.append((number, _parse(line, f"{name}, line {number}")))
    if not records:
        raise ValueError(f"{name}: expected sentences, got none; the file is empty")
    tagged = [(number, record["tags"]) for number, record in records if record.get("tags") is not None]
    try:
        scheme = scheme or (detect_scheme(tags for _, tags in tagged) if tagged else None)
    except TagError as error:
        raise ValueError(f"{name}, line {tagged[error.sentence][0]}: {error.message}") from None
    sentences: list[Sentence] = []
    misfits: list[Misfit] = []
    repairs: list[Repair] = []
    for number, record in records:
        try:
            sentence, found_misfits, found_repairs = _sentence(record, scheme)
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
        sentences.append(sentence)
        misfits += [replace(misfit, line=number) for misfit in found_misfits]
        repairs += [replace(repair, line=number) for repair in found_repairs]
    return sentences, JsonlReport(name, scheme, len(sentences), misfits, repairs)


def write_jsonl(
    destination: Destination, sentences: Iterable[Sentence], *, form: str = "text", scheme: str = "BIOES"
) -> None:
    """Write sentences as JSON lines.

    Args:
        destination: a path (appears only when complete) or a text stream.
        sentences: labelled or not.
        form: `text` for tokens joined by spaces with character spans, `tokens` for tokens with tags.
        scheme: of the tags in the form `tokens`.

    Raises:
        ValueError: for an unknown form or scheme.
    """
    if form not in ("text", "tokens"):
        raise ValueError(f"expected the form 'text' or 'tokens', got {form!r}")
    records = (
        text_record(sentence) if form == "text" else _tokens_record(sentence, scheme)
        for sentence in sentences
    )
    write_lines(destination, (json.dumps(record, ensure_ascii=False) for record in records))


def text_record(
    sentence: Sentence, text: str | None = None, tokens: Sequence[Token] | None = None
) -> dict[str, Any]:
    """The JSON object of a sentence with character spans.

    Args:
        sentence: what to write.
        text: the original text, where it is known (otherwise tokens joined by spaces).
        tokens: its tokens with offsets into `text`; needed where `text` is given.

    Raises:
        ValueError: if `text` comes without tokens, or with other tokens than the sentence's.
    """
    if text is None:
        text, tokens = sentence.text, spaced_tokens(sentence.tokens)
    if tokens is None or tuple(token.text for token in tokens) != sentence.tokens:
        raise ValueError("expected the offsets of the sentence's own tokens in the text, got others")
    record: dict[str, Any] = {"text": text}
    if sentence.tags is not None:
        entities = sentence.entities
        record["entities"] = [
            {"start": span.start, "end": span.end, "label": span.label}
            for span in character_spans(tokens, entities)
        ]
    return record


def _tokens_record(sentence: Sentence, scheme: str) -> dict[str, Any]:
    record: dict[str, Any] = {"tokens": list(sentence.tokens)}
    if sentence.tags is not None:
        record["tags"] = encode_tags(sentence.entities, len(sentence), scheme)
    return record


def _parse(line: str, place: str) -> dict[str, Any]:
    """A line as an object whose fields have the right types."""
    try:
        record = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{place}: expected a JSON object, got {line[:60]!r} ({error})") from None
    if not isinstance(record, dict):
        raise ValueError(f"{place}: expected a JSON object, got {line[:60]!r}")
    tokens, tags = record.get("tokens"), record.get("tags")
    if isinstance(record.get("text"), str) and not (tokens and tags):
        return {key: record[key] for key in ("text", "entities", "spans") if key in record}
    if not _is_strings(tokens) or not (tags is None or _is_strings(tags)):
        raise ValueError(
            f'{place}: expected "text" (with "entities" or "spans") or a list of "tokens" (with "tags"), '
            f"got the keys {', '.join(record) or 'none'}"
        )
    return {"tokens": tokens, "tags": tags}


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _sentence(record: dict[str, Any], scheme: str | None) -> tuple[Sentence, list[Misfit], list[Repair]]:
    if "tokens" in record:
        # JSON can spell lone surrogates, which nothing can write again; the length stays the same.
        words = tuple(replace_surrogates(token) for token in record["tokens"])
        tags = record.get("tags")
        if tags is None or scheme is None:
            return Sentence(words), [], []
        converted, repairs = convert_tags(tags, scheme, "BIOES")
        return Sentence(words, tuple(converted)), [], repairs
    text = replace_surrogates(record["text"])
    tokens = tokenize(text)
    if not tokens:
        raise ValueError("expected text, got an empty sentence; leave the line out")
    words = tuple(token.text for token in tokens)
    spans = record.get("entities", record.get("spans"))
    if spans is None:
        return Sentence(words), [], []
    if not isinstance(spans, list):
        raise ValueError(f"expected a list of spans, got {spans!r}")
    entities, misfits = fit_spans(text, tokens, map(_span, spans))
    return Sentence.from_entities(words, entities), misfits, []


def _span(item: Any) -> Span:
    if isinstance(item, dict):
        item = [item.get("start"), item.get("end"), item.get("label", item.get("type"))]
    if isinstance(item, list) and len(item) == 3:
        start, end, label = item
        if type(start) is int and type(end) is int and isinstance(label, str) and label:
            return Span(start, end, label)
    raise ValueError(f'expected a span {{"start": 0, "end": 5, "label": "PER"}}, got {item!r}')
