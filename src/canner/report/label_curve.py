"""The plot of F1 against the number of labelled sentences: a panel a corpus, with the word gloss and without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from canner.experiment.results_schema import Metric, Results
from canner.report.by_labels import GLOSS, WITHOUT_LABELS, CorpusLine
from canner.report.pictures import pyplot_for, save_picture

NAME = "f1-by-labels"
"""Of the picture."""
TITLE = "F1 by the number of labelled sentences, with the word gloss and without"
_PLAIN, _WITH_GLOSS = "plain tagger", "with the word gloss"
_COLUMNS = 3
_OF_A_NUMBER = re.compile(r"(.+), (\d+) sentences")


class _Point(NamedTuple):
    """F1 with so many labelled sentences; None: not all of its runs have been made."""

    line: str
    labels: int
    f1: Metric | None


class _Panel(NamedTuple):
    """A corpus's title and points."""

    title: str
    points: list[_Point]


def draw_label_curve(
    results: Mapping[str, Results], corpora: Sequence[CorpusLine], folder: Path
) -> list[Path]:
    """Draws a panel for each corpus of which every point has been run; gives the picture, if there is one.

    Args:
        results: results files, by name.
        corpora: what may have a panel.
        folder: gets `f1-by-labels.svg`, which is removed where there is no panel.
    """
    picture = folder / f"{NAME}.svg"
    panels = [_Panel(corpus.title, list(_points(results, corpus))) for corpus in corpora]
    if whole := [panel for panel in panels if panel.points and all(point.f1 for point in panel.points)]:
        _draw(whole, picture)
    else:
        picture.unlink(missing_ok=True)
    return [picture] if picture.exists() else []


def _points(results: Mapping[str, Results], corpus: CorpusLine) -> Iterator[_Point]:
    """Both lines' points, by the number of labels; nothing, where a results file is missing."""
    names = (WITHOUT_LABELS, f"curve-{corpus.part}-fast", corpus.whole)
    if any(name not in results for name in names):
        return
    without, some, all_of_them = (results[name] for name in names)
    yield _Point(_WITH_GLOSS, 0, _f1(without, f"{corpus.title}, word gloss"))
    for row in some.rows:
        if match := _OF_A_NUMBER.fullmatch(row.system):
            line = _WITH_GLOSS if match[1].endswith(GLOSS) else _PLAIN
            yield _Point(line, int(match[2]), _f1(some, row.system))
    number = all_of_them.corpus["train"].sentences
    yield _Point(_PLAIN, number, _f1(all_of_them, corpus.plain))
    yield _Point(_WITH_GLOSS, number, _f1(all_of_them, f"{corpus.plain} + {GLOSS}"))


def _f1(result: Results, system: str) -> Metric | None:
    row = next((row for row in result.rows if row.system == system), None)
    return row.metrics.get("f1") if row is not None and row.num_finished >= row.planned else None


def _draw(panels: Sequence[_Panel], picture: Path) -> None:
    if (pyplot := pyplot_for(picture)) is None:
        return
    height = -(-len(panels) // _COLUMNS)
    figure, axes = pyplot.subplots(
        height, _COLUMNS, figsize=(3.4 * _COLUMNS, 2.8 * height), sharey=True, squeeze=False
    )
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (title, points) in zip(axes.flat, panels, strict=False):
        # Evenly spaced: no scale has room for both none and thousands.
        numbers = sorted({point.labels for point in points})
        for line in (_PLAIN, _WITH_GLOSS):
            own = [(point.labels, point.f1) for point in points if point.line == line and point.f1]
            axis.errorbar(
                [numbers.index(labels) for labels, _ in own],
                [f1.mean for _, f1 in own],
                yerr=[f1.sd for _, f1 in own],
                marker="o",
                capsize=3,
                label=line,
            )
        axis.set_xticks(range(len(numbers)), [f"{number:,}" for number in numbers])
        axis.set_title(title, fontsize="medium")
        axis.grid(alpha=0.3)
    for row in axes:
        row[0].set_ylabel("F1")
    axes[0, 0].legend(loc="lower right", fontsize="small")
    figure.supxlabel("labelled sentences", fontsize="medium")
    figure.tight_layout()
    save_picture(figure, picture)
