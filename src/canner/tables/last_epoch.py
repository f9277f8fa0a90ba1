"""Which weights does the paper report? Its tables with those of the last epoch beside those that do best on dev."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables import chinese, european, static
from canner.tables.protocols import Part, Protocol
from canner.tables.rows import OF_PAPER, rows_named
from canner.tables.variations import derived

LAST_EPOCH = {"training.keep": "last"}


def _last_epoch(part: str, make: Part, about: str) -> Part:
    """A table's plain tagger, CAN_first and CAN_last, each with either weights (decision 0028).

    Args:
        part: its name here.
        make, about: the table, and what it is.
    """

    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        plain = table.systems[0].name
        best = rows_named(table.systems, (plain, *(f"{plain} + {name}" for name in OF_PAPER)))
        last = {row.name: row.name.replace(plain, f"{plain}, last epoch") for row in best}
        rows = [
            System(name=last[row.name], change={**row.change, **LAST_EPOCH}, baseline=last[plain])
            for row in best
        ]
        paper = table.paper or {}
        figures = {name: paper[row] for row, again in last.items() if row in paper for name in (row, again)}
        return derived(
            table,
            f"last-epoch-{part}",
            f"Last epoch, {table.title}",
            (*best, *rows),
            corpus=f"{table.corpus}; last epoch: the weights with which a training ends",
            paper={**figures, **({"note": paper["note"]} if "note" in paper else {})},
        )

    made.__doc__ = f"{about}, the weights of the last epoch beside those that do best on dev."
    return made


PARTS: dict[str, Part] = {
    "german": _last_epoch("german", european.german, "Table 2, German (CoNLL-2003)"),
    "spanish": _last_epoch("spanish", european.spanish, "Table 2, Spanish (CoNLL-2002)"),
    "revised": _last_epoch("revised", chinese.weibo_revised, "Table 4, Weibo, the revised annotation"),
    "original": _last_epoch("original", chinese.weibo_original, "Table 4, Weibo, the original annotation"),
    "static": _last_epoch("static", static.weibo_original, "Static vectors, Weibo, the original annotation"),
}
"""The parts of the table, by name."""
