"""Sentences of tokens from CoNLL columns, one at a time, whatever the length of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from canner.text.columns import (
    LINES_THAT_SHOW_THE_LAYOUT,
    count_blank_lines,
    find_layout_of_tokens,
    has_segmentation_index,
    is_indexed,
    split_blocks,
    tokens_of,
)


def iterate_tokens(
    lines: Iterable[str], *, token_column: int = 0, name: str = "<stream>"
) -> Iterator[list[str]]:
    """The tokens of each sentence of column text, those that `read_conll` gives; tags are not needed.

    The first lines (at most 5000 are held) show the layout: the number of columns, whether the tokens are numbered
    or carry their index, which lines are comments.

    Args:
        lines: of the file, without their ends.
        token_column: index of the token's column.
        name: what errors call the file.

    Raises:
        ValueError: with the line, for one without a token or of another number of columns.
    """
    rest = iter(lines)
    head = list(islice(rest, LINES_THAT_SHOW_THE_LAYOUT))
    layout = find_layout_of_tokens(head, token_column)
    spaced, empty = count_blank_lines(head)
    empty_are_stray = spaced > 100 * max(1, len(empty))

    def is_stray(_: int, line: str) -> bool:
        return empty_are_stray and not line.strip("\r")

    shown = (block for block in split_blocks(head, layout, name, is_stray) if block.fields)
    indexed = has_segmentation_index([tokens_of(block, layout, name) for block in shown])
    for block in split_blocks(chain(head, rest), layout, name, is_stray):
        if not block.fields:
            continue
        tokens = tokens_of(block, layout, name)
        if indexed and not is_indexed(tokens):
            raise ValueError(
                f"{name}, line {block.lines[0]}: expected characters with their index as in the sentences before, "
                f"got {' '.join(tokens)[:60]!r}; convert the file by canner convert"
            )
        yield [token[0] for token in tokens] if indexed else tokens
