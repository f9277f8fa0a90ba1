"""From the finished runs of a comparison to its results file: means, tests against the baseline, what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from canner.evaluation.bootstrap import paired_bootstrap_of_counts, paired_bootstrap_of_runs
from canner.experiment.choice import with_best_on_dev, with_share_of_upper_bound
from canner.experiment.comparison import Cell, ComparisonExperiment
from canner.experiment.corpus_facts import CorpusFacts
from canner.experiment.protocol_words import protocol_in_words
from canner.experiment.record import Record
from canner.experiment.results import results_made_now, summarise
from canner.experiment.results_schema import Gain, Results, Row, Tested
from canner.training.schedule import TrainingConfig

COLLAPSED_IN_ROW, COLLAPSED_IN_TABLE = 0.5, 0.1
"""A run whose development F1 is below this share of its row's best, or of the table's, is called collapsed."""

LATE = 0.9
"""A run that was best after this share of the epochs that it may have, and had them all, might have gone on."""

SEEN = 0.05
"""Where so large a share of the test sentences stands in the training set, gains are told without these, too."""

FEW_EPOCHS = 10
"""With a lower limit a run is not meant to learn all that it can."""


def summary(
    config: ComparisonExperiment,
    cells: Sequence[Cell],
    records: Mapping[Path, Record],
    *,
    command: str,
    corpus: CorpusFacts,
    outdated: Mapping[Path, Record] | None = None,
) -> Results:
    """A results file, from whatever runs are finished.

    Args:
        config: the comparison.
        cells: its plan.
        records: of the finished runs, by folder.
        command: what was typed.
        corpus: what is known of its data.
        outdated: runs made with bundles that are others now, by folder; shown where a row has no other run.

    Returns:
        A row for each system and budget, in the order of the plan; one without a run to show has no metrics.
    """
    records = _shown(cells, records, outdated or {})
    results = results_made_now(
        name=config.name,
        title=config.title,
        rows=_rows(config, cells, records, corpus.seen),
        data=config.corpus,
        protocol=protocol_in_words(config),
        command=command,
        paper=config.paper,
    )
    said: dict[str, Any] = {"corpus": corpus.described, "grid": config.grid}
    # Of the runs, which may have been made by several calls on several machines; not of this call.
    made = [record.environment for record in records.values()]
    if machines := sorted(
        {str(environment["hardware"]) for environment in made if "hardware" in environment}
    ):
        said["hardware"] = "; ".join(machines)
    if days := sorted({str(environment["date"]) for environment in made if "date" in environment}):
        said["date"] = " to ".join(dict.fromkeys((days[0], days[-1])))
    if not config.headline:
        said["headline"] = False
    return results.model_copy(update=said)


def _shown(
    cells: Sequence[Cell], records: Mapping[Path, Record], outdated: Mapping[Path, Record]
) -> dict[Path, Record]:
    """The records, with outdated ones for those rows that have no other: of one set of bundles, which has most runs."""
    shown, alike = dict(records), _by_bundles(outdated)
    for row in dict.fromkeys(cell.row for cell in cells):
        of_row = [cell for cell in cells if cell.row == row]
        if not _counted(of_row, records):
            groups = [_counted(of_row, group) for group in alike]
            known = max(range(len(groups)), key=lambda number: len(groups[number]), default=None)
            if known is not None and groups[known]:
                folders = {run.folder for cell in of_row for run in cell.known_runs(_dev_f1(alike[known]))}
                shown.update({f: record for f, record in alike[known].items() if f in folders})
    return shown


def _by_bundles(outdated: Mapping[Path, Record]) -> list[dict[Path, Record]]:
    """Outdated records by the bundles that they were made with."""
    alike: dict[tuple[tuple[str, str], ...], dict[Path, Record]] = {}
    for folder, record in outdated.items():
        alike.setdefault(tuple(sorted(record.outdated.items())), {})[folder] = record
    return list(alike.values())


def _counted(cells: Sequence[Cell], records: Mapping[Path, Record]) -> set[Path]:
    """The folders of the finished runs that the cells' row is about."""
    dev_f1 = _dev_f1(records)
    return {run.folder for cell in cells for run in cell.counted_runs(dev_f1) if run.folder in records}


def _dev_f1(records: Mapping[Path, Record]) -> dict[Path, float]:
    """Development F1 of each run, by folder."""
    return {folder: record.dev_f1 for folder, record in records.items()}


def _rows(
    config: ComparisonExperiment,
    cells: Sequence[Cell],
    records: Mapping[Path, Record],
    seen: NDArray[np.bool_],
) -> list[Row]:
    """A row for each system and budget, in the order of the plan."""
    dev_f1 = _dev_f1(records)
    counted: dict[str, dict[str, Record]] = {}
    chosen: dict[str, dict[str, Any]] = {}
    planned: dict[str, int] = {}
    cut_off: dict[str, list[str]] = {}
    for cell in cells:
        runs = cell.counted_runs(dev_f1)
        found = {run.name: records[run.folder] for run in runs if run.folder in records}
        counted.setdefault(cell.row, {}).update(found)
        cut_off.setdefault(cell.row, []).extend(
            run.name for run in runs if _is_cut_off(found.get(run.name), run.experiment.training)
        )
        planned[cell.row] = planned.get(cell.row, 0) + 1 + len(cell.other_seeds)
        if runs and config.grid:
            chosen.setdefault(cell.row, {})[runs[0].name] = dict(runs[0].point)
    best = max((record.dev_f1 for runs in counted.values() for record in runs.values()), default=0.0)
    rows, base_of = [], {}
    of_row = {cell.row: cell for cell in reversed(cells)}
    for row in dict.fromkeys(cell.row for cell in cells):
        system = of_row[row].system
        base = config.baseline_of(system)
        base_of[row] = base_row = None if base is None else base + row.removeprefix(system.name)
        said = {
            "planned": planned[row],
            "cut_off": tuple(cut_off[row]),
            "against": _against(base_row, counted[row], counted.get(base_row or "", {}), seen),
            "chosen": chosen.get(row),
            "reads_english": of_row[row].tries[0].experiment.transfer is not None,
            "upper_bound": _is_external(of_row[row]),
        }
        rows.append(_row(row, counted[row], said, best_of_table=best))
    read_at = {row: cell.tries[0].experiment.model.aligned_at for row, cell in of_row.items()}
    return with_share_of_upper_bound(with_best_on_dev(rows, base_of), read_at)


def _is_external(cell: Cell) -> bool:
    transfer = cell.tries[0].experiment.transfer
    return transfer is not None and any(view.files is not None for view in transfer.views)


def _row(row: str, runs: Mapping[str, Record], said: Mapping[str, Any], *, best_of_table: float) -> Row:
    """A row with its figures, and with what else is said of it, where that is anything."""
    good = {name: record for name, record in runs.items() if record.failure is None}
    best = max((record.dev_f1 for record in good.values()), default=0.0)
    least = max(COLLAPSED_IN_ROW * best, COLLAPSED_IN_TABLE * best_of_table)
    said = {
        "minutes": tuple(round(record.minutes, 1) for record in good.values()),
        "collapsed": tuple(n for n, record in good.items() if record.dev_f1 < least or record.dev_f1 <= 0),
        "outdated": tuple(sorted({path for record in runs.values() for path in record.outdated})),
        "failed": {name: record.failure for name, record in runs.items() if record.failure is not None},
        **said,
    }
    figures = {name: record.figures() for name, record in good.items()}
    entry = summarise(row, figures) if good else Row(system=row, metrics={}, seeds=())
    return entry.model_copy(update={key: value for key, value in said.items() if value})


def _is_cut_off(record: Record | None, training: TrainingConfig) -> bool:
    """Whether the limit of epochs ended a run that was still getting better; not known of the first that were kept.

    Of a limit of a few epochs, as in a smoke test, nothing is said; nor where the rate falls to the end of them.
    """
    limit = training.max_epochs
    if record is None or record.best_epoch is None or limit < FEW_EPOCHS or training.runs_to_its_end:
        return False
    return record.epochs == limit and record.best_epoch > LATE * limit


def _against(
    system: str | None, runs: Mapping[str, Record], baseline: Mapping[str, Record], seen: NDArray[np.bool_]
) -> Gain | None:
    """Paired bootstrap over the test sentences, the runs of both systems with the same seeds pooled.

    The interval is over sentences. Beside it, where there are several runs, the p value that reckons with other
    trainings too, the differences of single runs, and, where many sentences were seen in training, the same test
    without these.
    """
    pairs = [
        (name, baseline[name], record, (first, second))
        for name, record in runs.items()
        if name in baseline
        if (first := baseline[name].counts) is not None and (second := record.counts) is not None
    ]
    if not pairs:
        return None
    plain, can = (np.stack([counts[i] for *_, counts in pairs]) for i in (0, 1))
    by_run = {name: second.figures()["f1"] - first.figures()["f1"] for name, first, second, _ in pairs}
    dev = {name: second.dev_f1 - first.dev_f1 for name, first, second, _ in pairs}
    said: dict[str, Any] = {}
    if len(pairs) > 1:
        said["p_with_runs"] = round(paired_bootstrap_of_runs(plain, can).p_value, 4)
    if len(seen) == plain.shape[1] and SEEN <= seen.mean() < 1:
        said["unseen"] = _tested(plain[:, ~seen], can[:, ~seen])
    return Gain(
        system=system,
        **dict(_tested(plain, can)),
        runs=len(pairs),
        by_run={name: round(difference, 2) for name, difference in by_run.items()},
        dev_by_run={name: round(difference, 2) for name, difference in dev.items()},
        **said,
    )


def _tested(plain: NDArray[np.int64], can: NDArray[np.int64]) -> Tested:
    """What the paired bootstrap says of the counts of two systems [runs N 3], in points of F1."""
    found = paired_bootstrap_of_counts(plain.sum(axis=0), can.sum(axis=0))
    interval = found.difference
    values = {"difference": interval.value, "low": interval.low, "high": interval.high}
    return Tested(p=round(found.p_value, 4), **{name: round(value, 2) for name, value in values.items()})
