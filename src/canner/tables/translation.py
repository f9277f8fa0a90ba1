"""Is it the translator's training? CAN_last by translators that were trained on, with more text and without."""

from __future__ import annotations

from canner.experiment.comparison import ComparisonExperiment
from canner.tables import chinese, european
from canner.tables.bundles import TRANSLATORS
from canner.tables.corpora import GERMAN, WEIBO, LabelledCorpus
from canner.tables.protocols import Protocol
from canner.tables.readings import Change, by_convs2s, some
from canner.tables.rows import rows_of
from canner.tables.variations import derived

LONGER = {language: f"runs/translator-{language}-longer" for language in ("de", "zh")}
"""Translators that ship, trained on with their own parallel text."""
BACK_TRANSLATED = "runs/translator-zh-backtranslated"
"""The Chinese one trained on with back-translations beside it."""
TRAINED_ON = (
    "trained on: the translator that ships after six more minutes on a GPU with its own parallel text"
)


def german(protocol: Protocol) -> ComparisonExperiment:
    """German (CoNLL-2003), CAN_last by translators that were trained on."""
    bundles = {"": TRANSLATORS["de"], ", trained on": LONGER["de"]}
    more = f"{TRAINED_ON}, with 60,000 everyday pairs, not all 169,781"
    return _translation("german", GERMAN, european.german(protocol), bundles, more)


def on_weibo(protocol: Protocol) -> ComparisonExperiment:
    """Weibo, revised annotation, CAN_last by translators that were trained on."""
    bundles = {"": TRANSLATORS["zh"], ", trained on": LONGER["zh"], ", back-translated": BACK_TRANSLATED}
    more = (
        f"{TRAINED_ON}; back-translated: the same with English newswire and other English beside it, whose Chinese a "
        "translator the other way wrote"
    )
    table = chinese.weibo_revised(protocol)
    return _translation("weibo", WEIBO["revised"], table, bundles, more)


def _translation(
    name: str, corpus: LabelledCorpus, table: ComparisonExperiment, bundles: dict[str, str], more: str
) -> ComparisonExperiment:
    """The table with its plain row, and by each translator: joined as in the paper, and, copies known, at the input.

    Args:
        name: of the results; the protocol is added to it.
        corpus, table: the table's corpus, and the table, whose plain tagger it is.
        bundles: of the translators, by the end of their rows' names.
        more: about these, in words.
    """
    additions: dict[str, Change] = {}
    for kind, bundle in bundles.items():
        names = (f"{name}{kind}" for name in ("CAN_last", "CAN_last with copies at the input"))
        additions |= some(by_convs2s(bundle, kind), *names)
    return derived(
        table,
        f"translation-{name}",
        f"Translation, {corpus.title}, {table.protocol} protocol",
        rows_of(table.systems[0].name, additions),
        corpus=f"{table.corpus}; {more}",
    )
