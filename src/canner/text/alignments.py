"""Word alignments in Pharaoh format: a pair a line, links `i-j` from source to target, both from 0."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from canner.text.bitext import read_lines
from canner.text.files import Destination, write_lines

Link = tuple[int, int]

_LINK = re.compile(r"([0-9]+)-([0-9]+)")


def parse_alignment(line: str) -> list[Link]:
    """The links of one line, sorted, each once.

    Raises:
        ValueError: for anything that is not `i-j` with numbers from 0.
    """
    links = set()
    for item in line.split():
        match = _LINK.fullmatch(item)
        if match is None:
            raise ValueError(f"expected links i-j counted from 0, got {item!r}")
        links.add((int(match[1]), int(match[2])))
    return sorted(links)


def read_alignments(path: str | Path) -> list[list[Link]]:
    """Read a Pharaoh file; an empty line is a pair without links.

    Returns:
        For each line, its `(source, target)` links, sorted.

    Raises:
        ValueError: with file and line, for a malformed link or bytes that are not UTF-8.
    """
    alignments = []
    for number, line in enumerate(read_lines(path), 1):
        try:
            alignments.append(parse_alignment(line))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return alignments


def format_alignment(links: Collection[Link]) -> str:
    """The links as a line of Pharaoh format, sorted.

    Raises:
        ValueError: for a negative index.
    """
    for source, target in links:
        if source < 0 or target < 0:
            raise ValueError(f"expected links counted from 0, got {source}-{target}")
    return " ".join(f"{source}-{target}" for source, target in sorted(set(links)))


def write_alignments(destination: Destination, alignments: Iterable[Collection[Link]]) -> None:
    """Write a Pharaoh file, a line for each sentence pair; it appears only when complete.

    Raises:
        ValueError: for a negative index.
    """
    write_lines(destination, (format_alignment(links) for links in alignments))
