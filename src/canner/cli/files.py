"""Commands on files: `evaluate`, `convert`."""

from __future__ import annotations

import io
import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from canner.cli.console import (
    Device,
    Output,
    Quiet,
    Teacher,
    Threads,
    check_folder,
    emit,
    keep_inputs,
    note,
    start,
    tagger_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from canner.pipeline import Tagger
    from canner.text.entities import Entity
    from canner.text.labelled import Report
    from canner.text.sentence import Sentence


ScoredTypes = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help="Count only this type, of gold and found (several times: these types); with --teacher, find only these.",
    ),
]


class FileFormat(StrEnum):
    """Formats of labelled text."""

    conll = "conll"
    jsonl = "jsonl"


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("evaluate")(evaluate)
    app.command("convert")(convert)


def evaluate(
    gold: Annotated[Path, typer.Argument(help="Labelled sentences: CoNLL, JSONL, brat; -: stdin.")],
    predicted: Annotated[
        Path | None, typer.Argument(help="The same sentences as a tagger labelled them.")
    ] = None,
    tagger: Annotated[Path | None, typer.Option(help="Instead: a tagger's bundle, to be run now.")] = None,
    teacher: Teacher = None,
    types: ScoredTypes = None,
    as_json: Annotated[bool, typer.Option("--json", help="All figures as JSON.")] = False,
    interval: Annotated[bool, typer.Option(help="A 95 % bootstrap interval of F1.")] = False,
    output: Output = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Entity precision, recall and F1, in all and by type; the numbers of conlleval.

    Formats are told apart by the ending: .jsonl, .ann (brat, its text beside it), else CoNLL of any scheme. Tags
    that a file's scheme does not allow are read as conlleval reads them, and told.

    Examples:

        canner evaluate test.conll predicted.conll

        canner evaluate test.conll --tagger models/es-can --interval

        canner evaluate test.conll --tagger models/sw-en-gloss --teacher models/teacher-en --type PER --type LOC
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.evaluation.bootstrap import f1_interval
    from canner.text.labelled import files_read

    if tagger is None and teacher is not None:
        raise ValueError("expected --tagger beside --teacher, got none; name the translator with it")
    if (predicted is None) == (tagger is None):
        got = "neither" if predicted is None else "both"
        raise ValueError(f"expected a file of predictions or --tagger, got {got}; give one")
    if str(gold) == str(predicted) == "-":
        raise ValueError("expected standard input (-) for one of the two files, got it for both; name a file")
    keep_inputs(output, *files_read(gold), *(files_read(predicted) if predicted is not None else ()))
    sentences = _read_noting(gold, quiet)
    wanted = [sentence.entities for sentence in sentences]
    if predicted is not None:
        found = _read_predictions(_read_noting(predicted, quiet), predicted, sentences, gold)
        if missing := [name for name in types or () if name not in _types_of(wanted, found)]:
            note(f"--type {', '.join(missing)}: no entities in {gold} and {predicted}", quiet=quiet)
    else:
        assert tagger is not None
        finder = tagger_of(tagger, teacher, types if teacher is not None else None, device)
        found = _found_by(finder, sentences, types or ())
    if types:
        wanted, found = ([[e for e in es if e.type in types] for es in each] for each in (wanted, found))
    figures = _figures(wanted, found)
    if interval:
        bounds = f1_interval(wanted, found)
        figures["interval"] = [round(bounds.low, 2), round(bounds.high, 2)]
    lines = [json.dumps(figures, indent=1)] if as_json else _table(figures)
    emit(lines, output)


def _found_by(tagger: Tagger, sentences: list[Sentence], types: Sequence[str]) -> list[list[Entity]]:
    """What a tagger finds.

    Raises:
        ValueError: if neither the tagger nor the labels know one of the types.
    """
    known = {*tagger.types, *_types_of([sentence.entities for sentence in sentences])}
    if unknown := [name for name in types if name not in known]:
        raise ValueError(
            f"expected --type among {', '.join(sorted(known))}, got {unknown[0]!r}; correct it or leave it out"
        )
    results = tagger.tag_tokens([sentence.tokens for sentence in sentences])
    return [[entity for part in result.sentences for entity in part.entities] for result in results]


def _types_of(*labellings: Sequence[Sequence[Entity]]) -> set[str]:
    return {entity.type for labelling in labellings for entities in labelling for entity in entities}


def _read_noting(path: Path, quiet: bool) -> list[Sentence]:
    """Sentences of a labelled file; says what could not be taken as it stands."""
    sentences, found = _read(path)
    if not found.is_literal:
        note(found.summary(), quiet=quiet)
    return sentences


def _read(path: Path, scheme: str | None = None) -> tuple[list[Sentence], Report]:
    """Sentences of a labelled file, or for `-` of standard input: JSON lines where the first line is JSON, or CoNLL."""
    from canner.text.conll import read_conll_with_report
    from canner.text.jsonl import read_jsonl_with_report
    from canner.text.labelled import read_labelled

    if str(path) != "-":
        return read_labelled(path, scheme=scheme)
    stream = _StandardInput(sys.stdin.buffer.read())
    first = stream.getvalue().lstrip().partition(b"\n")[0]
    try:
        is_json = isinstance(json.loads(first), dict)
    except ValueError:
        is_json = False
    return (read_jsonl_with_report if is_json else read_conll_with_report)(stream, scheme=scheme)


class _StandardInput(io.BytesIO):
    """What stood in standard input, by the name that messages call it."""

    name = "<stdin>"


def _read_predictions(
    sentences: list[Sentence], path: Path, gold: list[Sentence], gold_path: Path
) -> list[list[Entity]]:
    from canner.text.accents import composed

    if len(sentences) != len(gold):
        raise ValueError(f"{path}: expected {len(gold)} sentences as in {gold_path}, got {len(sentences)}")
    for number, (mine, theirs) in enumerate(zip(sentences, gold, strict=True), 1):
        if len(mine) != len(theirs):
            raise ValueError(
                f"{path}: expected {len(theirs)} tokens in sentence {number} as in {gold_path}, got {len(mine)}"
            )
        for token, other in zip(mine.tokens, theirs.tokens, strict=True):
            if composed(token) != composed(other):
                raise ValueError(
                    f"{path}: expected the token {other!r} in sentence {number} as in {gold_path}, got {token!r}; "
                    "are these the same sentences?"
                )
    return [sentence.entities for sentence in sentences]


def _figures(wanted: list[list[Entity]], found: list[list[Entity]]) -> dict[str, Any]:
    from canner.evaluation.entities import score_entities, score_subsets

    scores = score_entities(wanted, found)
    figures: dict[str, Any] = {"all": vars(scores.micro)}
    figures["by_type"] = {name: vars(prf) for name, prf in scores.by_type.items()}
    if subsets := score_subsets(wanted, found):
        figures["subsets"] = {name: vars(score.micro) for name, score in subsets.items()}
    return figures


def _table(figures: dict[str, Any]) -> list[str]:
    rows = [("all", figures["all"]), *figures.get("subsets", {}).items(), *figures["by_type"].items()]
    width = max(len(name) for name, _ in rows)
    lines = [f"{'':<{width}}  precision  recall      F1    gold  found"]
    for name, prf in rows:
        lines.append(
            f"{name:<{width}}  {prf['precision']:9.2f}  {prf['recall']:6.2f}  {prf['f1']:6.2f}"
            f"  {prf['num_gold']:6d} {prf['num_predicted']:6d}"
        )
    if "interval" in figures:
        low, high = figures["interval"]
        lines.append(f"F1 between {low:.2f} and {high:.2f} (95 % bootstrap interval)")
    return lines


def convert(
    source: Annotated[
        Path, typer.Argument(help="CoNLL, JSONL or brat (.ann), told apart by the ending; -: stdin.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    to: Annotated[FileFormat | None, typer.Option(help="Format to write; default: by the ending.")] = None,
    scheme: Annotated[str, typer.Option(help="Scheme of the tags written.")] = "IOB2",
    from_scheme: Annotated[
        str | None, typer.Option(help="Scheme of the tags read; default: found out.")
    ] = None,
    tokens: Annotated[
        bool, typer.Option(help="JSONL with tokens and tags instead of text and spans.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Convert labelled text between formats and schemes; says what had to be repaired.

    Examples:

        canner convert esp.train -o train.jsonl

        canner convert corpus.bmes.conll -o corpus.conll --scheme BIOES

        canner convert article.ann -o article.conll
    """
    start(quiet=quiet)
    from canner.text.conll import write_conll
    from canner.text.jsonl import write_jsonl
    from canner.text.labelled import BRAT_ENDING, JSON_ENDINGS, files_read

    check_folder(output)
    keep_inputs(output, *files_read(source))
    if to is None and output.suffix == BRAT_ENDING:
        raise ValueError(f"expected a file of CoNLL or JSONL to write, got {output}; brat is only read")
    sentences, found = _read(source, from_scheme)
    note(found.summary(), quiet=quiet)
    writes_json = to is FileFormat.jsonl or (to is None and output.suffix in JSON_ENDINGS)
    if not writes_json:
        has_spaces = any(" " in token for sentence in sentences for token in sentence.tokens)
        write_conll(output, sentences, scheme, separator="\t" if has_spaces else " ")
    elif tokens:
        write_jsonl(output, sentences, form="tokens", scheme=scheme)
    else:
        write_jsonl(output, sentences)
        _note_other_tokens(sentences, output, quiet)


def _note_other_tokens(sentences: list[Sentence], path: Path, quiet: bool) -> None:
    """Says how many sentences are read with other tokens once only their text is written."""
    from canner.text.accents import all_composed
    from canner.text.tokenizer import tokenize_words

    number = sum(tuple(tokenize_words(s.text)) != all_composed(s.tokens) for s in sentences)
    if number:
        note(
            f"{path}: {number} of {len(sentences)} sentences will be read with other tokens; --tokens keeps theirs",
            quiet=quiet,
        )
