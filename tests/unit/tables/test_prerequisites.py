"""What tables read beside what ships is made by its recipe, once, within the time there is."""

from __future__ import annotations

import json
import logging
import shutil
import signal
from pathlib import Path

import pytest
from filelock import FileLock

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import plan
from canner.experiment.inputs import inputs_here
from canner.experiment.kinds import read_experiment
from canner.experiment.tagger import EmbeddingsConfig, TaggerExperiment
from canner.tables import ALONE, TABLES, comparisons, prerequisites
from canner.tables.bundles import ENGLISH_ENCODER
from canner.tables.prerequisites import ON_GPU, RECIPES, made_from, make_missing
from canner.training.charlm import CharLMTask
from canner.training.run_files import RESUME
from canner.training.vectors_bundle import pack_vectors

ROOT = Path(__file__).resolve().parents[3]
TEXT = "the river runs through the town and the town sleeps by the river .\n" * 40


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    caplog.set_level(logging.INFO)
    return tmp_path


def reads(**embeddings: object) -> list[TaggerExperiment]:
    data = CorpusConfig(train=("train",), dev=("dev",))
    return [TaggerExperiment(data=data, embeddings=EmbeddingsConfig(**embeddings))]


def test_every_part_that_a_table_reads_and_that_does_not_ship_has_a_recipe() -> None:
    read = {
        path
        for name in TABLES
        for config in comparisons(name, ALONE.get(name, "fast"))
        for cell in plan(config, Path("x"))
        for _, path in prerequisites.bundles_of(cell.tries[0].experiment)
    }
    own = {path for path in read if path.startswith("runs/")}
    assert own == RECIPES.keys() | ON_GPU.keys()
    assert all((ROOT / recipe).is_file() for recipe in (RECIPES | ON_GPU).values())
    assert all((ROOT / path).exists() for path in read - own if path.startswith("models/"))


def test_a_part_is_known_by_what_it_is_or_would_be_trained_from(monkeypatch) -> None:
    Path("vectors.toml").write_text('kind = "vectors"\ntext = ["text"]\ndim = 4\nmin_count = 1\nepochs = 1\n')
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/v/vectors.vec": "vectors.toml", "runs/e": "make.py"})
    planned = made_from("runs/v/vectors.vec")
    assert planned is not None
    make_missing(reads(vectors="runs/v/vectors.vec"))
    assert made_from("runs/v/vectors.vec") == planned
    # The prerequisite that is there stays what it is, whatever its recipe says now; comments never matter.
    Path("vectors.toml").write_text(
        '# why\nkind = "vectors"\ntext = ["text"]\ndim = 5\nmin_count = 1\nepochs = 1\n'
    )
    assert made_from("runs/v/vectors.vec") == planned
    Path("runs/v").rename("runs/old")
    assert made_from("runs/v/vectors.vec") not in (None, planned)
    Path("vectors.toml").unlink()
    assert [made_from(path) for path in ("runs/v/vectors.vec", "runs/e", "models/es-en")] == [None] * 3


def test_the_runs_that_are_kept_read_the_parts_that_recipes_make_today(monkeypatch) -> None:
    """Or their table says so (†): else its own command would train them all anew."""
    monkeypatch.chdir(ROOT)
    today = {path: made_from(path) for path in RECIPES}
    seen = set()
    for file in sorted(Path("results/runs").glob("*.json")):
        runs = json.loads(file.read_text(encoding="utf-8"))["runs"].values()
        results = Path("results", file.name)  # none where a grid is not done yet
        rows = json.loads(results.read_text(encoding="utf-8"))["rows"] if results.exists() else []
        marked = {path for row in rows for path in row.get("outdated", ())}
        read = {(path, digest) for run in runs for path, digest in run["inputs"].items() if today.get(path)}
        seen |= {path for path, _ in read}
        assert not [(path, digest) for path, digest in read - set(today.items()) if path not in marked], file
    assert {f"runs/translator-es-{kind}" for kind in ("guided", "unguided", "lexical")} <= seen


def test_vectors_that_no_recipe_trained_count_by_their_bytes(monkeypatch) -> None:
    Path("vectors.toml").write_text('kind = "vectors"\ntext = ["text"]\ndim = 4\nmin_count = 1\nepochs = 1\n')
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/v/vectors.vec": "vectors.toml"})
    assert made_from("runs/v/vectors.vec") is not None
    Path("runs/v").mkdir(parents=True)
    Path("runs/v/vectors.vec").write_text("1 4\na 1 2 3 4\n")  # published ones, put there by hand
    assert made_from("runs/v/vectors.vec") is None


def test_a_part_that_is_trained_by_the_clock_counts_by_its_bytes(monkeypatch) -> None:
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/c": "charlm.toml"})
    text = 'kind = "charlm"\n[data]\ntrain = "text"\n[training]\nschedule = "warmup_cosine"\n'
    for length, by_bytes in (("decay_minutes = 20", True), ("decay_steps = 20", False)):
        Path("charlm.toml").write_text(f"{text}{length}\n")
        assert (made_from("runs/c") is None) == by_bytes


def test_a_part_that_is_trained_on_from_another_bundle_counts_by_its_bytes(monkeypatch) -> None:
    """The configuration names that bundle, and does not say which weights it had."""
    monkeypatch.chdir(ROOT)
    by_bytes = {
        "runs/translator-zh-distilled",
        "runs/translator-zh-continued",
        "runs/charlm-es",
        "runs/charlm-de",
    }
    trained = {
        path for path, recipe in RECIPES.items() if recipe.endswith(".toml") and not Path(path).exists()
    } - {ENGLISH_ENCODER}  # depends on whether its encoder is here: below
    assert {path for path in trained if made_from(path) is None} == by_bytes & trained


def test_a_tagger_with_a_trained_encoder_is_known_by_its_configuration_and_that_encoder(monkeypatch) -> None:
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/t": "tagger.toml"})
    text = 'kind = "tagger"\n[data]\ntrain = ["text"]\n[embeddings]\nfine_tuned = "runs/e"\n'
    Path("tagger.toml").write_text(text)
    assert made_from("runs/t") is None  # the encoder is not here, so it is not known which
    found = []
    for weights in (b"one", b"another"):
        Path("runs/e").mkdir(parents=True, exist_ok=True)
        Path("runs/e/model.safetensors").write_bytes(weights)
        found.append(made_from("runs/t"))
    assert len({*found, None}) == 3
    Path("runs/t").mkdir()
    Path("runs/t/experiment.toml").write_text(text)
    digests = inputs_here(read_experiment(Path("tagger.toml")))
    Path("runs/t/inputs.json").write_text(json.dumps(digests))
    Path("runs/e/model.safetensors").write_bytes(b"a third")  # put there since
    assert made_from("runs/t") == found[-1]


def test_vectors_are_made_where_they_are_read_and_once(monkeypatch, caplog) -> None:
    Path("vectors.toml").write_text('kind = "vectors"\ntext = ["text"]\ndim = 4\nmin_count = 1\nepochs = 1\n')
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/v/vectors.vec": "vectors.toml"})
    wanted = reads(vectors="runs/v/vectors.vec", vocabulary_text=("runs/v/vectors.vec",))
    make_missing(wanted, max_minutes=0.0)  # no time, nothing begun
    assert not Path("runs/v").exists()
    make_missing(wanted)
    assert Path("runs/v/vectors.vec").read_text(encoding="utf-8").startswith("9 4\n")
    make_missing(wanted)
    assert caplog.text.count("making runs/v/vectors.vec by vectors.toml") == 1
    trained = made_from("runs/v/vectors.vec")
    assert trained is not None
    Path("runs/v/vectors.vec").write_text(
        "1 4\na 1 2 3 4\n"
    )  # others in their place, the configuration left there
    assert made_from("runs/v/vectors.vec") is None
    Path("runs/v/vectors.sha256").unlink()  # as trained before it was written: believed
    assert made_from("runs/v/vectors.vec") == trained


def test_vectors_whose_training_was_interrupted_are_made_whatever_it_left(monkeypatch) -> None:
    Path("vectors.toml").write_text('kind = "vectors"\ntext = ["text"]\ndim = 4\nmin_count = 1\nepochs = 1\n')
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/v/vectors.vec": "vectors.toml"})

    def interrupted(*args: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("canner.experiment.kinds.train_vectors", interrupted)
        with pytest.raises(KeyboardInterrupt):
            make_missing(reads(vectors="runs/v/vectors.vec"))
    assert not Path("runs/v").exists()  # or vectors put there by hand would count as trained by the recipe
    text = Path("vectors.toml").read_text()
    Path("vectors.toml").write_text(text.replace("dim = 4", "dim = 5"))
    Path("runs/v").mkdir()
    Path("runs/v/experiment.toml").write_text(text)  # as `canner train -o runs/v` leaves it
    make_missing(reads(vectors="runs/v/vectors.vec"))
    assert Path("runs/v/vectors.vec").read_text(encoding="utf-8").startswith("9 5\n")
    assert "dim = 5" in Path("runs/v/experiment.toml").read_text()
    assert not Path("runs/v.making").exists()


LANGUAGE_MODEL = """kind = "charlm"
[data]
train = "text"
min_count = 1
num_rows = 2
chunk = 8
[model]
embedding_dim = 4
hidden_dim = 4
[training]
schedule = "warmup_cosine"
decay_minutes = 0.05
metric = "bits_per_char"
mode = "min"
validate_every = 100000
max_epochs = 1000000
"""


def test_a_language_model_is_there_only_when_it_is_finished(monkeypatch, caplog) -> None:
    Path("lm.toml").write_text(LANGUAGE_MODEL)
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/lm": "lm.toml"})
    wanted = reads(contextual=("runs/lm",))
    make_missing(wanted, max_minutes=0.001, progress=False)
    assert not Path("runs/lm").exists()
    assert "runs/lm could not be made: the time is up" in caplog.text
    make_missing(wanted, progress=False)
    assert Path("runs/lm/model.safetensors").exists()
    assert not Path("runs/lm.making").exists()
    assert not Path("runs/lm", RESUME).exists()


def test_an_interrupted_language_model_goes_on_at_the_next_call(monkeypatch) -> None:
    Path("lm.toml").write_text(LANGUAGE_MODEL)
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/lm": "lm.toml"})

    def interrupt(self: CharLMTask, batch: object) -> object:
        signal.raise_signal(signal.SIGINT)
        return loss(self, batch)

    loss = CharLMTask.loss
    with monkeypatch.context() as patched:
        patched.setattr(CharLMTask, "loss", interrupt)
        with pytest.raises(KeyboardInterrupt):
            make_missing(reads(contextual=("runs/lm",)), progress=False)
    assert not Path("runs/lm").exists()
    assert Path("runs/lm.making", RESUME).exists()
    make_missing(reads(contextual=("runs/lm",)), progress=False)
    assert Path("runs/lm/model.safetensors").exists()


def test_two_processes_do_not_make_the_same_part(monkeypatch, caplog) -> None:
    Path("lm.toml").write_text(LANGUAGE_MODEL)
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/lm": "lm.toml"})
    Path("runs").mkdir()
    with FileLock("runs/lm.lock"):
        make_missing(reads(contextual=("runs/lm",)), max_minutes=0.001)
    assert "another process is making it" in caplog.text
    assert not Path("runs/lm.making").exists()


def test_a_part_that_cannot_be_made_is_warned_of_and_the_others_are_made(monkeypatch, caplog) -> None:
    Path("broken.py").write_text('import sys\nprint("much")\nsys.exit("pip install it first")\n')
    Path("whole.py").write_text('import pathlib\npathlib.Path("whole").write_text("done")\n')
    Path("vectors.toml").write_text('kind = "vectors"\ntext = ["nowhere"]\n')
    recipes = {"a": "broken.py", "b/vectors.vec": "vectors.toml", "whole": "whole.py", "c": "no-recipe.toml"}
    monkeypatch.setattr(prerequisites, "RECIPES", recipes)
    make_missing(reads(vectors="b/vectors.vec", contextual=("a", "c", "whole")))
    assert "a could not be made: pip install it first" in caplog.text
    assert "b/vectors.vec could not be made: text: expected a file, got no such file: nowhere" in caplog.text
    assert (
        "c could not be made: expected no-recipe.toml, got no such file; call this in the root" in caplog.text
    )
    assert not Path("b").exists()
    assert Path("whole").read_text() == "done"


def test_a_part_that_needs_a_gpu_is_not_made_and_its_recipe_is_named(monkeypatch, caplog) -> None:
    monkeypatch.setattr(prerequisites, "RECIPES", {})
    monkeypatch.setattr(prerequisites, "ON_GPU", {"runs/v/vectors.vec": "recipes/wide.toml"})
    make_missing(reads(vectors="runs/v/vectors.vec"))
    assert "runs/v/vectors.vec is not there; it is made by hand, on a GPU: recipes/wide.toml" in caplog.text
    caplog.clear()
    make_missing(reads(vectors="runs/v/vectors.vec"), train=False)
    Path("runs/v").mkdir(parents=True)
    Path("runs/v/vectors.vec").touch()
    make_missing(reads(vectors="runs/v/vectors.vec"))
    assert not caplog.text


def test_vectors_that_ship_are_unpacked_where_no_text_is_at_hand(monkeypatch, caplog) -> None:
    pytest.importorskip("gensim")
    text = 'kind = "vectors"\ntext = ["text"]\ndim = 4\nmin_count = 1\nepochs = 1\n'
    Path("vectors.toml").write_text(text)
    monkeypatch.setattr(prerequisites, "RECIPES", {"runs/v/vectors.vec": "vectors.toml"})
    wanted = reads(vectors="runs/v/vectors.vec")
    make_missing(wanted, train=False)
    assert not Path("runs/v").exists()
    make_missing(wanted)
    planned, trained = made_from("runs/v/vectors.vec"), Path("runs/v/vectors.vec").read_text()
    pack_vectors("runs/v", "models/v")
    shutil.rmtree("runs/v")
    Path("text").unlink()
    make_missing(wanted, train=False)
    assert "unpacking runs/v/vectors.vec from models/v" in caplog.text
    assert Path("runs/v/vectors.vec").read_text().split("\n", 1)[0] == trained.split("\n", 1)[0]
    assert made_from("runs/v/vectors.vec") == planned  # runs with them are kept as runs with those trained
    # Those of another recipe than is asked for are not taken.
    shutil.rmtree("runs/v")
    Path("vectors.toml").write_text(text.replace("dim = 4", "dim = 5"))
    make_missing(wanted)
    assert "runs/v/vectors.vec could not be made" in caplog.text
    Path("vectors.toml").write_text(text)
    Path("models/v/words.json").write_text("[]")
    make_missing(wanted)
    assert "expected a vector for each word, got others" in caplog.text
    assert not Path("runs/v/vectors.vec").exists()


def test_the_vectors_that_ship_are_those_of_the_recipe() -> None:
    recipe, shipped = ROOT / "recipes" / "vectors_zh.toml", ROOT / "models" / "vectors-zh" / "experiment.toml"
    assert read_experiment(recipe) == read_experiment(shipped)
