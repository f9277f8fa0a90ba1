"""What stands in tables of systems, explained: as much of it as a table has."""

from __future__ import annotations

_SYSTEMS = (
    (
        "can_",
        "CAN_first and CAN_last read the first or the last attention layer of the ConvS2S translator (Eq. 7), "
        "CAN_aligned an alignment head on it, CAN_gloss the word gloss; they join what they read to the BiLSTM's "
        "states (Eq. 11) or, at the input, to the word vectors; with copies, and in CAN_aligned: what the translator"
        " copied is known to lie where it was copied from; scaled: every source token gets the same mass of "
        "attention, and the teacher's tags beside its states.",
    ),
    ("†", "†: made with an earlier translator, or other part, than the present one."),
)
_GAINS = (
    (
        "| gain |",
        "Gain: F1 over the plain row of the same kind, with 95 % interval and two-sided p of a paired bootstrap "
        "(10,000 resamples) over the test sentences, all runs pooled that have one of the plain row with the same "
        "seed; F1 of the pooled runs is not quite their mean. That test knows nothing of other trainings: in "
        "brackets p where these are reckoned with, too (Student's t over the runs' gains).",
    ),
    (
        "; unseen",
        "Unseen: the same gain over the test sentences that do not stand in the whole training part, where a "
        "twentieth does.",
    ),
    (
        "upper bound",
        "Upper bound: DeepL's English with its alignments, read in the same place as the row's; a reference that can"
        " be passed.",
    ),
    (
        "collapsed",
        "Collapsed: a run whose development F1 is below half of its row's best, or a tenth of the table's; it is "
        "counted all the same.",
    ),
    (
        "cut off",
        "Cut off: a run that had all epochs that it may have, and was best on the development set in the last tenth "
        "of them, so that more might have helped (not known of runs made before 2026-11-29).",
    ),
    (
        "| **",
        "Best on dev, in bold: of those that read our English (without †, and with three runs or as many as any, "
        "where there are such) the one that gains most on the development set by the seeds that all of them have, or"
        " the plain tagger if none gains.",
    ),
)


def _joined(entries: tuple[tuple[str, str], ...]) -> str:
    return " ".join(text for _, text in entries)


SYSTEMS_LEGEND = _joined(_SYSTEMS)
"""What the names of the systems mean."""
LEGEND = _joined((*_SYSTEMS, *_GAINS))
"""What the names of the systems, and gains, mean."""
GAINS_LEGEND = (
    "Gains in F1 points, with the 95 % interval of a paired bootstrap (10,000 resamples) over the test sentences, "
    "the runs with the same seeds pooled; in bold where there are several of these and that test has p < 0.05, "
    "uncorrected for how many tests there are. It ignores what another training would give: one run says little, and"
    " where there are several, the tables have a second p that counts that in. “Among 2 of 6”: only 2 of the table's"
    " 6 systems that read our English had been run, or often enough."
)
"""What the table of gains alone needs."""


def legend_of(tables: str) -> str:
    """What the words in the rows of some tables mean, and no others.

    Args:
        tables: as Markdown.

    Returns:
        Nothing, where no row needs a word.
    """
    text = "\n".join(line for line in tables.casefold().splitlines() if line.startswith("|"))
    return _joined(tuple(entry for entry in (*_SYSTEMS, *_GAINS) if entry[0] in text))
