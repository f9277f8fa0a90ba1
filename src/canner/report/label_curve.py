"""The plot of F1 against the number of labelled sentences: a panel a corpus, with the word gloss and without."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from canner.experiment.results_schema import Metric, Results, Row
from canner.report.by_labels import WITHOUT_LABELS, CorpusLine
from canner.report.pictures import pyplot_for, save_picture

NAME = "f1-by-labels"
"""Of the picture."""
TITLE = "F1 by the number of labelled sentences, with the word gloss and without"
_COLUMNS = 3
_OF_A_NUMBER = re.compile(r"(.+), (\d+) sentences")


class _Panel(NamedTuple):
    """F1 on a corpus: of the gloss without labels, and of two taggers by the number of labelled sentences."""

    title: str
    no_labels: Metric
    plain: dict[int, Metric]
    with_gloss: dict[int, Metric]


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
    panels = [panel for corpus in corpora if (panel := _panel(results, corpus))]
    if panels:
        _draw(panels, picture)
    else:
        picture.unlink(missing_ok=True)
    return [picture] if picture.exists() else []


def _panel(results: Mapping[str, Results], corpus: CorpusLine) -> _Panel | None:
    """None, where a point is missing, is not of all its runs, or is outdated."""
    names = (WITHOUT_LABELS, f"curve-{corpus.part}-fast", corpus.whole)
    without, some, whole = (results.get(name) for name in names)
    if without is None or some is None or whole is None or (train := whole.corpus.get("train")) is None:
        return None
    plain, with_gloss = (
        {train.sentences: _f1(_row(whole, system))}
        for system in (corpus.plain, f"{corpus.plain} + {corpus.gloss}")
    )
    for row in some.rows:
        if match := _OF_A_NUMBER.fullmatch(row.system):
            is_plain = "CAN_" not in match[1]
            if is_plain or match[1].endswith(corpus.gloss):
                (plain if is_plain else with_gloss)[int(match[2])] = _f1(row)
    no_labels = _f1(_row(without, f"{corpus.title}, {corpus.gloss_alone}"))
    whole_plain, whole_gloss = (
        {number: f1 for number, f1 in sorted(line.items()) if f1 is not None} for line in (plain, with_gloss)
    )
    is_whole = plain.keys() == with_gloss.keys() == whole_plain.keys() == whole_gloss.keys()
    if no_labels is None or not is_whole or len(plain) == 1:
        return None
    return _Panel(f"{corpus.title}{corpus.note}", no_labels, whole_plain, whole_gloss)


def _row(result: Results, system: str) -> Row | None:
    return next((row for row in result.rows if row.system == system), None)


def _f1(row: Row | None) -> Metric | None:
    return row.metrics.get("f1") if row and not row.outdated and row.num_finished >= row.planned else None


def _draw(panels: Sequence[_Panel], picture: Path) -> None:
    if (pyplot := pyplot_for(picture)) is None:
        return
    width = min(_COLUMNS, len(panels))
    height = -(-len(panels) // width)
    figure, axes = pyplot.subplots(
        height, width, figsize=(3.6 * width, 3.0 * height), sharey=True, squeeze=False
    )
    for number, axis in enumerate(axes.flat):
        if number >= len(panels):
            axis.remove()
            continue
        _draw_panel(axis, panels[number])
        if number % width == 0:
            axis.set_ylabel("F1")
        if number + width >= len(panels):  # the lowest of its column
            axis.set_xlabel("labelled sentences")
    axes[0, 0].legend(loc="lower right", fontsize="small")
    figure.tight_layout()
    save_picture(figure, picture)


def _draw_panel(axis: Any, panel: _Panel) -> None:
    axis.axhline(panel.no_labels.mean, linestyle="--", color="grey", label="word gloss, no labels")
    for points, color, label in (
        (panel.with_gloss, "tab:orange", "tagger with the word gloss"),
        (panel.plain, "tab:blue", "plain tagger"),
    ):
        axis.errorbar(
            list(points),
            [f1.mean for f1 in points.values()],
            yerr=[f1.sd for f1 in points.values()],
            marker="o",
            capsize=3,
            color=color,
            label=label,
        )
    axis.set_xscale("log")
    axis.set_xticks(list(panel.plain), [f"{number:,}" for number in panel.plain], fontsize="small")
    axis.set_xticks([], minor=True)
    axis.set_title(panel.title, fontsize="medium")
    axis.grid(alpha=0.3)
