"""What of a table is asked for: the parts whose corpus is there, with how many seeds, and which rows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from canner.data.corpus import data_path
from canner.experiment.comparison import ComparisonExperiment
from canner.experiment.runner import require_among
from canner.report.publishing import more_seeds
from canner.tables import comparisons
from canner.tables.protocols import Protocol
from canner.tables.variations import rows_of_paper, varied

Chosen = tuple[ComparisonExperiment, tuple[str, ...], tuple[int, ...]]
"""A part, the rows that are asked for, and the numbers of training sentences; none: all."""


def _with_corpus(
    parts: Sequence[ComparisonExperiment], say: Callable[[str], None]
) -> list[ComparisonExperiment]:
    """The parts of a table whose corpus is there, and a note on each other; all, if none is there."""
    found, notes = [], []
    for part in parts:
        data = part.base.data
        try:
            for path in (*data.train, *data.dev, *data.test):
                data_path(path)
        except ValueError as error:
            notes.append(f"{part.title}: left out: {error}")
        else:
            found.append(part)
    if not found:
        return list(parts)
    for text in notes:
        say(text)
    return found


def asked_of(
    table: str,
    protocol: Protocol,
    seeds: int | None,
    published: Path | None,
    say: Callable[[str], None],
    *,
    grid: bool,
    smoke: bool,
) -> tuple[list[ComparisonExperiment], dict[str, int]]:
    """The parts of a table whose corpus is there, and how many seeds are to be made of those that are shown with more.

    Where no number is asked for, that are those of which some row of the results file has more runs than the table's
    own number: so a plain call shows them all, and makes no more than those.

    Args:
        table, protocol: which.
        seeds: how many; None: the table's own.
        published: folder of the results files; None: they do not count.
        say: is told which parts are left out.
        grid, smoke: as in `varied`.
    """
    parts = _with_corpus(comparisons(table, protocol), say)
    asked, own = [], {}
    for part in (varied(part, seeds=seeds, grid=grid, smoke=smoke) for part in parts):
        more = None
        if seeds is None and published is not None:
            more = more_seeds(published / f"{part.name}.json", part.num_seeds)
        if more is not None:
            own[part.name] = part.num_seeds
        asked.append(part if more is None else varied(part, seeds=more))
    return asked, own


def choices(
    parts: Sequence[ComparisonExperiment],
    systems: Sequence[str] | None,
    budgets: Sequence[int] | None,
    say: Callable[[str], None],
    *,
    paper_rows: bool,
) -> list[Chosen]:
    """The parts of a table that have some of the rows and budgets that are asked for, each with these.

    Args:
        parts: of a table.
        systems, budgets: names of rows, and numbers of training sentences; none: all.
        say: is told which parts are left out.
        paper_rows: also the rows that the paper has.

    Raises:
        ValueError: no part has one of them; names what there is.
    """
    systems, budgets = systems or (), budgets or ()
    wanted = {part.name: (*systems, *(rows_of_paper(part) if paper_rows else ())) for part in parts}
    require_among("--system", systems, [system.name for part in parts for system in part.systems])
    require_among("--budget", budgets, [budget for part in parts for budget in part.budgets])
    chosen: list[Chosen] = []
    for part in parts:
        sizes = tuple(budget for budget in part.budgets if budget in budgets)
        rows = tuple(
            system.name
            for system in part.systems
            if system.name in wanted[part.name]
            and (not (sizes and system.budgets) or set(system.budgets) & set(sizes))
        )
        if (wanted[part.name] and not rows) or (budgets and not sizes):
            say(f"{part.title}: left out: it has none of the rows, or training sets, that are asked for")
        else:
            chosen.append((part, rows, sizes))
    return chosen
