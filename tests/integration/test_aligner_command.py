"""An aligner from the command line: trained from parallel text, then used where a translator may stand."""

from __future__ import annotations

import json

import pytest

from canner.text.labelled import ReadingWarning

SPANISH = ("Ana vive en Lima .", "La OTAN se reúne hoy .", "El Real Madrid ganó en Sevilla .")
ENGLISH = ("Ana lives in Lima .", "NATO meets today .", "Real Madrid won in Seville .")


@pytest.fixture(scope="module")
def trained(bundles, tmp_path_factory):
    """A folder with parallel text and an aligner of the translator of `bundles`."""
    from canner.cli import run

    folder = tmp_path_factory.mktemp("aligner")
    for name, lines in (("train.es", SPANISH), ("train.en", ENGLISH)):
        (folder / name).write_text("".join(line + "\n" for line in lines * 5), encoding="utf-8")
    for name, lines in (("new.es", SPANISH[:2]), ("new.en", ENGLISH[:2])):
        (folder / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    assert run(["recipe", "aligner", "-o", str(folder / "aligner.toml")]) == 0
    settings = {
        "translator": bundles / "translator",
        "data.train_source": folder / "train.es",
        "data.train_target": folder / "train.en",
        "data.max_pieces": 31,
        "num_held_out": 3,
        "training.max_epochs": 2,
    }
    changes = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    command = ["train", str(folder / "aligner.toml"), *changes, "-o", str(folder / "run"), "-q"]
    assert run(command) == 0
    return folder


def test_a_run_is_a_bundle_and_keeps_its_configuration(trained):
    config = json.loads((trained / "run" / "config.json").read_text())
    assert config["kind"] == "aligner"
    assert json.loads((trained / "run" / "fit.json").read_text())["best_metric"] >= 0


def test_it_links_given_translations(canner, trained):
    answer = canner("align", trained / "new.es", trained / "new.en", "--translator", trained / "run", "-q")
    assert answer.status == 0
    lines = answer.out.splitlines()
    assert len(lines) == 2
    for line, source, target in zip(lines, SPANISH, ENGLISH, strict=False):
        links = [tuple(map(int, link.split("-"))) for link in line.split()]
        assert all(i < len(source.split()) and j < len(target.split()) for i, j in links)
    options = ["--translator", trained / "run", "--layer", "2"]
    assert (
        "a layer from 1 to 1" in canner("align", trained / "new.es", trained / "new.en", *options).complaint()
    )


def test_pairs_that_are_too_long_are_left_without_links_and_named(canner, trained, tmp_path):
    long = " ".join(["Ana"] * 700)
    sides = (SPANISH[0], "", long, SPANISH[1], long), (ENGLISH[0], "", "Ana", ENGLISH[1], "Ana")
    for name, lines in zip(("es", "en"), sides, strict=True):
        (tmp_path / name).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    what = (
        r"es, line 3: expected 1 to 31 pieces on the source side, got 700; left without links; so is line 5$"
    )
    with pytest.warns(ReadingWarning, match=what):
        answer = canner("align", tmp_path / "es", tmp_path / "en", "--translator", trained / "run")
    alone = canner("align", trained / "new.es", trained / "new.en", "--translator", trained / "run")
    first, second = alone.out.splitlines()
    assert (answer.status, answer.out.splitlines()) == (0, [first, "", "", second, ""])


def test_it_translates_too(canner, trained):
    answer = canner("translate", trained / "run", trained / "new.es", "-q")
    assert (answer.status, len(answer.out.splitlines())) == (0, 2)


def test_it_finds_entities_without_labels(canner, trained, bundles):
    answer = canner("tag", trained / "run", trained / "new.es", "--teacher", bundles / "plain", "-q")
    assert (answer.status, len(answer.out.splitlines())) == (0, 2)
    assert "--teacher" in canner("tag", trained / "run", trained / "new.es").complaint()
