"""Commands that show: `explain` and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canner.cli.console import (
    Device,
    Quiet,
    Teacher,
    Threads,
    Types,
    check_folder,
    keep_inputs,
    lines_of,
    note,
    opened,
    start,
    tagger_of,
)

if TYPE_CHECKING:
    from canner.explain import Explanation
    from canner.pipeline import Tagged


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("explain")(explain)
    app.command("demo")(demo)


def explain(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a tagger; with --teacher, of a translator.")],
    text: Annotated[
        list[str] | None, typer.Argument(help="Sentences; none: lines of standard input.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path("explain.html"),
    layer: Annotated[
        int | None,
        typer.Option(help="Attention layer shown first, from 1; of a tagger that reads English.", min=1),
    ] = None,
    view: Annotated[
        int | None, typer.Option(help="Which translator's English, from 1; default: the first.", min=1)
    ] = None,
    teacher: Teacher = None,
    types: Types = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Write a page that shows entities, the English as the teacher read it, and the attention between them.

    Examples:

        canner explain models/es-can "El presidente Juan Pérez llegó a Lima." -o lima.html
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.explain import explain_html
    from canner.text.files import write_lines

    check_folder(output)
    if not text:
        keep_inputs(output, None)
    tagger = tagger_of(bundle, teacher, types, device)
    if not tagger.reads_english and (layer is not None or view is not None):
        option = "--layer" if layer is not None else "--view"
        raise ValueError(
            f"expected a tagger that reads English for {option}, got one without: {bundle}; leave the option out"
        )
    if text:
        results = tagger.tag_texts(text)
    else:
        with opened(None) as stream:
            results = tagger.tag_texts(list(lines_of(stream)))
    explanations = explanations_of(results, layer=layer, view=view or 1)
    if not explanations:
        raise ValueError("expected sentences to explain, got none")
    write_lines(output, explain_html(explanations).splitlines())
    note(str(output), quiet=quiet)


def explanations_of(results: list[Tagged], *, layer: int | None = None, view: int = 1) -> list[Explanation]:
    """What the explain page shows of tagged texts, a sentence each.

    Raises:
        ValueError: if there is no such layer or view.
    """
    from canner.explain import Explanation

    explanations = []
    for sentence in (sentence for result in results for sentence in result.sentences):
        if not sentence.views:
            explanations.append(Explanation(sentence.words, sentence.entities))
            continue
        if view > len(sentence.views):
            raise ValueError(f"expected a view from 1 to {len(sentence.views)}, got {view}")
        chosen = sentence.views[view - 1]
        translation, reading = chosen.translation, chosen.translation.reading_attention
        num_layers = len(translation.attention)
        explanations.append(
            Explanation(
                sentence.words,
                sentence.entities,
                english=chosen.target,
                english_entities=chosen.entities,
                attention=translation.attention.tolist(),
                layer_names=[f"layer {number}" for number in range(1, num_layers + 1)],
                reading_attention=reading.tolist() if reading is not None else None,
                score=chosen.score or None,
                title=chosen.translator,
                layer=layer - 1 if layer is not None else None,
            )
        )
    return explanations


def demo(
    models: Annotated[Path, typer.Option(help="Folder of the bundles that ship.")] = Path("models"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of what is made.")] = Path(
        "demo-out"
    ),
    train: Annotated[bool, typer.Option(help="Train a plain and a CAN tagger side by side.")] = True,
    threads: Threads = None,
) -> None:
    """Tag Spanish with the bundled models, explain it, then train plain and CAN side by side.

    Examples:

        canner demo

        canner demo --no-train
    """
    start(quiet=True, threads=threads or 1)  # models and batches are small: more threads only wait
    from canner.cli.demonstration import demonstrate

    demonstrate(models, output, train=train)
