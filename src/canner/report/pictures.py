"""How plots are written: as SVG, the same file for the same figures."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


def pyplot_for(picture: Path) -> Any | None:
    """The module `matplotlib.pyplot`, set up to draw a picture; None, and a warning, where the package is missing."""
    try:
        import matplotlib
    except ImportError:
        logger.warning("%s is not drawn anew: that needs matplotlib (the extra plots)", picture)
        return None
    matplotlib.use("svg")
    from matplotlib import pyplot

    # No random identifiers.
    matplotlib.rcParams["svg.hashsalt"] = "canner"
    return pyplot


def save_picture(figure: Any, picture: Path) -> None:
    """Writes a figure of matplotlib and closes it; its folder is made."""
    from matplotlib import pyplot

    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
