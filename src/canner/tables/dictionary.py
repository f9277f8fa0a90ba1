"""Does a dictionary make the Chinese gloss better? Both glosses, each read at the input, against each other."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, few_labels, hundred, uner
from canner.tables.protocols import Part, Protocol
from canner.tables.rows import DICTIONARY, GLOSS, rows_named
from canner.tables.variations import derived


def _against_gloss(part: str, make: Part, plain: str = "") -> Part:
    """The two rows of a table, whose runs stand for these; the one with the dictionary is tested against the other.

    Args:
        part: its name here.
        make: the table.
        plain: its plain tagger's row, with which the names of those that read English begin; "": they do not.
    """

    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        before = f"{plain} + " if plain else ""
        rows = rows_named(table.systems, [f"{before}{GLOSS}", f"{before}{DICTIONARY}"])
        rows = tuple(row.model_copy(update={"baseline": f"{before}{GLOSS}"}) for row in rows)
        return derived(table, f"dictionary-{part}", f"With a dictionary, {table.title}", rows)

    about = (make.__doc__ or "").partition(":")[0].rstrip(".")
    made.__doc__ = f"{about}: the gloss with a dictionary against the one without."
    return made


PARTS: dict[str, Part] = {
    "ontonotes": _against_gloss("ontonotes", chinese.ontonotes, "Char+BiLSTM+CRF"),
    "revised": _against_gloss("revised", chinese.weibo_revised, "Char+BiLSTM+CRF"),
    "original": _against_gloss("original", chinese.weibo_original, "Char+BiLSTM+CRF"),
    "uner": _against_gloss("uner", uner.chinese, "BiLSTM+CRF"),
    **{
        f"few-{part}": _against_gloss(f"few-{part}", few_labels.PARTS[part]) for part in ("ontonotes", "uner")
    },
    **{
        f"hundred-{part}": _against_gloss(f"hundred-{part}", hundred.PARTS[part])
        for part in ("ontonotes", "uner")
    },
}
"""The parts of the table, by name."""
