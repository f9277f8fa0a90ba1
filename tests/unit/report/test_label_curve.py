"""The plot of F1 against the number of labelled sentences: which corpora have a panel, and what stands in it."""

from __future__ import annotations

import pytest

from canner.experiment.results_schema import Metric, Results
from canner.report import label_curve
from canner.report.by_labels import CorpusLine
from canner.report.label_curve import draw_label_curve

pytest.importorskip("matplotlib")
from matplotlib.axes import Axes
from matplotlib.figure import Figure

GLOSS = "CAN_gloss at the input"
XISH = CorpusLine("Xish", "xish", "x", "Words")


def result(rows: dict[str, float], sentences: int = 0) -> Results:
    """Results of three runs a row."""
    train = {"sha256": {}, "sentences": sentences, "tokens": 0, "entities": 0}
    return Results(
        name="x",
        title="X",
        rows=[
            {
                "system": name,
                "planned": 3,
                "metrics": {"f1": {"mean": f1, "sd": 1.0, "values": [f1] * 3}},
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


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures of matplotlib that were drawn, none of which is written."""
    found: list[Figure] = []
    monkeypatch.setattr(label_curve, "save_picture", lambda figure, picture: found.append(figure))
    return found


def bars(axis: Axes) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """Where the points of a panel's lines with error bars lie, and how long these are, by the line's name."""
    found = {}
    for container in axis.containers:
        line, _, (bar,) = container.lines
        halves = [(end[1] - start[1]) / 2 for start, end in bar.get_segments()]
        found[container.get_label()] = (list(line.get_xdata()), list(line.get_ydata()), halves)
    return found


def test_a_panel_has_every_number_of_labels_and_the_gloss_without_any(results, drawn, tmp_path) -> None:
    draw_label_curve(results, [XISH], tmp_path)
    (axis,) = drawn[0].axes
    numbers = [100, 1500, 6789]
    assert bars(axis) == {
        "plain tagger": (numbers, [20.0, 60.0, 80.0], pytest.approx([1.0] * 3)),
        "tagger with the word gloss": (numbers, [50.0, 70.0, 82.5], pytest.approx([1.0] * 3)),
    }
    (dashed,) = [line for line in axis.get_lines() if line.get_linestyle() == "--"]
    assert (dashed.get_label(), list(dashed.get_ydata())) == ("word gloss, no labels", [40.0, 40.0])
    assert axis.get_xscale() == "log"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["100", "1,500", "6,789"]
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("Xish", "labelled sentences", "F1")
    legend = {text.get_text() for text in axis.get_legend().get_texts()}
    assert legend == {"plain tagger", "tagger with the word gloss", "word gloss, no labels"}


def test_a_panel_of_another_gloss_has_its_points_alone(results, drawn, tmp_path) -> None:
    other = XISH._replace(gloss="CAN_other", gloss_alone="other gloss", note=", by another")
    for name, number in (("curve-xish-fast", {100: 55.0, 1500: 75.0}), ("x", {None: 85.0})):
        rows = list(results[name].rows)
        for sentences, f1 in number.items():
            row = next(r for r in rows if GLOSS in r.system and str(sentences or "") in r.system)
            of_other = {"f1": Metric(mean=f1, sd=2.0, values=(f1,) * 3)}
            system = row.system.replace(GLOSS, "CAN_other")
            rows.append(row.model_copy(update={"system": system, "metrics": of_other}))
        results[name] = results[name].model_copy(update={"rows": tuple(rows)})
    without = results["without-labels"]
    found = without.rows[0].model_copy(update={"system": "Xish, other gloss"})
    results["without-labels"] = without.model_copy(update={"rows": (*without.rows, found)})
    draw_label_curve(results, [XISH, other], tmp_path)
    one, two = drawn[0].axes
    assert [axis.get_title() for axis in (one, two)] == ["Xish", "Xish, by another"]
    assert bars(one)["tagger with the word gloss"][1] == [50.0, 70.0, 82.5]
    assert bars(two)["tagger with the word gloss"][1] == [55.0, 75.0, 85.0]
    assert bars(one)["plain tagger"][1] == bars(two)["plain tagger"][1] == [20.0, 60.0, 80.0]


def test_a_corpus_of_which_something_is_missing_has_no_panel(results, drawn, tmp_path) -> None:
    curve, whole = results["curve-xish-fast"], results["x"]
    first, *rest = curve.rows
    unfinished = first.model_copy(update={"metrics": {"f1": Metric(mean=20.0, sd=1.0, values=(19.0, 21.0))}})
    others = {
        "nothing run": curve.model_copy(update={"rows": (first.model_copy(update={"metrics": {}}), *rest)}),
        "two of three": curve.model_copy(update={"rows": (unfinished, *rest)}),
        "outdated": curve.model_copy(
            update={"rows": (first.model_copy(update={"outdated": ("models/m",)}), *rest)}
        ),
        "a row less": curve.model_copy(update={"rows": tuple(rest)}),
        "no rows": curve.model_copy(update={"rows": ()}),
    }
    results |= {f"curve-{name}-fast": result for name, result in others.items()}
    results["no facts"] = whole.model_copy(update={"corpus": {}})
    results["no gloss"] = whole.model_copy(update={"rows": whole.rows[:1]})
    lacking = [XISH._replace(part=name) for name in (*others, "never heard of")]
    lacking += [XISH._replace(whole=name) for name in ("no facts", "no gloss", "never heard of")]
    lacking.append(XISH._replace(title="Zish"))  # of which nobody knows anything without labels
    draw_label_curve(results, [*lacking, XISH], tmp_path)
    assert [axis.get_title() for axis in drawn[0].axes] == ["Xish"]
    stale = tmp_path / "f1-by-labels.svg"
    stale.touch()
    assert draw_label_curve(results, lacking, tmp_path) == []
    assert not stale.exists()


def test_four_panels_have_their_labels_at_the_edges(results, drawn, tmp_path) -> None:
    draw_label_curve(results, [XISH] * 4, tmp_path)
    axes = drawn[0].axes
    assert [bool(axis.get_ylabel()) for axis in axes] == [True, False, False, True]
    assert [bool(axis.get_xlabel()) for axis in axes] == [False, True, True, True]


def test_the_same_figures_give_the_same_file(results, tmp_path) -> None:
    (picture,) = draw_label_curve(results, [XISH], tmp_path / "figures")
    first = picture.read_bytes()
    assert b"<svg" in first
    assert draw_label_curve(results, [XISH], tmp_path / "figures") == [picture]
    assert picture.read_bytes() == first
