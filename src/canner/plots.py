"""Plots of results files: F1 against the attention layer (the paper's Figure 3)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from canner.report import read_results

logger = logging.getLogger(__name__)

_LAYER = re.compile(r"layer (\d+)")


def draw_figures(results: Path, folder: Path) -> list[Path]:
    """Draws every results file of layers; gives the pictures.

    Args:
        results: folder of results files.
        folder: gets an SVG file for each that has a run of every layer; made if there is something to draw. That of a
            file that lacks one goes.
    """
    drawn = []
    for path in sorted(results.glob("figure3-*.json")):
        result, picture = read_results(path), folder / f"{path.stem}.svg"
        if _is_whole(result):
            _draw(result, picture)
        else:
            picture.unlink(missing_ok=True)
        if picture.exists():
            drawn.append(picture)
    return drawn


def _is_whole(result: Mapping[str, Any]) -> bool:
    layers = [row for row in result["rows"] if _LAYER.fullmatch(row["system"])]
    return bool(layers) and all("f1" in row["metrics"] for row in layers)


def _points(result: Mapping[str, Any], *, outdated: bool | None = None) -> list[tuple[int, float, float]]:
    """Layer, mean F1 and standard deviation of each row of a layer that has been run; all, or only these."""
    points = []
    for row in result["rows"]:
        match, f1 = _LAYER.fullmatch(row["system"]), row["metrics"].get("f1")
        if match and f1 and outdated in (None, "outdated" in row):
            points.append((int(match[1]), f1["mean"], f1["sd"]))
    return sorted(points)


def _draw(result: Mapping[str, Any], picture: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        logger.warning("%s is not drawn anew: that needs matplotlib (the extra plots)", picture)
        return
    matplotlib.use("svg")
    from matplotlib import pyplot

    # The same figures give the same file: no date, no random identifiers.
    matplotlib.rcParams["svg.hashsalt"] = "canner"
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for outdated, label in ((False, "CAN"), (True, "CAN, with an earlier translator")):
        if points := _points(result, outdated=outdated):
            layers, means, deviations = zip(*points, strict=True)
            axes.errorbar(layers, means, yerr=deviations, marker="o", capsize=3, label=label)
    plain = next((row["metrics"].get("f1") for row in result["rows"] if row["system"] == "plain"), None)
    if plain:
        axes.axhline(plain["mean"], linestyle="--", color="grey", label="plain")
    axes.set(xlabel="attention layer", ylabel="F1", title=result["title"])
    axes.legend()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
