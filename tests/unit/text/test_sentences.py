"""Running text cut into sentences, and columns read one sentence at a time."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.conll import read_conll
from canner.text.sentences import split_sentences
from canner.text.token_stream import iterate_tokens


def parts(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Llegó ayer. Se fue hoy.", ["Llegó ayer.", "Se fue hoy."]),
        ("¿Vino? ¡Sí! Vino.", ["¿Vino?", "¡Sí!", "Vino."]),
        ('Dijo "no." Luego calló.', ['Dijo "no."', "Luego calló."]),
        ("El Sr. Pérez vive en EE.UU. desde ayer.", ["El Sr. Pérez vive en EE.UU. desde ayer."]),
        ("J. M. Aznar habló.", ["J. M. Aznar habló."]),
        ("Cuesta 3.5 euros. Nada más.", ["Cuesta 3.5 euros.", "Nada más."]),
        ("他来了。他走了！真的？", ["他来了。", "他走了！", "真的？"]),
        ("uno\ndos\r\n\n tres ", ["uno", "dos", "tres"]),
        ("", []),
        (" \n\t\n", []),
        ("...", ["..."]),
    ],
)
def test_examples(text: str, wanted: list[str]) -> None:
    assert parts(text) == wanted


@given(st.text(alphabet='aB. !?。\n"»1é', max_size=60))
def test_nothing_but_white_space_is_lost_and_order_is_kept(text: str) -> None:
    spans = split_sentences(text)
    assert "".join("".join(parts(text)).split()) == "".join(text.split())
    assert all(start < end for start, end in spans)
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    assert all(part == part.strip() for part in parts(text))


COLUMNS = "-DOCSTART- -X- O O\n\nAna NNP B-PER\nvive VB O\n\n\nhoy RB O\n"


@pytest.mark.parametrize("text", [COLUMNS, COLUMNS.replace(" ", "\t"), COLUMNS.rstrip("\n")])
def test_the_stream_reads_what_the_reader_reads(text: str) -> None:
    if "DOCSTART" in text:
        text = text.split("\n\n", 1)[1]
    whole = [list(sentence.tokens) for sentence in read_conll(io.BytesIO(text.encode()))]
    assert list(iterate_tokens(text.splitlines())) == whole == [["Ana", "vive"], ["hoy"]]


def test_the_stream_passes_over_documents_and_comments() -> None:
    lines = ["-DOCSTART- -X-", "", "# text = x", "Ana O", "# O", "", ""]
    assert list(iterate_tokens(lines)) == [["Ana", "#"]]


def test_the_stream_holds_one_sentence_at_a_time() -> None:
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield "a O" if read % 3 else ""

    stream = iterate_tokens(endless())
    assert [next(stream) for _ in range(4)] == [["a", "a"]] * 4
    assert read == 12


def test_a_line_without_the_column_is_named() -> None:
    with pytest.raises(ValueError, match="line 2: expected a token in column 1"):
        list(iterate_tokens(["a b", "c"], token_column=1))
