"""`canner reproduce`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from canner.cli.console import Device, Quiet, Threads, emit, note, start

if TYPE_CHECKING:
    from canner.experiment.comparison import ComparisonExperiment
    from canner.experiment.runner import RunnerOptions


class ProtocolName(StrEnum):
    """How taggers are trained."""

    PAPER = "paper"
    FAST = "fast"


Table = Annotated[
    str | None, typer.Argument(help="A table, or a part of one (table4-revised); none: list them.")
]
Protocol = Annotated[
    ProtocolName | None,
    typer.Option(help="How taggers are trained; default: fast, or the only one of a table."),
]
Seeds = Annotated[int | None, typer.Option(min=1, max=100, help="Seeds; default: the table's own.")]
Systems = Annotated[
    list[str] | None, typer.Option("--system", help="Only this row; may be given several times.")
]
PaperRows = Annotated[
    bool,
    typer.Option("--paper-rows", help="Only the paper's rows, and what these are tested against."),
]
Budgets = Annotated[list[int] | None, typer.Option("--budget", help="Only with so many training sentences.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Runs at a time; default: what cores (--threads) and memory have room for."),
]
MaxMinutes = Annotated[
    float | None, typer.Option(min=0, help="Stop after so many minutes; call again to go on.")
]
Anew = Annotated[
    bool, typer.Option(help="Count only runs of this folder, and leave the results files as they are.")
]
Show = Annotated[
    bool, typer.Option("--show", help="Print the table from its results file; run and write nothing.")
]
Prerequisites = Annotated[
    bool,
    typer.Option(help="First make what the table reads and is not there; vectors are made to their end."),
]


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command("reproduce")(reproduce)


def reproduce(
    table: Table = None,
    protocol: Protocol = None,
    seeds: Seeds = None,
    systems: Systems = None,
    paper_rows: PaperRows = False,
    budgets: Budgets = None,
    grid: Annotated[bool, typer.Option(help="Choose learning rate and batch size on dev (paper).")] = True,
    workers: Workers = None,
    max_minutes: MaxMinutes = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs"),
    results: Annotated[Path, typer.Option(help="Folder of the results files.")] = Path("results"),
    show: Show = False,
    prerequisites: Prerequisites = True,
    anew: Anew = False,
    smoke: Annotated[bool, typer.Option(help="Everything alike, but tiny: does it run at all?")] = False,
    device: Device = "cpu",
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Run the experiments behind a table, as far as they are missing, and print it; --show prints what was found.

    In the root of the repository, what the table reads is made first. Finished runs are kept in `results/runs`,
    those of other machines too; --anew counts none of these. A killed call goes on where it stopped.

    Examples:

        canner reproduce table4 --show

        canner reproduce table4 --protocol paper --paper-rows --max-minutes 60
    """
    start(quiet=quiet, threads=threads, device=device)
    from canner.report.legend import legend_of
    from canner.tables.asked import asked_of, choices
    from canner.tables.prerequisites import make_missing

    if systems or paper_rows or budgets or seeds or smoke or anew or max_minutes is not None:
        _require_a_table_to_run(table, show=show, whole=not (smoke and budgets))
    _require_folders(runs, results)
    under = _protocol(table, protocol, grid=grid)
    if table is None or show:
        emit(_listed(results) if table is None else _shown(table, under, results, grid=grid), None)
        return
    started = time.monotonic()
    published = None if smoke or anew else results
    parts, own = asked_of(table, under.value, seeds, published, note, grid=grid, smoke=smoke)
    shared = _how(workers, device, runs, progress=not quiet)
    ended = []
    for config, rows, with_sizes in choices(parts, systems, budgets, note, paper_rows=paper_rows):
        asked = config.num_seeds if config.name in own else seeds
        command = _whole(table, under, asked, grid=grid, anew=anew, smoke=smoke)
        options = replace(shared, systems=rows, budgets=with_sizes, seeds=own.get(config.name))
        options = replace(options, max_minutes=_left(started, max_minutes))
        make = partial(make_missing, train=not smoke) if prerequisites else None
        ended.append(_run_part(config, runs / config.name, published, options, command, make))
        typer.echo(ended[-1][0] + "\n")
    typer.echo(legend_of("\n".join(shown for shown, _ in ended)))
    if said := next((broken for _, broken in ended if broken), None):
        raise ValueError(said)


def _require_a_table_to_run(table: str | None, *, show: bool, whole: bool) -> None:
    """Refuses options that say what to run where nothing is, or not that."""
    if not whole:
        raise ValueError(
            "expected --smoke without --budget, got both; it takes twenty sentences of any table"
        )
    if show:
        raise ValueError("expected --show with at most --protocol and --no-grid; it prints a table whole")
    if table is None:
        raise ValueError("expected a table to run, got none; canner reproduce alone lists them")


def _protocol(table: str | None, asked_for: ProtocolName | None, *, grid: bool) -> ProtocolName:
    """The protocol that is asked for, or the table's own; without a table neither it nor the grid can be."""
    from canner.tables import own_protocol

    if table is None and (asked_for or not grid):
        raise ValueError(
            "expected a table with --protocol or --no-grid, got none; canner reproduce alone lists them"
        )
    return asked_for or ProtocolName(own_protocol(table or ""))


def _how(workers: int | None, device: str, runs: Path, *, progress: bool) -> RunnerOptions:
    """How the runs of all parts are made."""
    from canner.experiment.machine import workers_that_fit
    from canner.experiment.runner import RunnerOptions
    from canner.training.run_files import STORES

    return RunnerOptions(workers or workers_that_fit(device), None, device, progress, runs / STORES)


def _require_folders(*paths: Path) -> None:
    """Refuses files where folders are to be, or are; those that are not there yet are made later."""
    for path in paths:
        if path.exists() and not path.is_dir():
            raise ValueError(f"expected a folder, got a file: {path}")


def _listed(results: Path) -> list[str]:
    """A line about every part of every table, and one that says how many of its rows have been run, if any."""
    from canner.tables import descriptions, planned_results

    lines = []
    for part, about in descriptions().items():
        lines.append(f"{part:<20} {about}")
        run = [
            f"{entry.command.partition(f' {part} ')[2]}: {_rows_run(path)}"
            for entry in planned_results(part)
            if (path := results / f"{entry.name}.json").exists()
        ]
        lines += [f"{'':<20} run: {'; '.join(run)}"] if run else []
    return lines


def _rows_run(path: Path) -> str:
    """How many of the rows of a results file have been run."""
    from canner.experiment.results_schema import Results

    try:
        rows = Results.read(path).rows
    except ValueError:
        return f"{path} is damaged"
    return f"{sum(row.num_finished > 0 for row in rows)} of {len(rows)} rows"


def _shown(table: str, protocol: ProtocolName, results: Path, *, grid: bool) -> list[str]:
    """The table as its results files have it; a part without one says that it was not run."""
    from canner.experiment.results_schema import Results
    from canner.report.cells import NOT_RUN
    from canner.report.legend import legend_of
    from canner.report.table import table as as_table
    from canner.tables import comparisons
    from canner.tables.variations import varied

    if not results.is_dir():
        raise ValueError(f"expected a folder of results, got no such folder: {results}")
    lines = []
    for config in comparisons(table, protocol.value):
        name = varied(config, grid=grid).name
        path = results / f"{name}.json"
        found = as_table(Results.read(path)) if path.exists() else f"{path}: {NOT_RUN}"
        if not path.exists() and (results / f"{name}-no-grid.json").exists():
            found += "; without the grid of learning rates and batch sizes it was: --no-grid"
        lines += [*found.splitlines(), ""]
    return [*lines, legend_of("\n".join(lines))]


def _whole(
    table: str, protocol: ProtocolName, seeds: int | None, *, grid: bool, anew: bool, smoke: bool
) -> str:
    """The command that makes the whole of a results file, however many calls it took."""
    flags = (["--seeds", str(seeds)] if seeds else []) + ([] if grid else ["--no-grid"])
    flags += (["--anew"] if anew else []) + (["--smoke"] if smoke else [])
    return shlex.join(["canner", "reproduce", table, "--protocol", protocol.value, *flags])


def _left(started: float, max_minutes: float | None) -> float | None:
    """The minutes that are left."""
    return None if max_minutes is None else max(0.0, max_minutes - (time.monotonic() - started) / 60)


def _run_part(
    config: ComparisonExperiment,
    folder: Path,
    results: Path | None,
    options: RunnerOptions,
    command: str,
    make: Callable[..., None] | None,
) -> tuple[str, str | None]:
    """Makes what one comparison reads, runs it, writes its results and kept runs (None: neither).

    Returns:
        Its table, and what is to be said of runs that broke off.
    """
    from canner.experiment.results_schema import Results
    from canner.experiment.runner import BrokenRunsError, run_comparison
    from canner.report.publishing import publish, why_kept
    from canner.report.table import table as as_table
    from canner.tables.prerequisites import made_from

    of_call = {"max_minutes": options.max_minutes, "device": options.device, "progress": options.progress}
    prepare = None if make is None else partial(make, **of_call)
    if results is not None:
        kept = results / "runs" / f"{config.name}.json"
        options = replace(options, kept=kept, identify=made_from)
    path = None if results is None else results / f"{config.name}.json"
    save = None if path is None else partial(publish, path)
    broken = None
    try:
        found = run_comparison(
            config, folder, command=command, options=options, prepare=prepare, publish=save
        )
    except BrokenRunsError as error:
        found, broken = Results.read(folder / "results.json"), str(error)
    if path is not None and (why := why_kept(path, found)):
        note(f"{path}: left as it is: {why}")
    return as_table(found), broken
