"""CoNLL files of every dialect; invented text only."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.conll import ConllReport, read_conll, read_conll_with_report, write_conll
from canner.text.entities import Entity
from canner.text.schemes import SCHEMES
from canner.text.sentence import Sentence

PEOPLE = [
    Sentence(("Ana", "Sol", "vive", "en", "Lima"), ("B-PER", "E-PER", "O", "O", "S-LOC")),
    Sentence(("Bien", "."), ("O", "O")),
]
COLUMNS = "Ana B-PER\nSol I-PER\nvive O\nen O\nLima B-LOC\n\nBien O\n. O\n"


def read(text: str | bytes, **options: object) -> list[Sentence]:
    raw = text if isinstance(text, bytes) else text.encode()
    return read_conll(io.BytesIO(raw), **options)  # type: ignore[arg-type]


def report(text: str | bytes) -> ConllReport:
    return read_conll_with_report(io.BytesIO(text if isinstance(text, bytes) else text.encode()))[1]


@pytest.mark.parametrize(
    "text",
    [
        COLUMNS,
        COLUMNS.rstrip("\n"),
        "\ufeff" + COLUMNS,
        "\n\n" + COLUMNS.replace("\n\n", "\n\n\n") + "\n\n",
        COLUMNS.replace(" ", "\t"),
        COLUMNS.replace(" ", "   "),
        COLUMNS.replace("\n", "\r\n"),
        COLUMNS.replace("\n", " \r\n"),
        COLUMNS.replace("\n\n", "\n \n"),
        COLUMNS.replace(" B", " NP x B").replace(" I", " NP x I").replace(" O", " VB x O"),
        "-DOCSTART- O\n\n" + COLUMNS.replace("\n\n", "\n\n-DOCSTART- -X- -X- O\n\n"),
        "-DOCSTART-\n" + COLUMNS,
        "# id 1 domain=news\n" + COLUMNS.replace("\n\n", "\n\n# id 2\n#\n"),
        COLUMNS.replace("B-PER", "I-PER").replace("B-LOC", "I-LOC"),
        COLUMNS.replace("I-PER", "E-PER").replace("B-LOC", "S-LOC"),
        COLUMNS.replace("I-PER", "L-PER").replace("B-LOC", "U-LOC"),
    ],
)
def test_dialects_mean_the_same(text: str) -> None:
    assert read(text) == PEOPLE


def test_a_file_and_a_stream_are_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text(COLUMNS, encoding="utf-8")
    assert read_conll(path) == read_conll(str(path)) == PEOPLE


def test_columns_can_be_named() -> None:
    text = "B-PER x Ana\nO x ríe\n"
    assert read(text, token_column=-1, tag_column=0) == [Sentence(("Ana", "ríe"), ("S-PER", "O"))]
    assert read("Ana\nríe\n", tag_column=None) == [Sentence(("Ana", "ríe"))]


def test_hash_can_be_a_token() -> None:
    assert read("# O\nuno O\n\ndos O\n# O\n") == [
        Sentence(("#", "uno"), ("O", "O")),
        Sentence(("dos", "#"), ("O", "O")),
    ]


def test_spaces_of_other_scripts_are_characters() -> None:
    assert read("\u3000 O\n\u00a0 O\n\u2028 O\n")[0].tokens == ("\u3000", "\u00a0", "\u2028")


def test_tokens_with_spaces_between_tabs() -> None:
    assert read("Nueva York\tB-LOC\ny\tO\n")[0].tokens == ("Nueva York", "y")


def test_universal_ner() -> None:
    text = (
        "# sent_id = 1\n# text = Ana Sol\n1\tAna\tB-PER\t-\tann otator\n2\tSol\tI-PER\t-\tx\n\n"
        "# sent_id = 2\n1-2\tdel\t_\t-\t-\n1\tde\tO\t-\t-\n2\t#\tO\t-\t-\n2.1\tx\t_\t-\t-\n"
    )
    assert read(text) == [Sentence(("Ana", "Sol"), ("B-PER", "E-PER")), Sentence(("de", "#"), ("O", "O"))]


def test_weibo_index_is_removed() -> None:
    text = "山0\tB-PER.NAM\n水1\tI-PER.NAM\n10\tO\n71\tO\n\n\ufffd\ufffd0\tO\n好10\tO\n"
    sentences, found = read_conll_with_report(io.BytesIO(text.encode()))
    assert [sentence.tokens for sentence in sentences] == [("山", "水", "1", "7"), ("\ufffd", "好")]
    assert found.notes == ["index in the segmented word removed from each token"]


@pytest.mark.parametrize("text", ["w0 O\nw1 O\n", "山0 O\n水 O\n", "山1 O\n水2 O\n", "é1 O\n"])
def test_other_tokens_with_digits_are_left_alone(text: str) -> None:
    assert list(read(text)[0].tokens) == [line.split()[0] for line in text.splitlines()]


def test_lone_surrogates_become_the_replacement_character() -> None:
    text = b"\xed\xa0\xbd\tO\n\xed\xb8\x80\tO\n\xed\xa0\xbd\xed\xb8\x80\tO\n\xef\xbf\xbd\tO\n"
    assert read(text)[0].tokens == ("\ufffd", "\ufffd", "\U0001f600", "\ufffd")
    assert report(text).notes == ["3 lines with lone surrogates (U+FFFD instead)"]


def test_a_stray_empty_line_among_separators_with_a_space() -> None:
    sentences = "uno O\ndos O\n \n" * 150
    assert len(read(sentences.replace("uno O\ndos", "uno O\n\ndos", 1))) == 150
    assert (
        "1 empty lines inside sentences ignored (first: line 2)"
        in report(sentences.replace("uno O\ndos", "uno O\n\ndos", 1)).notes
    )
    assert len(read("uno O\n\ndos O\n \ntres O\n")) == 3


def test_report_names_the_lines_of_repairs() -> None:
    found = report("uno B-A\n\n# x\ndos I-B\nde O\ntres B-A\nx I-C\n")
    assert (found.scheme, found.num_sentences, found.num_tokens) == ("IOB2", 2, 5)
    assert [(repair.line, repair.position, repair.used) for repair in found.repairs] == [
        (4, 0, "B-B"),
        (7, 3, "B-C"),
    ]
    assert "2 tags repaired (first: line 4, I-B starts an entity)" in found.summary()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "expected sentences, got none; the file is empty"),
        (b"\n \n-DOCSTART- O\n\n", "the file is empty"),
        (b"# only a comment\n\n", "the file is empty"),
        (b"a O\nb\nc O\n", r"line 2: expected 2 columns .* got 1 in 'b'; the token has no tag"),
        (b"a\tO\nb\t\nc\tO\n", r"line 2: .* the token has no tag"),
        (b"a\nb\n", r"line 1: expected 2 columns .* the token has no tag"),
        (b"a X O\nb O\nc X O\n", r"line 2: expected 3 columns .* got 2"),
        (b"a O\nb O\nb c O\n", r"line 3: expected 2 columns, got 3"),
        (b"a O\nb PER\n", r"line 2: expected a tag such as O or B-PER, got 'PER'"),
        (b"a B-A\nb M-A\n\nc I-A\n", r"line 4: expected tags of one scheme, got mixed schemes: 'I-A' after"),
        (b"a O\n\xe1\x62 O\n", r"line 2: expected UTF-8, got byte 0xe1 at position 0"),
        (b"\tO\n", r"line 1: expected a token"),
        (b"# sent_id = 1\n\n# sent_id = 2\n1\ta\tO\t-\t-\n", r"line 1: .* got an empty sentence"),
    ],
)
def test_bad_files_are_refused_with_file_and_line(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "bad.conll"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=rf"^{path}.*{message}"):
        read_conll(path)


def test_a_scheme_that_was_asked_for_is_enforced() -> None:
    with pytest.raises(ValueError, match=r"line 4: expected a tag of IOB2"):
        read("a B-A\n\nb O\nc S-A\n", scheme="IOB2")
    with pytest.raises(ValueError, match="expected a scheme of"):
        read("a O\n", scheme="IO")


def test_an_unlabelled_file_with_a_missing_column() -> None:
    with pytest.raises(ValueError, match=r"line 2: expected a token in column 1, got 1 columns"):
        read("1 a\n2\n", token_column=1, tag_column=None)


TOKENS = st.text(
    st.characters(exclude_characters="\t\n\r ", exclude_categories=["Cs"]), min_size=1, max_size=4
)


@st.composite
def sentences(draw: st.DrawFn) -> Sentence:
    words = draw(st.lists(TOKENS, min_size=1, max_size=6))
    start = draw(st.integers(0, len(words) - 1))
    end = draw(st.integers(start + 1, len(words)))
    return Sentence.from_entities(words, [Entity(start, end, draw(st.sampled_from(["PER", "A-B.NAM"])))])


@given(st.lists(sentences(), min_size=1, max_size=4), st.sampled_from(SCHEMES), st.sampled_from(" \t"))
def test_written_files_read_back(corpus: list[Sentence], scheme: str, separator: str) -> None:
    # A byte order mark at the very start and a Weibo index are forms of the file, not of a token.
    first = Sentence(("-", *corpus[0].tokens), ("O", *(corpus[0].tags or ())))
    stream = io.StringIO()
    write_conll(stream, [first, *corpus[1:]], scheme, separator=separator)
    assert read(stream.getvalue(), scheme=scheme) == [first, *corpus[1:]]


def test_writing_iob2(tmp_path: Path) -> None:
    path = tmp_path / "out.conll"
    write_conll(path, PEOPLE)
    assert path.read_text(encoding="utf-8") == COLUMNS + "\n"


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (Sentence(("a",)), "expected sentences with tags, got none in sentence 2"),
        (Sentence(("a b",), ("O",)), "without white space, got 'a b' in sentence 2"),
        (Sentence(("a\nb",), ("O",)), "without white space"),
        (Sentence(("\ud83d",), ("O",)), "lone surrogate"),
        (
            Sentence(("a",), ("S-big city",)),
            "types of entities without white space, got 'big city' in sentence 2",
        ),
    ],
)
def test_nothing_is_left_of_a_file_that_cannot_be_written(
    tmp_path: Path, sentence: Sentence, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_conll(tmp_path / "out.conll", [PEOPLE[0], sentence])
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_before_all_is_well() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="without white space"):
        write_conll(stream, [PEOPLE[0], Sentence(("a",), ("S-big city",))], separator="\t")
    assert stream.getvalue() == ""


def test_an_unknown_separator() -> None:
    with pytest.raises(ValueError, match="a space or a tab"):
        write_conll(io.StringIO(), PEOPLE, separator=",")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.conll"
    path.write_text("old", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_conll(path, PEOPLE)
    assert [file.name for file in tmp_path.iterdir()] == ["out.conll"]
    assert path.read_text(encoding="utf-8") == "old"


# Sentences of train, dev, test; the scheme; as data/README.md of the corpora lists them.
CORPORA = {
    "conll2002_es/esp.{}": (("train", "testa", "testb"), (8323, 1915, 1517), "IOB2"),
    "conll2003_de/{}.txt": (("train", "dev", "test"), (12152, 2867, 3005), "IOB2"),
    "conll2003_en/eng.{}": (("train", "testa", "testb"), (14041, 3250, 3453), "IOB1"),
    "weibo/weiboNER_2nd_conll.{}": (("train", "dev", "test"), (1350, 270, 270), "IOB2"),
    "weibo/weiboNER.conll.{}": (("train", "dev", "test"), (1350, 270, 270), "IOB2"),
    "ontonotes4_zh_demo/demo.{}.char": (("train", "dev", "test"), (1148, 114, 317), "BMES"),
    "uner_zh_gsdsimp/zh_gsdsimp-ud-{}.iob2": (("train", "dev", "test"), (3997, 500, 500), "IOB2"),
    "masakhaner2/swa/{}.txt": (("train", "dev", "test"), (6593, 942, 1883), "IOB2"),
    "masakhaner2/yor/{}.txt": (("train", "dev", "test"), (6876, 983, 1964), "IOB2"),
}


@pytest.mark.data
@pytest.mark.parametrize("pattern", CORPORA)
def test_real_corpora(data_folder: Path, pattern: str) -> None:
    splits, sizes, scheme = CORPORA[pattern]
    for split, size in zip(splits, sizes, strict=True):
        corpus, found = read_conll_with_report(data_folder / "ner" / pattern.format(split))
        assert (len(corpus), found.scheme) == (size, scheme)
        assert len(found.repairs) <= 21
        "".join(token for sentence in corpus for token in sentence.tokens).encode()
        if scheme == "IOB2" and "weibo" in pattern:
            assert {len(token) for sentence in corpus for token in sentence.tokens} == {1}


@pytest.mark.data
@pytest.mark.slow
def test_ontonotes_5_by_genre(data_folder: Path) -> None:
    folder = data_folder / "ner" / "ontonotes5_zh"
    for split, size in (("train", 15706), ("dev", 1736), ("test", 1952)):
        corpora = [read_conll(folder / f"{genre}.{split}.char") for genre in ("bn", "mz", "nw")]
        assert sum(map(len, corpora)) == size


@pytest.mark.data
def test_real_corpora_read_back(data_folder: Path) -> None:
    for name in ("conll2002_es/esp.testb", "weibo/weiboNER_2nd_conll.test"):
        corpus = read_conll(data_folder / "ner" / name)
        stream = io.StringIO()
        write_conll(stream, corpus, "BMES")
        assert read(stream.getvalue()) == corpus
