"""Which row of a table is to be reported, and how near it comes to the upper bound."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

ENOUGH_RUNS = 3
"""A row with as many runs is not passed over for one with more."""


def mark_best_on_dev(rows: Sequence[dict[str, Any]], base_of: Mapping[str, str | None]) -> None:
    """For each baseline the row to be reported: chosen on dev, never on test.

    1. Candidates are the rows tested against it, but for the upper bound, which is not ours; where the table has rows
       that read English, these alone, since it asks what English adds.
    2. Outdated rows are left out where there are others, and those with fewer runs than others and than `ENOUGH_RUNS`.
    3. Of these the one that gains most over the baseline on dev, by the seeds that all of them have, or each by its
       own where these are too few.
    4. If none gains, the baseline itself, unless it is tested against another, too.

    Where candidates were left out, or were not run, `chosen_among` says among how many of how many it was chosen.
    """
    by_name = {row["system"]: row for row in rows}
    english = any(row.get("reads_english") for row in rows)
    tested = [row for row in rows if "against" in row and not row.get("upper_bound")]
    ours = [row for row in tested if not english or row.get("reads_english")]
    for base in {row["against"]["system"] for row in ours}:
        of_base = [row for row in ours if row["against"]["system"] == base]
        candidates = [
            row
            for row in rows
            if base_of[row["system"]] == base != row["system"]
            and not row.get("upper_bound")
            and (row.get("reads_english") or not english)
        ]
        of_now = [row for row in of_base if "outdated" not in row] or of_base
        enough = min(ENOUGH_RUNS, max(row["against"]["runs"] for row in of_now))
        full = [row for row in of_now if row["against"]["runs"] >= enough]
        best, gain = _best_on_dev(full, enough)
        choice = best if gain > 0 else by_name[base]
        if gain <= 0 and "against" in choice:  # it is not the best of those that are tested as it is
            continue
        if len(choice.get("collapsed", ())) < len(choice["seeds"]):
            choice["best_on_dev"] = True
            if len(full) < len(candidates):
                choice["chosen_among"] = [len(full), len(candidates)]


def _best_on_dev(rows: Sequence[dict[str, Any]], enough: int) -> tuple[dict[str, Any], float]:
    """The row that gains most on dev and its gain, by the runs that all have; each by its own, if those are too few."""
    by_run = [row["against"]["dev_by_run"] for row in rows]
    shared = set(by_run[0]).intersection(*by_run[1:])
    counted = [shared if len(shared) >= enough else gain for gain in by_run]
    gains = [
        round(statistics.fmean(gain[run] for run in runs), 2)
        for runs, gain in zip(counted, by_run, strict=True)
    ]
    best = max(range(len(rows)), key=lambda number: gains[number])
    return rows[best], gains[best]


def share_upper_bound(rows: Sequence[dict[str, Any]], read_at: Mapping[str, str]) -> None:
    """What share a system reaches of the upper bound's gain, where both read English in one place; in percent.

    Of several upper bounds the one with most runs, then the higher one. None where it lacks one of the seeds.

    Args:
        rows: with their tests.
        read_at: where each row's tagger reads aligned features.
    """
    bounds: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        if row.get("upper_bound") and (bound := row.get("against")):
            key = bound["system"], read_at[row["system"]]
            known = bounds.setdefault(key, bound)
            if (bound["runs"], bound["difference"]) > (known["runs"], known["difference"]):
                bounds[key] = bound
    for row in rows:
        against = row.get("against", {"system": ""})
        of_bound = bounds.get((against["system"], read_at[row["system"]]))
        if row.get("upper_bound") or not row.get("reads_english") or of_bound is None:
            continue
        ours, theirs = against["by_run"], of_bound["by_run"]
        if ours.keys() <= theirs.keys() and (gain := sum(theirs[run] for run in ours)) > 0:
            against["share_of_upper_bound"] = round(100 * sum(ours.values()) / gain, 1)
