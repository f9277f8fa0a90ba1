"""The rows that tables share: plain taggers, and what English adds to each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from canner.experiment.comparison import System
from canner.tables.bundles import DICTIONARY_GLOSSES, ENCODER
from canner.tables.readings import Change, readings, some

OF_PAPER = ("CAN_first", "CAN_last")
BOTH = "CAN_gloss and CAN_last with copies at the input"
GLOSS = "CAN_gloss at the input"
OURS = ("CAN_last with copies at the input", "CAN_aligned at the input", GLOSS, BOTH)
"""Beyond the paper: other readings, the gloss, both together."""
DICTIONARY = "CAN_dictionary at the input"
OURS_OF_CHINESE = ("CAN_dictionary", DICTIONARY, "CAN_dictionary and CAN_last with copies at the input")
"""Beyond the paper: a gloss that reads a dictionary, too."""


def can_systems(language: str, plain: str) -> list[System]:
    """A plain tagger and what English adds to it: the paper's two rows, and ours.

    Args:
        language: whose translator and gloss are read.
        plain: the name of the plain tagger's row, with which the names of the others begin.
    """
    known = readings(language)
    return rows_of(plain, some(known, *OF_PAPER, *OURS, *(name for name in OURS_OF_CHINESE if name in known)))


def can_systems_with(contextual: str, language: str, plain: str) -> list[System]:
    """The same beside frozen contextual embeddings: the paper's rows, and the best of ours without them.

    Args:
        contextual: the embeddings' bundle.
        language, plain: as in `can_systems`.
    """
    return rows_of(
        plain, some(readings(language), *OF_PAPER, *glosses_at_input(language)), beside(contextual)
    )


def gloss_with_encoder(language: str, plain: str) -> list[System]:
    """Does English still add something to a tagger that reads a frozen encoder? See `can_systems`."""
    return rows_of(plain, some(readings(language), *glosses_at_input(language)), beside(ENCODER))


def glosses_at_input(language: str) -> tuple[str, ...]:
    """The names of the glosses of a language, read at the input: with a dictionary, too, where there is one."""
    return (GLOSS, DICTIONARY) if language in DICTIONARY_GLOSSES else (GLOSS,)


def beside(contextual: str) -> Change:
    """The change that makes a tagger read frozen contextual embeddings, by their bundle."""
    return {"embeddings.contextual": [contextual]}


def rows_of(plain: str, additions: Mapping[str, Change], change: Change | None = None) -> list[System]:
    """A plain tagger and what is added to it, each tested against it.

    Args:
        plain: the name of its row.
        additions: what each other row adds, by the end of its name.
        change: how all of them differ from the table's base.
    """
    change = change or {}
    rows = [System(name=plain, change=change, baseline=plain)]
    for name, addition in additions.items():
        rows.append(System(name=f"{plain} + {name}", change={**change, **addition}, baseline=plain))
    return rows


def rows_named(systems: Sequence[System], names: Collection[str]) -> tuple[System, ...]:
    """Those of the rows that have these names.

    Raises:
        ValueError: if a name is none of theirs.
    """
    known = [system.name for system in systems]
    if missing := [name for name in names if name not in known]:
        raise ValueError(f"expected rows among {', '.join(known)}, got {missing[0]!r}")
    return tuple(system for system in systems if system.name in names)
