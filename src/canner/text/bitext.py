"""Parallel text: two files line by line, or one file of `source ||| target`."""

from __future__ import annotations

from canner.text.files import Source, name_of, read_lenient_lines

SEPARATOR = " ||| "


def read_lines(source: Source) -> list[str]:
    """Lines of a UTF-8 text file (a path, or a binary stream), without line ends.

    Only `\\n` (or `\\r\\n`) ends a line: other separators of Unicode occur inside sentences. A byte order mark is
    dropped, and lone surrogates are read as by `read_lenient_lines`.

    Raises:
        ValueError: the file is not UTF-8 (names the line).
    """
    return [line.rstrip("\r") for line in read_lenient_lines(source)[0]]


def read_bitext(source_path: Source, target_path: Source | None = None) -> list[tuple[str, str]]:
    """Pairs of sentences, from two parallel files or from one with ` ||| ` between the sides.

    Raises:
        ValueError: files of unequal length, a line without separator, or nothing in them.
    """
    if target_path is None:
        pairs = []
        for number, line in enumerate(read_lines(source_path), 1):
            if SEPARATOR not in line:
                raise ValueError(
                    f"{name_of(source_path)}, line {number}: expected 'source ||| target', got {line[:60]!r}"
                )
            source, target = line.split(SEPARATOR, 1)
            pairs.append((source.strip(), target.strip()))
    else:
        sources, targets = read_lines(source_path), read_lines(target_path)
        if len(sources) != len(targets):
            raise ValueError(
                f"expected parallel files of equal length, got {len(sources)} lines in {name_of(source_path)} and "
                f"{len(targets)} in {name_of(target_path)}; check which lines are missing"
            )
        pairs = list(zip(sources, targets, strict=True))
    if not pairs:
        raise ValueError(f"{name_of(source_path)}: expected parallel sentences, got an empty file")
    return pairs
