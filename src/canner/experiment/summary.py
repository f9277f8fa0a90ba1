"""From the finished runs of a comparison to its results file: means, tests against the baseline, what is missing."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from canner.data.corpus import CorpusConfig, data_path, load_corpus
from canner.evaluation.bootstrap import paired_bootstrap_of_counts
from canner.experiment.comparison import Cell, ComparisonExperiment, PlannedRun
from canner.experiment.record import Record
from canner.experiment.results import results_json, summarise
from canner.text.sentence import Sentence

COLLAPSED_SHARE = 0.5
"""A run whose development F1 is below this share of its row's best is called collapsed."""


def summary(
    config: ComparisonExperiment,
    cells: Sequence[Cell],
    records: Mapping[Path, Record],
    *,
    command: str,
    corpus: Mapping[str, Any],
    earlier: Mapping[str, dict[str, Any]] | None = None,
    outdated: Mapping[Path, Record] | None = None,
) -> dict[str, Any]:
    """The content of a results file, from whatever runs are finished.

    Args:
        config: the comparison.
        cells: its plan.
        records: of the finished runs, by folder.
        command: what was typed.
        corpus: what `describe_corpus` says.
        earlier: rows of before, whose runs are gone; each is shown as long as it says more (`_says_more`).
        outdated: runs made with bundles that are others now, by folder; shown where a row has no other run.

    Returns:
        A row for each system and budget, in the order of the plan; one without a run to show has no metrics. Bundles
        that are others now than when its runs were made are named under `outdated`.
    """
    records = _shown(cells, records, outdated or {})
    rows = _rows(config, cells, records, earlier or {})
    results = results_json(
        name=config.name,
        title=config.title,
        rows=rows,
        data=config.corpus,
        protocol=config.protocol,
        command=command,
        paper=config.paper,
    )
    # Of the runs, which may have been made by several calls on several machines; not of this call.
    made = [record.environment for record in records.values()]
    made += [row["made"] for row in rows if "made" in row]
    for key, join in (("hardware", "; ".join), ("date", max)):
        if said := sorted({str(environment[key]) for environment in made if key in environment}):
            results[key] = join(said)
    if not config.headline:
        results["headline"] = False
    return {**results, "corpus": dict(corpus), "grid": {key: list(v) for key, v in config.grid.items()}}


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
    earlier: Mapping[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """A row for each system and budget, in the order of the plan."""
    dev_f1 = _dev_f1(records)
    counted: dict[str, dict[str, tuple[PlannedRun, Record]]] = {}
    chosen: dict[str, dict[str, Any]] = {}
    planned: dict[str, int] = {}
    for cell in cells:
        runs = cell.counted_runs(dev_f1)
        found = {run.name: (run, records[run.folder]) for run in runs if run.folder in records}
        counted.setdefault(cell.row, {}).update(found)
        planned[cell.row] = planned.get(cell.row, 0) + 1 + cell.num_runs - len(cell.tries)
        if runs and config.grid:
            chosen.setdefault(cell.row, {})[runs[0].name] = dict(runs[0].point)
    rows = []
    of_row = {cell.row: cell for cell in reversed(cells)}
    for row in dict.fromkeys(cell.row for cell in cells):
        system = of_row[row].system
        base = config.baseline_of(system)
        base_row = None if base is None else base + row.removeprefix(system.name)
        entry = _row(row, counted[row], planned[row])
        if base_row is not None and (against := _against(counted[row], counted.get(base_row, {}))):
            entry["against"] = {"system": base_row, **against}
        if row in chosen:
            entry["chosen"] = chosen[row]
        if of_row[row].tries[0].experiment.transfer is not None:
            entry["reads_english"] = True
        if _is_external(of_row[row]):
            entry["upper_bound"] = True
        if (before := earlier.get(row)) is not None and _says_more(before, entry):
            entry = {**copy.deepcopy(before), "planned": planned[row]}
        rows.append(entry)
    _drop_tests_against_others(rows)
    _mark_best_on_dev(rows)
    _share_upper_bound(rows)
    return rows


def _says_more(before: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether a row of before says more than the kept runs of the row.

    It has more runs, or is of the bundles of now where these are not; an outdated one only as long as the row has no
    run of now that is tested as it is.
    """
    num_runs = len(entry["seeds"]) + len(entry.get("failed", ()))
    if ("outdated" in before) == ("outdated" in entry) or not num_runs:
        return len(before["seeds"]) > num_runs
    return "outdated" in entry or ("against" in before and "against" not in entry)


def _drop_tests_against_others(rows: Sequence[dict[str, Any]]) -> None:
    """A row of before was tested against a baseline of before; with that gone, the test says nothing of this table."""
    of_before = {row["system"] for row in rows if "made" in row}
    for row in rows:
        if "made" in row and row.get("against", {}).get("system") not in of_before:
            row.pop("against", None)


def _is_external(cell: Cell) -> bool:
    transfer = cell.tries[0].experiment.transfer
    return transfer is not None and any(view.files is not None for view in transfer.views)


def _mark_best_on_dev(rows: Sequence[dict[str, Any]]) -> None:
    """Of the rows tested against the same baseline, the one to be reported: chosen on dev, never on test.

    Where some read English, these alone: the tables ask what English adds. The upper bound is not ours, and what found
    nothing on dev is best at nothing.
    """
    tested = [row for row in rows if "against" in row and not row.get("upper_bound")]
    for base in {row["against"]["system"] for row in tested}:
        others = [row for row in tested if row["against"]["system"] == base]
        ours = [row for row in others if row.get("reads_english")] or others
        best = max(ours, key=lambda row: row["metrics"]["dev f1"]["mean"])
        if best["metrics"]["dev f1"]["mean"] > 0:
            best["best_on_dev"] = True


def _share_upper_bound(rows: Sequence[dict[str, Any]]) -> None:
    """What share of the upper bound's gain (of two the higher one's) a system reaches, if there is one; in percent."""
    bounds: dict[str, float] = {}
    for row in rows:
        if row.get("upper_bound") and "against" in row:
            base = row["against"]["system"]
            bounds[base] = max(bounds.get(base, 0.0), row["against"]["difference"])
    for row in rows:
        against = row.get("against", {})
        bound = bounds.get(against.get("system"), 0.0)
        if bound > 0 and not row.get("upper_bound"):
            against["share_of_upper_bound"] = round(100 * against["difference"] / bound, 1)


def describe_corpus(config: CorpusConfig) -> dict[str, Any]:
    """Files with digests, and counts of sentences, tokens and entities of each part: which data these were."""
    corpus = load_corpus(config.model_copy(update={"num_sentences": None, "num_dev": None, "num_test": None}))
    described: dict[str, Any] = {}
    for name, sentences in (("train", corpus.train), ("dev", corpus.dev), ("test", corpus.test)):
        paths = [data_path(path) for path in getattr(config, name)]
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in paths}
        described[name] = {"sha256": files, **_counts(sentences)}
    return described


def _counts(sentences: Sequence[Sentence]) -> dict[str, int]:
    return {
        "sentences": len(sentences),
        "tokens": sum(len(sentence.tokens) for sentence in sentences),
        "entities": sum(len(sentence.entities) for sentence in sentences),
    }


def _row(row: str, runs: Mapping[str, tuple[PlannedRun, Record]], planned: int) -> dict[str, Any]:
    failed = {name: record.failure for name, (_, record) in runs.items() if record.failure is not None}
    good = {name: record for name, (_, record) in runs.items() if record.failure is None}
    if not good:
        entry: dict[str, Any] = {"system": row, "metrics": {}, "seeds": []}
    else:
        entry = summarise(row, {name: record.figures() for name, record in good.items()}).to_json()
        best = max(record.dev_f1 for record in good.values())
        collapsed = [name for name, record in good.items() if record.dev_f1 < COLLAPSED_SHARE * best]
        entry["minutes"] = [round(record.minutes, 1) for record in good.values()]
        if collapsed:
            entry["collapsed"] = collapsed
    entry["planned"] = planned
    if outdated := sorted({path for _, record in runs.values() for path in record.outdated}):
        entry["outdated"] = outdated
    if failed:
        entry["failed"] = failed
    return entry


def _against(
    runs: Mapping[str, tuple[PlannedRun, Record]], baseline: Mapping[str, tuple[PlannedRun, Record]]
) -> dict[str, Any] | None:
    """Paired bootstrap over the test sentences, the runs of both systems with the same seeds pooled."""
    pairs = [
        (baseline[name][1].counts, record.counts) for name, (_, record) in runs.items() if name in baseline
    ]
    shared = [(first, second) for first, second in pairs if first is not None and second is not None]
    if not shared:
        return None
    first, second = (np.sum([pair[i] for pair in shared], axis=0) for i in (0, 1))
    found = paired_bootstrap_of_counts(first, second)
    return {
        "difference": round(found.difference.value, 2),
        "low": round(found.difference.low, 2),
        "high": round(found.difference.high, 2),
        "p": round(found.p_value, 4),
        "runs": len(shared),
    }
