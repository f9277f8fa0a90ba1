"""Bundles that refer to others: saved with all of them, moved, reached through links."""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import canner
from canner.data.bundle import read_bundle_config, reference_to, referred_to, save_json
from canner.data.corpus import CorpusConfig
from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.experiment.inputs import missing_bundles
from canner.experiment.tagger import TaggerExperiment
from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig
from canner.models.tagger import TaggerConfig
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger, make_model, save_tagger
from canner.training.run_files import OF_TRAINING, STORES
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

TEXT = "Ana vive en Lima ."


def write_aligner(folder: Path, translator: Path) -> None:
    """An untrained one."""
    loaded = NeuralTranslator.load(translator)
    torch.manual_seed(3)
    head = AlignmentHead(AlignmentHeadConfig(dim=4), loaded.model.config)
    NeuralAligner(loaded, head).save(folder, translator)


@pytest.fixture
def place(bundles: Path, tmp_path: Path) -> Path:
    """`teacher`, `translator`, its `aligner`, and `tagger`, which reads the translator once and the aligner twice."""
    folder = tmp_path / "place"
    shutil.copytree(bundles / "translator", folder / "translator")
    shutil.copytree(bundles / "plain", folder / "teacher")
    write_aligner(folder / "aligner", folder / "translator")
    names = ("translator", "aligner", "aligner")
    views = tuple(ViewConfig(translator=str(folder / name)) for name in names)
    transfer = TransferConfig(teacher=str(folder / "teacher"), views=views)
    encoder = load_tagger(bundles / "plain").encoder
    torch.manual_seed(4)
    model = make_model(
        TaggerConfig(word_dim=8, char_encoder="none", hidden_dim=4),
        encoder,
        features_dim=0,
        aligned_dim=TransferViews.load(transfer).aligned_dim,
    )
    with torch.no_grad():
        model.output.weight.mul_(20)  # it finds something, and other things with other English
    extra = {
        "transfer": transfer.relative_to(folder / "tagger").model_dump(mode="json"),
        "scores": {"dev": 61.5},
    }
    save_tagger(folder / "tagger", SentenceTagger(model, encoder), extra)
    return folder


def references(folder: Path) -> list[str]:
    """What a tagger's bundle refers to."""
    return TransferConfig(**read_bundle_config(folder, "tagger")["transfer"]).bundles()


def refer(folder: Path, **changes: Any) -> None:
    """Changes what a tagger's bundle refers to: its `teacher`, the translators of its `views`."""
    config = read_bundle_config(folder, "tagger")
    for view, path in zip(config["transfer"]["views"], changes.pop("views", ()), strict=False):
        view["translator"] = path
    config["transfer"].update(changes)
    save_json(folder / "config.json", config)


def found(folder: Path) -> dict[str, Any]:
    return canner.Tagger.load(folder).tag(TEXT).to_dict()


# -- packing


def test_a_saved_tagger_takes_the_translators_of_its_aligners_along(place: Path, tmp_path: Path) -> None:
    before = found(place / "tagger")
    assert before["entities"]
    canner.Tagger.load(place / "tagger").save(tmp_path / "packed")
    shutil.rmtree(place)
    (tmp_path / "packed").rename(tmp_path / "moved")
    moved = tmp_path / "moved"
    assert references(moved) == ["teacher", "translators/translator", *["translators/aligner"] * 2]
    # the translator that a view and the aligner share is there once
    assert sorted(os.listdir(moved / "translators")) == ["aligner", "translator"]
    assert found(moved) == before
    assert canner.Tagger.load(moved).info["scores"] == {"dev": 61.5}


def test_the_command_packs_what_can_be_moved(canner: Any, place: Path, tmp_path: Path) -> None:
    before, packed = found(place / "tagger"), tmp_path / "packed"
    for name in ("training.json", "fit.json", "environment.json"):
        save_json(place / "translator" / name, {})
    assert canner("pack", place / "tagger", "-o", packed).status == 0
    shutil.rmtree(place)
    moved = packed.rename(tmp_path / "moved")
    assert found(moved) == before
    views = tuple(ViewConfig(translator=str(path)) for path in (moved / "translators").iterdir())
    reader = TaggerExperiment(
        data=CorpusConfig(train=("a",)), transfer=TransferConfig(teacher=str(moved / "teacher"), views=views)
    )
    assert missing_bundles(reader) == []  # nothing looks unfinished
    assert "new or empty folder" in canner("pack", tmp_path / "moved", "-o", tmp_path).complaint()


def test_threads_may_share_a_tagger(place: Path) -> None:
    tagger = canner.Tagger.load(place / "tagger")
    texts = [f"{TEXT} {word} {TEXT}" for word in ("Ana", "Lima", "vive", "hoy")] * 4
    alone = [tagger.tag_texts([text])[0].to_dict() for text in texts]
    assert len({str(result) for result in alone}) == 4
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda text: tagger.tag_texts([text])[0].to_dict(), texts)) == alone


def test_what_only_training_needs_is_left_behind(place: Path, tmp_path: Path) -> None:
    for name in set(OF_TRAINING) - {STORES}:
        (place / "translator" / name).write_bytes(b"")
    (place / "translator" / STORES).mkdir()
    canner.Tagger.load(place / "tagger").save(tmp_path / "packed")
    copied = os.listdir(tmp_path / "packed" / "translators" / "translator")
    assert "config.json" in copied
    assert not set(OF_TRAINING) & set(copied)


def test_bundles_of_one_name_are_packed_beside_each_other(place: Path, bundles: Path, tmp_path: Path) -> None:
    for number, extra in enumerate((0, 1, 2)):
        copy = place / f"o{number}" / "translator"
        shutil.copytree(bundles / "translator", copy)
        config = json.loads((copy / "config.json").read_text())
        config["options"]["max_length_extra"] += extra  # translators that differ
        save_json(copy / "config.json", config)
    refer(place / "tagger", views=[f"../o{number}/translator" for number in range(3)])
    before = found(place / "tagger")
    canner.Tagger.load(place / "tagger").save(tmp_path / "packed")
    names = ["translators/translator", "translators/translator-2", "translators/translator-3"]
    assert references(tmp_path / "packed")[1:] == names
    after = found(tmp_path / "packed")
    assert after["entities"] == before["entities"]
    for number, name in enumerate(names):
        config = json.loads((tmp_path / "packed" / name / "config.json").read_text())
        assert config == json.loads((place / f"o{number}" / "translator" / "config.json").read_text())


def test_two_links_to_one_bundle_are_one_copy(place: Path, tmp_path: Path) -> None:
    (place / "other").symlink_to(place / "translator", target_is_directory=True)
    refer(place / "tagger", views=["../translator", "../other"])
    canner.Tagger.load(place / "tagger").save(tmp_path / "packed")
    assert sorted(os.listdir(tmp_path / "packed" / "translators")) == ["aligner", "translator"]


def test_a_bundle_that_is_called_by_dots_has_its_name(place: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (place / "tagger").rename(place / "translator" / "tagger")
    refer(place / "translator" / "tagger", teacher="../../teacher", views=["..", "../../aligner", ".."])
    monkeypatch.chdir(place / "translator" / "tagger")
    tagger = canner.Tagger.load(".")
    monkeypatch.chdir(tmp_path)
    tagger.save("packed")
    assert references(tmp_path / "packed")[1:] == [
        f"translators/{name}" for name in ("translator", "aligner", "translator")
    ]
    (sentence,) = tagger.tag(TEXT).sentences
    assert [english.translator for english in sentence.views] == ["translator", "aligner", "translator"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_bundles_that_nobody_may_write_to_are_packed(place: Path, tmp_path: Path) -> None:
    tagger = canner.Tagger.load(place / "tagger")
    (place / "aligner").chmod(0o555)
    try:
        tagger.save(tmp_path / "packed")
    finally:
        (place / "aligner").chmod(0o755)
    assert found(tmp_path / "packed") == found(place / "tagger")


@pytest.mark.parametrize("missing", ["teacher", "translator", "aligner"])
def test_a_tagger_whose_parts_are_gone_is_not_saved(missing: str, place: Path, tmp_path: Path) -> None:
    refer(place / "tagger", views=["../aligner"] * 3)
    tagger = canner.Tagger.load(place / "tagger")
    shutil.rmtree(place / missing)
    with pytest.raises(ValueError, match=rf"{missing}: expected a bundle, found no config\.json"):
        tagger.save(tmp_path / "packed")
    assert sorted(os.listdir(tmp_path)) == ["place"]


@pytest.mark.parametrize("target", ["packed", "new/and/deep"])
def test_a_copy_that_fails_leaves_nothing(target: str, place: Path, tmp_path: Path, monkeypatch: Any) -> None:
    tagger = canner.Tagger.load(place / "tagger")
    (tmp_path / "packed").mkdir()
    copy = shutil.copytree

    def full(origin: Any, *others: Any, **named: Any) -> None:
        copy(origin, *others, **named)
        raise OSError("no space left")

    monkeypatch.setattr(shutil, "copytree", full)
    with pytest.raises(OSError, match="no space left"):
        tagger.save(tmp_path / target)
    assert sorted(os.listdir(tmp_path)) == ["packed", "place"]
    assert os.listdir(tmp_path / "packed") == []


def test_a_folder_that_is_there_is_filled_and_stays_what_it_was(
    place: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    tagger = canner.Tagger.load(place / "tagger")
    (tmp_path / "mine").mkdir(mode=0o700)
    before = (tmp_path / "mine").stat()
    monkeypatch.chdir(tmp_path / "mine")
    tagger.save(".")
    after = (tmp_path / "mine").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert canner.Tagger.load(".").tag(TEXT).to_dict()["entities"] == found(place / "tagger")["entities"]
    assert not any(name.endswith(".tmp") for name in os.listdir("."))


@pytest.mark.parametrize("inside", ["teacher", "translator", "aligner"])
def test_nothing_is_saved_into_what_is_copied(inside: str, place: Path) -> None:
    refer(place / "tagger", views=["../aligner"] * 3)
    before = sorted(place.rglob("*"))
    with pytest.raises(ValueError, match="outside of the bundles to be copied"):
        canner.Tagger.load(place / "tagger").save(place / inside / "new" / "packed")
    assert sorted(place.rglob("*")) == before


def test_a_file_is_no_folder_to_save_into(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="expected a new or empty folder"):
        canner.Tagger.load(place / "tagger").save(tmp_path / "file")


def test_files_of_translations_are_not_packed(place: Path, tmp_path: Path) -> None:
    tagger = canner.Tagger.load(place / "tagger")
    files = {"source": ["s"], "english": ["e"], "alignments": ["a"]}
    refer(place / "tagger", views=[{"files": files, "translator": None}])
    config = read_bundle_config(place / "tagger", "tagger")
    config["transfer"]["views"] = [{"files": files}]
    save_json(place / "tagger" / "config.json", config)
    with pytest.raises(ValueError, match="which cannot be packed"):
        tagger.save(tmp_path / "packed")
    assert sorted(os.listdir(tmp_path)) == ["place"]


# -- links


@pytest.mark.parametrize("name", ["tagger", "aligner"])
def test_a_bundle_is_reached_through_a_link_from_anywhere(name: str, place: Path, tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    link = tmp_path / "deep" / "er" / "link"
    link.symlink_to(place / name, target_is_directory=True)
    if name == "tagger":
        assert found(link) == found(place / name)
        canner.Tagger.load(link).save(tmp_path / "packed")
        assert found(tmp_path / "packed")["entities"] == found(place / name)["entities"]
    else:
        one, other = (canner.Translator.load(path).translate([TEXT])[0] for path in (link, place / name))
        assert one.text == other.text


def test_links_beside_each_other_count_before_what_lies_beside_the_bundles(
    place: Path, tmp_path: Path
) -> None:
    farm = tmp_path / "farm"
    farm.mkdir()
    for name in ("tagger", "teacher", "aligner"):
        (farm / name).symlink_to(place / name, target_is_directory=True)
    assert referred_to("../translator", farm / "tagger") == place.resolve() / "translator"
    (farm / "translator").mkdir()  # an empty folder is no bundle
    assert referred_to("../translator", farm / "tagger") == place.resolve() / "translator"
    (farm / "translator" / "config.json").write_text("{}")
    assert referred_to("../translator", farm / "tagger") == farm / "translator"
    assert referred_to("../nothing", farm / "tagger") == farm / "nothing"


def test_references_keep_the_links_of_a_project(tmp_path: Path) -> None:
    for name in ("disk/models/x", "project/runs/a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project" / "models").symlink_to(tmp_path / "disk" / "models", target_is_directory=True)
    models, run = tmp_path / "project" / "models" / "x", tmp_path / "project" / "runs" / "a"
    assert reference_to(models, run) == "../../models/x"


def test_references_from_a_linked_folder_lead_there_without_the_link(tmp_path: Path) -> None:
    for name in ("disk/runs/a", "project/models/x"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project" / "models" / "x" / "config.json").write_text("{}")
    (tmp_path / "project" / "runs").symlink_to(tmp_path / "disk" / "runs", target_is_directory=True)
    models, run = tmp_path / "project" / "models" / "x", tmp_path / "project" / "runs" / "a"
    written = reference_to(models, run)
    assert written == "../../../project/models/x"
    assert reference_to(run / ".." / ".." / "models" / "x", run) == written
    for seen in (run, run.resolve()):
        assert referred_to(written, seen).resolve() == models
