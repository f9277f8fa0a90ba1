"""Labelled text of any format, told apart by the ending of the file's name."""

from __future__ import annotations

from pathlib import Path

from canner.text.brat import BratReport, read_brat_with_report, text_beside
from canner.text.conll import ConllReport, read_conll_with_report
from canner.text.jsonl import JsonlReport, read_jsonl_with_report
from canner.text.sentence import Sentence

JSON_ENDINGS = (".jsonl", ".json")
BRAT_ENDING = ".ann"
Report = ConllReport | JsonlReport | BratReport


class ReadingWarning(UserWarning):
    """Something in a file of labels was left out or read otherwise than it stands."""


def read_labelled(
    path: str | Path, *, scheme: str | None = None, token_column: int = 0, tag_column: int = -1
) -> tuple[list[Sentence], Report]:
    """Sentences of a file, tags as BIOES, and what had to be put right.

    Args:
        path: JSON lines (`.jsonl`, `.json`), brat (`.ann`, its text beside it), or else CoNLL columns.
        scheme: of the tags; detected where None. Spans need none.
        token_column, tag_column: of CoNLL columns.

    Raises:
        ValueError: if there is no such file, or what the reader of its format says.
    """
    path = Path(path)
    if not path.is_file():
        found = "a folder" if path.is_dir() else "no such file"
        raise ValueError(f"expected a file to read, got {found}: {path}")
    if path.suffix in JSON_ENDINGS:
        return read_jsonl_with_report(path, scheme=scheme)
    if path.suffix == BRAT_ENDING:
        return read_brat_with_report(path)
    return read_conll_with_report(path, scheme=scheme, token_column=token_column, tag_column=tag_column)


def files_read(path: Path) -> list[Path]:
    """The file itself and, for brat, the text beside it."""
    return [path, text_beside(path)] if path.suffix == BRAT_ENDING else [path]
