"""CoNLL column files: a token a line with its tag, an empty line between sentences.

Understood without being told: tabs or spaces, any number of columns with the tag last, CRLF, byte order
marks, `-DOCSTART-` lines, comments, every scheme of `canner.text.schemes`, the Universal NER form of CoNLL-U
(index, token, tag, …), and the Weibo form in which each character carries its index in the segmented word
(`科0`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from canner.text.files import Destination, Source, name_of, read_lenient_lines, write_lines
from canner.text.schemes import Repair, TagError, convert_tags, detect_scheme, encode_tags, split_tag
from canner.text.sentence import Sentence

_DOCUMENT_START = "-DOCSTART-"
_BLANK = " \t\r"
_LINES_THAT_SHOW_THE_LAYOUT = 5000
_NUMBERED = re.compile(r"\d+")
_SKIPPED_INDEX = re.compile(r"\d+[-.]\d+")  # CoNLL-U: multiword tokens and empty nodes
_INDEXED_CHARACTER = re.compile(r"(.|\ufffd+)(\d+)", re.DOTALL)


@dataclass(frozen=True)
class ConllReport:
    """What a reader found and put right.

    Attributes:
        path: name of the file.
        scheme: the scheme of its tags, None where no tags were read.
        num_sentences: sentences read.
        num_tokens: tokens read.
        repairs: tags that were ill formed where they stood, with their lines.
        notes: everything else that was not taken literally, in words.
    """

    path: str
    scheme: str | None
    num_sentences: int
    num_tokens: int
    repairs: list[Repair] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_literal(self) -> bool:
        """Whether everything was taken as it stands."""
        return not self.repairs and not self.notes

    def summary(self) -> str:
        """One line for people."""
        text = f"{self.path}: {self.num_sentences} sentences, {self.num_tokens} tokens"
        if self.scheme is not None:
            text += f", {self.scheme}"
        if self.repairs:
            first = self.repairs[0]
            text += f", {len(self.repairs)} tags repaired (first: line {first.line}, {first.reason})"
        return "; ".join([text, *self.notes])


@dataclass(frozen=True)
class _Layout:
    num_columns: int
    token_column: int
    tag_column: int | None
    numbered: bool  # the Universal NER form of CoNLL-U


@dataclass
class _Block:
    """The lines between two separators, as columns, and their numbers."""

    fields: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)


def read_conll(
    source: Source, *, scheme: str | None = None, token_column: int = 0, tag_column: int | None = -1
) -> list[Sentence]:
    """Read a CoNLL file; tags become BIOES.

    Args:
        source: a path, or a binary stream.
        scheme: one of `SCHEMES`; detected where None.
        token_column: index of the token's column; negative counts from the end.
        tag_column: index of the tag's column, or None for a file without tags.

    Raises:
        ValueError: with file and line, for an empty file, a token without a tag, a tag of unknown shape,
            mixed schemes, a varying number of columns, or bytes that are not UTF-8.
    """
    return read_conll_with_report(source, scheme=scheme, token_column=token_column, tag_column=tag_column)[0]


def read_conll_with_report(
    source: Source, *, scheme: str | None = None, token_column: int = 0, tag_column: int | None = -1
) -> tuple[list[Sentence], ConllReport]:
    """`read_conll`, with a report of what was repaired. Arguments and errors as there."""
    name = name_of(source)
    lines, with_surrogates = read_lenient_lines(source)
    notes: list[str] = []
    if with_surrogates:
        notes.append(f"{len(with_surrogates)} lines with lone surrogates (U+FFFD instead)")
    layout = _find_layout(lines, token_column, tag_column)
    blocks = [block for block in _blocks(lines, layout, name, notes) if block.fields]
    if not blocks:
        raise ValueError(f"{name}: expected sentences, got none; the file is empty")
    tokens = [[_token(fields, layout, name, line) for fields, line in _pairs(block)] for block in blocks]
    if _has_segmentation_index(tokens):
        tokens = [[token[0] for token in sentence] for sentence in tokens]
        notes.append("index in the segmented word removed from each token")
    num_tokens = sum(map(len, tokens))
    if layout.tag_column is None:
        untagged = [Sentence(tuple(sentence)) for sentence in tokens]
        return untagged, ConllReport(name, None, len(untagged), num_tokens, [], notes)
    tags = [[fields[layout.tag_column].strip(" ") for fields in block.fields] for block in blocks]
    try:
        scheme = scheme or detect_scheme(tags)
        sentences, repairs = [], []
        for number, (words, raw_tags, block) in enumerate(zip(tokens, tags, blocks, strict=True)):
            converted, found = _convert(raw_tags, scheme, number)
            sentences.append(Sentence(tuple(words), tuple(converted)))
            repairs += [replace(repair, line=block.lines[repair.position]) for repair in found]
    except TagError as error:
        line = blocks[error.sentence].lines[error.position]
        raise ValueError(f"{name}, line {line}: {error.message}") from None
    return sentences, ConllReport(name, scheme, len(sentences), num_tokens, repairs, notes)


def write_conll(
    destination: Destination, sentences: Iterable[Sentence], scheme: str = "IOB2", *, separator: str = " "
) -> None:
    """Write tokens and tags, an empty line after each sentence.

    Args:
        destination: a path (appears only when complete) or a text stream.
        sentences: with tags.
        scheme: one of `SCHEMES`.
        separator: between token and tag: a space or a tab.

    Raises:
        ValueError: for a sentence without tags, an unknown scheme, or a token that holds the separator or a
            line break.
    """
    if separator not in (" ", "\t"):
        raise ValueError(f"expected a space or a tab as separator, got {separator!r}")
    write_lines(destination, _written_lines(sentences, scheme, separator))


def _written_lines(sentences: Iterable[Sentence], scheme: str, separator: str) -> Iterator[str]:
    for number, sentence in enumerate(sentences, 1):
        if sentence.tags is None:
            raise ValueError(f"expected sentences with tags, got none in sentence {number}")
        for token, tag in zip(
            sentence.tokens, encode_tags(sentence.entities, len(sentence), scheme), strict=True
        ):
            # The reader takes a tab anywhere in a line as the separator, and trims lines.
            if "\t" in token or "\n" in token or "\r" in token or (separator == " " and " " in token):
                raise ValueError(
                    f"expected tokens without white space, got {token!r} in sentence {number}; "
                    "replace the white space, or use a tab as separator if the token holds only spaces"
                )
            yield token + separator + tag
        yield ""


def _convert(tags: list[str], scheme: str, sentence: int) -> tuple[list[str], list[Repair]]:
    try:
        return convert_tags(tags, scheme, "BIOES")
    except TagError as error:
        raise TagError(error.message, error.position, sentence) from None


def _fields(line: str) -> list[str]:
    line = line.rstrip(_BLANK)
    return line.split("\t") if "\t" in line else line.split(" ") if "  " not in line else _split_runs(line)


def _split_runs(line: str) -> list[str]:
    # Not str.split(): in Chinese files a no-break or ideographic space can be a token.
    return [part for part in line.split(" ") if part]


def _find_layout(lines: list[str], token_column: int, tag_column: int | None) -> _Layout:
    """The number of columns, and whether the file numbers its tokens as CoNLL-U does."""
    shown = (line for line in lines if line.strip(_BLANK) and not line.startswith("#"))
    candidates = [_fields(line) for line in islice(shown, _LINES_THAT_SHOW_THE_LAYOUT)]
    counts = Counter(len(fields) for fields in candidates if len(fields) > 1 and fields[0] != _DOCUMENT_START)
    num_columns = counts.most_common(1)[0][0] if counts else 1
    default = token_column == 0 and tag_column in (-1, None)
    numbered = default and num_columns >= 3 and _is_numbered(candidates)
    if numbered:
        return _Layout(num_columns, 1, None if tag_column is None else 2, True)
    return _Layout(num_columns, token_column, tag_column, False)


def _is_numbered(candidates: list[list[str]]) -> bool:
    """Whether the first column counts 1, 2, … in every sentence and the third holds tags."""
    previous = 0
    for fields in candidates:
        if _SKIPPED_INDEX.fullmatch(fields[0]):
            continue
        if len(fields) < 3 or not _NUMBERED.fullmatch(fields[0]):
            return False
        index = int(fields[0])
        if index not in (1, previous + 1) or split_tag(fields[2].strip()) is None:
            return False
        previous = index
    return previous > 0


def _blocks(lines: list[str], layout: _Layout, name: str, notes: list[str]) -> Iterator[_Block]:
    stray = _stray_empty_lines(lines)
    if stray:
        notes.append(f"{len(stray)} empty lines inside sentences ignored (first: line {min(stray)})")
    block = _Block()
    for number, line in enumerate(lines, 1):
        if not line.strip(_BLANK):
            if number not in stray:
                yield _checked(block, layout, name)
                block = _Block()
            continue
        fields = _fields(line)
        if fields[0] == _DOCUMENT_START:
            continue
        if _is_comment(line, fields, layout, at_start=not block.fields):
            block.comments.append((number, line))
            continue
        if layout.numbered and _SKIPPED_INDEX.fullmatch(fields[0]):
            continue
        if layout.tag_column is not None and (len(fields) != layout.num_columns or layout.num_columns == 1):
            _raise_columns(name, number, line, len(fields), layout.num_columns)
        block.fields.append(fields)
        block.lines.append(number)
    yield _checked(block, layout, name)


def _checked(block: _Block, layout: _Layout, name: str) -> _Block:
    """Refuse the comments of a sentence that has no tokens."""
    if layout.numbered and not block.fields:
        for number, comment in block.comments:
            if re.match(r"#\s*(sent_id|text)\s*=", comment):
                raise ValueError(
                    f"{name}, line {number}: expected tokens after the comments, got an empty sentence; "
                    "remove it or add its tokens"
                )
    return block


def _raise_columns(name: str, number: int, line: str, found: int, expected: int) -> None:
    text = line.strip(_BLANK)
    if expected == 1 or found < expected:
        raise ValueError(
            f"{name}, line {number}: expected {max(expected, 2)} columns with the tag last, got {found} in "
            f"{text!r}; the token has no tag"
        )
    raise ValueError(f"{name}, line {number}: expected {expected} columns, got {found} in {text!r}")


def _stray_empty_lines(lines: list[str]) -> set[int]:
    """Empty lines in a file whose separators (nearly) all hold a space, as in CoNLL-2003 German."""
    last = max((number for number, line in enumerate(lines, 1) if line.strip(_BLANK)), default=0)
    blank = [number for number, line in enumerate(lines, 1) if number < last and not line.strip(_BLANK)]
    empty = {number for number in blank if not lines[number - 1].strip("\r")}
    return empty if (len(blank) - len(empty)) > 100 * len(empty) else set()


def _is_comment(line: str, fields: list[str], layout: _Layout, *, at_start: bool) -> bool:
    """A line with `#` that is not a token `#`: comments stand before a sentence and have no tag."""
    if not line.startswith("#"):
        return False
    if layout.numbered:
        return True
    is_token = layout.tag_column is None or (
        len(fields) == layout.num_columns and split_tag(fields[layout.tag_column]) is not None
    )
    return at_start and not is_token


def _pairs(block: _Block) -> Iterator[tuple[list[str], int]]:
    return zip(block.fields, block.lines, strict=True)


def _token(fields: list[str], layout: _Layout, name: str, line: int) -> str:
    if not -len(fields) <= layout.token_column < len(fields):
        raise ValueError(
            f"{name}, line {line}: expected a token in column {layout.token_column}, "
            f"got {len(fields)} columns"
        )
    token = fields[layout.token_column]
    if not token:
        raise ValueError(f"{name}, line {line}: expected a token, got an empty column {layout.token_column}")
    return token


def _has_segmentation_index(sentences: list[list[str]]) -> bool:
    """Whether every token is a character and its index in a segmented word, as in Weibo `_2nd`.

    Sentences start at index 0, and some character is not ASCII: `w0 w1 w2` of an invented corpus is no match.
    """
    matches = [[_INDEXED_CHARACTER.fullmatch(token) for token in sentence] for sentence in sentences]
    if not all(match is not None for sentence in matches for match in sentence):
        return False
    starts = all(sentence[0] is not None and int(sentence[0][2]) == 0 for sentence in matches)
    return starts and any(not token.isascii() for sentence in sentences for token in sentence)
