"""The tables: each a valid plan under both protocols, with the paper's figures beside the rows that exist."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from canner.experiment.comparison import plan
from canner.experiment.tagger import TaggerExperiment
from canner.tables import ALONE, IN_README, TABLES, comparisons, planned_results
from canner.tables.bundles import DICTIONARY_GLOSSES, GLOSSES
from canner.tables.by_labels import BY_LABELS
from canner.tables.protocols import Protocol
from canner.tables.rows import DICTIONARY, rows_named
from canner.tables.variations import rows_of_paper, smoke_twin, varied, with_seeds, without_grid

ROOT = Path(__file__).resolve().parents[3]
EVERY = [
    config
    for name in TABLES
    for protocol in get_args(Protocol)
    if ALONE.get(name, protocol) == protocol
    for config in comparisons(name, protocol)
]


@pytest.mark.parametrize("config", EVERY, ids=lambda config: config.name)
def test_every_system_of_a_table_is_an_experiment(config, tmp_path: Path) -> None:
    cells = plan(config, tmp_path)
    folders = {run.folder for cell in cells for run in cell.tries}
    assert len(folders) == sum(len(cell.tries) for cell in cells)
    rows = {system.name for system in config.systems}
    assert set(config.paper or {}) - {"note"} <= rows
    assert config.corpus
    assert config.protocol


def test_results_of_different_tables_and_protocols_have_different_names() -> None:
    assert len({config.name for config in EVERY}) == len(EVERY)


def test_the_papers_protocol_is_that_of_section_3_1() -> None:
    (config,) = comparisons("table4-revised", "paper")
    base = config.base
    assert (base.training.optimizer, base.training.momentum, base.training.max_epochs) == ("sgd", 0.0, 150)
    assert (base.training.schedule, base.training.patience) == ("anneal_on_plateau", 3)
    assert (base.model.hidden_dim, base.model.num_layers) == (256, 1)
    assert (base.model.dropout_words, base.model.dropout_lstm) == (0.1, 0.05)
    assert base.model.emissions == "log_softmax"
    (printed,) = [system for system in config.systems if system.change.get("model.emissions") == "softmax"]
    assert printed.baseline == "Char+BiLSTM+CRF"
    assert config.grid == {"training.learning_rate": (0.025, 0.05, 0.1), "batch_size": (8, 16, 32)}
    assert len(config.seeds) == 5


def test_a_row_that_a_table_has_not_is_no_part_of_it() -> None:
    (config,) = comparisons("longer-uner", "fast")
    names = [system.name for system in config.systems]
    assert [system.name for system in rows_named(config.systems, names[1:])] == names[1:]
    with pytest.raises(ValueError, match=r"expected rows among BiLSTM.*, got 'CAN_lost'"):
        rows_named(config.systems, (names[0], "CAN_lost"))


def test_beside_an_encoder_more_epochs_are_asked_for_too() -> None:
    (config,) = comparisons("longer-yoruba", "fast")
    baselines = {system.name: config.baseline_of(system) for system in config.systems}
    assert baselines["Encoder+BiLSTM+CRF + CAN_last"] == "Encoder+BiLSTM+CRF"
    assert config.base.training.max_epochs == 45


def test_figure_3_has_the_fifteen_layers_of_the_paper() -> None:
    for config in comparisons("figure3", "fast"):
        layers = [
            cell.tries[0].experiment.transfer.views[0].options.layer
            for cell in plan(config, Path("x"))
            if cell.tries[0].experiment.transfer is not None
        ]
        assert layers == ["first", *range(2, 15), "last"]


def test_table_5_reads_nothing_but_its_embedding() -> None:
    (config,) = comparisons("table5", "paper")
    for cell in plan(config, Path("x")):
        experiment = cell.tries[0].experiment
        assert experiment.model.char_encoder == "none"
        if experiment.transfer is not None:
            assert (experiment.model.word_dim, experiment.model.aligned_at) == (0, "input")
        else:
            assert experiment.model.word_dim > 0


@pytest.mark.parametrize("protocol", get_args(Protocol))
def test_static_tables_differ_from_the_papers_in_their_vectors_and_the_limit_of_epochs_alone(
    protocol: Protocol,
) -> None:
    named = ["table2-german", "table2-spanish", "table3-ontonotes", "table4-revised", "table4-original"]
    tables = [config for name in named for config in comparisons(name, protocol)]
    *statics, alone = comparisons("static", protocol)
    for static, table in zip(statics, tables, strict=True):
        ours, theirs = static.base, table.base
        assert (ours.model.freeze_words, theirs.model.freeze_words) == (True, False)
        assert ours.embeddings.vocabulary_text == (theirs.embeddings.vectors,)
        same = {
            "name": theirs.name,
            "model": ours.model.model_copy(update={"freeze_words": False}),
            "embeddings": ours.embeddings.model_copy(
                update={"vocabulary_text": theirs.embeddings.vocabulary_text}
            ),
        }
        more = ours.training.max_epochs / theirs.training.max_epochs
        assert more == (3 if protocol == "fast" else 1)
        same["training"] = ours.training.model_copy(update={"max_epochs": theirs.training.max_epochs})
        assert ours.model_copy(update=same) == theirs
        beside = ("CharLM", "Encoder")
        kept = [s for s in table.systems if not s.name.startswith(beside) and "softmax" not in s.name]
        assert list(static.systems) == kept
        assert len(kept) >= 7
        assert (static.seeds, static.grid) == (table.seeds, table.grid)
    plain = plan(statics[-1], Path("x"))[0].tries[0].experiment
    vectors = plan(alone, Path("x"))[1].tries[0].experiment
    assert vectors == plain.model_copy(update={"name": vectors.name})


def test_a_table_is_found_by_its_name_or_its_part() -> None:
    assert [config.name for config in comparisons("table2", "fast")] == [
        "table2-german-fast",
        "table2-spanish-fast",
    ]
    assert [config.name for config in comparisons("few-labels-swahili", "paper")] == [
        "few-labels-swahili-paper"
    ]
    for wrong in ("table9", "table4-german", "few", "table2-"):
        with pytest.raises(ValueError, match="expected a table"):
            comparisons(wrong, "fast")


def test_longer_tables_have_three_times_the_epochs_and_are_else_the_same() -> None:
    with pytest.raises(ValueError, match="expected --protocol fast, got paper"):
        comparisons("longer", "paper")
    for name, table in (("uner", "uner-chinese"), ("yoruba", "masakhaner-yoruba")):
        (ours,), (theirs,) = comparisons(f"longer-{name}", "fast"), comparisons(table, "fast")
        assert (theirs.base.training.max_epochs, ours.base.training.max_epochs) == (15, 45)
        alike = ours.base.training.model_copy(update={"max_epochs": 15})
        assert ours.base.model_copy(update={"training": alike, "name": theirs.base.name}) == theirs.base
        assert all(system in theirs.systems for system in ours.systems)
        assert ours.systems[0] == theirs.systems[0]


@pytest.mark.parametrize("protocol", ["fast", "paper"])
def test_translators_are_compared_on_the_tables_of_those_that_ship(protocol: Protocol) -> None:
    for part, table in (
        ("german", "table2-german"),
        ("weibo", "table4-revised"),
    ):
        (ours,), (theirs,) = comparisons(f"translation-{part}", protocol), comparisons(table, protocol)
        assert ours.base.model_copy(update={"name": theirs.base.name}) == theirs.base
        assert (ours.grid, ours.seeds, ours.protocol) == (theirs.grid, theirs.seeds, theirs.protocol)
        changes = {system.name: system.change for system in theirs.systems}
        known = [system for system in ours.systems if system.name in changes]
        assert len(known) == 3
        assert all(changes[system.name] == system.change for system in known)
        for system in ours.systems:
            views = system.change["transfer"]["views"] if system.change else ()
            for ending, kind in (("trained on", "longer"), ("back-translated", "backtranslated")):
                of_kind = [view["translator"].endswith(f"-{kind}") for view in views]
                assert of_kind == [system.name.endswith(f", {ending}")] * len(views)


def test_of_the_last_epoch_is_what_the_paper_has_with_other_weights() -> None:
    with pytest.raises(ValueError, match="expected --protocol paper, got fast"):
        comparisons("last-epoch", "fast")
    originals = {
        "german": "table2-german",
        "spanish": "table2-spanish",
        "revised": "table4-revised",
        "original": "table4-original",
        "static": "static-original",
    }
    assert originals.keys() == TABLES["last-epoch"].keys()
    for part, name in originals.items():
        (ours,), (theirs,) = comparisons(f"last-epoch-{part}", "paper"), comparisons(name, "paper")
        wanted = {
            row.name: _of_systems(theirs)[row.name]
            for row in theirs.systems
            if row.name
            in (
                theirs.systems[0].name,
                *(f"{theirs.systems[0].name} + CAN_{which}" for which in ("first", "last")),
            )
        }
        found = _of_systems(ours)
        assert len(wanted) == 3
        assert {row: found[row] for row in wanted} == wanted
        for row, experiment in wanted.items():
            again = row.replace("BiLSTM+CRF", "BiLSTM+CRF, last epoch")
            training = experiment.training.model_copy(update={"keep": "last"})
            assert found[again] == experiment.model_copy(update={"training": training})
            assert ours.paper[again] == ours.paper[row] == theirs.paper[row]
        assert len(found) == 6


def _of_systems(config) -> dict[str, TaggerExperiment]:
    """The first experiment of each row, without the name of its table."""
    return {
        cell.row: cell.tries[0].experiment.model_copy(update={"name": ""}) for cell in plan(config, Path("x"))
    }


@pytest.mark.parametrize("protocol", ["fast", "paper"])
def test_a_results_file_has_the_name_of_its_part_and_protocol(protocol: Protocol) -> None:
    for table, parts in TABLES.items():
        if ALONE.get(table, protocol) != protocol:
            continue
        for part in parts:
            (config,) = comparisons(f"{table}-{part}", protocol)
            assert config.name == f"{table}-{part}-{protocol}"


def test_the_page_of_data_says_which_tables_read_a_corpus() -> None:
    lines = (ROOT / "docs" / "data.md").read_text(encoding="utf-8").splitlines()
    for table in TABLES:
        for config in comparisons(table, ALONE.get(table, "fast")):
            _, _, corpus, *_ = config.base.data.train[0].split("/")
            rows = [line for line in lines if line.startswith(f"| `{corpus}/")]
            assert len(rows) == 1, corpus
            assert f"`{table}`" in rows[0], (table, corpus)


def test_less_of_a_table() -> None:
    (config,) = comparisons("table4-revised", "paper")
    assert with_seeds(config, 2).seeds == (1, 2)
    (few,) = comparisons("few-labels-spanish", "fast")
    assert with_seeds(few, 2).subset_seeds == (0, 1)
    ungridded = without_grid(config)
    assert ungridded.name != config.name
    assert (ungridded.grid, ungridded.base) == ({}, config.base)
    assert [cell.num_runs for cell in plan(ungridded, Path("x"))] == [5] * len(config.systems)
    tiny = plan(smoke_twin(config), Path("x"))
    assert all(cell.num_runs == 1 for cell in tiny)
    assert all(cell.tries[0].experiment.training.max_epochs == 1 for cell in tiny)


def test_the_plan_of_the_results_page_has_every_table_under_both_protocols() -> None:
    planned = planned_results()
    assert (
        len({entry.name for entry in planned})
        == len(planned)
        == len(EVERY) + sum("-paper" in c.name for c in EVERY)
    )
    for entry in planned:
        program, command, part, *flags = entry.command.split()
        assert (program, command) == ("canner", "reproduce")
        (config,) = comparisons(part, "fast" if "fast" in flags else "paper")
        config = varied(config, grid="--no-grid" not in flags)
        assert (entry.name, entry.title) == (config.name, config.title)


def test_every_table_of_the_results_folder_is_planned() -> None:
    """A file that no table makes any more would stay on the page of results for ever."""
    folder = Path(__file__).resolve().parents[3] / "results" / "runs"
    made = {path.stem for path in folder.glob("*.json")}
    assert made <= {entry.name for entry in planned_results()}


def test_names_of_systems_say_what_they_read() -> None:
    systems = [(config, system) for config in EVERY for system in config.systems]
    named = [
        (c, s) for c, s in systems if "CAN" in s.name and "DeepL" not in s.name and "posteriors" not in s.name
    ]
    assert len(named) > 100
    for config, system in named:
        translators, glosses = [], []
        for view in system.change["transfer"]["views"]:
            if "-gloss" in view["translator"]:
                glosses.append(view["translator"])
            else:
                translators.append((view["translator"].endswith("-aligner"), view["options"]))
        known = {"CAN_gloss": GLOSSES, "CAN_dictionary": DICTIONARY_GLOSSES}
        expected = [of.values() for name, of in known.items() if name in system.name]
        assert len(glosses) == len(expected), system.name
        assert all(bundle in bundles for bundle, bundles in zip(glosses, expected, strict=True))
        assert len(translators) == sum(
            part in system.name for part in ("CAN_first", "CAN_last", "CAN_aligned")
        )
        for aligner, options in translators:
            assert aligner == ("CAN_aligned" in system.name)
            assert options["layer"] == ("first" if "CAN_first" in system.name else "last")
            assert (options["reading"] == "copied") == (aligner or "with copies" in system.name), system.name
        at_input = system.change.get("model.aligned_at") == "input"
        assert at_input == (
            "at the input" in system.name or config.name.startswith(("table5", "static-embeddings"))
        ), system.name


def test_the_parts_of_what_is_carried_over_are_told_apart_with_100_sentences_alone() -> None:
    (config,) = comparisons("few-labels-spanish", "fast")
    rows = {
        budget: {
            cell.system.name for cell in plan(config, Path("x")) if cell.row.endswith(f", {budget} sentences")
        }
        for budget in (100, 500)
    }
    assert rows[500] < rows[100]
    assert {"plain", "CAN, DeepL at the input", "CAN_last", "CAN_gloss at the input"} <= rows[500]
    assert rows[100] - rows[500] >= {
        "CAN_first",
        "CAN_last scaled",
        "Encoder",
        "Encoder + CAN_gloss at the input",
    }


def test_few_labels_have_the_same_rows_in_every_language() -> None:
    tables = {config.name: [s.name for s in config.systems] for config in comparisons("few-labels", "fast")}
    every = tables["few-labels-swahili-fast"]
    assert {"plain", "CAN_first", "CAN_last", "CAN_gloss at the input", "Encoder"} <= set(every)
    upper = {"CAN, DeepL", "CAN, DeepL at the input"}
    assert set(tables.pop("few-labels-german-fast")) == {*every, *upper}
    scaled = {"CAN_last scaled", "CAN_gloss and CAN_last scaled"}
    assert set(tables.pop("few-labels-spanish-fast")) == {*every, *upper, *scaled}
    with_dictionary = {"CAN_dictionary", DICTIONARY, f"Encoder + {DICTIONARY}"}
    for part in ("ontonotes", "uner"):
        assert set(tables.pop(f"few-labels-{part}-fast")) == {*every, *with_dictionary}
    assert all(rows == every for rows in tables.values())
    (news,) = comparisons("few-labels-ontonotes", "fast")
    cells = plan(news, Path("x"))
    with_most = {cell.system.name for cell in cells if cell.row.endswith(", 2000 sentences")}
    assert with_most == {"plain", "CAN_last", "CAN_gloss at the input", DICTIONARY}
    assert news.base.model.char_encoder == "none"
    assert set(news.base.data.types) == {"PERSON", "ORG", "GPE", "LOC"}
    (encyclopaedia,) = comparisons("few-labels-uner", "fast")
    assert (encyclopaedia.base.data.token_column, encyclopaedia.base.data.tag_column) == (1, 2)


@pytest.mark.parametrize("table", ["few-labels", "hundred", "longer-few"])
def test_few_labels_say_how_many_there_are_and_test_each_row_against_its_own_plain_one(table: str) -> None:
    parts = [
        f"{name}-{part}"
        for name, parts in TABLES.items()
        for part in parts
        if f"{name}-{part}".startswith(table)
    ]
    assert len(parts) == 6
    for part in parts:
        (config,) = comparisons(part, "fast")
        numbers = " or ".join(f"{budget:,}" for budget in config.budgets)
        assert f", {numbers} training sentences, drawn" in config.corpus
        held_out = config.base.data.num_held_out
        to_stop_by = (
            f"{config.base.data.num_dev} more labelled" if held_out is None else f"{held_out} of which"
        )
        assert f", {to_stop_by}" in config.corpus
        plain_by = {"embeddings.contextual": "Encoder", "embeddings.vectors": "Word vectors"}
        for system in config.systems:
            own = next((plain for key, plain in plain_by.items() if key in system.change), "plain")
            assert (config.baseline_of(system) or system.name) == own
        with_vectors = any("embeddings.vectors" in system.change for system in config.systems)
        assert ("; in the rows of word vectors " in config.corpus) == with_vectors


def test_a_curve_ends_in_the_table_of_all_labels() -> None:
    corpora = {corpus.part: corpus for corpus in BY_LABELS}
    planned = {entry.name: entry for entry in planned_results()}
    for config in comparisons("curve", "fast"):
        corpus = corpora[config.name.removeprefix("curve-").removesuffix("-fast")]
        assert config.budgets == (100, 500, 2000)
        plain, *glosses = config.systems
        begin = {"plain": "", "Word vectors": "Word vectors + "}[plain.name]
        chinese = corpus.part in ("ontonotes", "uner")
        names = ("CAN_gloss at the input", *((DICTIONARY,) if chinese else ()))
        assert [gloss.name for gloss in glosses] == [begin + name for name in names]
        assert {config.baseline_of(row) or row.name for row in config.systems} == {plain.name}
        (whole,) = comparisons(planned[corpus.whole].command.split()[2], "fast")
        assert plain.change.get("embeddings.vectors") == whole.base.embeddings.vectors
        assert config.corpus.endswith("random word vectors") == (plain.name == "plain")
        for gloss, name in zip(glosses, names, strict=True):
            of_all = next(row for row in whole.systems if row.name == f"{corpus.plain} + {name}")
            same = ("model.aligned_at", "transfer")
            assert [gloss.change[key] for key in same] == [of_all.change[key] for key in same]
    assert len(corpora) == 6


def test_the_gloss_with_a_dictionary_is_tested_against_the_one_without() -> None:
    made = comparisons("dictionary", "fast")
    assert len(made) == len(TABLES["dictionary"]) == 8
    for ours in made:
        whole = ours.name.removeprefix("dictionary-").removesuffix("-fast")
        own_name = {"ontonotes": "table3-ontonotes", "uner": "uner-chinese"}
        own_name |= {annotation: f"table4-{annotation}" for annotation in ("revised", "original")}
        (theirs,) = comparisons(own_name.get(whole, whole.replace("few-", "few-labels-")), "fast")
        gloss, dictionary = ours.systems
        assert gloss.name.endswith("CAN_gloss at the input")
        assert dictionary.name == gloss.name.replace("CAN_gloss", "CAN_dictionary")
        assert (ours.baseline_of(gloss), ours.baseline_of(dictionary)) == (None, gloss.name)
        changes = {system.name: (system.change, system.budgets) for system in theirs.systems}
        assert [(row.change, row.budgets) for row in ours.systems] == [changes[r.name] for r in ours.systems]
        base = ours.base.model_copy(update={"name": theirs.base.name})
        assert (base, ours.budgets, ours.seeds) == (theirs.base, theirs.budgets, theirs.seeds)


def test_a_hundred_sentences_in_all_are_few_labels_with_fewer_to_stop_by() -> None:
    for ours, theirs in zip(comparisons("hundred", "fast"), comparisons("few-labels", "fast"), strict=True):
        assert ours.title == theirs.title.rsplit(", ", 2)[0] + ", a hundred sentences in all, fast protocol"
        assert (ours.budgets, ours.base.data.num_held_out, ours.base.data.dev) == ((100,), 20, ())
        assert (theirs.budgets[0], theirs.base.data.num_dev) == (100, 400)
        same = {key: getattr(theirs.base, key) for key in ("name", "data", "training")}
        assert ours.base.model_copy(update=same) == theirs.base
        assert (ours.base.training.max_epochs, ours.base.training.early_stopping) == (180, 30)
        assert [cell.system.name for cell in plan(ours, Path("x"))] == [s.name for s in ours.systems] * 3
        changes = {system.name: system.change for system in theirs.systems}
        own = [system for system in ours.systems if "embeddings.vectors" not in system.change]
        chinese = ours.name in ("hundred-ontonotes-fast", "hundred-uner-fast")
        assert len(own) == 7 if chinese else 5
        assert all(system.change == changes[system.name] for system in own)
        others = [system.name for system in ours.systems if system not in own]
        english = ("CAN_last", "CAN_gloss at the input", *((DICTIONARY,) if chinese else ()))
        with_english = [f"Word vectors + {name}" for name in english]
        assert others == (
            [] if "uner" in ours.name else ["Word vectors", *with_english]
        )  # ours are of characters
    with pytest.raises(
        ValueError, match="expected --protocol fast, got paper: hundred runs under that one alone"
    ):
        comparisons("hundred", "paper")


def test_few_labels_with_more_epochs_have_more_patience_too() -> None:
    for part in ("german", "ontonotes", "swahili"):
        (ours,), (theirs,) = (
            comparisons(f"longer-few-{part}", "fast"),
            comparisons(f"few-labels-{part}", "fast"),
        )
        assert ours.budgets == (100,)
        assert [system.name for system in ours.systems] == ["plain", "CAN_gloss at the input", "CAN_last"]
        more = {"max_epochs": 180, "early_stopping": 30}
        assert ours.base.training == theirs.base.training.model_copy(update=more)
        assert ours.base.data == theirs.base.data


def test_the_rows_that_the_paper_has() -> None:
    (german,) = comparisons("table2-german", "paper")
    assert rows_of_paper(german) == (
        "BiLSTM+CRF",
        "BiLSTM+CRF + CAN_first",
        "BiLSTM+CRF + CAN_last",
        "CharLM+BiLSTM+CRF",
        "CharLM+BiLSTM+CRF + CAN_first",
        "CharLM+BiLSTM+CRF + CAN_last",
    )
    (news,) = comparisons("table3-ontonotes", "paper")
    assert "Encoder+BiLSTM+CRF" not in news.paper  # but what the paper has beside it is tested against it
    assert rows_of_paper(news) == (
        "Char+BiLSTM+CRF",
        "Char+BiLSTM+CRF + CAN_first",
        "Char+BiLSTM+CRF + CAN_last",
        "Encoder+BiLSTM+CRF",
        "Encoder+BiLSTM+CRF + CAN_first",
        "Encoder+BiLSTM+CRF + CAN_last",
    )
    (figure,) = comparisons("figure3-vectors", "paper")
    assert rows_of_paper(figure) == ("plain", *(f"layer {number}" for number in range(1, 16)))
    (swahili,) = comparisons("masakhaner-swahili", "fast")
    with pytest.raises(ValueError, match="expected a table of the paper, got one beyond it: Swahili"):
        rows_of_paper(swahili)


def test_what_the_readme_shows_is_planned() -> None:
    assert set(IN_README) <= TABLES.keys()
    planned = {entry.name: entry for entry in planned_results()}
    for corpus in BY_LABELS:
        gloss = corpus.gloss
        for name, rows in (
            (f"hundred-{corpus.part}-fast", {"plain", gloss}),
            (f"fine-tuned-{corpus.part}-fast", {"Fine-tuned encoder", f"Fine-tuned encoder + {gloss}"}),
            (corpus.whole, {corpus.plain, f"{corpus.plain} + {gloss}"}),
        ):
            (config,) = comparisons(planned[name].command.split()[2], "fast")
            assert rows <= {system.name for system in config.systems}
    shown = {name for name, entry in planned.items() if entry.in_readme}
    assert {corpus.whole for corpus in BY_LABELS} <= shown
    assert not [name for name in shown if not name.endswith("-fast")]
