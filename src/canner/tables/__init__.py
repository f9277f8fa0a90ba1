"""The experiments of the paper, table by table, and those beyond it: what `canner reproduce` runs.

A table is one or several comparisons, each with a results file of its own. The paper's protocol and the fast one
give different files, so both stand side by side.
"""

from __future__ import annotations

from difflib import get_close_matches

from canner.experiment.comparison import ComparisonExperiment
from canner.report.results_file import Planned
from canner.tables import (
    chinese,
    curve,
    dictionary,
    distillation,
    encoder,
    european,
    few_labels,
    fine_tuned,
    fusion,
    guidance,
    hundred,
    last_epoch,
    longer,
    masakhaner,
    static,
    translation,
    uner,
)
from canner.tables.protocols import Part, Protocol
from canner.tables.variations import without_grid

TABLES: dict[str, dict[str, Part]] = {
    "table2": {"german": european.german, "spanish": european.spanish},
    "table3": {"ontonotes": chinese.ontonotes, "ontonotes4": chinese.ontonotes4},
    "table4": {"revised": chinese.weibo_revised, "original": chinese.weibo_original},
    "table5": {"weibo": chinese.embeddings},
    "figure3": {"vectors": chinese.layers, "encoder": chinese.layers_with_encoder},
    "masakhaner": {"swahili": masakhaner.swahili, "yoruba": masakhaner.yoruba},
    "uner": {"chinese": uner.chinese},
    "few-labels": few_labels.PARTS,
    "hundred": hundred.PARTS,
    "curve": curve.PARTS,
    "fine-tuned": fine_tuned.PARTS,
    "fusion": {
        "spanish": fusion.on_spanish,
        "weibo": fusion.on_weibo,
        "original": fusion.on_weibo_original,
    },
    "guidance": {"spanish": guidance.spanish},
    "distillation": {"weibo": distillation.on_weibo, "news": distillation.on_news},
    "translation": {"german": translation.german, "weibo": translation.on_weibo},
    "encoder": {"weibo": encoder.on_weibo, "yoruba": encoder.on_yoruba},
    "static": {
        "german": static.german,
        "spanish": static.spanish,
        "ontonotes": static.ontonotes,
        "revised": static.weibo_revised,
        "original": static.weibo_original,
        "embeddings": static.embeddings,
    },
    "last-epoch": last_epoch.PARTS,
    "longer": longer.PARTS,
    "dictionary": dictionary.PARTS,
    "letters": {"german": european.german_letters, "spanish": european.spanish_letters},
}
"""The comparisons of each table, by name."""
IN_README = ("table2", "table3", "table4", "figure3", "masakhaner", "uner")
"""The tables whose gains, or plots, under the fast protocol stand in the README."""
ALONE: dict[str, Protocol] = {
    "hundred": "fast",
    "curve": "fast",
    "fine-tuned": "fast",
    "dictionary": "fast",
    "longer": "fast",
    "last-epoch": "paper",
}
"""The tables that run under one protocol alone."""


def comparisons(name: str, protocol: Protocol) -> list[ComparisonExperiment]:
    """The comparisons of a table, or of one part of it.

    Args:
        name: of a table ("table4"), or of a table's part ("table4-revised").
        protocol: "paper" or "fast".

    Raises:
        ValueError: if there is no such table, or it is not of this protocol.
    """
    table, part = _table_and_part(name)
    parts = TABLES.get(table, {})
    if not parts or (part is not None and part not in parts):
        names = ", ".join(f"{known} ({', '.join(inner)})" for known, inner in TABLES.items())
        every = [*TABLES, *(f"{known}-{inner}" for known, parts in TABLES.items() for inner in parts)]
        nearest = get_close_matches(name, every, n=1)
        meant = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ValueError(
            f"expected a table, or a part of it such as table4-revised, of {names}; got {name!r}{meant}"
        )
    if (alone := ALONE.get(table, protocol)) != protocol:
        raise ValueError(f"expected --protocol {alone}, got {protocol}: {table} runs under that one alone")
    chosen = list(parts.values()) if part is None else [parts[part]]
    return [make(protocol) for make in chosen]


def own_protocol(name: str) -> Protocol:
    """The protocol of a table, or of a part, where none is asked for: the fast one, unless it has the other alone."""
    table, _ = _table_and_part(name)
    return ALONE.get(table, "fast")


def _table_and_part(name: str) -> tuple[str, str | None]:
    """A table's name and, where it is one, its part's; names of tables may have hyphens themselves."""
    for table in TABLES:
        if name.startswith(f"{table}-"):
            return table, name.removeprefix(f"{table}-")
    return name, None


def descriptions() -> dict[str, str]:
    """A line about every part of every table, by its name."""
    return {
        f"{table}-{part}": (make.__doc__ or "").splitlines()[0]
        for table, parts in TABLES.items()
        for part, make in parts.items()
    }


def planned_results(only: str | None = None) -> list[Planned]:
    """Every part of every table: under the fast protocol, under the paper's without its grid, and with it.

    Args:
        only: the part of a table ("table4-revised") that is wanted; None: all.
    """
    planned = []
    for table, part in ((table, part) for table, parts in TABLES.items() for part in parts):
        name, of_name = f"{table}-{part}", []
        if only not in (None, name):
            continue
        if ALONE.get(table) != "paper":
            of_name += [(fast, "--protocol fast") for fast in comparisons(name, "fast")]
        if ALONE.get(table) != "fast":
            (paper,) = comparisons(name, "paper")
            of_name += [(without_grid(paper), "--protocol paper --no-grid"), (paper, "--protocol paper")]
        planned += [
            Planned(
                config.name,
                config.title,
                f"canner reproduce {name} {flags}",
                in_readme=table in IN_README and config.protocol == "fast",
            )
            for config, flags in of_name
        ]
    return planned
