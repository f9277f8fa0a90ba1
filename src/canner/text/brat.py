"""brat standoff: entities in `NAME.ann`, the text they count characters of in `NAME.txt` beside it.

Lines `T1<TAB>TYPE START END<TAB>TEXT` are read; relations, events, attributes and notes are passed over. Offsets
count the characters (Unicode code points) of the text file as it is, a line end of CRLF as two.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from canner.text.files import join_surrogates, read_lenient_lines
from canner.text.sentence import Sentence
from canner.text.sentences import split_sentences
from canner.text.spans import Misfit, Span, fit_spans, misfits_in_words
from canner.text.tokenizer import tokenize_part

_PASSED_OVER = tuple("REAMNW#*")
_ENTITY = re.compile(r"(T\S+)\t(\S+) (\d+ \d+(?:;\d+ \d+)*)\t(.+)")
_SPACES = str.maketrans("\r\n\t", "   ")


@dataclass(frozen=True)
class BratReport:
    """What a reader found and could not take as it was.

    Attributes:
        path: name of the file of annotations.
        num_sentences: sentences that the text was cut into.
        num_entities: entities in them.
        discontinuous: lines (1-based) of annotations in several pieces with text between, which are skipped.
        misfits: spans that do not fit the tokens or overlap others, with their lines.
    """

    path: str
    num_sentences: int
    num_entities: int
    discontinuous: list[int] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)

    @property
    def is_literal(self) -> bool:
        """Whether everything was taken as it stands."""
        return not self.discontinuous and not self.misfits

    def summary(self) -> str:
        """One line for people."""
        parts = [f"{self.path}: {self.num_sentences} sentences, {self.num_entities} entities"]
        if self.discontinuous:
            parts.append(
                f"{len(self.discontinuous)} discontinuous entities skipped (first: line {self.discontinuous[0]})"
            )
        if self.misfits:
            parts.append(misfits_in_words(self.misfits))
        return "; ".join(parts)


def read_brat(path: str | Path) -> list[Sentence]:
    """Read the annotations of a text; tags become BIOES.

    The text is cut into sentences, but never inside an entity.

    Args:
        path: of the `.ann` file; the text lies beside it under the same name with `.txt`.

    Raises:
        ValueError: with file and line, for an annotation of another shape, or one whose text is not what stands
            at its offsets; also where the text is missing, empty, or not UTF-8.
    """
    return read_brat_with_report(path)[0]


def read_brat_with_report(path: str | Path) -> tuple[list[Sentence], BratReport]:
    """`read_brat`, with a report of entities that were skipped or do not fit. Arguments and errors as there."""
    path = Path(path)
    text = _read_text(path)
    lines: dict[Span, int] = {}
    discontinuous: list[int] = []
    for number, line in enumerate(read_lenient_lines(path)[0], 1):
        spans = _parse(line.rstrip("\r"), text, f"{path}, line {number}")
        if len(spans) > 1:
            discontinuous.append(number)
        elif spans:
            lines.setdefault(spans[0], number)
    sentences, misfits = _sentences(text, sorted(lines))
    if not sentences:
        raise ValueError(f"{text_beside(path)}: expected text, got none; the file is empty")
    placed = [replace(misfit, line=lines[misfit.span]) for misfit in misfits]
    placed.sort(key=lambda misfit: misfit.line or 0)
    num_entities = sum(len(sentence.entities) for sentence in sentences)
    return sentences, BratReport(str(path), len(sentences), num_entities, discontinuous, placed)


def text_beside(path: Path) -> Path:
    """The file of the text that annotations are of."""
    return path.with_suffix(".txt")


def _read_text(path: Path) -> str:
    beside = text_beside(path)
    if not beside.is_file():
        raise ValueError(
            f"{path}: expected the annotated text beside it, got no such file: {beside}; put both into one folder"
        )
    raw = beside.read_bytes()
    try:
        text = join_surrogates(raw.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        number = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{beside}, line {number}: expected UTF-8, got byte 0x{raw[error.start]:02x}; "
            "convert the file to UTF-8"
        ) from None
    # brat counts a byte order mark as a character, and no token may hold it
    return " " + text[1:] if text.startswith("\ufeff") else text


def _parse(line: str, text: str, place: str) -> list[Span]:
    """The pieces of the entity on a line; none where the line is something else that brat knows."""
    if not line.strip() or line.startswith(_PASSED_OVER):
        return []
    match = _ENTITY.fullmatch(line)
    if match is None:
        raise ValueError(
            f"{place}: expected an entity T1<TAB>TYPE START END<TAB>TEXT, got {line[:60]!r}; "
            "correct or remove the line"
        )
    name, label, offsets, covered = match.groups()
    pieces = [(int(start), int(end)) for start, end in (piece.split() for piece in offsets.split(";"))]
    for start, end in pieces:
        if not start < end <= len(text):
            raise ValueError(
                f"{place}: expected offsets with start < end <= {len(text)} characters of the text, "
                f"got {start} to {end}; is the text the annotated one?"
            )
    found = " ".join(text[start:end] for start, end in pieces)
    # brat writes line ends within an entity as spaces
    if covered.translate(_SPACES) not in (
        found.translate(_SPACES),
        found.replace("\r\n", " ").translate(_SPACES),
    ):
        raise ValueError(
            f"{place}: expected {name} to be {covered[:60]!r}, got {found[:60]!r} at its offsets {offsets}; "
            "is the text the annotated one, with the same line ends?"
        )
    return [Span(start, end, label) for start, end in _joined(pieces, text)]


def _joined(pieces: Sequence[tuple[int, int]], text: str) -> list[tuple[int, int]]:
    """Pieces with only white space between them as one: brat cuts entities at line ends."""
    joined = [pieces[0]]
    for start, end in pieces[1:]:
        if joined[-1][1] <= start and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _sentences(text: str, spans: Sequence[Span]) -> tuple[list[Sentence], list[Misfit]]:
    """The sentences of a text with the entities in them; spans are sorted."""
    sentences: list[Sentence] = []
    misfits: list[Misfit] = []
    rest = list(spans)
    for start, end in _whole(split_sentences(text), spans):
        within = [span for span in rest if span.start < end and start < span.end]
        rest = [span for span in rest if span not in within] if within else rest
        tokens = tokenize_part(text, start, end)
        entities, unfit = fit_spans(text, tokens, within)
        sentences.append(Sentence.from_entities([token.text for token in tokens], entities))
        misfits += unfit
    blank = [Misfit(span, text[span.start : span.end], None, "covers only white space") for span in rest]
    return sentences, misfits + blank


def _whole(cut: Sequence[tuple[int, int]], spans: Sequence[Span]) -> list[tuple[int, int]]:
    """The places of sentences, joined where an entity reaches over their border."""
    joined: list[tuple[int, int]] = []
    reach, position = 0, 0  # how far the entities go that begin before a place
    for start, end in cut:
        while position < len(spans) and spans[position].start < start:
            reach = max(reach, spans[position].end)
            position += 1
        if joined and reach > start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
