"""Labelled files through the command line: formats by ending, what was repaired is told, inputs stay."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from canner.text.conll import read_conll
from canner.text.labelled import read_labelled
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

GOOD = "Ana B-PER\nvive O\nen O\nLima B-LOC\n\nLa O\nOTAN B-ORG\nhabla O\n\n"
MIXED = GOOD.replace("OTAN B-ORG", "OTAN I-ORG")
TEXT = "Ana vive en Lima\nLa OTAN habla\n"
BRAT = "T1\tPER 0 3\tAna\nT2\tLOC 12 16\tLima\nT3\tORG 20 24\tOTAN\n"
IN_PIECES = BRAT + "T4\tPER 0 3;9 11\tAna en\n"


@pytest.fixture
def write(tmp_path):
    def write(name: str, content: str) -> Path:
        (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path / name

    return write


@pytest.fixture
def article(write):
    """brat annotations with their text beside them."""

    def article(annotations: str) -> Path:
        write("article.txt", TEXT)
        return write("article.ann", annotations)

    return article


def test_evaluation_tells_what_it_repaired_in_both_files(canner, write):
    good, mixed = write("good.conll", GOOD), write("mixed.conll", MIXED)
    told = "mixed.conll: 2 sentences, 7 tokens, IOB2, 1 tags repaired (first: line 7, I-ORG starts an entity)"
    assert canner("evaluate", good, good).err == ""
    for files in ((good, mixed), (mixed, good)):
        answer = canner("evaluate", *files)
        assert answer.status == 0
        assert answer.err.endswith(told + "\n")
        assert answer.err.count("\n") == 1
        assert "100.00" in answer.out
        assert canner("evaluate", *files, "-q").err == ""


def test_only_the_types_that_are_asked_for_are_counted(canner, write):
    gold = write("gold.conll", "Ana B-PER\nLima B-LOC\n2001 B-DATE\n")
    found = write("found.conll", "Ana B-PER\nLima B-PER\n2001 O\n")

    def counts(*types):
        options = [option for name in types for option in ("--type", name)]
        answer = json.loads(canner("evaluate", gold, found, *options, "--json").out)
        return answer["all"]["num_gold"], answer["all"]["num_predicted"], sorted(answer["by_type"])

    assert counts() == (3, 2, ["DATE", "LOC", "PER"])
    assert counts("PER") == (1, 2, ["PER"])
    assert counts("PER", "LOC") == (2, 2, ["LOC", "PER"])
    assert counts("PER", "GPE") == (1, 2, ["PER"])
    assert counts("GPE") == (0, 0, [])
    assert (
        f"--type GPE: no entities in {gold} and {found}"
        in canner("evaluate", gold, found, "--type", "GPE").err
    )


def test_brat_is_converted_and_evaluated(canner, write, article, tmp_path):
    path, out = article(IN_PIECES), tmp_path / "out.conll"
    answer = canner("convert", path, "-o", out)
    assert (
        answer.err == f"{path}: 2 sentences, 3 entities; 1 discontinuous entities skipped (first: line 4)\n"
    )
    assert out.read_text() == GOOD
    answer = canner("evaluate", path, write("good.conll", GOOD), "--json")
    assert json.loads(answer.out)["all"]["f1"] == 100
    assert "1 discontinuous entities skipped" in answer.err
    complaint = canner("convert", article(BRAT.replace("12 16", "11 15")), "-o", out).complaint()
    assert "article.ann, line 2: expected T2 to be 'Lima', got ' Lim' at its offsets 11 15" in complaint
    assert "brat is only read" in canner("convert", out, "-o", tmp_path / "new.ann").complaint()
    assert not (tmp_path / "new.ann").exists()


def test_training_reads_every_format_and_tells_what_it_left_out(
    canner, write_config, write, article, tmp_path
):
    lines = [{"tokens": ["Ana", "vive"], "tags": ["S-PER", "O"]}]
    dev = write("dev.jsonl", "\n".join(map(json.dumps, lines)))
    config = write_config(article(IN_PIECES), dev, training="max_epochs = 1")
    command = [sys.executable, "-m", "canner", "train", str(config), "-o", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if "article.ann" in line]
    assert told == [
        f"{tmp_path / 'article.ann'}: 2 sentences, 3 entities; 1 discontinuous entities skipped (first: line 4)"
    ]
    dev.write_text('{"tokens": ["Ana"]}\n')
    complaint = canner("train", config, "-o", tmp_path / "other", "-q").complaint()
    assert "dev.jsonl: expected labelled sentences, got none for sentence 1" in complaint


def test_a_store_of_transfer_reads_brat_and_is_where_training_looks_for_it(
    canner, article, bundles, tmp_path
):
    names = {"translator": bundles / "translator", "teacher": bundles / "plain"}
    options = [part for name, path in names.items() for part in (f"--{name}", path)]
    answer = canner("transfer", article(BRAT), *options, "-o", tmp_path / "stores")
    assert "2 sentences built" in answer.err
    view = ViewConfig(translator=str(names["translator"]))
    views = TransferViews.load(TransferConfig(teacher=str(names["teacher"]), views=(view,)))
    sentences = [sentence.tokens for sentence in read_labelled(tmp_path / "article.ann")[0]]
    ((store, _),) = views.stores(tmp_path / "stores", sentences)
    assert store.report is not None
    assert (store.report.num_built, store.report.num_reused) == (0, 2)


UNIVERSAL_NER = "# sent_id = 1\n1\tAna\tB-PER\t-\t-\n2\tvive\tO\t-\t-\n\n"
WEIBO = "科0\tB-PER.NAM\n技1\tI-PER.NAM\n\n"
SPACED = "New York\tB-LOC\nvive\tO\n\n"


@pytest.mark.parametrize("text", [GOOD, UNIVERSAL_NER, WEIBO, SPACED, "# O\nAna O\n\n", "  Ana   O\n"])
def test_tagging_reads_the_tokens_that_conversion_reads_and_writes_what_can_be_read(
    canner, write, bundles, tmp_path, text
):
    path, tagged, converted = write("in.conll", text), tmp_path / "tagged.conll", tmp_path / "converted.conll"
    assert canner("tag", bundles / "plain", path, "-i", "conll", "-f", "conll", "-o", tagged).status == 0
    assert canner("convert", path, "-o", converted).status == 0
    tokens = [[s.tokens for s in read_conll(written)] for written in (path, tagged, converted)]
    assert tokens[0] == tokens[1] == tokens[2]


def test_types_with_white_space_are_written_as_json_only(canner, write, bundles, tmp_path):
    line = {"tokens": ["Ana", "vive"], "tags": ["S-big city", "O"]}
    path = write("in.jsonl", json.dumps(line))
    complaint = canner("convert", path, "-o", tmp_path / "out.conll", "-q").complaint()
    assert "expected types of entities without white space, got 'big city' in sentence 1" in complaint
    tagger = Path(shutil.copytree(bundles / "plain", tmp_path / "tagger"))
    vocabulary = (tagger / "tags.json").read_text()
    (tagger / "tags.json").write_text(vocabulary.replace("LOC", "big city"))
    text = write("in.txt", "Ana\n")
    assert "got 'big city' in" in canner("tag", tagger, text, "-f", "conll", "-q").complaint()
    assert canner("tag", tagger, text, "-f", "jsonl", "-q").status == 0


def test_conversion_tells_how_many_sentences_are_read_with_other_tokens(canner, write, tmp_path):
    path, out = (
        write("in.conll", "(b) O\n. O\n\nAna B-PER\nvive O\n\nAna/Luis B-PER\n(a) O\n\n"),
        tmp_path / "o.jsonl",
    )
    told = f"{out}: 2 of 3 sentences will be read with other tokens; --tokens keeps theirs"
    assert canner("convert", path, "-o", out).err.splitlines()[1:] == [told]
    before, after = ([s.tokens for s in read_labelled(file)[0]] for file in (path, out))
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 2
    for more in (["--tokens"], ["-q"], ["--to", "conll"]):
        assert told not in canner("convert", path, "-o", out, *more).err
    assert canner("convert", write("good.conll", GOOD), "-o", out).err.count("\n") == 1


@pytest.mark.parametrize("linked", [False, True])
def test_no_command_writes_over_its_input(canner, write, article, bundles, tmp_path, linked):
    good, other, english = write("good.conll", GOOD), write("other.conll", GOOD), write("en", "a\n" * 9)
    brat, text = article(BRAT), tmp_path / "article.txt"

    def name(path: Path) -> Path:
        if linked:
            (tmp_path / "link").unlink(missing_ok=True)
            (tmp_path / "link").symlink_to(path)
        return tmp_path / "link" if linked else path

    before = {path: path.read_bytes() for path in (good, other, english, brat, text)}
    commands: list[tuple[list[object], Path]] = [
        (["tag", bundles / "plain", good], good),
        (["translate", bundles / "translator", good], good),
        (["align", good, english], good),
        (["align", good, english], english),
        (["evaluate", good, other], good),
        (["evaluate", good, other], other),
        (["evaluate", good, "--tagger", bundles / "plain"], good),
        (["convert", good], good),
        (["convert", brat], brat),
        (["convert", brat, "--to", "conll"], text),
    ]
    for command, output in commands:
        complaint = canner(*command, "-o", name(output), "-q").complaint()
        assert "expected an --output other than the input" in complaint
    assert {path: path.read_bytes() for path in before} == before


def test_nor_over_standard_input(write, bundles):
    text = write("text", TEXT)
    for command in (["tag", bundles / "plain"], ["explain", bundles / "plain"]):
        with text.open("rb") as stdin:
            arguments = [sys.executable, "-m", "canner", *map(str, command), "-o", str(text)]
            done = subprocess.run(arguments, stdin=stdin, capture_output=True, text=True, check=False)
        assert (done.returncode, text.read_text()) == (2, TEXT)
        assert "expected an --output other than the input" in done.stderr


def test_a_missing_file_of_a_configuration_names_its_key(canner, write_config, write, tmp_path):
    good, missing = write("good.conll", GOOD), tmp_path / "nowhere.conll"
    for key, files in (("train", (missing, good)), ("dev", (good, missing))):
        complaint = canner("train", write_config(*files), "-o", tmp_path / "tagger" / key, "-q").complaint()
        assert f"canner: data.{key}: expected a file, got no such file: {missing}; correct" in complaint
    keys = ["train_source", "train_target", "dev_source", "dev_target"]
    for key in keys:
        paths = {name: missing if name == key else good for name in keys}
        lines = [f'{name} = "{path}"' for name, path in paths.items()]
        config = write(
            "t.toml", "\n".join(['kind = "translator"', "[data]", 'source_language = "es"', *lines])
        )
        complaint = canner("train", config, "-o", tmp_path / "translator" / key, "-q").complaint()
        assert f"data.{key}: expected a file, got no such file: {missing}" in complaint
    for key in ("train", "dev"):
        paths = {"train": good, key: missing}
        lines = [f'{name} = "{path}"' for name, path in paths.items()]
        config = write("c.toml", "\n".join(['kind = "charlm"', "[data]", *lines]))
        complaint = canner("train", config, "-o", tmp_path / "charlm" / key, "-q").complaint()
        assert re.search(
            rf"data\.{key}: expected a file, got no such file: {re.escape(os.fspath(missing))}", complaint
        )


def test_a_dash_is_standard_input(canner, write, bundles, tmp_path, monkeypatch):
    def piped(*arguments: object, text: str):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return canner(*arguments)

    good, out = write("good.conll", GOOD), tmp_path / "out.conll"
    records = '{"tokens": ["Ana"], "tags": ["B-PER"]}\n'
    assert "100.00" in piped("evaluate", "-", good, text=GOOD).out
    assert "100.00" in piped("evaluate", good, "-", text=GOOD).out
    assert "got it for both" in piped("evaluate", "-", "-", text=GOOD).complaint()
    answer = piped("convert", "-", "-o", out, text=GOOD)
    assert (answer.err, out.read_text()) == ("<stdin>: 2 sentences, 7 tokens, IOB2\n", GOOD)
    assert piped("convert", "-", "-o", out, text=records).status == 0
    assert out.read_text() == "Ana B-PER\n\n"
    assert "<stdin>, line 1: expected" in piped("convert", "-", "-o", out, text="Ana\n").complaint()
    english = write("a.en", "Ana lives\n")
    translator = ["--translator", bundles / "translator"]
    expected = canner("align", write("a.es", "Ana vive\n"), english, *translator)
    assert expected.status == 0
    for first, second, text in (
        ("-", english, "Ana vive\n"),
        (tmp_path / "a.es", "-", "Ana lives\n"),
        ("-", None, "Ana vive ||| Ana lives\n"),
    ):
        sides = [first] if second is None else [first, second]
        assert piped("align", *sides, *translator, text=text).out == expected.out
    assert "line 1: expected 'source" in piped("align", "-", *translator, text="Ana\n").complaint()
    assert "got it for both" in piped("align", "-", "-", *translator, text=TEXT).complaint()
