"""brat standoff: exact offsets, what is passed over, what is skipped and told, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canner.text.brat import read_brat, read_brat_with_report
from canner.text.entities import Entity
from canner.text.labelled import read_labelled

TEXT = "Ana Pérez vive en Lima.\nLa ONU habla.\n"
NOTES = "R1\tlives Arg1:T1 Arg2:T2\nA1\tSure T1\n#1\tAnnotatorNotes T1\tis it she?\n*\tEquiv T1 T2\nE1\tMove:T1\n\n"


def write(folder: Path, annotations: str | bytes, text: str | bytes = TEXT) -> Path:
    for name, content in (("a.ann", annotations), ("a.txt", text)):
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / "a.ann"


def test_entities_are_read_and_the_rest_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "T1\tPER 0 9\tAna Pérez\n" + NOTES + "T2\tLOC 18 22\tLima\nT3\tORG 27 30\tONU\n")
    sentences, report = read_brat_with_report(path)
    assert [s.tokens for s in sentences] == [
        ("Ana", "Pérez", "vive", "en", "Lima", "."),
        ("La", "ONU", "habla", "."),
    ]
    assert [s.entities for s in sentences] == [
        [Entity(0, 2, "PER"), Entity(4, 5, "LOC")],
        [Entity(1, 2, "ORG")],
    ]
    assert report.is_literal
    assert report.summary() == f"{path}: 2 sentences, 3 entities"
    assert read_labelled(path) == (sentences, report)


def test_no_annotation_is_a_text_without_entities(tmp_path: Path) -> None:
    assert [set(s.tags or ()) for s in read_brat(write(tmp_path, ""))] == [{"O"}, {"O"}]


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        (TEXT.replace("\n", "\r\n"), 1),
        ("\ufeff" + TEXT, 1),
        ("😀😀 " + TEXT, 3),
        (TEXT.replace("\n", "\n\n"), 1),
    ],
)
def test_offsets_count_characters_of_the_file(tmp_path: Path, text: str, shift: int) -> None:
    start = 27 + shift
    path = write(tmp_path, f"T1\tORG {start} {start + 3}\tONU\r\n", text)
    [entity] = [(s.tokens[e.start], e.type) for s in read_brat(path) for e in s.entities]
    assert entity == ("ONU", "ORG")


def test_discontinuous_nested_and_cut_spans_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "T1\tPER 0 3;10 14\tAna vive\nT2\tPER 0 9\tAna Pérez\nT3\tPER 0 3\tAna\nT4\tLOC 18 21\tLim\nT5\tX 23 24\t \n",
    )
    sentences, report = read_brat_with_report(path)
    assert [e for s in sentences for e in s.entities] == [Entity(0, 2, "PER"), Entity(4, 5, "LOC")]
    assert report.discontinuous == [1]
    assert [(m.line, m.reason) for m in report.misfits] == [
        (3, "overlaps another span (PER)"),
        (4, "cuts a token"),
        (5, "covers only white space"),
    ]
    assert "1 discontinuous entities skipped (first: line 1)" in report.summary()
    assert "3 spans do not fit the tokens, 2 of them dropped (first: line 3, 'Ana'" in report.summary()


@pytest.mark.parametrize(
    ("end", "covered"), [("\n", "Juan Pérez"), ("\r\n", "Juan Pérez"), ("\r\n", "Juan  Pérez")]
)
def test_no_sentence_ends_inside_an_entity(tmp_path: Path, end: str, covered: str) -> None:
    text = f"Hoy.{end}Vino Juan{end}Pérez.{end}Bien."
    start = text.index("Juan")
    path = write(tmp_path, f"T1\tPER {start} {text.index('.', start)}\t{covered}\n", text)
    sentences = read_brat(path)
    assert [s.tokens for s in sentences] == [("Hoy", "."), ("Vino", "Juan", "Pérez", "."), ("Bien", ".")]
    assert sentences[1].entities == [Entity(1, 3, "PER")]


@pytest.mark.parametrize("end", ["\n", "\r\n", " \n ", ""])
def test_pieces_with_only_white_space_between_are_one_entity(tmp_path: Path, end: str) -> None:
    start = 4 + len(end)
    path = write(tmp_path, f"T1\tPER 0 4;{start} {start + 5}\tJuan Pérez\n", f"Juan{end}Pérez habla.\n")
    sentences, report = read_brat_with_report(path)
    words = 2 if end else 1
    assert [s.entities for s in sentences] == [[Entity(0, words, "PER")]]
    assert report.is_literal


def test_lone_surrogates_become_the_replacement_character(tmp_path: Path) -> None:
    text = b"\xed\xa0\xbd \xed\xa0\xbd\xed\xb8\x80 Lima \xed\xa0\xbd\xed\xa0\xbd\n"
    [sentence] = read_brat(write(tmp_path, "T1\tLOC 4 8\tLima\n", text))
    assert sentence.text.replace(" ", "") == "\ufffd😀Lima\ufffd\ufffd"
    assert [sentence.tokens[e.start] for e in sentence.entities] == ["Lima"]


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (
            "T1\tPER 0 9\tAna Pérez\nT2\tLOC 17 21\tLima\n",
            r"a\.ann, line 2: expected T2 to be 'Lima', got ' Lim' at",
        ),
        ("T1\tPER 0 3;10 14\tAna habla\n", r"a\.ann, line 1: expected T1 to be 'Ana habla', got 'Ana vive'"),
        (
            "T1\tPER 0 900\tAna\n",
            r"line 1: expected offsets with start < end <= 38 characters .* got 0 to 900",
        ),
        ("T1\tPER 3 3\tAna\n", r"line 1: expected offsets with start < end"),
        ("T1\tPER 0 3\n", r"line 1: expected an entity T1<TAB>TYPE START END<TAB>TEXT"),
        ("T1 PER 0 3 Ana\n", r"line 1: expected an entity T1<TAB>TYPE START END<TAB>TEXT"),
        ("nonsense\n", r"line 1: expected an entity"),
        (b"\nT1\tPER 0 9\tAna P\xe9rez\n", r"a\.ann, line 2: expected UTF-8, got byte 0xe9"),
    ],
)
def test_bad_annotations(tmp_path: Path, annotations: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_brat(write(tmp_path, annotations))


def test_bad_texts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.txt, line 2: expected UTF-8, got byte 0xe9"):
        read_brat(write(tmp_path, "", b"uno\nP\xe9rez\n"))
    with pytest.raises(ValueError, match=r"a\.txt: expected text, got none"):
        read_brat(write(tmp_path, "", " \n"))
    (tmp_path / "a.txt").unlink()
    with pytest.raises(
        ValueError, match=r"a\.ann: expected the annotated text beside it, got no such file: .*a\.txt"
    ):
        read_brat(tmp_path / "a.ann")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet="Aab. \n\r北é", min_size=1, max_size=40), data=st.data())
def test_each_span_is_an_entity_or_reported(tmp_path: Path, text: str, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, 4))
    places = []
    for _ in range(number):
        start = data.draw(st.integers(0, len(text) - 1))
        places.append((start, data.draw(st.integers(start + 1, len(text)))))
    flat = text.translate({10: " ", 13: " "})
    lines = [f"T{k}\tX{k} {s} {e}\t{flat[s:e]}\n" for k, (s, e) in enumerate(places)]
    if not text.strip():
        return
    sentences, report = read_brat_with_report(write(tmp_path, "".join(lines), text))
    assert "".join("".join(s.tokens) for s in sentences) == "".join(text.split())
    kept = {entity.type for s in sentences for entity in s.entities}
    dropped = {misfit.span.label for misfit in report.misfits if misfit.used is None}
    assert kept | dropped == {f"X{k}" for k in range(number)}
    assert not kept & dropped
