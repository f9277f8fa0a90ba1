"""The plot of gains against how often English is right where it objects."""

from __future__ import annotations

import pytest

from canner.experiment.results import summarise
from canner.experiment.results_schema import Results
from canner.report import objection_plot
from canner.report.objection_plot import draw_objections

pytest.importorskip("matplotlib")


@pytest.fixture
def results() -> dict[str, Results]:
    rows = {
        "Xish, 100 sentences, gloss": {"English right %": 60, "gain, joined": 8, "gain, at the input": 9},
        "Xish, all sentences, gloss": {"English right %": 30, "gain, at the input": 2},
        "Xish, all sentences, last layer": {"English right %": 10, "gain, joined": -1},
        "Xish, all sentences, DeepL": {"English right %": 20},
    }
    made = [summarise(system, {"dev": figures}) for system, figures in rows.items()]
    return {"objections": Results(name="objections", title="X", rows=made)}


def test_each_gain_is_a_point_over_the_share_of_its_row(results, monkeypatch, tmp_path) -> None:
    drawn = []
    monkeypatch.setattr(objection_plot, "save_picture", lambda figure, picture: drawn.append(figure))
    assert draw_objections(results, tmp_path) == []  # nothing was written
    (axis,) = drawn[0].axes
    points = {dots.get_label(): dots.get_offsets().tolist() for dots in axis.collections}
    assert points == {
        "joined, as in the paper, all sentences": [[10, -1]],
        "joined, as in the paper, 100 to 2,000": [[60, 8]],
        "read at the input, all sentences": [[30, 2]],
        "read at the input, 100 to 2,000": [[60, 9]],
    }
    filled = {dots.get_label() for dots in axis.collections if len(dots.get_facecolors())}
    assert filled == {name for name in points if name.endswith("all sentences")}


def test_the_picture_is_the_same_for_the_same_figures_and_goes_with_them(results, tmp_path) -> None:
    (picture,) = draw_objections(results, tmp_path)
    first = picture.read_bytes()
    assert draw_objections(results, tmp_path) == [picture]
    assert b"<svg" in first
    assert picture.read_bytes() == first
    assert draw_objections({}, tmp_path) == []
    assert not picture.exists()
