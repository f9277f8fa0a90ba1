"""`canner reproduce` and `canner report`."""

from __future__ import annotations

import json
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
Systems = Annotated[
    list[str] | None, typer.Option("--system", help="Only this row; may be given several times.")
]
PaperRows = Annotated[bool, typer.Option("--paper-rows", help="Only the rows that the paper has.")]
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
MakeParts = Annotated[
    bool,
    typer.Option(help="First make what the table reads and is not there; vectors are made to their end."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command("reproduce")(reproduce)
    app.command("report")(report)


def reproduce(
    table: Table = None,
    protocol: Annotated[ProtocolName, typer.Option(help="How the taggers are trained.")] = ProtocolName.FAST,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds; default: the table's own.")] = None,
    systems: Systems = None,
    paper_rows: PaperRows = False,
    budgets: Budgets = None,
    grid: Annotated[bool, typer.Option(help="Choose learning rate and batch size on dev (paper).")] = True,
    workers: Workers = None,
    max_minutes: MaxMinutes = None,
    runs: Annotated[Path, typer.Option(help="Folder of the runs.")] = Path("runs"),
    results: Annotated[Path, typer.Option(help="Folder of the results files.")] = Path("results"),
    show: Show = False,
    make_parts: MakeParts = True,
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
    from canner.experiment.machine import workers_that_fit
    from canner.experiment.runner import RunnerOptions
    from canner.system_tables import LEGEND
    from canner.tables import descriptions
    from canner.tables.parts import make_missing
    from canner.tables.variations import rows_of_paper

    if show and (systems or paper_rows or budgets or seeds or smoke or anew or max_minutes is not None):
        raise ValueError("expected --show with at most --protocol and --no-grid; it prints a table whole")
    _require_folders(runs, results)
    if table is None or show:
        emit(descriptions() if table is None else _shown(table, protocol, results, grid=grid), None)
        return
    started = time.monotonic()
    sizes = () if smoke else tuple(budgets or ())
    workers = workers or workers_that_fit(device)
    shared = RunnerOptions(workers, None, device, not quiet, runs / "stores", budgets=sizes)
    command = _whole(table, protocol, seeds, grid=grid, anew=anew, smoke=smoke)
    published = None if smoke or anew else results
    broken = []
    for config in _parts(table, protocol, seeds, grid=grid, smoke=smoke):
        rows = (*(systems or ()), *(rows_of_paper(config) if paper_rows else ()))
        options = replace(shared, systems=rows, max_minutes=_left(started, max_minutes))
        make = partial(make_missing, train=not smoke) if make_parts else None
        broken.append(_run_part(config, runs / config.name, published, options, command, make))
    typer.echo(LEGEND)
    if said := next(filter(None, broken), None):
        raise ValueError(said)


def _require_folders(*paths: Path) -> None:
    """Refuses files where folders are to be, or are; those that are not there yet are made later."""
    for path in paths:
        if path.exists() and not path.is_dir():
            raise ValueError(f"expected a folder, got a file: {path}")


def _shown(table: str, protocol: ProtocolName, results: Path, *, grid: bool) -> list[str]:
    """The table as its results files have it; a part without one says that it was not run."""
    from canner.report import read_results
    from canner.system_tables import LEGEND, NOT_RUN
    from canner.system_tables import table as as_table
    from canner.tables import comparisons
    from canner.tables.variations import varied

    if not results.is_dir():
        raise ValueError(f"expected a folder of results, got no such folder: {results}")
    lines = []
    for config in comparisons(table, protocol.value):
        name = varied(config, grid=grid).name
        path = results / f"{name}.json"
        found = as_table(read_results(path)) if path.exists() else f"{path}: {NOT_RUN}"
        if not path.exists() and (results / f"{name}-no-grid.json").exists():
            found += "; without the grid of learning rates and batch sizes it was: --no-grid"
        lines += [*found.splitlines(), ""]
    return [*lines, LEGEND]


def _parts(
    table: str, protocol: ProtocolName, seeds: int | None, *, grid: bool, smoke: bool
) -> list[ComparisonExperiment]:
    """The comparisons that are asked for."""
    from canner.tables import comparisons
    from canner.tables.variations import varied

    found = _with_corpus(comparisons(table, protocol.value))
    return [varied(config, seeds=seeds, grid=grid, smoke=smoke) for config in found]


def _with_corpus(configs: Sequence[ComparisonExperiment]) -> list[ComparisonExperiment]:
    """Of the parts of a table those whose corpus is there, and a note on each other; all, if none is there."""
    from canner.data.corpus import data_path

    found, notes = [], []
    for config in configs:
        data = config.base.data
        try:
            for path in (*data.train, *data.dev, *data.test):
                data_path(path)
        except ValueError as error:
            notes.append(f"{config.title}: left out: {error}")
        else:
            found.append(config)
    if not found:
        return list(configs)
    for text in notes:
        note(text)
    return found


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
) -> str | None:
    """Makes what one comparison reads, runs it, writes its results and kept runs (None: neither), prints its table.

    Returns:
        What is to be said of runs that broke off.
    """
    from canner.experiment.runner import BrokenRunsError, run_comparison
    from canner.report import read_results
    from canner.system_tables import table as as_table
    from canner.tables.parts import made_from

    of_call = {"max_minutes": options.max_minutes, "device": options.device, "progress": options.progress}
    prepare = None if make is None else partial(make, **of_call)
    if results is not None:
        kept = results / "runs" / f"{config.name}.json"
        options = replace(options, kept=kept, identify=made_from)
    path = None if results is None else results / f"{config.name}.json"
    publish = None if path is None else partial(_publish, path)
    broken = None
    try:
        found = run_comparison(
            config, folder, command=command, options=options, prepare=prepare, publish=publish
        )
    except BrokenRunsError as error:
        found, broken = read_results(folder / "results.json"), str(error)
    if path is not None and (planned := _planned(found)) < (before := _finished_of(path)):
        note(f"{path}: left as it is, of {before} runs a row; this call is of {planned}: --seeds {before}")
    typer.echo(as_table(found) + "\n")
    return broken


def _publish(path: Path, found: Mapping[str, Any]) -> None:
    """Writes a results file, unless the one that is there has more runs a row, or says the same of another command.

    Of nothing that was run, none anew.
    """
    from canner.data.bundle import save_json

    anything = any(row["metrics"] or row.get("failed") for row in found["rows"])
    if (anything or path.exists()) and _planned(found) >= _finished_of(path) and not _says(path, found):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_json(path, found)


def _says(path: Path, found: Mapping[str, Any]) -> bool:
    """Whether a results file has these figures already, whatever command wrote it."""
    from canner.report import read_results

    try:
        before = read_results(path) if path.exists() else {}
    except ValueError:
        return False
    same = json.loads(json.dumps({**found, "command": before.get("command")}))
    return same == before


def _planned(results: Mapping[str, Any]) -> int:
    """Runs that a row of a results file is planned to have."""
    return max((row.get("planned", 0) for row in results["rows"]), default=0)


def _finished_of(path: Path) -> int:
    """Runs that the fullest row of a results file has."""
    from canner.report import read_results

    try:
        rows = read_results(path)["rows"] if path.exists() else []
        return max((len(row.get("seeds", ())) + len(row.get("failed", ())) for row in rows), default=0)
    except ValueError:  # a damaged file is worth less than new figures
        return 0


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of results files.")] = Path("results"),
    readme: Annotated[Path, typer.Option(help="File whose table of gains is rebuilt.")] = Path("README.md"),
    page: Annotated[Path, typer.Option(help="Page of all results.")] = Path("docs/results.md"),
    models: Annotated[
        Path, typer.Option(help="Folder of bundles, whose cards get the figures of their own.")
    ] = Path("models"),
    stdout: Annotated[bool, typer.Option("--stdout", help="Print the tables; write nothing.")] = False,
) -> None:
    """Build the page of results with its plots, the gains in the README, and the figures on the models' cards.

    All figures come from the results files alone.

    Plots need the extra `plots` (matplotlib).

    Examples:

        canner report

        canner report results --stdout
    """
    from canner.plots import draw_figures
    from canner.report import (
        around_markers,
        figures_of_bundle,
        report_of_gains,
        results_page,
        update_card,
        update_readme,
    )
    from canner.report import report as build
    from canner.tables import planned_results
    from canner.text.files import write_lines

    if not folder.is_dir():
        raise ValueError(f"expected a folder of results, got no such folder: {folder}")
    planned = planned_results()
    if stdout:
        emit(build(folder, planned=planned).splitlines(), None)
        return
    around_markers(readme)  # or nothing is written
    page.parent.mkdir(parents=True, exist_ok=True)
    figures = draw_figures(folder, page.parent / "figures")
    write_lines(page, results_page(folder, _seen_from(page, figures), planned).splitlines())
    changed = update_readme(readme, report_of_gains(folder, _seen_from(readme, figures), planned))
    note(f"{page}: written; {readme}: {'gains rebuilt' if changed else 'already up to date'}")
    for card in sorted(models.glob("*/README.md")):
        if update_card(card, figures_of_bundle(folder, f"{models.name}/{card.parent.name}")):
            note(f"{card}: figures rebuilt")


def _seen_from(page: Path, figures: Sequence[Path]) -> list[str]:
    """Paths of pictures as a page names them."""
    return [Path(os.path.relpath(path, page.parent)).as_posix() for path in figures]
