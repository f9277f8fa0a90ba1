"""The plot of gains against how often English is right where it names another entity than a plain tagger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from canner.experiment.results_schema import Results
from canner.report.pictures import pyplot_for, save_picture

NAME = "objections"
"""Of the results file, and of the picture."""
RIGHT = "English right %"
_GAINS = {"joined, as in the paper": "gain, joined", "read at the input": "gain, at the input"}
_ALL = ", all sentences, "


def draw_objections(results: Mapping[str, Results], folder: Path) -> list[Path]:
    """Draws a point for each gain of each row; gives the picture, if there is one.

    Args:
        results: results files, by name.
        folder: gets `objections.svg`, which is removed where there is no such results file.
    """
    picture = folder / f"{NAME}.svg"
    if NAME in results:
        _draw(results[NAME], picture)
    else:
        picture.unlink(missing_ok=True)
    return [picture] if picture.exists() else []


def _draw(result: Results, picture: Path) -> None:
    if (pyplot := pyplot_for(picture)) is None:
        return
    figure, axis = pyplot.subplots(figsize=(6, 3.8))
    axis.axhline(0.0, linestyle="--", color="grey")
    for (label, gain), color in zip(_GAINS.items(), ("tab:blue", "tab:orange"), strict=True):
        for whole, sentences in ((True, "all sentences"), (False, "100 to 2,000")):
            points = _points(result, gain, whole=whole)
            axis.scatter(
                [right for right, _ in points],
                [gained for _, gained in points],
                color=color,
                facecolors=color if whole else "none",
                label=f"{label}, {sentences}",
            )
    axis.set(xlabel="objections of the English that are right, %", ylabel="gain in F1, test set")
    axis.legend(fontsize="small")
    axis.grid(alpha=0.3)
    save_picture(figure, picture)


def _points(result: Results, gain: str, *, whole: bool) -> list[tuple[float, float]]:
    """Share of the objections that are right, and gain, of the rows that have one."""
    return [
        (row.metrics[RIGHT].mean, row.metrics[gain].mean)
        for row in result.rows
        if gain in row.metrics and whole == (_ALL in row.system)
    ]
