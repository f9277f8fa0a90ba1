"""Parallel text: two files line by line, or one file of `source ||| target`."""

from __future__ import annotations

from pathlib import Path

SEPARATOR = " ||| "


def read_lines(path: str | Path) -> list[str]:
    """Lines of a UTF-8 text file, without line ends.

    Only `\\n` (or `\\r\\n`) ends a line: other separators of Unicode occur inside sentences.

    Raises:
        ValueError: the file is not UTF-8 (names the line).
    """
    lines = []
    with open(path, "rb") as file:
        for number, raw in enumerate(file, 1):
            try:
                lines.append(raw.rstrip(b"\r\n").decode("utf-8"))
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: expected UTF-8, got byte 0x{raw[error.start]:02x} at "
                    f"position {error.start}; convert the file to UTF-8"
                ) from None
    return lines


def read_bitext(source_path: str | Path, target_path: str | Path | None = None) -> list[tuple[str, str]]:
    """Pairs of sentences, from two parallel files or from one with ` ||| ` between the sides.

    Raises:
        ValueError: files of unequal length, a line without separator, or nothing in them.
    """
    if target_path is None:
        pairs = []
        for number, line in enumerate(read_lines(source_path), 1):
            if SEPARATOR not in line:
                raise ValueError(
                    f"{source_path}, line {number}: expected 'source ||| target', got {line[:60]!r}"
                )
            source, target = line.split(SEPARATOR, 1)
            pairs.append((source.strip(), target.strip()))
    else:
        sources, targets = read_lines(source_path), read_lines(target_path)
        if len(sources) != len(targets):
            raise ValueError(
                f"expected parallel files of equal length, got {len(sources)} lines in {source_path} and "
                f"{len(targets)} in {target_path}; check which lines are missing"
            )
        pairs = list(zip(sources, targets, strict=True))
    if not pairs:
        raise ValueError(f"{source_path}: expected parallel sentences, got an empty file")
    return pairs
