"""Running text cut into sentences, and columns read one sentence at a time."""

from __future__ import annotations

import io
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.columns import LINES_THAT_SHOW_THE_LAYOUT
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


UNIVERSAL_NER = (
    "# sent_id = 1\n# text = Ana #\n1-2\tdel\t_\t-\t-\n1\tAna\tB-PER\t-\t-\n2\t#\tO\t-\t-\n2.1\tx\t_\t-\t-\n"
)
GERMAN = "a O\n\t\n" * 120 + "b O\n\nc O\n"


@pytest.mark.parametrize(
    "text",
    [
        COLUMNS,
        COLUMNS.replace(" ", "\t"),
        COLUMNS.rstrip("\n"),
        COLUMNS.replace(" ", "   "),
        UNIVERSAL_NER,
        "科0\tB-PER.NAM\n技1\tI-PER.NAM\n\n好0\tO\n",
        "w0 O\nw1 O\n",
        "# O\nAna O\n",
        "# text O\nAna O\n",
        "# Ana x y\nAna O\n",
        "  Ana   O\n  vive O\n",
        "New York\tB-LOC\ny\tO\n",
        "Ana O \r\n\r\nvive O\r\n",
        GERMAN,
    ],
)
def test_the_stream_reads_what_the_reader_reads(text: str) -> None:
    whole = [list(sentence.tokens) for sentence in read_conll(io.BytesIO(text.encode()))]
    assert list(iterate_tokens(text.split("\n"))) == whole


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Ana\n#\n\nvive\n", [["Ana", "#"], ["vive"]]),
        ("# text = #\n#\nAna\n", [["#", "Ana"]]),
        ("Ana NNP\nvive VB\n", [["Ana", "vive"]]),
        ("# sent_id = 1\n1\tAna\tAna" + "\t_" * 7 + "\n2\tvive\tvivir" + "\t_" * 7, [["Ana", "vive"]]),
    ],
)
def test_the_stream_needs_no_tags(text: str, sentences: list[list[str]]) -> None:
    assert list(iterate_tokens(text.split("\n"))) == sentences


def test_an_index_that_stops_after_many_lines_is_no_token() -> None:
    lines = ["科0 O", "技1 O", ""] * 2000
    assert list(iterate_tokens(lines)) == [["科", "技"]] * 2000
    with pytest.raises(ValueError, match="line 6001: expected characters with their index"):
        list(iterate_tokens([*lines, "科 O"]))


def test_the_stream_passes_over_documents_and_comments() -> None:
    lines = ["-DOCSTART- -X-", "", "# text = x", "Ana O", "# O", "", ""]
    assert list(iterate_tokens(lines)) == [["Ana", "#"]]


def test_the_stream_holds_only_the_lines_that_show_the_layout() -> None:
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1
            yield "a O" if read % 3 else ""

    stream = iterate_tokens(endless())
    assert [next(stream) for _ in range(4)] == [["a", "a"]] * 4
    assert read == LINES_THAT_SHOW_THE_LAYOUT
    assert next(islice(stream, 5000, None)) == ["a", "a"]
    assert read == 3 * 5005


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a", "b"], "f, line 1: expected a token in column 1, got 1 columns"),
        (["a b", "c"], "f, line 2: expected 2 columns, got 1 in 'c'"),
        (["a O", "c"], "f, line 2: expected 2 columns with the tag last, got 1 in 'c'"),
        (["a", "b", "New York", "c"], "f, line 3: expected 1 columns, got 2 in 'New York'"),
    ],
)
def test_a_line_of_other_columns_is_named(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(iterate_tokens(lines, token_column=1 if lines[0] == "a" and len(lines) == 2 else 0, name="f"))
