"""What stands in tables of systems, explained: as much of it as a table has."""

from __future__ import annotations

from collections.abc import Sequence

_Entry = tuple[str, str]
"""What stands in a table that needs explaining, in lower case, and the explanation."""

_SYSTEMS: tuple[_Entry, ...] = (
    (
        "can_",
        "CAN_first and CAN_last read the first or the last attention layer of the ConvS2S translator (Eq. 7), "
        "CAN_gloss the word gloss. What they carry over is joined to the BiLSTM's states (Eq. 11) or, in rows that "
        "say so, to the word vectors at its input.",
    ),
    (
        "can_dictionary",
        "CAN_dictionary: the word gloss with the dictionary CC-CEDICT.",
    ),
    (
        "can_aligned",
        "CAN_aligned: an alignment head on the ConvS2S says which word came from which, and copied words are linked "
        "to what they were copied from.",
    ),
    (
        "copies",
        "With copies: a word that the translator copied is linked to what it was copied from, whatever attention says.",
    ),
    (
        " scaled",
        "Scaled: each source token's attention weights sum to 1, and the teacher's tag probabilities stand beside "
        "its states.",
    ),
    ("†", "†: made with an earlier translator, or other bundle, than the present one."),
)
_GAINS: tuple[_Entry, ...] = (
    (
        "| gain |",
        "Gain: F1 over the plain row of the same kind, with 95 % interval and two-sided p of a paired bootstrap "
        "(10,000 resamples) over the test sentences. All runs are pooled that have one of the plain row with the "
        "same seed, so a gain is not quite the difference of two means. That test ignores that another training "
        "gives another F1; the p in brackets does not (Student's t over the runs' gains).",
    ),
    (
        "; unseen",
        "Unseen: the same gain over the test sentences that do not stand in the whole training set, where a "
        "twentieth does.",
    ),
    (
        "upper bound",
        "Upper bound: DeepL's English with its alignments, read in the same place as the row's; a reference, which a "
        "row can pass.",
    ),
    (
        "collapsed",
        "Collapsed: a run whose development F1 is below half of its row's best, or a tenth of the table's; it is "
        "counted all the same.",
    ),
    (
        "cut off",
        "Cut off: a run that used all epochs it was allowed, and was best on the development set in the last tenth "
        "of them, so that more might have helped (not known of runs made before 2026-11-29).",
    ),
    (
        "| **",
        "Bold row: of those that read our English (without †, and with three runs or as many as any, where there are "
        "such), the one that gains most on the development set by the seeds that all of them have; the plain tagger "
        "if none gains.",
    ),
)

GAINS_LEGEND = (
    "Gains in F1 points, with the 95 % interval of a paired bootstrap (10,000 resamples) over the test sentences, "
    "runs with the same seeds pooled. Bold: p < 0.05 of several runs, not corrected for the number of tests. The "
    "bootstrap ignores that another training gives another F1; the tables of docs/results.md have a second p that "
    "does not. “Among 2 of 6”: only 2 of the table's 6 systems that read our English were run, or often enough."
)
"""What the table of gains alone needs."""
BY_LABELS_LEGEND = (
    "F1 on the test sets, mean ± standard deviation over the runs; without ± one run. *No labels*: the English "
    "teacher's entities, carried to the words; only types that the teacher knows are counted (Swahili and Yoruba: "
    "no dates; Chinese news: countries and cities count as places); or what a tagger finds that trained "
    "multilingual-e5-small on the English of CoNLL-2003. *100 sentences*: three random subsets, 80 to learn from "
    "and 20 that decide when training stops, or nothing, where the same encoder is trained with the tagger; "
    "random word vectors. *All sentences*: fast protocol, three runs or more; word vectors trained on parallel "
    "and training text for Spanish, German and Chinese news, else random; no encoder. *With the gloss*: the "
    "tagger reads the word gloss at its input. *With a dictionary*: that gloss reads CC-CEDICT, too."
)
"""What the table of F1 by labels needs."""
CURVE_LEGEND = (
    "The curve: F1 on the test sets, mean and standard deviation. Below all sentences, which the table has, too: three "
    "random subsets; 400 more labelled sentences decide when training stops; word vectors as with all sentences, at "
    "most 60 epochs, there 15. Dashed: the table's word gloss without labels, of fewer types where it says so."
)
"""What the curve of F1 by labels needs."""


def legend_of(tables: str) -> str:
    """What the words in the rows of some tables mean, and no others.

    Args:
        tables: as Markdown.

    Returns:
        Nothing, where no row needs a word.
    """
    return _of(tables, (*_SYSTEMS, *_GAINS))


def legend_of_systems(tables: str) -> str:
    """What the names of the systems in some tables mean; see `legend_of`."""
    return _of(tables, _SYSTEMS)


def _of(tables: str, entries: Sequence[_Entry]) -> str:
    text = "\n".join(line for line in tables.casefold().splitlines() if line.startswith("|"))
    return " ".join(explanation for word, explanation in entries if word in text)
