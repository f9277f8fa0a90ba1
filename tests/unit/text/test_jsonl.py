"""JSON lines with character spans or with tags."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canner.text.entities import Entity
from canner.text.jsonl import read_jsonl, read_jsonl_with_report, text_record, write_jsonl
from canner.text.sentence import Sentence
from canner.text.spans import Span, character_spans, fit_spans
from canner.text.tokenizer import tokenize

TEXT = "Ana Sol vive en Lima."


def read(*records: object, **options: str) -> list[Sentence]:
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records)
    return read_jsonl(io.BytesIO(lines.encode()), **options)


def spans(*triples: tuple[int, int, str]) -> list[dict[str, object]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in triples]


@pytest.mark.parametrize(
    "record",
    [
        {"text": TEXT, "entities": spans((0, 7, "PER"), (16, 20, "LOC"))},
        {"text": TEXT, "spans": spans((16, 20, "LOC"), (0, 7, "PER"))},
        {"text": TEXT, "entities": [[0, 7, "PER"], [16, 20, "LOC"]], "id": 3},
        {
            "text": TEXT,
            "spans": [{"start": 0, "end": 7, "type": "PER"}, {"start": 16, "end": 20, "type": "LOC"}],
        },
        {
            "tokens": ["Ana", "Sol", "vive", "en", "Lima", "."],
            "tags": ["B-PER", "I-PER", "O", "O", "B-LOC", "O"],
        },
    ],
)
def test_forms(record: dict[str, object]) -> None:
    assert read(record) == [
        Sentence(("Ana", "Sol", "vive", "en", "Lima", "."), ("B-PER", "E-PER", "O", "O", "S-LOC", "O"))
    ]


def test_unlabelled_lines() -> None:
    assert read({"text": "Ana ríe"}, "", {"tokens": ["a"]}) == [Sentence(("Ana", "ríe")), Sentence(("a",))]
    assert read({"text": "Ana ríe", "entities": []})[0].tags == ("O", "O")


def test_offsets_count_characters_not_bytes_nor_utf16_units() -> None:
    text = "😀 ñu en 北京"
    begin = text.index("北")
    assert read({"text": text, "entities": spans((begin, begin + 2, "LOC"))})[0].entities == [
        Entity(3, 5, "LOC")
    ]


def test_tags_of_any_scheme_and_repairs() -> None:
    lines = [{"tokens": ["a", "b"], "tags": ["O", "I-A"]}, {"tokens": ["c", "d"], "tags": ["B-A", "B-A"]}]
    raw = "\n".join(map(json.dumps, lines)).encode()
    sentences, report = read_jsonl_with_report(io.BytesIO(raw))
    assert [sentence.tags for sentence in sentences] == [("O", "S-A"), ("S-A", "S-A")]
    assert [(repair.line, repair.position) for repair in report.repairs] == [(1, 1)]
    assert "1 tags repaired (first: line 1, I-A starts an entity)" in report.summary()


def test_every_span_that_does_not_fit_is_reported() -> None:
    text = "Anabel vive en Lima  hoy"
    given_spans = spans((0, 3, "PER"), (15, 20, "LOC"), (19, 21, "X"), (12, 19, "ORG"), (19, 20, "Y"))
    raw = json.dumps({"text": text, "entities": given_spans}).encode()
    sentences, report = read_jsonl_with_report(io.BytesIO(b"\n" + raw))
    assert sentences[0].entities == [Entity(0, 1, "PER"), Entity(2, 4, "ORG")]
    assert [(m.line, m.text, m.used, m.reason) for m in report.misfits] == [
        (2, "Ana", (0, 6), "cuts a token"),
        (2, "Lima ", None, "overlaps another span (ORG)"),
        (2, " ", None, "covers only white space"),
        (2, "  ", None, "covers only white space"),
    ]
    assert "4 spans do not fit the tokens, 3 of them dropped (first: line 2, 'Ana', cuts a token)" in (
        report.summary()
    )


def test_white_space_at_the_edge_is_trimmed() -> None:
    entities, misfits = fit_spans("a Ana b", tokenize("a Ana b"), [Span(1, 6, "PER")])
    assert entities == [Entity(1, 2, "PER")]
    assert [(misfit.used, misfit.reason) for misfit in misfits] == [((2, 5), "white space at its edge")]


def test_the_same_span_twice_is_one_entity_without_a_word() -> None:
    assert fit_spans("Ana", tokenize("Ana"), [Span(0, 3, "PER")] * 2) == ([Entity(0, 1, "PER")], [])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "expected sentences, got none; the file is empty"),
        ([{"text": "a"}, "{"], r"line 2: expected a JSON object"),
        ([[1]], r"line 1: expected a JSON object"),
        ([{"txt": "a"}], r"line 1: expected \"text\" .* got the keys txt"),
        ([{"tokens": ["a"], "tags": [1]}], r"line 1: expected \"text\""),
        ([{"text": " "}], r"line 1: expected text, got an empty sentence"),
        ([{"tokens": []}], r"line 1: expected at least one token"),
        ([{"tokens": ["a"], "tags": ["O", "O"]}], r"line 1: .* 2 tags for 1 tokens"),
        ([{"tokens": ["a"], "tags": ["PER"]}], r"line 1: expected a tag such as O or B-PER, got 'PER'"),
        (
            [{"tokens": ["a"], "tags": ["M-A"]}, {"tokens": ["a"], "tags": ["U-A"]}],
            r"line 2: .* mixed schemes",
        ),
        ([{"text": "Ana", "entities": spans((0, 4, "PER"))}], r"line 1: .* <= 3 characters, got 0 to 4"),
        ([{"text": "Ana", "entities": spans((2, 2, "PER"))}], r"line 1: expected spans"),
        ([{"text": "Ana", "entities": [{"start": 0, "end": 3}]}], r"line 1: expected a span"),
        (
            [{"text": "Ana", "entities": [{"start": True, "end": 3, "label": "A"}]}],
            r"line 1: expected a span",
        ),
        ([{"text": "Ana", "entities": "none"}], r"line 1: expected a list of spans"),
    ],
)
def test_bad_lines(lines: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(*lines)


def test_broken_utf8_names_the_line() -> None:
    with pytest.raises(ValueError, match="line 2: expected UTF-8"):
        read_jsonl(io.BytesIO(b'{"text": "a"}\n{"text": "\xff"}\n'))


def test_lone_surrogates_keep_their_place() -> None:
    sentence = read('{"text": "\\ud83d Ana", "entities": [{"start": 2, "end": 5, "label": "PER"}]}')[0]
    assert sentence.tokens == ("\ufffd", "Ana")
    assert sentence.entities == [Entity(1, 2, "PER")]
    assert read('{"tokens": ["\\ud83d"]}')[0].tokens == ("\ufffd",)


@pytest.mark.parametrize("form", ["text", "tokens"])
def test_written_files_read_back(tmp_path: Path, form: str) -> None:
    corpus = [
        Sentence(("Ana", "Sol", "ríe", "."), ("B-PER", "E-PER", "O", "O")),
        Sentence(("北", "京"), ("B-LOC", "E-LOC")),
        Sentence(("nada",)),
    ]
    path = tmp_path / "out.jsonl"
    write_jsonl(path, corpus, form=form)
    assert read_jsonl(path) == corpus


def test_writing_in_another_scheme() -> None:
    stream = io.StringIO()
    write_jsonl(stream, [Sentence(("a", "b"), ("B-A", "E-A"))], form="tokens", scheme="BILOU")
    assert json.loads(stream.getvalue()) == {"tokens": ["a", "b"], "tags": ["B-A", "L-A"]}


def test_original_text_with_its_own_offsets() -> None:
    tokens = tokenize("Ana  Sol")
    sentence = Sentence(("Ana", "Sol"), ("B-PER", "E-PER"))
    assert text_record(sentence, "Ana  Sol", tokens) == {
        "text": "Ana  Sol",
        "entities": [{"start": 0, "end": 8, "label": "PER"}],
    }
    with pytest.raises(ValueError, match="sentence's own tokens"):
        text_record(Sentence(("Ana",)), "Ana  Sol", tokens)


def test_unknown_form() -> None:
    with pytest.raises(ValueError, match="'text' or 'tokens'"):
        write_jsonl(io.StringIO(), [], form="xml")


@given(st.text(max_size=20), st.data())
def test_spans_of_entities_fit_exactly(text: str, data: st.DataObject) -> None:
    tokens = tokenize(text)
    if not tokens:
        return
    start = data.draw(st.integers(0, len(tokens) - 1))
    entity = Entity(start, data.draw(st.integers(start + 1, len(tokens))), "A")
    assert fit_spans(text, tokens, character_spans(tokens, [entity])) == ([entity], [])


@given(
    st.text("ab .,", min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(1, 6), st.sampled_from("XY")), max_size=5),
)
def test_each_span_is_an_entity_or_reported(text: str, triples: list[tuple[int, int, str]]) -> None:
    given_spans = {
        Span(start, min(start + length, len(text)), label)
        for start, length, label in triples
        if start < len(text)
    }
    tokens = tokenize(text)
    entities, misfits = fit_spans(text, tokens, given_spans)
    fitting = set(character_spans(tokens, entities))
    reported = {misfit.span for misfit in misfits}
    assert given_spans <= fitting | reported
    widened = {Span(*misfit.used, misfit.span.label) for misfit in misfits if misfit.used}
    assert fitting <= given_spans | widened
