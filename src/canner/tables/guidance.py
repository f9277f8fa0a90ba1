"""What taught attention is worth to CAN."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.european import SPANISH
from canner.tables.few_labels import FEW, few, subsets
from canner.tables.protocols import COPIED, FIRST, LAST, Protocol, comparison, view, with_english

GUIDANCE = ("guided", "lexical", "unguided")
"""How the small Spanish translators were trained."""


def spanish(protocol: Protocol) -> ComparisonExperiment:
    """What taught attention is worth to CAN: small translators, alike but for what their attention was taught."""
    rows = [System(name="plain")]
    for kind in GUIDANCE:
        for name, options in (("CAN_first", FIRST), ("CAN_last", LAST), ("CAN_last with copies", COPIED)):
            carried = with_english(view(f"runs/translator-es-{kind}", options))
            rows.append(System(name=f"{name}, {kind}", change=carried))
    return comparison(
        "guidance-spanish",
        "Guidance, Spanish (CoNLL-2002), few labels",
        protocol,
        few(SPANISH),
        rows,
        corpus=f"CoNLL-2002 Spanish, {subsets()}; guided: the last attention was taught word alignments and the "
        "embeddings started from them; lexical: the embeddings alone; unguided: trained on translation alone, as the "
        "paper's; small translators, three passes over the parallel text each",
        budgets=(FEW,),
        batch_size=8,
        headline=False,
    )
