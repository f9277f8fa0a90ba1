"""Plots of results files: the gain over the plain tagger against the attention layer (the paper's Figure 3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from canner.experiment.results_schema import Results
from canner.report.pictures import pyplot_for, save_picture

_LAYER = re.compile(r"layer (\d+)")


def draw_layers(results: Path, folder: Path) -> list[Path]:
    """Draws every results file of layers; gives the pictures.

    Args:
        results: folder of results files.
        folder: gets an SVG file for each that has the gain of every layer over the plain tagger with the same seeds;
            made if there is something to draw. Where a layer has no gain, the picture is removed.
    """
    drawn = []
    for path in sorted(results.glob("figure3-*.json")):
        result, picture = Results.read(path), folder / f"{path.stem}.svg"
        if _is_whole(result):
            _draw(result, picture)
        else:
            picture.unlink(missing_ok=True)
        if picture.exists():
            drawn.append(picture)
    return drawn


def _is_whole(result: Results) -> bool:
    layers = [row for row in result.rows if _LAYER.fullmatch(row.system)]
    return bool(layers) and all(row.against for row in layers)


class _Point(NamedTuple):
    """The gain of a layer over the plain tagger with the same seeds, its 95 % interval, and of how many runs."""

    layer: int
    gain: float
    low: float
    high: float
    runs: int


def _points(result: Results, *, outdated: bool) -> list[_Point]:
    """Those of the layers that were read from the present translator, or from an earlier one."""
    points = []
    for row in result.rows:
        match, gain = _LAYER.fullmatch(row.system), row.against
        if match and gain and outdated == bool(row.outdated):
            points.append(_Point(int(match[1]), gain.difference, gain.low, gain.high, gain.runs))
    return sorted(points)


def _draw(result: Results, picture: Path) -> None:
    if (pyplot := pyplot_for(picture)) is None:
        return
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for outdated, label in ((False, "CAN"), (True, "CAN, with an earlier translator")):
        if points := _points(result, outdated=outdated):
            layers, gains = [point.layer for point in points], [point.gain for point in points]
            lengths = (
                [point.gain - point.low for point in points],
                [point.high - point.gain for point in points],
            )
            said = f"{label} ({_runs(points)})"
            axes.errorbar(layers, gains, yerr=lengths, marker="o", capsize=3, label=said)
    plain = next((row.metrics.get("f1") for row in result.rows if row.system == "plain"), None)
    if plain:
        axes.axhline(0.0, linestyle="--", color="grey", label=f"plain (F1 {plain.mean:.2f})")
    axes.set(xlabel="attention layer", ylabel="gain in F1, 95 % interval", title=result.title)
    axes.legend()
    save_picture(figure, picture)


def _runs(points: Sequence[_Point]) -> str:
    """Of how many runs the points are: "3 runs", "1 to 5 runs"."""
    least, most = (extreme(point.runs for point in points) for extreme in (min, max))
    return f"{most} run{'s' if most > 1 else ''}" if least == most else f"{least} to {most} runs"
