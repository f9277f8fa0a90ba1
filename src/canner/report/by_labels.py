"""What F1 to expect, by how much is labelled: a line a corpus, of several results files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from canner.experiment.results_schema import Results
from canner.report.cells import NOT_RUN, as_line, cell, figure, header_lines, mark

GLOSS = "CAN_gloss at the input"
"""How the rows of taggers end that read the word gloss."""
WITHOUT_LABELS = "without-labels"
"""The results file of what is found without any."""
_TUNED = "Fine-tuned encoder"
_HEADINGS = (
    "language",
    "no labels: word gloss",
    "encoder",
    "100 sentences: plain tagger",
    "with the gloss",
    "with the encoder",
    "with both",
    "all sentences: plain tagger",
    "with the gloss",
)


class CorpusLine(NamedTuple):
    """Where the figures of a corpus stand.

    Attributes:
        title: of its line; begins the names of its rows without labels.
        part: of the tables with a hundred labelled sentences, and with some numbers of them.
        whole: results file with all.
        plain: the row of the plain tagger in `whole`.
        gloss: how the rows of taggers end that read the gloss.
        gloss_alone: what it is called where there are no labels.
        note: stands after the title and the number of sentences.
    """

    title: str
    part: str
    whole: str
    plain: str = "BiLSTM+CRF"
    gloss: str = GLOSS
    gloss_alone: str = "word gloss"
    note: str = ""


def f1_by_labels(results: Mapping[str, Results], corpora: Sequence[CorpusLine]) -> str:
    """A table of the corpora of which all results files are there; nothing, if there is none.

    Args:
        results: results files, by name.
        corpora: the lines.
    """
    lines = [
        as_line(_cells(results, corpus))
        for corpus in corpora
        if {WITHOUT_LABELS, f"hundred-{corpus.part}-fast", corpus.whole} <= results.keys()
    ]
    return "\n".join([*header_lines(_HEADINGS), *lines]) if lines else ""


def _cells(results: Mapping[str, Results], corpus: CorpusLine) -> list[str]:
    wanted = [
        (WITHOUT_LABELS, f"{corpus.title}, {kind}") for kind in (corpus.gloss_alone, "multilingual encoder")
    ]
    wanted += [(f"hundred-{corpus.part}-fast", row) for row in ("plain", corpus.gloss)]
    wanted += [(f"fine-tuned-{corpus.part}-fast", row) for row in (_TUNED, f"{_TUNED} + {corpus.gloss}")]
    wanted += [(corpus.whole, row) for row in (corpus.plain, f"{corpus.plain} + {corpus.gloss}")]
    title = corpus.title
    if train := results[corpus.whole].corpus.get("train"):
        title += f", {train.sentences:,} sentences"
    return [cell(title + corpus.note), *(_f1(results.get(name), row) for name, row in wanted)]


def _f1(result: Results | None, system: str) -> str:
    rows = result.rows if result is not None else ()
    row = next((row for row in rows if row.system == system), None)
    return NOT_RUN if row is None else figure(row, "f1") + mark(row)
