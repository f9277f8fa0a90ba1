"""Parallel text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.bitext import read_bitext, read_lines


def test_two_files_line_by_line(tmp_path):
    (tmp_path / "es").write_bytes("uno dos\r\n\ntres\u2028cuatro\n".encode())
    (tmp_path / "en").write_bytes(b"one two\n\nthree four")
    assert read_bitext(tmp_path / "es", tmp_path / "en") == [
        ("uno dos", "one two"),
        ("", ""),
        ("tres\u2028cuatro", "three four"),
    ]


def test_one_file_with_separators(tmp_path):
    (tmp_path / "both").write_text("uno ||| one\n dos | tres |||  two ||| three \n", encoding="utf-8")
    assert read_bitext(tmp_path / "both") == [("uno", "one"), ("dos | tres", "two ||| three")]


def test_files_of_unequal_length_are_refused(tmp_path):
    (tmp_path / "es").write_text("a\nb\n")
    (tmp_path / "en").write_text("a\nb\nc\n")
    with pytest.raises(ValueError, match=r"equal length, got 2 lines in .*es and 3 in .*en"):
        read_bitext(tmp_path / "es", tmp_path / "en")


def test_a_line_without_separator_is_named(tmp_path):
    (tmp_path / "both").write_text("a ||| b\nno separator\n")
    with pytest.raises(
        ValueError, match=r"both, line 2: expected 'source \|\|\| target', got 'no separator'"
    ):
        read_bitext(tmp_path / "both")


def test_empty_files_are_refused(tmp_path):
    (tmp_path / "es").write_text("")
    with pytest.raises(ValueError, match="expected parallel sentences, got an empty file"):
        read_bitext(tmp_path / "es", tmp_path / "es")


def test_broken_utf8_names_line_and_position(tmp_path):
    (tmp_path / "es").write_bytes(b"good\nba\xffd\n")
    with pytest.raises(ValueError, match="es, line 2: expected UTF-8, got byte 0xff at position 2"):
        read_lines(tmp_path / "es")


def test_a_byte_order_mark_is_no_part_of_the_first_sentence(tmp_path):
    (tmp_path / "es").write_bytes(b"\xef\xbb\xbfLa casa\r\nSi\r\n")
    (tmp_path / "en").write_bytes(b"The house\nYes\n")
    assert read_bitext(tmp_path / "es", tmp_path / "en") == [("La casa", "The house"), ("Si", "Yes")]


@given(st.lists(st.text(st.characters(exclude_characters="\n\r\ufeff", exclude_categories=["Cs"]))))
def test_only_line_feeds_end_lines(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("lines") / "text"
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    assert read_lines(path) == lines
