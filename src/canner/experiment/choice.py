"""Which row of a table is to be reported, and how near it comes to the upper bound."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from canner.experiment.results_schema import Gain, Row

ENOUGH_RUNS = 3
"""A row with as many runs is not passed over for one with more."""


def with_best_on_dev(rows: Sequence[Row], base_of: Mapping[str, str | None]) -> list[Row]:
    """The rows, of which for each baseline the one to be reported is marked: chosen on dev, never on test.

    1. Candidates are the rows tested against it, but for the upper bound, which is not ours; where the table has rows
       that read English, these alone, since it asks what English adds.
    2. Outdated rows are left out where there are others, and those with fewer runs than others and than `ENOUGH_RUNS`.
    3. Of these the one that gains most over the baseline on dev, by the seeds that all of them have, or each by its
       own where these are too few.
    4. If none gains, the baseline itself, unless it is tested against another, too.

    Where candidates were left out, or were not run, `chosen_among` says among how many of how many it was chosen.
    """
    english = any(row.reads_english for row in rows)
    ours = [row for row in rows if not row.upper_bound and (row.reads_english or not english)]
    tested = [(row, row.against) for row in ours if row.against]
    marks: dict[str, dict[str, Any]] = {}
    for base in {gain.system for _, gain in tested}:
        candidates = [row for row in ours if base_of[row.system] == base != row.system]
        of_base = [(row, gain) for row, gain in tested if gain.system == base]
        of_now = [(row, gain) for row, gain in of_base if not row.outdated] or of_base
        enough = min(ENOUGH_RUNS, max(gain.runs for _, gain in of_now))
        full = [(row, gain) for row, gain in of_now if gain.runs >= enough]
        best, points = _best_on_dev([gain.dev_by_run for _, gain in full], enough)
        choice = full[best][0] if points > 0 else next(row for row in rows if row.system == base)
        if points <= 0 and choice.against:  # it is not the best of those that are tested as it is
            continue
        if len(choice.collapsed) < len(choice.seeds):
            marks[choice.system] = {"best_on_dev": True}
            if len(full) < len(candidates):
                marks[choice.system]["chosen_among"] = (len(full), len(candidates))
    return [row.model_copy(update=marks.get(row.system)) for row in rows]


def _best_on_dev(by_run: Sequence[Mapping[str, float]], enough: int) -> tuple[int, float]:
    """Which gains most on dev and how much, by the runs that all have; each by its own, if those are too few."""
    shared = set(by_run[0]).intersection(*by_run[1:])
    counted = [shared if len(shared) >= enough else gain for gain in by_run]
    gains = [
        round(statistics.fmean(gain[run] for run in runs), 2)
        for runs, gain in zip(counted, by_run, strict=True)
    ]
    best = max(range(len(gains)), key=lambda number: gains[number])
    return best, gains[best]


def with_share_of_upper_bound(rows: Sequence[Row], read_at: Mapping[str, str]) -> list[Row]:
    """The rows with the share of the upper bound's gain that they reach, where both read English in one place.

    Of several upper bounds the one with most runs, then the higher one. None where it lacks one of the seeds.

    Args:
        rows: with their tests.
        read_at: where each row's tagger reads aligned features.
    """
    bounds: dict[tuple[str, str], Gain] = {}
    for row in rows:
        if row.upper_bound and (bound := row.against):
            key = bound.system, read_at[row.system]
            known = bounds.setdefault(key, bound)
            if (bound.runs, bound.difference) > (known.runs, known.difference):
                bounds[key] = bound
    shared = []
    for row in rows:
        ours = row.against if row.reads_english and not row.upper_bound else None
        if ours and (of_bound := bounds.get((ours.system, read_at[row.system]))):
            row = row.model_copy(update={"against": _with_share(ours, of_bound.by_run)})
        shared.append(row)
    return shared


def _with_share(ours: Gain, theirs: Mapping[str, float]) -> Gain:
    """A gain with what it is of another's, in percent, by the same runs."""
    if ours.by_run.keys() <= theirs.keys() and (gain := sum(theirs[run] for run in ours.by_run)) > 0:
        share = round(100 * sum(ours.by_run.values()) / gain, 1)
        return ours.model_copy(update={"share_of_upper_bound": share})
    return ours
