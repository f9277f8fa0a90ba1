"""How a tagger may read English: each way by its name, as the change that it is to a plain tagger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from canner.tables.bundles import ALIGNERS, DICTIONARY_GLOSSES, EXTERNAL, GLOSSES, TEACHER, TRANSLATORS
from canner.transfer.aligned import TransferOptions
from canner.transfer.views import FilesConfig, TransferConfig, ViewConfig

Change = dict[str, Any]
"""Dotted keys of an experiment and their values, as a row has them."""

FIRST, LAST = TransferOptions(layer="first"), TransferOptions(layer="last")
"""The paper's CAN_first and CAN_last."""
COPIED = TransferOptions(layer="last", reading="copied")
"""Beyond the paper: what a copied word translates is known (decision 0019). Also how an alignment head is read."""
SCALED = TransferOptions(layer="last", normalise="source", posteriors=True, coverage=True)
"""Beyond the paper: every source token gets the same mass, and the teacher's tags beside its states."""
AT_INPUT: Change = {"model.aligned_at": "input"}
"""Beyond the paper: the BiLSTM reads the aligned features beside the word vectors (decision 0017)."""


def by_convs2s(translator: str, ending: str = "") -> dict[str, Change]:
    """What may be read of a ConvS2S translator, joined as in the paper, or at the input.

    Args:
        translator: its bundle.
        ending: of the names, where a table has several translators.
    """
    copied = with_english(view(translator, COPIED))
    changes = {
        "CAN_first": with_english(view(translator, FIRST)),
        "CAN_last": with_english(view(translator, LAST)),
        "CAN_last with copies": copied,
        "CAN_last with copies at the input": {**copied, **AT_INPUT},
        "CAN_last scaled": with_english(view(translator, SCALED)),
    }
    return {f"{name}{ending}": change for name, change in changes.items()}


def readings(language: str) -> dict[str, Change]:
    """All ways to read the English of what ships for a language, and of other systems where there is some."""
    translator, gloss = TRANSLATORS[language], view(GLOSSES[language])
    last, scaled, copied = (view(translator, options) for options in (LAST, SCALED, COPIED))
    aligned = with_english(view(ALIGNERS[language], COPIED))
    changes = {
        **by_convs2s(translator),
        "CAN_aligned": aligned,
        "CAN_aligned at the input": {**aligned, **AT_INPUT},
        "CAN_gloss": with_english(gloss),
        "CAN_gloss at the input": {**with_english(gloss), **AT_INPUT},
        "CAN_gloss and CAN_last": with_english(gloss, last),
        "CAN_gloss and CAN_last scaled": with_english(gloss, scaled),
        "CAN_gloss and CAN_last with copies at the input": {**with_english(gloss, copied), **AT_INPUT},
    }
    if language in DICTIONARY_GLOSSES:
        gloss = view(DICTIONARY_GLOSSES[language])
        changes |= {
            "CAN_dictionary": with_english(gloss),
            "CAN_dictionary at the input": {**with_english(gloss), **AT_INPUT},
            "CAN_dictionary and CAN_last with copies at the input": {
                **with_english(gloss, copied),
                **AT_INPUT,
            },
        }
    if language in EXTERNAL:
        changes["CAN, DeepL"] = with_english(external(language, "DeepL"))
        changes["CAN, DeepL at the input"] = {**changes["CAN, DeepL"], **AT_INPUT}
    return changes


def some(changes: Mapping[str, Change], *names: str) -> dict[str, Change]:
    """Those of these names, in their order here."""
    return {name: changes[name] for name in names}


def view(translator: str, options: TransferOptions | None = None) -> ViewConfig:
    """English by one translator's bundle."""
    return ViewConfig(translator=translator, options=options or TransferOptions())


def external(language: str, system: str) -> ViewConfig:
    """English by another system, from files: the upper bound.

    A few German sentences (13 of 18,024) have other tokens in those files: they have no English.
    """
    folder = f"$CANNER_DATA/external/{language}-en"
    parts = ("train", "dev", "test")
    files = FilesConfig(
        source=tuple(f"{folder}/source.{part}.{language}" for part in parts),
        english=tuple(f"{folder}/{system}.{part}.en" for part in parts),
        alignments=tuple(f"{folder}/{system}.{part}.align" for part in parts),
        missing="empty" if language == "de" else "error",
    )
    return ViewConfig(files=files)


def with_english(*views: ViewConfig) -> Change:
    """The change that makes a tagger read English."""
    return {"transfer": TransferConfig(teacher=TEACHER, views=views).model_dump(mode="json")}
