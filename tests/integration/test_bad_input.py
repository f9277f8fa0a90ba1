"""Bad input through the command line: one line that says what is wrong, exit 2, and nothing half-written."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from canner.data import bundle as bundle_module
from canner.data.bundle import FORMAT
from canner.models.char_lm import BidirectionalCharLM, CharLMConfig
from canner.tagging.char_features import CharLMFeatures
from canner.text.vocabulary import Vocabulary

GOOD = "Ana B-PER\nvive O\nen O\nLima B-LOC\n\nLa O\nOTAN B-ORG\nhabla O\n\n"
SURROGATE = b"vive O\nLima\xed\xa0\x80 B-LOC\n"


@pytest.fixture
def good(tmp_path) -> Path:
    path = tmp_path / "good.conll"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "bad.conll"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


BROKEN = {
    "empty file": ("", r"bad\.conll: expected sentences, got none"),
    "nothing but separators": ("\n\n \n", r"bad\.conll: expected sentences, got none"),
    "token without a tag": (GOOD + "Luis\n\n", r"bad\.conll, line 10: .*the token has no tag"),
    "tag of no scheme": (GOOD + "Luis Q-PER\n\n", r"bad\.conll, line 10: expected .*Q-PER"),
    "mixed schemes": (GOOD + "el M-PER\nsol U-LOC\n\n", r"bad\.conll, line 1[01]: expected .*scheme"),
    "broken UTF-8": (
        GOOD.encode() + b"M\xe1laga B-LOC\n",
        r"bad\.conll, line 10: expected UTF-8, got byte 0xe1",
    ),
    "an empty token": (GOOD + "\tO\n\n", r"bad\.conll, line 10: expected"),
}


@pytest.mark.parametrize("part", ["train", "dev"])
@pytest.mark.parametrize("name", BROKEN)
def test_training_refuses_a_broken_corpus(canner, write_config, good, bad, tmp_path, name, part):
    content, message = BROKEN[name]
    config = write_config(**{"train": good, "dev": good, part: bad(content)})
    complaint = canner("train", config, "-o", tmp_path / "run").complaint()
    assert re.search(message, complaint), complaint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", BROKEN)
def test_other_commands_refuse_it_alike(canner, good, bad, tmp_path, name):
    content, _ = BROKEN[name]
    path = bad(content)
    canner("evaluate", path, path).complaint()
    canner("convert", path, "-o", tmp_path / "out.conll", "-q").complaint()
    assert not (tmp_path / "out.conll").exists()


def test_empty_sentences_are_left_out(canner, bad, good, tmp_path):
    padded = bad("\n\n" + GOOD.replace("\n\n", "\n\n\n \n\n"))
    assert canner("convert", padded, "-o", tmp_path / "out.conll", "-q").status == 0
    assert (tmp_path / "out.conll").read_text() == GOOD


def test_tagging_an_empty_file_and_empty_lines(canner, bundles, bad):
    for how in ("text", "tokens", "conll"):
        assert canner("tag", bundles / "plain", bad(""), "-i", how, "-q").out == ""
    answer = canner("tag", bundles / "can", bad("\nAna\n\n"), "-f", "jsonl", "-q")
    assert [json.loads(line)["text"] for line in answer.out.splitlines()] == ["", "Ana", ""]
    assert canner("translate", bundles / "translator", bad("\nAna\n"), "-q").out.count("\n") == 2


def test_types_that_training_never_saw_are_told_and_count_as_missed(
    canner, write_config, good, bad, tmp_path
):
    config = write_config(good, bad("El O\nMundial B-EVENT\n\n"), training="max_epochs = 1")
    answer = canner("train", config, "-o", tmp_path / "run")
    assert answer.status == 0
    [line] = [line for line in answer.err.splitlines() if "EVENT" in line]
    assert "development sentences" in line
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["dev"]["recall"] == 0


def test_lone_surrogates_are_replaced(canner, bundles, write_config, good, bad, tmp_path):
    path = bad(SURROGATE)
    for name in ("plain", "can"):
        for how in ("text", "tokens", "conll"):
            answer = canner("tag", bundles / name, path, "-i", how, "-f", "jsonl", "-q")
            assert answer.status == 0, answer.err
            assert "\ufffd" in "".join(json.loads(line)["text"] for line in answer.out.splitlines())
    answer = canner("convert", path, "-o", tmp_path / "out.conll")
    assert "1 lines with lone surrogates" in answer.err
    assert "Lima\ufffd" in (tmp_path / "out.conll").read_text(encoding="utf-8").replace(
        "\ufffd\ufffd\ufffd", "\ufffd"
    )
    assert (
        canner("train", write_config(path, good, training="max_epochs = 1"), "-o", tmp_path / "run").status
        == 0
    )


def test_broken_utf8_names_its_line(canner, bundles, bad):
    path = bad(b"Ana vive\nM\xe1laga\n")
    for command in (["tag", bundles / "can", path], ["translate", bundles / "translator", path]):
        assert "line 2: expected UTF-8, got byte 0xe1" in canner(*command, "-q").complaint()


def test_a_sentence_of_2000_tokens_is_tagged_whole(canner, bundles, bad):
    words = [f"palabra{k % 7}" for k in range(2000)]
    path = bad(" ".join(words) + "\n")
    for name in ("plain", "can"):
        answer = canner("tag", bundles / name, path, "-i", "tokens", "-f", "conll")
        rows = answer.out.split("\n\n")[0].splitlines()
        assert [row.split()[0] for row in rows] == words
        told = "1: a sentence of 2000 tokens was translated in" in answer.err
        assert told == (name == "can"), answer.err
    answer = canner("translate", bundles / "translator", path, "--json")
    record = json.loads(answer.out)
    assert record["source"] == words
    assert record["parts"] > 100
    assert f"translated in {record['parts']} parts" in answer.err


def test_parallel_files_of_unequal_length(canner, tmp_path):
    (tmp_path / "a.es").write_text("uno\ndos\ntres\n")
    (tmp_path / "a.en").write_text("one\ntwo\n")
    sides = [tmp_path / "a.es", tmp_path / "a.en"]
    message = "expected parallel files of equal length, got 3 lines in"
    assert message in canner("align", *sides, "-q").complaint()
    for kind, extra in (("gloss", ""), ("translator", 'source_language = "es"')):
        path = tmp_path / f"{kind}.toml"
        data = f'train_source = "{sides[0]}"\ntrain_target = "{sides[1]}"\n'
        if kind == "translator":
            data = "[data]\n" + data + data.replace("train_", "dev_") + extra
        path.write_text(f'kind = "{kind}"\n{data}\n')
        assert message in canner("train", path, "-o", tmp_path / kind, "-q").complaint()
        assert not (tmp_path / kind).exists()


def test_translation_files_that_lack_a_sentence(canner, write_config, bundles, good, tmp_path):
    texts = {"source": "Ana vive en Lima\n", "english": "Ana lives in Lima\n", "alignments": "0-0 3-3\n"}
    lines = ["[transfer]", f'teacher = "{bundles / "plain"}"', "[[transfer.views]]", "[transfer.views.files]"]
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        lines.append(f'{name} = ["{tmp_path / name}"]')
    config = write_config(good, good)
    with open(config, "a") as file:
        file.write("\n".join(lines) + "\n")
    complaint = canner("train", config, "-o", tmp_path / "run", "-q").complaint()
    assert "got one without translation: 'La OTAN habla'" in complaint
    assert not (tmp_path / "run" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ana 1 2 3\nlima 4 5 6\n", "got (9, 3); set word_dim to the width of the vectors"),
        ("ana 1 2 3\nlima 4 5\nen 1 2 3\n", "expected"),
        ("", "got an empty file"),
    ],
)
def test_vectors_of_wrong_width(canner, write_config, good, tmp_path, content, message):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text(content)
    config = write_config(good, good, model="word_dim = 8")
    with open(config, "a") as file:
        file.write(f'[embeddings]\nvectors = "{vectors}"\n')
    assert message in canner("train", config, "-o", tmp_path / "run", "-q").complaint()
    assert not (tmp_path / "run").exists()


@pytest.fixture
def copied(bundles, tmp_path) -> Path:
    return Path(shutil.copytree(bundles, tmp_path / "bundles"))


def commands(folder: Path, name: str) -> list[object]:
    verb = "translate" if name == "translator" else "tag"
    return [verb, folder / name, folder / name / "config.json", "-q"]


@pytest.mark.parametrize("name", ["plain", "translator"])
@pytest.mark.parametrize("file", ["model.safetensors", "config.json", "vocabulary"])
def test_truncated_bundles(canner, copied, name, file):
    if file == "vocabulary":
        file = "source.subwords.json" if name == "translator" else "words.json"
    path = copied / name / file
    whole = path.read_bytes()
    for size in (len(whole) // 2, 4, 0):
        path.write_bytes(whole[:size])
        assert file in canner(*commands(copied, name)).complaint()
    path.unlink()
    canner(*commands(copied, name)).complaint()


@pytest.mark.parametrize("name", ["plain", "translator"])
def test_bundles_of_a_newer_format_or_another_kind(canner, copied, name):
    path = copied / name / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "format": FORMAT + 1}))
    assert "made by a newer canner" in canner(*commands(copied, name)).complaint()
    path.write_text(json.dumps({**config, "kind": "charlm"}))
    assert "'charlm'" in canner(*commands(copied, name)).complaint()
    path.write_text(json.dumps({key: config[key] for key in ("format", "kind")}))
    canner(*commands(copied, name)).complaint()


@pytest.mark.parametrize(
    ("name", "part"),
    [("plain", "model"), ("plain", "encoding"), ("translator", "model"), ("translator", "options")],
)
def test_a_key_that_is_not_known_names_the_file(canner, copied, name, part):
    path = copied / name / "config.json"
    config = json.loads(path.read_text())
    for broken in ({**config[part], "colour": 3}, 3):
        path.write_text(json.dumps({**config, part: broken}))
        complaint = canner(*commands(copied, name)).complaint()
        assert complaint.startswith(f"canner: {path}: expected")
        assert "pydantic" not in complaint
        assert "copy the bundle again" in complaint
        assert ("unknown key 'colour'" in complaint) == (broken != 3)
    path.write_text(json.dumps({**config, part: {**config[part], "dropout": "much"}}))
    assert "pydantic" not in canner(*commands(copied, name)).complaint()


def test_missing_and_wrong_parts_of_a_bundle_are_named(canner, copied):
    (copied / "plain" / "words.json").unlink()
    complaint = canner(*commands(copied, "plain")).complaint()
    assert f"{copied / 'plain' / 'words.json'}: expected this file in the bundle, found none" in complaint
    for wrong in ("{}", "[3]", '"ab"'):
        (copied / "translator" / "copier.json").write_text(wrong)
        complaint = canner(*commands(copied, "translator")).complaint()
        assert "copier.json: expected a list of words, got" in complaint
    (copied / "translator" / "copier.json").write_text("[]")
    config = json.loads((copied / "can" / "config.json").read_text())
    config["transfer"]["colour"] = 3
    (copied / "can" / "config.json").write_text(json.dumps(config))
    assert "unknown key 'colour'" in canner(*commands(copied, "can")).complaint()


def test_a_reader_that_leaves_is_no_error(bundles, tmp_path):
    text = tmp_path / "long.txt"
    text.write_text("Ana vive en Lima .\n" * 3000)
    command = [sys.executable, "-m", "canner", "tag", str(bundles / "plain"), str(text), "-q"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 141)


def test_a_damaged_checkpoint_is_refused_and_kept(canner, write_config, good, tmp_path):
    config = write_config(good, good, training="max_epochs = 3000")
    stopped = ["train", config, "-o", tmp_path / "run", "--max-minutes", "0.0001", "-q"]
    assert canner(*stopped).status == 0
    path = tmp_path / "run" / "resume.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "resume.safetensors: expected whole safetensors" in canner(*stopped).complaint()
    path.write_bytes(whole)
    assert canner(*stopped).status == 0


def full_disk(monkeypatch, allowed: int) -> None:
    """After so many files of weights the disk is full, in the middle of one."""
    left, save = iter(range(allowed)), bundle_module.save_file

    def fill(tensors, path, metadata=None):
        if next(left, None) is None:
            Path(path).write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(tensors, path, metadata)

    monkeypatch.setattr(bundle_module, "save_file", fill)


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_a_disk_that_fills_up_in_training(canner, write_config, good, tmp_path, monkeypatch, allowed):
    config = write_config(good, good, training="max_epochs = 3")
    with monkeypatch.context() as patch:
        full_disk(patch, allowed)
        assert "No space left" in canner("train", config, "-o", tmp_path / "run", "-q").complaint()
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in left if path.suffix in (".tmp", ".part") or path.read_bytes() == b"half"]
    assert canner("train", config, "-o", tmp_path / "run", "-q").status == 0


def test_a_small_disk_that_is_really_full(canner, write_config, bundles, good, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        config = write_config(good, good, model="word_dim = 400", training="max_epochs = 2")
        message = canner("train", config, "-o", disk / "run", "-q").complaint()
        assert "space" in message or "full" in message
        assert not [path for path in disk.rglob("*") if path.suffix == ".tmp" or path.name.startswith(".")]
        text = tmp_path / "long.txt"
        text.write_text("Ana vive en Lima .\n" * 6000)
        assert "space" in canner("tag", bundles / "plain", text, "-o", disk / "out", "-q").complaint()
        assert not (disk / "out").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_devices_are_written_to_and_not_replaced(canner, bundles, good):
    assert canner("tag", bundles / "plain", good, "-o", "/dev/null", "-q").status == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert (
        "No space left on device"
        in canner("tag", bundles / "plain", good, "-o", "/dev/full", "-q").complaint()
    )
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_standard_output_that_is_full(bundles, good):
    command = [sys.executable, "-m", "canner", "tag", str(bundles / "plain"), str(good), "-q"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "canner: No space left on device\n")


def test_missing_files_and_wrong_arguments(canner, bundles, tmp_path, good):
    missing = tmp_path / "none"
    canner("tag", missing, good, "-q").complaint()
    canner("tag", bundles / "plain", missing, "-q").complaint()
    canner("tag", bundles / "plain", good, "-o", missing / "out", "-q").complaint()
    canner("tag", bundles / "plain", good, "-f", "xml", "-q").complaint()
    for output in (missing / "out.conll", missing / "out.jsonl"):
        complaint = canner("convert", good, "-o", output, "-q").complaint()
        assert complaint == f"canner: expected a folder to write to, got none: {missing}\n"
    page = canner("explain", bundles / "plain", "Ana", "-o", missing / "page.html", "-q").complaint()
    assert f"expected a folder to write to, got none: {missing}" in page
    canner("train", missing, "-q").complaint()
    canner("evaluate", good, missing).complaint()
    canner("nonsense").complaint()
    config = tmp_path / "wrong.toml"
    for text in (
        "kind = 3",
        "kind = ",
        'kind = "tagger"\n[data]\ntrian = ["x"]',
        'kind = "tagger"\ndata = 3',
    ):
        config.write_text(text)
        canner("train", config, "-o", tmp_path / "run", "-q").complaint()
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_before_its_first_state_leaves_its_folder_free(
    canner, demo_corpus, write_config, tmp_path
):
    config = write_config(demo_corpus / "train.conll", demo_corpus / "test.conll", training="max_epochs = 1")
    run = tmp_path / "run"
    refused = canner("train", config, "-o", run, "--set", "training.metric=foo")
    assert "expected metric among" in refused.complaint()
    assert not run.exists()
    assert canner("train", config, "-o", run, "-q").status == 0
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    canner("train", config, "-o", tmp_path / "mine", "--set", "training.metric=foo")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
    vocabulary, shape = Vocabulary(sorted(set("Ana vive.\n"))), CharLMConfig(embedding_dim=4, hidden_dim=4)
    model = CharLMFeatures(shape, BidirectionalCharLM(shape, len(vocabulary)), vocabulary)
    model.save(tmp_path / "charlm")
    reads = ["--set", f'embeddings.contextual=["{tmp_path / "charlm"}"]']
    run = tmp_path / "other-run"
    canner("train", config, "-o", run, *reads, "--set", "training.metric=foo").complaint()
    assert [path.name for path in run.iterdir()] == ["stores"]
    assert canner("train", config, "-o", run, *reads, "-q").status == 0
