"""`canner tag`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canner.cli.console import (
    BLOCK,
    Device,
    Output,
    Quiet,
    Teacher,
    Threads,
    Types,
    emit,
    keep_inputs,
    lines_of,
    note_parts,
    opened,
    start,
    tagger_of,
)

if TYPE_CHECKING:
    from canner.pipeline import Tagged, Tagger


class TagInput(StrEnum):
    """What stands in the input of `canner tag`."""

    text = "text"
    tokens = "tokens"
    conll = "conll"


class TagOutput(StrEnum):
    """What `canner tag` writes."""

    text = "text"
    conll = "conll"
    jsonl = "jsonl"


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("tag")(tag)


def tag(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a tagger; with --teacher, of a translator.")],
    source: Annotated[Path | None, typer.Argument(help="File to tag; default: standard input.")] = None,
    output: Output = None,
    read: Annotated[
        TagInput,
        typer.Option("--input", "-i", help="A text a line; tokens, a sentence a line; or CoNLL columns."),
    ] = TagInput.text,
    write: Annotated[
        TagOutput,
        typer.Option("--format", "-f", help="Entities in brackets; CoNLL columns; JSON with offsets."),
    ] = TagOutput.text,
    scheme: Annotated[str, typer.Option(help="Scheme of CoNLL output.")] = "IOB2",
    english: Annotated[
        bool,
        typer.Option(
            "--english", help="Print the English below each text; only for a tagger that reads English."
        ),
    ] = False,
    teacher: Teacher = None,
    types: Types = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Find entities in text, a line at a time; memory does not grow with the file.

    Brackets around entities are for the eye: text may have its own. jsonl and conll can be read back.

    Examples:

        echo "El presidente Juan Pérez llegó a Lima." | canner tag models/es-can

        canner tag models/es-can news.txt -f jsonl -o news.jsonl

        canner tag models/es-can test.conll -i conll -f conll > predicted.conll

        canner tag models/sw-en-gloss --teacher models/teacher-en news.txt    # without labels
    """
    start(quiet=quiet, threads=threads, device=device)
    keep_inputs(output, source)
    tagger = tagger_of(bundle, teacher, types, device)
    if english and not tagger.reads_english:
        raise ValueError(
            f"expected a tagger that reads English for --english, got one without: {bundle}; leave the option out"
        )
    if write is TagOutput.conll:
        _check_types(tagger.types, bundle)
    with opened(source) as stream:
        name = str(getattr(stream, "name", "<stdin>"))
        results = _noting_parts(_tagged(tagger, lines_of(stream), read, name), quiet)
        emit(_written(results, write, scheme, english), output)


def _check_types(types: list[str], bundle: Path) -> None:
    """Refuses types that columns cannot hold, before anything is written."""
    spaced = next((name for name in types if set(" \t\r\n") & set(name)), None)
    if spaced is not None:
        raise ValueError(
            f"expected types of entities without white space for -f conll, got {spaced!r} in {bundle}; "
            "write -f jsonl"
        )


def _tagged(tagger: Tagger, lines: Iterable[str], read: TagInput, name: str) -> Iterator[Tagged]:
    if read is TagInput.text:
        yield from tagger.tag_stream(lines)
        return
    sentences: Iterator[list[str]]
    if read is TagInput.tokens:
        sentences = (line.split() for line in lines)
    else:
        from canner.text.token_stream import iterate_tokens

        sentences = iterate_tokens(lines, name=name)
    while block := list(islice(sentences, BLOCK)):
        yield from tagger.tag_tokens(block)


def _noting_parts(results: Iterable[Tagged], quiet: bool) -> Iterator[Tagged]:
    """Says which sentences were too long to be translated at once."""
    for number, result in enumerate(results, 1):
        for sentence in result.sentences:
            for view in sentence.views:
                note_parts(number, len(sentence.tokens), view.translation.parts, quiet)
        yield result


def _written(results: Iterable[Tagged], write: TagOutput, scheme: str, english: bool) -> Iterator[str]:
    for result in results:
        if write is TagOutput.jsonl:
            yield json.dumps(result.to_dict(), ensure_ascii=False)
        elif write is TagOutput.conll:
            yield from _conll_lines(result, scheme)
        else:
            yield bracketed(result)
            if english and result.english is not None:
                yield f"    {result.english}"


def _conll_lines(result: Tagged, scheme: str) -> Iterator[str]:
    from canner.text.conll import column_lines
    from canner.text.schemes import encode_tags

    for sentence in result.sentences:
        tags = encode_tags(sentence.entities, len(sentence.tokens), scheme)
        # A token may hold spaces where it was read between tabs.
        separator = "\t" if any(" " in word for word in sentence.words) else " "
        yield from column_lines(
            sentence.words, tags, separator, f"the sentence {' '.join(sentence.words)[:40]!r}"
        )


def bracketed(result: Tagged) -> str:
    """The text with its entities in brackets: `[PER Juan Pérez] llegó a [LOC Lima]`."""
    parts, position = [], 0
    for entity in result.entities:
        parts.append(f"{result.text[position : entity.start]}[{entity.type} {entity.text}]")
        position = entity.end
    return "".join([*parts, result.text[position:]])
