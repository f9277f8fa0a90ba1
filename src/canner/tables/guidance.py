"""What taught attention is worth to CAN."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.corpora import SPANISH
from canner.tables.few_labels import FEW, few, subsets
from canner.tables.protocols import Protocol, comparison
from canner.tables.readings import by_convs2s, some

GUIDANCE = ("guided", "lexical", "unguided")
"""How the small Spanish translators were trained."""


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """What taught attention is worth to CAN: small translators, alike but for what their attention was taught."""
    rows = [System(name="plain")]
    for kind in GUIDANCE:
        names = [f"{name}, {kind}" for name in ("CAN_first", "CAN_last", "CAN_last with copies")]
        known = by_convs2s(f"runs/translator-es-{kind}", f", {kind}")
        rows += [System(name=name, change=change) for name, change in some(known, *names).items()]
    return comparison(
        "guidance-spanish",
        f"Guidance, {SPANISH.title}, few labels",
        protocol,
        few(SPANISH.data),
        rows,
        corpus=f"{SPANISH.name}, {subsets()}; guided: the last attention was taught word alignments and the "
        "embeddings started from them; lexical: the embeddings alone; unguided: trained on translation alone, as the "
        "paper's; small translators, three passes over the parallel text each",
        budgets=(FEW,),
        headline=False,
    )
