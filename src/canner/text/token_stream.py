"""Sentences of tokens from CoNLL columns, one at a time, whatever the length of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def iterate_tokens(lines: Iterable[str], *, token_column: int = 0) -> Iterator[list[str]]:
    """The tokens of each sentence of column text; other columns are passed over.

    Lines of white space end a sentence; `-DOCSTART-` lines and comments (`# ` where no sentence has begun) are
    left out. Unlike `read_conll` this neither checks tags nor finds out peculiar layouts.

    Args:
        lines: of the file, without their ends.
        token_column: index of the token's column.

    Raises:
        ValueError: if a line has no such column; names the line.
    """
    tokens: list[str] = []
    for number, line in enumerate(lines, 1):
        columns = line.split("\t") if "\t" in line else line.split(" ")
        if not line.strip():
            if tokens:
                yield tokens
            tokens = []
        elif columns[0] == "-DOCSTART-" or (not tokens and len(columns) > 1 and columns[0] == "#"):
            continue
        elif len(columns) <= token_column or not columns[token_column]:
            raise ValueError(f"line {number}: expected a token in column {token_column}, got {line!r}")
        else:
            tokens.append(columns[token_column])
    if tokens:
        yield tokens
