from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from canner.data.char_stream import (
    CharEncoder,
    as_rows,
    build_char_vocabulary,
    cut_paragraph,
    read_char_stream,
)


def cut(text: str) -> list[str]:
    return [" ".join(sentence) for sentence in cut_paragraph(text.split())]


def test_sentences_are_cut_where_a_new_one_starts() -> None:
    assert cut('He paid 1.5 mln . It rose . " No , " said Mr . Smith . but this goes on') == [
        "He paid 1.5 mln .",
        "It rose .",
        '" No , " said Mr . Smith . but this goes on',
    ]


def test_a_closing_quotation_mark_ends_the_sentence() -> None:
    assert cut('He said : " It rose . " Then he left .') == ['He said : " It rose . "', "Then he left ."]


@given(st.lists(st.sampled_from(['"', ".", "The", "cat", "Mr", "?", ")", "1"])))
def test_no_word_is_lost(words: list[str]) -> None:
    assert [word for sentence in cut_paragraph(words) for word in sentence] == words


def test_tokenized_text_has_the_form_of_tagged_sentences(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"LIMA, Peru\r\n\r\nPeru's team won. It didn't lose.\r\n")
    assert read_char_stream(path, tokenized=True, clitics=True) == (
        "\nLIMA , Peru\nPeru 's team won .\nIt did n't lose .\n"
    )
    assert read_char_stream(path, tokenized=True, clitics=False).endswith("\nIt didn't lose .\n")
    assert read_char_stream(path, tokenized=False, clitics=True) == (
        "\nLIMA, Peru\nPeru's team won. It didn't lose.\n"
    )


@pytest.mark.parametrize("tokenized", [True, False])
def test_a_file_without_text_is_refused(tmp_path: Path, tokenized: bool) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("\n \n")
    with pytest.raises(ValueError, match="expected text"):
        read_char_stream(path, tokenized=tokenized, clitics=False)


def test_rare_characters_are_unknown_but_never_space_and_line_break() -> None:
    vocabulary = build_char_vocabulary("aaab bbc\n", min_count=2)
    assert set(vocabulary.items[2:]) == {"a", "b", " ", "\n"}


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_encoding_many_is_encoding_each(text: str) -> None:
    vocabulary = build_char_vocabulary("Lima está lejos\n¿𝄞", min_count=1)
    assert CharEncoder(vocabulary).encode(text).tolist() == vocabulary.ids(text)


def test_rows_continue_each_other() -> None:
    rows = as_rows(torch.arange(11), 3)
    assert rows.tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(ValueError, match="give more text or fewer rows"):
        as_rows(torch.arange(5), 3)
