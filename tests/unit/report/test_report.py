"""The page of results and the gains in the README, from results files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from canner.experiment.results_schema import Results
from canner.report.by_labels import CorpusLine, f1_by_labels
from canner.report.gains import gains as gains_of
from canner.report.legend import legend_of, legend_of_systems
from canner.report.markers import BEGIN, END, update_card, update_readme
from canner.report.page import figures_of_bundle, report, results_in_brief, results_page, table_with_legend
from canner.report.results_file import Planned
from canner.report.table import table as table_of


def metric(*values: float) -> dict[str, Any]:
    return {"mean": sum(values) / len(values), "sd": 1.5, "values": list(values)}


def gain(system: str = "A", runs: int = 2, **more: Any) -> dict[str, Any]:
    """A gain of two points."""
    points = {f"seed {seed + 1}": 2.0 for seed in range(runs)}
    test = {"difference": 2.0, "low": 1.0, "high": 3.0, "p": 0.02}
    return {"system": system, **test, "runs": runs, "by_run": points, "dev_by_run": points, **more}


def table(content: dict[str, Any]) -> str:
    return table_of(Results.model_validate(content))


def gains(contents: list[dict[str, Any]], **how: bool) -> str:
    return gains_of([Results.model_validate(content) for content in contents], **how)


RESULT: dict[str, Any] = {
    "name": "bound",
    "title": "Upper bound",
    "rows": [
        {"system": "plain | random", "metrics": {"f1": metric(47.0, 48.0)}, "seeds": ["seed 1", "seed 2"]},
        {"system": "CAN", "metrics": {"f1": metric(63.5), "bleu": metric(14.6)}, "seeds": ["seed 1"]},
    ],
    "data": "some data",
    "protocol": "fast",
    "command": "canner bench bound",
    "hardware": "two cores",
    "paper": {"CAN": {"f1": 84.23}},
    "date": "2026-11-22",
}


def write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def test_of_the_legend_stands_what_the_tables_have(tmp_path: Path) -> None:
    write(tmp_path, "results.json", RESULT)
    bare = table_with_legend(tmp_path / "results.json")
    assert (bare[0], bare[-1]) == ("### Upper bound", table(RESULT).splitlines()[-1])  # and no legend
    rows = [row | {"cut_off": ["seed 1"], "best_on_dev": True} for row in RESULT["rows"]]
    write(tmp_path, "results.json", RESULT | {"rows": rows, "title": "X"})
    said = table_with_legend(tmp_path / "results.json")[-1]
    assert said == f"{legend_of('| cut off')} {legend_of('| **')}"
    words = ("CAN_last", "CAN_aligned", "with copies", "scaled", "†", "| gain |", "; unseen")
    for word in (*words, "upper bound", "collapsed", "cut off", "| **"):
        assert legend_of(f"| x {word} | y |") != ""
    assert "Scaled:" in legend_of("| CAN_last scaled | gain |")
    assert "Scaled:" not in (both := legend_of("| CAN_last | gain |"))
    assert both == f"{legend_of_systems('| CAN_last | gain |')} {legend_of('| gain |')}"


def test_table_shows_means_deviations_and_what_is_missing() -> None:
    lines = table(RESULT).splitlines()
    assert lines[0] == "### Upper bound"
    assert lines[2] == "| system | f1 | bleu | f1 (paper) | runs |"
    assert lines[4] == "| plain \\| random | 47.50 ± 1.50 | – |  | 2 |"
    assert lines[5] == "| CAN | 63.50 | 14.60 | 84.23 | 1 |"
    assert lines[7] == (
        "data: some data; protocol: fast; hardware: two cores; date: 2026-11-22; command: `canner bench bound`."
    )


def test_the_line_below_a_table_counts_its_data() -> None:
    part = {"sentences": 12152, "tokens": 9, "entities": 4833, "sha256": {"a": "01", "b": "23"}}
    dev = part | {"sentences": 7, "in_train": 3}
    last = table(RESULT | {"corpus": {"train": part, "dev": dev}}).splitlines()[-1]
    assert last.startswith(
        "data: some data; whole files: train 12,152 sentences, 4,833 entities (a 01, b 23), "
        "dev 7 sentences (3 of them in train, too), 4,833 entities (a 01, b 23); protocol: fast;"
    )


def test_gains_failed_runs_and_the_best_on_dev_are_shown() -> None:
    against = gain("plain", difference=7.2, low=5.1, high=9.04, p=0.001)
    rows = [
        {"system": "plain", "metrics": {"f1": metric(50.0)}, "planned": 3},
        {
            "system": "CAN",
            "metrics": {"f1": metric(57.0, 57.4)},
            "planned": 3,
            "against": against | {"share_of_upper_bound": 49.4, "by_run": {"seed 1": 7.04, "seed 2": -0.5}},
            "best_on_dev": True,
            "failed": {"seed 3": "diverged"},
            "collapsed": ["seed 1"],
        },
        {
            "system": "other",
            "metrics": {"f1": metric(58.0)},
            "planned": 3,
            "against": gain("plain", 1, difference=7.2, low=5.1, high=9.04, p=0.25, p_with_runs=0.3),
        },
        {"system": "ours", "metrics": {}, "planned": 3},
        {"system": "the paper's", "metrics": {}, "planned": 3},
        {"system": "ours, too", "metrics": {}, "planned": 3},
    ]
    result = {"name": "x", "title": "X", "rows": rows}
    lines = table(result).splitlines()
    assert lines[2] == "| system | f1 | gain | of each run | runs |"
    assert lines[4] == "| plain | 50.00 |  |  | 1 of 3 |"
    assert lines[5] == (
        "| **CAN** | 57.20 ± 1.50 | +7.20 [+5.10, +9.04], p ≤ 0.001; 49 % of the upper bound's "
        "| +7.04, -0.50 | 2 of 3 (1 failed, 1 collapsed) |"
    )
    assert lines[6] == "| other | 58.00 | +7.20 [+5.10, +9.04], p 0.250 (0.300) | +2.00 | 1 of 3 |"
    assert lines[7:] == ["", "Not run: ours; the paper's; ours, too."]
    lines = table(result | {"paper": {"the paper's": {"f1": 60.0}}}).splitlines()
    assert lines[7:] == ["| the paper's | not run | 60.00 |  |  | 0 of 3 |", "", "Not run: ours; ours, too."]


def test_a_row_whose_runs_all_failed_is_not_called_one_without_runs() -> None:
    best = {
        "system": "A + CAN_gloss",
        "metrics": {"f1": metric(52.0)},
        "against": gain(),
        "best_on_dev": True,
    }
    rows = [
        {"system": "A", "metrics": {"f1": metric(50.0)}},
        {"system": "A + CAN_last", "metrics": {}, "failed": {"seed 1": "diverged"}},
        best,
    ]
    result = {"name": "x", "title": "X", "rows": rows}
    assert "| A + CAN_last | failed |  |  | 0 (1 failed) |" in table(result)
    assert "| X | A | 50.00 |  | failed |  | CAN_gloss |" in gains([result])


def test_a_gain_that_was_tested_on_fewer_runs_than_the_row_has_says_so() -> None:
    def last_lines(tested: int) -> tuple[str, str]:
        can = {"system": "A + CAN_gloss", "metrics": {"f1": metric(52.0, 53.0, 54.0)}, "best_on_dev": True}
        rows = [
            {"system": "A", "metrics": {"f1": metric(50.0)}},
            {**can, "against": gain(runs=tested)},
        ]
        result = {"name": "x", "title": "X", "rows": rows}
        return table(result).splitlines()[5], gains([result]).splitlines()[2]

    shown = "+2.00 [+1.00, +3.00], p 0.020"
    of_table, of_gains = last_lines(1)
    assert f"| {shown} (1 of 3 runs) |" in of_table
    assert "| +2.00 [+1.00, +3.00], 1 run |" in of_gains
    of_table, of_gains = last_lines(3)
    assert f"| {shown} |" in of_table
    assert "| **+2.00** [+1.00, +3.00], 3 runs |" in of_gains


@pytest.mark.parametrize(("p", "shown"), [(0.049, "**+2.00**"), (0.05, "+2.00")])
def test_in_the_table_of_gains_significant_ones_are_bold(p: float, shown: str) -> None:
    can = {
        "system": "A + CAN_gloss",
        "metrics": {"f1": metric(52.0)},
        "against": gain(p=p),
        "best_on_dev": True,
    }
    rows = [{"system": "A", "metrics": {"f1": metric(50.0)}}, can]
    assert f"| {shown} [+1.00, +3.00], 2 runs |" in gains([{"name": "x", "title": "X", "rows": rows}])


def test_more_runs_than_were_asked_for_are_no_share_of_them() -> None:
    rows = [{"system": "plain", "metrics": {"f1": metric(50.0, 51.0)}, "planned": 1}]
    assert table({"name": "x", "title": "X", "rows": rows}).splitlines()[4].endswith("| 2 |")


def test_gains_have_a_line_for_each_plain_tagger_and_name_the_best_on_dev() -> None:
    def row(system: str, base: str | None = None, **more: Any) -> dict[str, Any]:
        row = {"system": system, "metrics": {"f1": metric(50.0)}, "planned": 1}
        return {**row, "against": gain(base), **more} if base else row

    rows = [
        row("A"),
        row("CAN_last", "A", planned=7),
        row("A + CAN_last", "A"),
        row("A + CAN_gloss", "A", best_on_dev=True),
        row("E, big, 100 sentences"),
        row("E, big + CAN_last, 100 sentences", "E, big, 100 sentences", best_on_dev=True),
        row("B"),
        row("B + CAN_gloss", "B", best_on_dev=True),
        row("alone"),
    ]
    paper = {"A": {"f1": 40.0}, "A + CAN_last": {"f1": 41.5}}
    lines = gains([{"name": "x", "title": "X", "rows": rows, "paper": paper}, RESULT]).splitlines()
    shown = "**+2.00** [+1.00, +3.00], 2 runs"
    assert lines[2:] == [
        f"| X | A | 50.00 | 40.00 | {shown} | +1.50 | CAN_gloss | {shown} |",
        f"| X | E, big, 100 sentences | 50.00 |  | {shown} |  | CAN_last | {shown} |",
        f"| X | B | 50.00 |  | – |  | CAN_gloss | {shown} |",
    ]
    brief = gains([{"name": "x", "title": "X", "rows": rows, "paper": paper}], briefly=True)
    assert brief.splitlines() == lines[:3]
    assert gains([RESULT]) == gains([{"name": "x", "title": "X", "rows": []}]) == ""
    assert gains([{"name": "x", "title": "X", "rows": rows, "headline": False}]) == ""


def test_what_an_earlier_translator_made_is_marked() -> None:
    run = {"metrics": {"f1": metric(52.0)}, "against": gain()}
    rows = [
        {"system": "A", "metrics": {"f1": metric(50.0)}},
        {"system": "A + CAN_last", **run, "outdated": ["models/b", "models/a"]},
        {"system": "A + CAN_gloss", **run, "best_on_dev": True},
    ]
    result = {"name": "x", "title": "X", "rows": rows}
    lines = table(result).splitlines()
    assert lines[5].startswith("| A + CAN_last † | 52.00 |")
    assert lines[6].startswith("| **A + CAN_gloss** | 52.00 |")
    assert "†: made with an earlier models/a or models/b than the present one" in lines[-1]
    shown = "**+2.00** [+1.00, +3.00], 2 runs"
    assert f"| X | A | 50.00 |  | {shown} † |  | CAN_gloss | {shown} |" in gains([result])
    present = [rows[0], {"system": "A + CAN_last", "metrics": run["metrics"]}, rows[2]]
    # It was run, but not with a seed of its plain row.
    text = gains([result | {"rows": present}])
    assert f"| X | A | 50.00 |  | – |  | CAN_gloss | {shown} |" in text
    assert "†" not in text
    plain = {**rows[0], "outdated": ["runs/vectors.vec"]}
    assert "| X | A | 50.00 † |  | – |" in gains([result | {"rows": [plain, *present[1:]]}])


def test_where_nothing_gains_on_dev_there_is_none_of_ours() -> None:
    rows = [
        {"system": "A", "metrics": {"f1": metric(50.0)}, "best_on_dev": True},
        {"system": "A + CAN_last", "metrics": {"f1": metric(52.0)}, "against": gain(runs=1)},
    ]
    result = {"name": "x", "title": "X", "rows": rows}
    assert "| X | A | 50.00 |  | +2.00 [+1.00, +3.00], 1 run |  | none | – |" in gains([result])
    assert table(result).splitlines()[4].startswith("| **A** | 50.00 |")


def test_the_best_of_ours_says_when_some_were_not_run() -> None:
    plain = {"system": "A", "metrics": {"f1": metric(50.0)}, "best_on_dev": True}
    result = {"name": "x", "title": "X", "rows": [plain | {"chosen_among": [1, 3]}]}
    assert "| none (among 1 of 3) | – |" in gains([result])
    assert "| none | – |" in gains([result | {"rows": [plain]}])
    ours = {"system": "A + CAN_gloss", "metrics": {"f1": metric(52.0)}, "against": gain()}
    rows = [{**plain, "best_on_dev": False}, {**ours, "best_on_dev": True, "chosen_among": [2, 6]}]
    assert "| CAN_gloss (among 2 of 6) | **+2.00** [+1.00, +3.00], 2 runs |" in gains(
        [result | {"rows": rows}]
    )


def test_a_table_of_which_nothing_has_been_run_has_its_columns_and_the_papers_figures() -> None:
    rows = [{"system": "A", "metrics": {}, "seeds": [], "planned": 5}]
    result = {"name": "x", "title": "X", "rows": rows, "paper": {"A": {"f1": 32.18, "NE f1": 32.35}}}
    assert table(result).splitlines()[2::2] == [
        "| system | f1 | NE f1 | f1 (paper) | NE f1 (paper) | runs |",
        "| A | not run | not run | 32.18 | 32.35 | 0 of 5 |",
    ]
    assert table(result | {"paper": None}).splitlines()[2] == "| system | f1 | runs |"


def test_what_was_chosen_on_dev_stands_below_the_table() -> None:
    points = {"subset 0": {"training.learning_rate": 0.1, "batch_size": 8}, "subset 1": {"batch_size": 16}}
    points["subset 2"] = points["subset 1"]
    rows = [{"system": "A", "metrics": {"f1": metric(50.0)}, "chosen": points}]
    below = table({"name": "x", "title": "X", "rows": rows}).splitlines()[-1]
    assert below == "chosen on dev: A: learning rate 0.1 and batch size 8 / batch size 16."


def test_counts_are_whole_numbers() -> None:
    metrics = {
        "dev sentences": metric(1000.0),
        "entity tokens found %": metric(41.0),
        "sentences/s": metric(7),
    }
    lines = table({"name": "x", "title": "X", "rows": [{"system": "A", "metrics": metrics}]}).splitlines()
    assert lines[4] == "| A | 1,000 | 41.00 | 7.00 | 1 |"


def test_a_picture_stands_under_its_table(tmp_path: Path) -> None:
    write(tmp_path, "z.json", RESULT)
    write(tmp_path, "a.json", RESULT | {"name": "extra", "title": "Extra"})
    lines = report(tmp_path, ["figures/bound.svg"]).splitlines()
    assert lines.index("### Extra") - lines.index("![Upper bound](figures/bound.svg)") == 2
    assert results_in_brief(tmp_path, ["docs/bound.svg"]) == "![Upper bound](docs/bound.svg)"


def test_the_papers_gain_stands_there_also_when_its_system_was_not_run() -> None:
    best = {
        "system": "A + CAN_gloss",
        "metrics": {"f1": metric(52.0)},
        "against": gain(),
        "best_on_dev": True,
    }
    rows = [{"system": "A", "metrics": {"f1": metric(50.0)}}, best, {"system": "A + CAN_last", "metrics": {}}]
    result = {"name": "x", "title": "X", "rows": rows}
    paper = {"A": {"f1": 40.0}, "A + CAN_last": {"f1": 41.0}}
    assert "| X | A | 50.00 | 40.00 | not run | +1.00 | CAN_gloss |" in gains([result | {"paper": paper}])
    assert "| X | A | 50.00 |  | – |  | CAN_gloss |" in gains([result | {"rows": rows[:2]}])


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ({}, r"rows\.0\.against\.system: Field required"),
        (gain("nobody"), "expected 'against' to name another row, got 'nobody'"),
        (gain("CAN"), "expected 'against' to name another row, got 'CAN'"),
        (3, r"rows\.0\.against: Input should be .*, got 3"),
    ],
)
def test_a_gain_over_nothing_is_refused(tmp_path: Path, against: Any, message: str) -> None:
    row = {"system": "CAN", "metrics": {"f1": metric(50.0)}, "against": against}
    write(tmp_path, "x.json", {"name": "x", "title": "X", "rows": [row]})
    with pytest.raises(ValueError, match=message):
        report(tmp_path)


def test_report_follows_the_plan_and_names_what_was_not_run(tmp_path: Path) -> None:
    write(tmp_path, "z.json", RESULT)
    write(tmp_path, "a.json", RESULT | {"name": "extra", "title": "Extra"})
    planned = [Planned("gloss", "Gloss", "make gloss"), Planned("bound", "Bound", "make bound")]
    text = report(tmp_path, planned=planned)
    assert "Not run" not in report(
        tmp_path, planned=planned[:1]
    )  # none of it is there: these are other results
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "### Upper bound",
        "### Extra",
        "### Not run",
    ]
    assert text.endswith("- Gloss: `make gloss`")


def test_the_readme_leaves_out_what_the_page_alone_shows(tmp_path: Path) -> None:
    plain = {"system": "plain", "metrics": {"f1": metric(50.0)}, "best_on_dev": True}
    for name in ("first", "second", "third"):
        write(tmp_path, f"{name}.json", {"name": name, "title": f"Title of {name}", "rows": [plain]})
    planned = [Planned("first", "", "make"), Planned("second", "", "make", in_readme=False)]
    pictures = [f"figures/{name}.svg" for name in ("first", "second", "third")]
    text = results_in_brief(tmp_path, pictures, planned)
    assert "Title of second" not in text
    assert [line for line in text.splitlines() if "Title of" in line] == [
        "| Title of first | plain | 50.00 |  | – |  | none | – |",
        "| Title of third | plain | 50.00 |  | – |  | none | – |",
        "![Title of first](figures/first.svg)",
    ]
    whole = report(tmp_path, pictures, planned)
    assert "Title of second" in whole
    assert (
        "![Title of third](figures/third.svg)" in whole
    )  # what nobody planned has a row in the README, no picture


def test_f1_by_labels_is_read_from_several_results_files() -> None:
    def result(sentences: int = 0, outdated: str = "", **f1: float) -> Results:
        rows = [
            {"system": name, "metrics": {"f1": metric(value)}, "outdated": ["models/m"] * (name == outdated)}
            for name, value in f1.items()
        ]
        train = {"sha256": {}, "sentences": sentences, "tokens": 0, "entities": 0}
        return Results(name="x", title="X", rows=rows, corpus={"train": train} if sentences else {})

    gloss = "CAN_gloss at the input"
    words = {"Words": 80.0, f"Words + {gloss}": 82.5}
    results = {
        "without-labels": result(**{"Xish, word gloss": 40.0}),
        "hundred-xish-fast": result(**{"plain": 20.0, gloss: 50.0}),
        "fine-tuned-xish-fast": result(**{f"Fine-tuned encoder + {gloss}": 60.0}),
        "x": result(1234, f"Words + {gloss}", **words),
    }
    corpus = CorpusLine("Xish", "xish", "x", "Words")
    lines = f1_by_labels(results, [corpus, corpus._replace(whole="elsewhere")]).splitlines()
    assert len(lines) == 3
    with_all = "80.00 | 82.50 † |"
    title = "Xish, 1,234 sentences"
    assert lines[2] == f"| {title} | 40.00 | not run | 20.00 | 50.00 | not run | 60.00 | {with_all}"
    other = {"gloss": "CAN_other", "gloss_alone": "other gloss", "note": ", by another"}
    results["without-labels"] = result(**{"Xish, word gloss": 40.0, "Xish, other gloss": 45.0})
    results["hundred-xish-fast"] = result(**{"plain": 20.0, gloss: 50.0, "CAN_other": 55.0})
    (line,) = f1_by_labels(results, [corpus._replace(**other)]).splitlines()[2:]
    assert (
        line
        == f"| {title}, by another | 45.00 | not run | 20.00 | 55.00 | not run | not run | 80.00 | not run |"
    )
    del results["fine-tuned-xish-fast"]
    results["x"] = result(0, f"Words + {gloss}", **words)
    (line,) = f1_by_labels(results, [corpus]).splitlines()[2:]
    assert line == f"| Xish | 40.00 | not run | 20.00 | 50.00 | not run | not run | {with_all}"
    assert f1_by_labels(results, [corpus._replace(whole="elsewhere")]) == ""


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.json", RESULT)
    write(tmp_path, "b.json", RESULT)
    with pytest.raises(ValueError, match=r"one results file a name, got 'bound' again in .*b\.json"):
        report(tmp_path)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert report(tmp_path) == results_in_brief(tmp_path) == "No results yet."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"expected a results file in .*broken\.json, got .*Invalid JSON: .*; run its command again"),
        (b"\xff", "Invalid JSON: "),
        ("[]", "Input should be an object, got "),
        ('{"name": "a", "rows": []}', "title: Field required"),
        ('{"name": "a", "title": "b", "rows": {}}', "rows: Input should be "),
        ('{"name": "a", "title": "b", "rows": [{"system": "x"}]}', r"rows\.0\.metrics: Field required"),
        (
            '{"name": "a", "title": "b", "rows": [{"system": [], "metrics": {}}]}',
            r"rows\.0\.system: .* string",
        ),
        (
            '{"name": "a", "title": "b", "rows": [{"system": "x", "metrics": {"f1": {}}}]}',
            r"rows\.0\.metrics\.f1\.mean: Field required",
        ),
        (
            '{"name": "a", "title": "b", "rows": [], "data": "d", "corpus": {"test": {}}}',
            r"corpus\.test\.sha256: Field required",
        ),
        ('{"name": "a", "title": "b", "rows": [], "headlin": false}', "'headlin'.*did you mean 'headline'"),
    ],
)
def test_broken_results_are_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=message):
        Results.read(path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder of results"):
        report(tmp_path / "nowhere")


def test_readme_changes_between_the_markers_only(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    assert update_readme(readme, "new")
    assert readme.read_text(encoding="utf-8") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert not update_readme(readme, "new")
    assert list(tmp_path.iterdir()) == [readme]


def test_a_card_has_the_figures_of_its_bundle_alone_and_where_they_come_from(tmp_path: Path) -> None:
    of_bundle = {"metrics": {"bleu": metric(14.6)}, "bundle": "models/sw-en", "made": {"date": "2026-11-28"}}
    rows = [
        {"system": "ConvS2S", **of_bundle},
        {"system": "gloss", "metrics": {"bleu": metric(12.4)}, "bundle": "models/sw-en-gloss"},
        {"system": "elsewhere", "metrics": {"bleu": metric(1.0)}, "bundle": "runs/sw-en"},
    ]
    write(tmp_path, "translators.json", {**RESULT, "name": "translators", "paper": None, "rows": rows})
    write(tmp_path, "bound.json", RESULT)
    text = figures_of_bundle(tmp_path, "models/sw-en")
    assert "| ConvS2S | 14.60 | 1 |" in text
    assert "date: 2026-11-28" in text
    assert "gloss" not in text
    assert "elsewhere" not in text
    assert text.count("###") == 1
    assert figures_of_bundle(tmp_path, "models/yo-en") == ""


def test_figures_come_onto_a_card_and_off_it(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    plain = "# Translator\n\nsome words\n"
    card.write_text(plain, encoding="utf-8")
    assert not update_card(card, "")
    assert update_card(card, "old")
    assert update_card(card, "new")
    assert not update_card(card, "new")
    assert card.read_text(encoding="utf-8") == f"{plain}\n{BEGIN}\nnew\n{END}\n"
    assert update_card(card, "")
    assert card.read_text(encoding="utf-8") == plain


@pytest.mark.parametrize(
    ("update", "text"),
    [
        (update_readme, "no markers"),
        *(
            (update, text)
            for update in (update_readme, update_card)
            for text in (BEGIN, END, f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}")
        ),
    ],
)
def test_damaged_markers_are_refused(tmp_path: Path, update: Callable[[Path, str], bool], text: str) -> None:
    page = tmp_path / "README.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="expected the markers"):
        update(page, "new")
    assert page.read_text(encoding="utf-8") == text


def test_figures_of_benchmarks_are_tables_of_the_page(tmp_path: Path) -> None:
    rows = [{"batch": 1, "viterbi": {"ratio": 5.8295}}, {"batch": 8, "viterbi": {"ratio": 12345.6}}]
    write(tmp_path, "crf-speed.json", {"threads": 1, "results": rows})
    page = results_page(tmp_path)
    assert "| threads | 1 |" in page
    assert "| batch | viterbi ratio |\n| ---: | ---: |\n| 1 | 5.83 |\n| 8 | 12,346 |" in page
    assert "python benchmarks/crf.py" in page
    write(tmp_path, "crf-speed.json", [1])
    with pytest.raises(ValueError, match="expected an object in"):
        results_page(tmp_path)
