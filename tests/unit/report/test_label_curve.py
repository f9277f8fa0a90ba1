"""The plot of F1 against the number of labelled sentences: which corpora have a panel, and what stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from canner.experiment.results_schema import Results
from canner.report.by_labels import CorpusLine
from canner.report.label_curve import draw_label_curve

GLOSS = "CAN_gloss at the input"
XISH = CorpusLine("Xish", "xish", "x", "Words")


def result(rows: dict[str, float | None], sentences: int = 0) -> Results:
    """Results of three runs a row; none of a row without a figure."""
    train = {"sha256": {}, "sentences": sentences, "tokens": 0, "entities": 0}
    return Results(
        name="x",
        title="X",
        rows=[
            {
                "system": name,
                "planned": 3,
                "metrics": {"f1": {"mean": f1, "sd": 1.0, "values": [f1] * 3}} if f1 is not None else {},
            }
            for name, f1 in rows.items()
        ],
        corpus={"train": train} if sentences else {},
    )


@pytest.fixture
def results() -> dict[str, Results]:
    some = {100: (20.0, 50.0), 1500: (60.0, 70.0)}
    plain = {f"Vectors, {number} sentences": f1 for number, (f1, _) in some.items()}
    gloss = {f"Vectors + {GLOSS}, {number} sentences": f1 for number, (_, f1) in some.items()}
    without = {"metrics": {"f1": {"mean": 40.0, "sd": 0.0, "values": [40.0]}}, "system": "Xish, word gloss"}
    return {
        "without-labels": Results(name="w", title="W", rows=[without]),
        "curve-xish-fast": result({**plain, **gloss}),
        "x": result({"Words": 80.0, f"Words + {GLOSS}": 82.5}, 6789),
    }


def texts(picture: Path) -> list[str]:
    """What is written in a picture, in order."""
    return re.findall(r"<!-- (.*?) -->", picture.read_text(encoding="utf-8"))


def heights(picture: Path, marks: int) -> list[list[float]]:
    """The heights of the marks of each line with so many, from the top down."""
    groups = re.findall(
        r"<g clip-path[^>]*>\s*((?:<use [^>]*/>\s*)+)</g>", picture.read_text(encoding="utf-8")
    )
    lines = [[float(y) for y in re.findall(r' y="([\d.]+)"', group)] for group in groups]
    return [line for line in lines if len(line) == marks]


def test_a_panel_has_every_number_of_labels_and_the_gloss_begins_without_any(results, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    (picture,) = draw_label_curve(results, [XISH], tmp_path / "figures")
    assert [text for text in texts(picture) if text in {"0", "100", "1,500", "6,789", "Xish"}] == [
        *("0", "100", "1,500", "6,789"),
        "Xish",
    ]
    with_gloss, plain = heights(picture, 4), heights(picture, 3)
    assert with_gloss
    assert plain
    for line in (*with_gloss, *plain):
        assert line == sorted(line, reverse=True)  # F1 rises with the labels
    # Four steps of F1 are as far apart as their figures: 40, 50, 70, 82.5.
    none, few, more, every = with_gloss[-1]
    assert (few - more) / (none - few) == pytest.approx(20 / 10, rel=0.01)
    assert (more - every) / (none - few) == pytest.approx(12.5 / 10, rel=0.01)
    drawn = picture.read_bytes()
    draw_label_curve(results, [XISH], tmp_path / "figures")
    assert picture.read_bytes() == drawn


def test_a_corpus_of_which_something_was_not_run_has_no_panel(results, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    other = XISH._replace(part="yish")
    lacking = results["curve-xish-fast"].rows[0].model_copy(update={"metrics": {}})
    rest = results["curve-xish-fast"].rows[1:]
    results["curve-yish-fast"] = results["curve-xish-fast"].model_copy(update={"rows": (lacking, *rest)})
    (picture,) = draw_label_curve(results, [other, XISH, XISH._replace(whole="elsewhere")], tmp_path)
    assert texts(picture).count("Xish") == 1
    results["curve-xish-fast"] = results["curve-yish-fast"]
    assert draw_label_curve(results, [XISH], tmp_path) == []
    assert not picture.exists()
