"""What English says against a plain tagger: tokens of which it names another type, and how often it is right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from canner.text.entities import Entity

Types = Sequence[str | None]
"""Of each token of a sentence the type of the entity that it is in; "": in none; None: in one of an unknown type."""


def token_types(entities: Iterable[Entity], num_tokens: int, known: Collection[str]) -> Types:
    """The type of the entity that each token is in, as the English teacher calls it.

    Args:
        entities: of a sentence.
        num_tokens: of the sentence.
        known: types that count. Weibo's named mentions (PER.NAM) have the type of the name, a country or
            city (GPE) is a place; nominal mentions, dates and the like are of an unknown type.
    """
    types: list[str | None] = [""] * num_tokens
    for entity in entities:
        name, _, kind = entity.type.partition(".")
        name = {"GPE": "LOC"}.get(name, name)
        named = name if name in known and kind != "NOM" else None
        types[entity.start : entity.end] = [named] * (entity.end - entity.start)
    return types


def objection_figures(
    gold: Sequence[Types], tagger: Sequence[Types], english: Sequence[Types]
) -> dict[str, float]:
    """How often a tagger is wrong, what English names there, and how often the English is right where it objects.

    English objects where it names a type and the tagger says something else; where it names none, it says nothing.
    Tokens of an unknown type are left out; a tagger that says one is wrong.

    Args:
        gold, tagger, english: types of the tokens of the same sentences.

    Returns:
        Numbers of tokens, and shares of these in percent (0 of none); "in no entity": of the tokens that English
        objects to, so many are in no entity.

    Raises:
        ValueError: if these are not types of the same tokens.
    """
    sizes = [[len(types) for types in of_all] for of_all in (gold, tagger, english)]
    if sizes[0] != sizes[1] or sizes[0] != sizes[2]:
        raise ValueError(
            "expected types of the same tokens, of gold standard, tagger and English, got sentences of "
            + ", ".join(f"{each[:3]}… ({len(each)})" for each in sizes)
        )
    counts: Counter[str] = Counter()
    for sentences in zip(gold, tagger, english, strict=True):
        for true, said, named in zip(*sentences, strict=True):
            if true is None:
                continue
            counts["wrong"] += said != true
            if named and named != said:
                counts["objections"] += 1
                counts["right"] += named == true
                counts["tagger right"] += said == true
                counts["in no entity"] += true == ""
    wrong, objections = counts["wrong"], counts["objections"]
    return {
        "wrong tokens": wrong,
        "named rightly by the English %": 100 * counts["right"] / max(1, wrong),
        "English objects, tokens": objections,
        "English right %": 100 * counts["right"] / max(1, objections),
        "tagger right %": 100 * counts["tagger right"] / max(1, objections),
        "in no entity %": 100 * counts["in no entity"] / max(1, objections),
    }
