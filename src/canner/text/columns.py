"""How a CoNLL file is laid out, found from its lines, and its lines in blocks: what reader and stream share."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from canner.text.schemes import split_tag

LINES_THAT_SHOW_THE_LAYOUT = 5000
_DOCUMENT_START = "-DOCSTART-"
_BLANK = " \t\r"
_CONLLU_COLUMNS = 10
_NUMBERED = re.compile(r"\d+")
_SKIPPED_INDEX = re.compile(r"\d+[-.]\d+")  # CoNLL-U: multiword tokens and empty nodes
_INDEXED_CHARACTER = re.compile(r"(.|\ufffd+)(\d+)", re.DOTALL)


@dataclass(frozen=True)
class Layout:
    """What stands in which column.

    Attributes:
        num_columns: of most lines.
        token_column: index of the token's column.
        tag_column: index of the tag's column, None where there is none.
        numbered: whether it is the Universal NER form of CoNLL-U, with the index before the token.
        regular: whether every line must have that many columns.
    """

    num_columns: int
    token_column: int
    tag_column: int | None
    numbered: bool
    regular: bool


@dataclass
class Block:
    """The lines between two separators, as columns, and their numbers."""

    fields: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)


def find_layout(lines: Iterable[str], token_column: int, tag_column: int | None) -> Layout:
    """The number of columns, and whether the file numbers its tokens as CoNLL-U does."""
    candidates = _candidates(lines)
    counts = Counter(len(fields) for fields in candidates if len(fields) > 1)
    num_columns = counts.most_common(1)[0][0] if counts else 1
    default = token_column == 0 and tag_column in (-1, None)
    if default and num_columns >= 3 and _is_numbered(candidates):
        return Layout(num_columns, 1, None if tag_column is None else 2, True, tag_column is not None)
    return Layout(num_columns, token_column, tag_column, False, tag_column is not None)


def find_layout_of_tokens(lines: Sequence[str], token_column: int) -> Layout:
    """As `find_layout`, for lines that may have tags in the last column or none at all."""
    layout = find_layout(lines, token_column, -1)
    candidates = _candidates(lines)
    full = [fields for fields in candidates if len(fields) == layout.num_columns]
    has_tags = layout.num_columns > 1 and all(split_tag(fields[-1].strip(" ")) is not None for fields in full)
    if layout.numbered or has_tags:
        return layout
    counts = Counter(map(len, candidates))
    layout = replace(layout, num_columns=counts.most_common(1)[0][0] if counts else 1, tag_column=None)
    if token_column == 0 and layout.num_columns == _CONLLU_COLUMNS and _is_numbered(candidates, tagged=False):
        return replace(layout, token_column=1, numbered=True)
    return layout


def split_fields(line: str) -> list[str]:
    """The columns of a line: between tabs if it has any, else between spaces."""
    line = line.rstrip(_BLANK)
    return line.split("\t") if "\t" in line else line.split(" ") if "  " not in line else _split_runs(line)


def is_blank(line: str) -> bool:
    """Whether the line separates sentences."""
    return not line.strip(_BLANK)


def count_blank_lines(lines: Sequence[str]) -> tuple[int, set[int]]:
    """How many separators hold a space, and the numbers of those that hold nothing."""
    last = max((number for number, line in enumerate(lines, 1) if not is_blank(line)), default=0)
    blank = [number for number, line in enumerate(lines, 1) if number < last and is_blank(line)]
    empty = {number for number in blank if not lines[number - 1].strip("\r")}
    return len(blank) - len(empty), empty


def split_blocks(
    lines: Iterable[str], layout: Layout, name: str, is_stray: Callable[[int, str], bool]
) -> Iterator[Block]:
    """The lines of each sentence, as they come; a block without fields is no sentence.

    Args:
        lines: of the file, without their ends.
        layout: of the file.
        name: what errors call the file.
        is_stray: whether a blank line (number, line) ends no sentence.

    Raises:
        ValueError: for a line of another number of columns.
    """
    block = Block()
    for number, line in enumerate(lines, 1):
        if is_blank(line):
            if not is_stray(number, line):
                yield _checked(block, layout, name)
                block = Block()
            continue
        fields = split_fields(line)
        if fields[0] == _DOCUMENT_START:
            continue
        if _is_comment(line, fields, layout, at_start=not block.fields):
            block.comments.append((number, line))
            continue
        if layout.numbered and _SKIPPED_INDEX.fullmatch(fields[0]):
            continue
        untagged = layout.tag_column is not None and layout.num_columns == 1
        if layout.regular and (len(fields) != layout.num_columns or untagged):
            _raise_columns(name, number, line, len(fields), layout)
        block.fields.append(fields)
        block.lines.append(number)
    yield _checked(block, layout, name)


def tokens_of(block: Block, layout: Layout, name: str) -> list[str]:
    """The tokens of a block.

    Raises:
        ValueError: for a line without a token.
    """
    return [
        _token(fields, layout, name, line) for fields, line in zip(block.fields, block.lines, strict=True)
    ]


def has_segmentation_index(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether every token is a character and its index in a segmented word, as in Weibo `_2nd`.

    Sentences start at index 0, and some character is not ASCII: `w0 w1 w2` of an invented corpus is no match.
    """
    is_text = any(not token.isascii() for sentence in sentences for token in sentence)
    return is_text and all(is_indexed(sentence) for sentence in sentences)


def is_indexed(sentence: Sequence[str]) -> bool:
    """Whether each token is a character and an index, the first index 0."""
    matches = [_INDEXED_CHARACTER.fullmatch(token) for token in sentence]
    return all(matches) and matches[0] is not None and int(matches[0][2]) == 0


def _candidates(lines: Iterable[str]) -> list[list[str]]:
    """The columns of the first lines that hold tokens."""
    shown = (line for line in lines if not is_blank(line) and not line.startswith("#"))
    fields = map(split_fields, islice(shown, LINES_THAT_SHOW_THE_LAYOUT))
    return [columns for columns in fields if columns[0] != _DOCUMENT_START]


def _split_runs(line: str) -> list[str]:
    # Not str.split(): in Chinese files a no-break or ideographic space can be a token.
    return [part for part in line.split(" ") if part]


def _is_numbered(candidates: list[list[str]], *, tagged: bool = True) -> bool:
    """Whether the first column counts 1, 2, … in every sentence and the third holds tags."""
    previous = 0
    for fields in candidates:
        if _SKIPPED_INDEX.fullmatch(fields[0]):
            continue
        if len(fields) < 3 or not _NUMBERED.fullmatch(fields[0]):
            return False
        index = int(fields[0])
        if index not in (1, previous + 1) or (tagged and split_tag(fields[2].strip()) is None):
            return False
        previous = index
    return previous > 0


def _checked(block: Block, layout: Layout, name: str) -> Block:
    """Refuse the comments of a sentence that has no tokens."""
    if layout.numbered and not block.fields:
        for number, comment in block.comments:
            if re.match(r"#\s*(sent_id|text)\s*=", comment):
                raise ValueError(
                    f"{name}, line {number}: expected tokens after the comments, got an empty sentence; "
                    "remove it or add its tokens"
                )
    return block


def _raise_columns(name: str, number: int, line: str, found: int, layout: Layout) -> None:
    text, expected = line.strip(_BLANK), layout.num_columns
    if layout.tag_column is not None and (expected == 1 or found < expected):
        raise ValueError(
            f"{name}, line {number}: expected {max(expected, 2)} columns with the tag last, got {found} in "
            f"{text!r}; the token has no tag"
        )
    raise ValueError(f"{name}, line {number}: expected {expected} columns, got {found} in {text!r}")


def _is_comment(line: str, fields: list[str], layout: Layout, *, at_start: bool) -> bool:
    """A line with `#` that is not a token `#`: comments stand before a sentence and have no tag."""
    if not line.startswith("#"):
        return False
    if layout.numbered:
        return True
    is_token = not layout.regular or (
        len(fields) == layout.num_columns
        and (layout.tag_column is None or split_tag(fields[layout.tag_column]) is not None)
    )
    return at_start and not is_token


def _token(fields: list[str], layout: Layout, name: str, line: int) -> str:
    if not -len(fields) <= layout.token_column < len(fields):
        raise ValueError(
            f"{name}, line {line}: expected a token in column {layout.token_column}, "
            f"got {len(fields)} columns"
        )
    token = fields[layout.token_column]
    if not token:
        raise ValueError(f"{name}, line {line}: expected a token, got an empty column {layout.token_column}")
    return token
