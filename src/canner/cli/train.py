"""`canner train`, `canner recipe` and `canner pack`."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canner.cli.console import Device, Output, Quiet, Threads, emit, note, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from canner.experiment.kinds import Experiment


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("train")(train)
    app.command("recipe")(recipe)
    app.command("pack")(pack)


def train(
    config: Annotated[Path, typer.Argument(help="Experiment in TOML; `canner recipe` prints one.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run; default: runs/NAME.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A key set otherwise: training.max_epochs=20")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many minutes; go on later.")
    ] = None,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Train a tagger, translator, aligner, gloss, word vectors or character language model, or compare taggers.

    The `kind` in the configuration says which. The folder of the run becomes a bundle that the other commands
    read, and keeps the full configuration, the scores and the environment. Called again, an unfinished run goes on
    where it stopped. A comparison makes as many runs at a time as threads and memory have room for.

    Examples:

        canner recipe gloss > gloss.toml

        canner train gloss.toml --set train_source=train.es --set train_target=train.en -o runs/gloss

        canner train tagger.toml --set seed=2 --max-minutes 30
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.experiment.kinds import read_experiment, run_experiment
    from canner.experiment.runner import BrokenRunsError
    from canner.experiment.toml import assignments_of
    from canner.report.page import table_with_legend

    experiment = read_experiment(config, assignments_of(settings or []))
    name = getattr(experiment, "name", None) or experiment.kind
    folder = output or Path("runs") / name
    command = shlex.join(["canner", *sys.argv[1:]])
    try:
        outcome = run_experiment(
            experiment, folder, command=command, max_minutes=max_minutes, device=device, progress=not quiet
        )
    except BrokenRunsError:
        emit(table_with_legend(folder / "results.json"), None)
        raise
    note(f"{folder}: {outcome.summary}", quiet=quiet)
    if experiment.kind == "comparison":
        emit(table_with_legend(folder / "results.json"), None)
    if outcome.stopped == "interrupted":
        raise KeyboardInterrupt


def recipe(
    name: Annotated[str | None, typer.Argument(help="Which one; none: list them.")] = None,
    output: Output = None,
) -> None:
    """Print a configuration to start from, every key written out.

    Examples:

        canner recipe

        canner recipe can-tagger > my.toml
    """
    from canner.experiment.toml import to_toml
    from canner.presets import PRESETS

    if name is None:
        width = max(map(len, PRESETS))
        emit([f"{known:<{width}}  {_about(make)}" for known, make in PRESETS.items()], output)
        return
    if name not in PRESETS:
        raise ValueError(f"expected one of {', '.join(PRESETS)}, got {name!r}")
    make = PRESETS[name]
    emit([f"# {_about(make)}", *to_toml(make()).splitlines()], output)


def pack(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a tagger, such as the folder of its run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to make: new or empty.")],
    quiet: Quiet = False,
) -> None:
    """Copy a tagger with its translators, teacher and encoders into one folder, which can be moved anywhere.

    An encoder that `transformers` knows by its name stays a name.

    Examples:

        canner pack runs/can-tagger -o swahili-tagger
    """
    start(quiet=quiet)
    from canner.pipeline.packing import pack as pack_bundle

    pack_bundle(bundle, output)
    note(str(output), quiet=quiet)


def _about(make: Callable[[], Experiment]) -> str:
    """The first line of a preset's documentation."""
    return (make.__doc__ or "").split("\n")[0]
