"""An aligner from the command line: trained from parallel text, then used where a translator may stand."""

from __future__ import annotations

import json

import pytest

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


def test_it_translates_too(canner, trained):
    answer = canner("translate", trained / "run", trained / "new.es", "-q")
    assert (answer.status, len(answer.out.splitlines())) == (0, 2)


def test_it_finds_entities_without_labels(canner, trained, bundles):
    answer = canner("tag", trained / "run", trained / "new.es", "--teacher", bundles / "plain", "-q")
    assert (answer.status, len(answer.out.splitlines())) == (0, 2)
    assert "--teacher" in canner("tag", trained / "run", trained / "new.es").complaint()


@pytest.fixture(scope="module")
def reading(bundles, trained):
    """A tagger that reads the English of `bundles`' translator twice: by its own attention and by the aligner's."""
    from canner.decoding.sentence_tagger import SentenceTagger
    from canner.decoding.tagger_bundle import load_tagger, make_model, save_tagger
    from canner.models.tagger import TaggerConfig
    from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

    views = tuple(
        ViewConfig(translator=str(path))
        for path in (bundles / "translator", trained / "run", trained / "run")
    )
    transfer = TransferConfig(teacher=str(bundles / "plain"), views=views)
    encoder = load_tagger(bundles / "plain").encoder
    config = TaggerConfig(word_dim=8, char_encoder="none", hidden_dim=4)
    width = TransferViews.load(transfer).aligned_dim
    model = make_model(config, encoder, features_dim=0, aligned_dim=width)
    folder = trained / "tagger"
    save_tagger(
        folder,
        SentenceTagger(model, encoder),
        {"transfer": transfer.relative_to(folder).model_dump(mode="json")},
    )
    return folder


def test_a_saved_tagger_takes_the_aligners_translator_along(reading, bundles, tmp_path):
    import canner as library

    tagger = library.Tagger.load(reading)
    tagger.save(tmp_path / "packed")
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "packed").rename(tmp_path / "elsewhere" / "moved")
    # a translator that two views and the aligner share is there once
    assert sorted(path.name for path in (moved / "translators").iterdir()) == ["run", "translator"]
    config = json.loads((moved / "translators" / "run" / "config.json").read_text())
    assert config["translator"] == "../translator"
    again = library.Tagger.load(moved)
    assert again.tag(SPANISH[0]).to_dict() == tagger.tag(SPANISH[0]).to_dict()
    assert str(bundles) not in (moved / "config.json").read_text()


def test_bundles_of_one_name_are_packed_beside_each_other(reading, bundles, trained, tmp_path):
    import shutil

    import canner as library
    from canner.data.bundle import read_bundle_config, save_json

    shutil.copytree(bundles / "translator", tmp_path / "other" / "translator")
    shutil.copytree(bundles / "translator", tmp_path / "more" / "translator")
    folder = tmp_path / "tagger"
    shutil.copytree(reading, folder)
    config = read_bundle_config(folder, "tagger")
    places = ["../other/translator", "../more/translator", "../other/translator"]
    for view, place in zip(config["transfer"]["views"], places, strict=True):
        view["translator"] = place
    config["transfer"]["teacher"] = str(bundles / "plain")
    save_json(folder / "config.json", config)
    library.Tagger.load(folder).save(tmp_path / "packed")
    found = [v["translator"] for v in read_bundle_config(tmp_path / "packed", "tagger")["transfer"]["views"]]
    assert found == ["translators/translator", "translators/translator-2", "translators/translator"]
    assert library.Tagger.load(tmp_path / "packed").tag(SPANISH[0])


def test_bundles_load_through_a_link(reading, trained, canner, tmp_path):
    for name, folder in (("tagger", reading), ("aligner", trained / "run")):
        (tmp_path / "deep" / "er").mkdir(parents=True, exist_ok=True)
        (tmp_path / "deep" / "er" / name).symlink_to(folder, target_is_directory=True)
    tagged = canner("tag", tmp_path / "deep" / "er" / "tagger", trained / "new.es", "-q")
    assert tagged.status == 0
    assert canner("tag", reading, trained / "new.es", "-q").out == tagged.out
    assert canner("translate", tmp_path / "deep" / "er" / "aligner", trained / "new.es", "-q").status == 0
