"""CoNLL column files: a token a line with its tag, an empty line between sentences.

Understood without being told: tabs or spaces, any number of columns with the tag last, CRLF, byte order
marks, `-DOCSTART-` lines, comments, every scheme of `canner.text.schemes`, the Universal NER form of CoNLL-U
(index, token, tag, …), and the Weibo form in which each character carries its index in the segmented word
(`科0`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from canner.text.columns import (
    count_blank_lines,
    find_layout,
    has_segmentation_index,
    split_blocks,
    tokens_of,
)
from canner.text.files import Destination, Source, name_of, read_lenient_lines, write_lines
from canner.text.schemes import Repair, TagError, convert_tags, detect_scheme, encode_tags
from canner.text.sentence import Sentence

_WHITE_SPACE = frozenset(" \t\r\n")


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
    layout = find_layout(lines, token_column, tag_column)
    stray = _stray_empty_lines(lines)
    if stray:
        notes.append(f"{len(stray)} empty lines inside sentences ignored (first: line {min(stray)})")
    found_blocks = split_blocks(lines, layout, name, lambda number, _: number in stray)
    blocks = [block for block in found_blocks if block.fields]
    if not blocks:
        raise ValueError(f"{name}: expected sentences, got none; the file is empty")
    tokens = [tokens_of(block, layout, name) for block in blocks]
    if has_segmentation_index(tokens):
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
        ValueError: before anything is written: for a sentence without tags, an unknown scheme, a token that holds
            the separator or a line break, or a type of entities with white space.
    """
    if separator not in (" ", "\t"):
        raise ValueError(f"expected a space or a tab as separator, got {separator!r}")
    write_lines(destination, list(_written_lines(sentences, scheme, separator)))  # nothing before all is well


def column_lines(tokens: Sequence[str], tags: Sequence[str], separator: str, place: str) -> Iterator[str]:
    """The lines of a sentence, an empty one at its end, such that `read_conll` gives back what they hold.

    Raises:
        ValueError: for a token that holds the separator or a line break, or a tag with white space; says `place`.
    """
    for token, tag in zip(tokens, tags, strict=True):
        # The reader takes a tab anywhere in a line as the separator, and trims lines.
        if "\t" in token or "\n" in token or "\r" in token or (separator == " " and " " in token):
            raise ValueError(
                f"expected tokens without white space, got {token!r} in {place}; "
                "replace the white space, or use a tab as separator if the token holds only spaces"
            )
        if _WHITE_SPACE & set(tag):
            raise ValueError(
                f"expected types of entities without white space, got {tag[2:]!r} in {place}; "
                "rename the type, or write JSONL"
            )
        yield token + separator + tag
    yield ""


def _written_lines(sentences: Iterable[Sentence], scheme: str, separator: str) -> Iterator[str]:
    for number, sentence in enumerate(sentences, 1):
        if sentence.tags is None:
            raise ValueError(f"expected sentences with tags, got none in sentence {number}")
        tags = encode_tags(sentence.entities, len(sentence), scheme)
        yield from column_lines(sentence.tokens, tags, separator, f"sentence {number}")


def _convert(tags: list[str], scheme: str, sentence: int) -> tuple[list[str], list[Repair]]:
    try:
        return convert_tags(tags, scheme, "BIOES")
    except TagError as error:
        raise TagError(error.message, error.position, sentence) from None


def _stray_empty_lines(lines: list[str]) -> set[int]:
    """Empty lines in a file whose separators (nearly) all hold a space, as in CoNLL-2003 German."""
    spaced, empty = count_blank_lines(lines)
    return empty if spaced > 100 * len(empty) else set()
