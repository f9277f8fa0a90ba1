"""Configurations as TOML: overriding, writing in full, errors in one line."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.experiment.comparison import ComparisonExperiment, System, plan
from canner.experiment.kinds import read_experiment
from canner.experiment.tagger import TaggerExperiment
from canner.experiment.toml import (
    assignments_of,
    dotted_keys,
    override,
    parse_assignment,
    to_toml,
    without_nothing,
)
from canner.presets import PRESETS
from canner.training.charlm import CharLMExperiment
from canner.training.translator import TranslatorExperiment

ROOT = Path(__file__).resolve().parents[3]
KEYS = st.text("abcxyz_", min_size=1, max_size=5)
LEAVES = st.one_of(st.integers(), st.booleans(), st.text(max_size=5), st.lists(st.integers(), max_size=3))
TABLES = st.dictionaries(KEYS, st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=3", 3),
        ("a.b=0.5", 0.5),
        ("a.b=true", True),
        ("a.b=[1, 2]", [1, 2]),
        ('a.b="3"', "3"),
        ("a.b=runs/x", "runs/x"),
        ("a.b=x=y", "x=y"),
        ("a.b=", ""),
    ],
)
def test_values_are_toml_where_they_can_be(text: str, value: object) -> None:
    assert parse_assignment(text) == ("a.b", value)


@pytest.mark.parametrize("text", ["nothing", "=3", ""])
def test_an_assignment_needs_a_key_and_a_value(text: str) -> None:
    with pytest.raises(ValueError, match="expected key=value"):
        parse_assignment(text)


@given(TABLES, st.lists(KEYS, min_size=1, max_size=3), LEAVES)
def test_overriding_sets_one_place_and_leaves_the_original(
    values: dict, path: list[str], value: object
) -> None:
    before = repr(values)
    inner: object = values
    for key in path[:-1]:
        inner = inner.get(key, {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        with pytest.raises(ValueError, match="expected a table"):
            override(values, {".".join(path): value})
        return
    changed = override(values, {".".join(path): value})
    assert repr(values) == before
    found: object = changed
    for key in path:
        assert isinstance(found, dict)
        found = found[key]
    assert found == value
    untouched = {key: inner for key, inner in values.items() if key != path[0]}
    assert {key: inner for key, inner in changed.items() if key != path[0]} == untouched


def test_a_table_sets_its_keys_and_leaves_the_others() -> None:
    values = {"model": {"width": 128, "inner": {"a": 1, "b": 2}}, "seed": 1}
    assert dotted_keys(values) == {"model.width": 128, "model.inner.a": 1, "model.inner.b": 2, "seed": 1}
    as_table = override(values, {"model": {"inner": {"a": 3}}})
    assert as_table == override(values, {"model.inner.a": 3})
    assert as_table == {"model": {"width": 128, "inner": {"a": 3, "b": 2}}, "seed": 1}
    assert override(values, {"model": None})["model"] is None
    assert override({}, {"list": [{"a": 1}]}) == {"list": [{"a": 1}]}
    assert override(values, {"model": {}}) == values
    types = {"data": {"types": {"B.x": "PER", "LOC": "LOC"}, "scheme": "IOB2"}}
    assert override(types, {"data": {"types": {"B.y": "PER"}}})["data"] == {
        "types": {"B.y": "PER"},
        "scheme": "IOB2",
    }
    assert override(types, {"data.types": {}})["data"]["types"] == {}


def test_later_assignments_win() -> None:
    assert assignments_of(["a=1", "b=2", "a=3"]) == {"a": 3, "b": 2}


def test_what_has_no_value_is_left_out() -> None:
    assert without_nothing({"a": None, "b": [{"c": None, "d": 1}]}) == {"b": [{"d": 1}]}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_written_in_full_is_read_back_as_it_was(name: str, tmp_path: Path) -> None:
    preset = PRESETS[name]()
    text = to_toml(preset)
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    assert read_experiment(tmp_path / "x.toml") == preset
    written = tomllib.loads(text)
    for field, info in type(preset).model_fields.items():
        assert field in written or getattr(preset, field) is None, info


def test_what_is_for_few_sentences_waits_long_and_reads_them_all() -> None:
    compared = PRESETS["comparison"]()
    assert isinstance(compared, ComparisonExperiment)
    assert (compared.budgets, compared.seeds) == ((), (1, 2, 3))
    for experiment in (compared.base, PRESETS["tagger"](), PRESETS["can-tagger"]()):
        assert isinstance(experiment, TaggerExperiment)
        assert (experiment.training.max_epochs, experiment.training.early_stopping) == (180, 30)
        assert experiment.data.num_sentences is None


def test_a_comparison_survives_its_dotted_changes(tmp_path: Path) -> None:
    base = PRESETS["comparison"]()
    assert isinstance(base, ComparisonExperiment)
    systems = (System(name="a"), System(name="b", change={"model.hidden_dim": 7, "training.max_epochs": 3}))
    comparison = base.model_copy(update={"systems": systems})
    (tmp_path / "x.toml").write_text(to_toml(comparison), encoding="utf-8")
    assert read_experiment(tmp_path / "x.toml") == comparison


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('kind = "tree"', "expected kind tagger, comparison"),
        ('kind = ["tagger"]', "expected kind tagger, comparison"),
        ("kind = ", "syntax error"),
        ("[data]\ntrain = []\n[modle]\n", "did you mean 'model'"),
        ("[data]\n[training]\nmax_epochs = 0", "training.max_epochs"),
        ("name = 3", "data: Field required"),
    ],
)
def test_broken_files_are_explained_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_experiment(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_to_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="canner recipe"):
        read_experiment(tmp_path / "absent.toml")


def test_the_comparison_of_the_page_of_experiments_is_one() -> None:
    page = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    systems = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    preset = PRESETS["comparison"]().model_dump()
    config = ComparisonExperiment(**{**preset, **systems, "seeds": (1, 2, 3)})
    plain, first, last, gloss = (cell.tries[0].experiment for cell in plan(config, Path("x")))
    assert plain.transfer is None
    read = [experiment.transfer.views[0] for experiment in (first, last, gloss)]
    assert [view.options.layer for view in read] == ["first", "last", "last"]
    assert all((ROOT / view.translator).is_dir() for view in read)
    assert [one.model.aligned_at for one in (first, last, gloss)] == ["output", "output", "input"]
    assert {one.model.hidden_dim for one in (plain, first, last, gloss)} == {plain.model.hidden_dim}


def test_the_translator_for_few_pairs_fits_the_one_that_it_starts_from() -> None:
    config = PRESETS["translator-few-pairs"]()
    assert isinstance(config, TranslatorExperiment)
    assert config.start_from is not None
    parent = json.loads((ROOT / config.start_from / "config.json").read_text(encoding="utf-8"))
    sizes = config.model.model_dump(exclude={"dropout"})
    assert sizes == {key: parent["model"][key] for key in sizes}


def test_the_teacher_to_start_from_is_trained_as_the_one_that_ships() -> None:
    to_start_from, shipped = PRESETS["teacher"](), read_experiment(ROOT / "recipes" / "teacher_en.toml")
    assert isinstance(to_start_from, TaggerExperiment)
    assert isinstance(shipped, TaggerExperiment)
    of_each_other = shipped.model_copy(
        update={"data": to_start_from.data, "embeddings": to_start_from.embeddings}
    )
    assert of_each_other == to_start_from
    assert to_start_from.embeddings.vectors == shipped.embeddings.vectors
    assert to_start_from.embeddings.contextual == shipped.embeddings.contextual == ()


def test_a_key_set_in_a_table_that_the_file_leaves_out_changes_that_key_alone(tmp_path: Path) -> None:
    path = tmp_path / "charlm.toml"
    path.write_text('kind = "charlm"\n[data]\ntrain = "text.txt"\n')
    whole = read_experiment(path)
    one_set = read_experiment(path, {"training.decay_minutes": 5.0, "model.hidden_dim": 9})
    assert isinstance(whole, CharLMExperiment)
    assert one_set == whole.model_copy(
        update={
            "training": whole.training.model_copy(update={"decay_minutes": 5.0}),
            "model": whole.model.model_copy(update={"hidden_dim": 9}),
        }
    )
    assert one_set.training.metric == "bits_per_char"
    path.write_text('[data]\ntrain = "text.txt"\n')
    assert read_experiment(path, {"kind": "charlm", "training.decay_minutes": 20.0}) == whole


def test_a_table_in_a_file_has_the_defaults_of_its_kind_where_it_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "charlm.toml"
    path.write_text('kind = "charlm"\n[data]\ntrain = "text.txt"\n')
    whole = read_experiment(path)
    assert isinstance(whole, CharLMExperiment)
    path.write_text(f"{path.read_text()}[training]\nlearning_rate = 0.5\n")
    for assignments in ({}, {"training": {"learning_rate": 0.5}}):
        other_rate = whole.training.model_copy(update={"learning_rate": 0.5})
        assert read_experiment(path, assignments) == whole.model_copy(update={"training": other_rate})
    without_length = whole.training.model_copy(update={"decay_minutes": None})
    for length in ("decay_steps", "decay_epochs"):
        in_others = without_length.model_copy(update={length: 9})
        path.write_text(f'kind = "charlm"\n[data]\ntrain = "text.txt"\n[training]\n{length} = 9\n')
        assert read_experiment(path) == whole.model_copy(update={"training": in_others})


def test_what_a_written_file_leaves_out_for_want_of_a_value_stays_without_one(tmp_path: Path) -> None:
    path = tmp_path / "charlm.toml"
    path.write_text('kind = "charlm"\n[data]\ntrain = "text.txt"\n')
    config = read_experiment(path)
    assert isinstance(config, CharLMExperiment)
    assert config.training.decay_minutes is not None
    without = config.training.model_copy(
        update={"decay_minutes": None, "decay_steps": 9, "validate_every": None}
    )
    timeless = config.model_copy(update={"training": without})
    path.write_text(to_toml(timeless))
    assert read_experiment(path) == timeless
