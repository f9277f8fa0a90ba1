"""Commands that apply translators: `translate`, `align`, `transfer`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canner.cli.console import (
    BLOCK,
    Device,
    Output,
    Quiet,
    Threads,
    emit,
    keep_inputs,
    lines_of,
    note,
    note_parts,
    opened,
    start,
)

if TYPE_CHECKING:
    from canner.pipeline import Translator


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("translate")(translate)
    app.command("align")(align)
    app.command("transfer")(transfer)


def translate(
    bundle: Annotated[
        Path, typer.Argument(help="Bundle of a translator, aligner or gloss; or a model of transformers.")
    ],
    source: Annotated[Path | None, typer.Argument(help="Text, a sentence a line; default: stdin.")] = None,
    output: Output = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Tokens, English words, score and alignment as JSON.")
    ] = False,
    attention: Annotated[
        bool, typer.Option("--attention", help="In JSON also the attention [layer][English][source].")
    ] = False,
    beam_size: Annotated[
        int | None,
        typer.Option(help="Live hypotheses; 1: greedy search, faster. Default: the bundle's.", min=1),
    ] = None,
    length_penalty: Annotated[
        float | None,
        typer.Option(
            help="Of a beam: more favours longer translations; 0: none. Default: the bundle's.", min=0
        ),
    ] = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Translate sentences, a line each.

    Examples:

        echo "El presidente llegó a Lima." | canner translate models/es-en

        canner translate models/es-en news.es --json > news.jsonl

        canner translate models/es-en news.es --beam-size 1
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.pipeline import Translator

    keep_inputs(output, source)
    given = {"beam_size": beam_size, "length_penalty": length_penalty}
    options = {name: value for name, value in given.items() if value is not None}
    translator = Translator.load(bundle, device=device, options=options)
    with opened(source) as stream:
        emit(_translated(translator, lines_of(stream), as_json or attention, attention, quiet), output)


def _translated(
    translator: Translator, lines: Iterable[str], as_json: bool, attention: bool, quiet: bool
) -> Iterator[str]:
    rest, number = iter(lines), 0
    while block := list(islice(rest, BLOCK)):
        for result in translator.translate(block):
            number += 1
            note_parts(number, len(result.source), result.translation.parts, quiet)
            if not as_json:
                yield result.text
                continue
            record = {
                "source": result.source,
                "target": result.target,
                "text": result.text,
                "score": round(result.score, 4),
                "parts": result.translation.parts,
                "alignment": result.alignment,
            }
            if attention:
                rounded = [[[round(w, 4) for w in row] for row in m] for m in result.attention.tolist()]
                record["attention"] = rounded
            yield json.dumps(record, ensure_ascii=False)


def align(
    source: Annotated[
        Path, typer.Argument(help="Sentences, a line each (or `source ||| target`); -: stdin.")
    ],
    target: Annotated[Path | None, typer.Argument(help="Their translations, line by line.")] = None,
    translator: Annotated[
        Path | None,
        typer.Option(
            help="Bundle of an aligner, of a neural translator whose attention aligns, or of a gloss; else eflomal."
        ),
    ] = None,
    layer: Annotated[
        int | None,
        typer.Option(
            help="Decoder layer, from 1; 0: the mean of all. Default: the one taught to align, else the mean.",
            min=0,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of eflomal.")] = 1,
    tokens: Annotated[
        bool,
        typer.Option(
            "--tokens", help="Words are what stands between spaces, as `files` of a view have them."
        ),
    ] = False,
    output: Output = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Align the words of parallel text; writes Pharaoh lines `i-j`.

    A gloss makes its own English, word by word, so it takes the source alone; j counts the words that
    `canner translate --json` gives as the target.

    Examples:

        canner align train.es train.en > train.align

        canner align --tokens all.es all.en > all.align

        canner align test.zh test.en --translator models/zh-en --layer 10

        canner align test.es --translator models/es-en-gloss
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.pipeline.alignment import align_texts
    from canner.text.alignments import format_alignment

    keep_inputs(output, source, target)
    if target is not None and str(source) == str(target) == "-":
        raise ValueError("expected standard input (-) for one of the two sides, got it for both; name a file")
    sides = [sys.stdin.buffer if str(side) == "-" else side for side in (source, target)]
    assert sides[0] is not None
    links = align_texts(
        sides[0], sides[1], translator=translator, layer=layer, seed=seed, tokens=tokens, device=device
    )
    emit((format_alignment(found) for found in links), output)


def transfer(
    files: Annotated[
        list[Path], typer.Argument(help="Labelled files whose sentences are translated and read.")
    ],
    translator: Annotated[Path, typer.Option(help="What `canner translate` reads.")],
    teacher: Annotated[Path, typer.Option(help="Bundle of the English tagger, or a model of transformers.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of transfer stores, such as that of a run.")
    ],
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Build a transfer store: translations, attention and teacher features of sentences, computed once.

    Training builds its own, in the folder `stores` of its run; this is for building one there beforehand, or
    elsewhere. An interrupted build goes on.

    Examples:

        canner transfer train.conll dev.conll --translator models/es-en --teacher models/teacher-en -o runs/can/stores
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.text.labelled import read_labelled
    from canner.training.progress import StepProgress
    from canner.transfer.aligned import TransferOptions
    from canner.transfer.views import TransferViews, View, load_teacher, load_translator

    sentences = [sentence.tokens for path in files for sentence in read_labelled(path)[0]]
    view = View(load_translator(translator, device=device), TransferOptions())
    views = TransferViews([view], load_teacher(teacher, device=device))
    with StepProgress("translating", enabled=not quiet) as bar:
        ((store, _),) = views.stores(output, sentences, progress=bar.advance_to)
    report = store.report
    assert report is not None
    note(
        f"{store.folder}: {report.num_built} sentences built, {report.num_reused} were there; "
        f"{report.sentences_per_second:.1f} sentences/s, {report.bytes_per_sentence:,.0f} bytes each",
        quiet=quiet,
    )
