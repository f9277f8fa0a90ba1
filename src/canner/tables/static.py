"""Tables 2 to 5 with static word vectors: training leaves them as they were loaded (decision 0025)."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import TaggerExperiment
from canner.presets import TIMES
from canner.tables import chinese, european
from canner.tables.corpora import WEIBO
from canner.tables.protocols import Protocol
from canner.tables.variations import derived, with_more_epochs

KNOWN = (
    "training leaves vectors as they were loaded or drawn; a token that has a loaded one is known, whether or not it "
    "stands in a training sentence"
)
"""What the data say of static vectors."""


def german(protocol: Protocol) -> ComparisonExperiment:
    """Table 2, German (CoNLL-2003), word vectors left as they were loaded."""
    return _static("german", european.german(protocol))


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """Table 2, Spanish (CoNLL-2002), word vectors left as they were loaded."""
    return _static("spanish", european.spanish(protocol))


def ontonotes(protocol: Protocol) -> ComparisonExperiment:
    """Table 3, OntoNotes 5 Chinese news, character vectors left as they were loaded."""
    return _static("ontonotes", chinese.ontonotes(protocol))


def weibo_revised(protocol: Protocol) -> ComparisonExperiment:
    """Table 4, Weibo, the revised annotation, character vectors left as they were loaded."""
    return _static("revised", chinese.weibo_revised(protocol))


def weibo_original(protocol: Protocol) -> ComparisonExperiment:
    """Table 4, Weibo, the original annotation, character vectors left as they were loaded."""
    return _static("original", chinese.weibo_original(protocol))


def embeddings(protocol: Protocol) -> ComparisonExperiment:
    """Table 5, Weibo, the original annotation, character vectors left as they were loaded or drawn."""
    table = chinese.table5(WEIBO["original"], protocol)
    known = {"embeddings.vocabulary_text": (chinese.CHARACTER_VECTORS.vectors,)}
    rows = [
        row.model_copy(update={"change": {**row.change, **known}}) if row.name == "FastText" else row
        for row in table.systems
    ]
    return _left_alone("embeddings", table, table.base, rows)


def _static(name: str, table: ComparisonExperiment) -> ComparisonExperiment:
    """The table's rows that read word vectors alone, or English beside them, and score tags as its other rows do."""
    rows = [
        row for row in table.systems if not {"embeddings.contextual", "model.emissions"} & row.change.keys()
    ]
    vectors = table.base.embeddings
    known = vectors.model_copy(update={"vocabulary_text": (vectors.vectors,)})
    return _left_alone(name, table, table.base.model_copy(update={"embeddings": known}), rows)


def _left_alone(
    name: str, table: ComparisonExperiment, base: TaggerExperiment, rows: list[System]
) -> ComparisonExperiment:
    """The table with these rows, its word vectors left alone in training."""
    shown = {"note", *(row.name for row in rows)}
    left_alone = derived(
        table,
        f"static-{name}",
        f"Static vectors, {table.title}",
        rows,
        base=base.model_copy(update={"model": base.model.model_copy(update={"freeze_words": True})}),
        corpus=f"{table.corpus}; {KNOWN}",
        paper={row: figures for row, figures in (table.paper or {}).items() if row in shown},
        headline=table.headline,
    )
    if table.protocol != "fast":
        return left_alone
    # with vectors that do not learn taggers learn slowly
    longer = with_more_epochs(left_alone)
    return longer.model_copy(update={"title": f"{longer.title}, {TIMES} times its epochs"})
