"""Tagging schemes: tags to entities and back, conversion, detection, allowed transitions.

Five schemes are known. `BIOES` is the one used inside the library; `BMES` and `BILOU` are the same with
other letters. `IOB1` writes B- only where an entity directly follows one of its type, `IOB2` at every start.

Reading is as lenient as conlleval: every tag that is not O belongs to some entity, so an ill-formed
sequence has exactly one meaning, and encoding that meaning again is the repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canner.text.entities import Entity, first_overlap

SCHEMES = ("IOB1", "IOB2", "BIOES", "BMES", "BILOU")
_LETTERS = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES", "BMES": "BMES", "BILOU": "BILU"}
_UNCHANGED: dict[int, str] = {}
_TO_BIOES = {
    "IOB1": _UNCHANGED,
    "IOB2": _UNCHANGED,
    "BIOES": _UNCHANGED,
    "BMES": {ord("M"): "I"},
    "BILOU": {ord("L"): "E", ord("U"): "S"},
}
_FROM_BIOES = {
    "BIOES": _UNCHANGED,
    "BMES": {ord("I"): "M"},
    "BILOU": {ord("E"): "L", ord("S"): "U"},
}
_KNOWN_LETTERS = frozenset("BIESMLU")


@dataclass(frozen=True)
class Repair:
    """One tag that its scheme does not allow where it stands.

    Attributes:
        position: index of the token in its sentence.
        found: the tag as it was.
        used: the tag of the same scheme that says what was understood.
        reason: in words.
        line: line of the file, 1-based, where the tags were read from one.
    """

    position: int
    found: str
    used: str
    reason: str
    line: int | None = None


class TagError(ValueError):
    """A tag that cannot be understood; `sentence` and `position` say which."""

    def __init__(self, message: str, position: int, sentence: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position
        self.sentence = sentence


def split_tag(tag: str) -> tuple[str, str] | None:
    """`("B", "PER")` for `B-PER`, `("O", "")` for `O`, None if the tag has another shape."""
    if tag == "O":
        return "O", ""
    if len(tag) > 2 and tag[1] == "-" and tag[0] in _KNOWN_LETTERS:
        return tag[0], tag[2:]
    return None


def check_tags(tags: Sequence[str], scheme: str) -> None:
    """Check that every tag has the shape of its scheme (not that the sequence is well formed).

    Raises:
        TagError: (a ValueError) that names the position and the tag.
        ValueError: for an unknown scheme.
    """
    letters = _LETTERS[_check_scheme(scheme)]
    for position, tag in enumerate(tags):
        if tag == "O":
            continue
        parts = split_tag(tag)
        if parts is None or parts[0] not in letters:
            shapes = ", ".join(f"{letter}-TYPE" for letter in letters)
            raise TagError(
                f"expected a tag of {scheme} (O, {shapes}), got {tag!r} at position {position}; "
                "name the right scheme or correct the tag",
                position,
            )


def detect_scheme(tag_sequences: Iterable[Sequence[str]]) -> str:
    """The scheme of a corpus, from the letters in use and from where B- stands.

    Without entities, or with nothing that tells schemes apart, the answer is `IOB2`.

    Raises:
        TagError: (a ValueError) for a tag of unknown shape, or letters that no single scheme has together.
    """
    found: dict[str, tuple[int, int, str]] = {}
    b_at_start = i_at_start = 0
    for sentence, tags in enumerate(tag_sequences):
        previous = ("O", "")
        for position, tag in enumerate(tags):
            parts = split_tag(tag)
            if parts is None:
                raise TagError(_unknown_shape(tag), position, sentence)
            letter, kind = parts
            if letter != "O" and letter not in found:
                found[letter] = (sentence, position, tag)
                _refuse_mixture(found)
            if letter in "BI" and previous[1] != kind:
                b_at_start += letter == "B"
                i_at_start += letter == "I"
            previous = parts
    letters = set(found)
    if "M" in letters:
        return "BMES"
    if letters & {"L", "U"}:
        return "BILOU"
    if letters & {"E", "S"}:
        return "BIOES"
    return "IOB1" if i_at_start > b_at_start else "IOB2"


def decode_tags(tags: Sequence[str], scheme: str = "BIOES") -> list[Entity]:
    """The entities that a tag sequence spells, read as conlleval reads it.

    An entity starts at B- and S-, and at any other tag that cannot continue the one before it; it ends
    after E- and S-, and wherever the next tag does not continue it.

    Args:
        tags: one tag a token.
        scheme: one of `SCHEMES`; decides which letters are allowed.

    Raises:
        TagError: (a ValueError) for a tag that is not of the scheme.
    """
    check_tags(tags, scheme)
    table = _TO_BIOES[scheme]
    entities: list[Entity] = []
    start, kind, is_open = 0, "", False
    for position, tag in enumerate(tags):
        letter, tag_kind = ("O", "") if tag == "O" else (tag[0].translate(table), tag[2:])
        continues = is_open and letter in "IE" and tag_kind == kind
        if is_open and not continues:
            entities.append(Entity(start, position, kind))
            is_open = False
        if letter == "O":
            continue
        if not continues:
            start, kind, is_open = position, tag_kind, True
        if letter in "ES":
            entities.append(Entity(start, position + 1, kind))
            is_open = False
    if is_open:
        entities.append(Entity(start, len(tags), kind))
    return entities


def encode_tags(entities: Iterable[Entity], length: int, scheme: str = "BIOES") -> list[str]:
    """The tags of a sentence with these entities; `decode_tags` gives exactly them back.

    Args:
        entities: in any order.
        length: number of tokens.
        scheme: one of `SCHEMES`.

    Raises:
        ValueError: if two entities overlap, one reaches beyond the sentence, or the scheme is unknown.
    """
    _check_scheme(scheme)
    ordered = sorted(entities)
    overlap = first_overlap(ordered)
    if overlap is not None:
        raise ValueError(f"expected entities that do not overlap, got {overlap[0]} and {overlap[1]}")
    tags = ["O"] * length
    previous: Entity | None = None
    for entity in ordered:
        if entity.end > length:
            raise ValueError(f"expected entities within {length} tokens, got {entity}")
        letters = "I" * len(entity)
        if scheme == "IOB2" or (
            scheme == "IOB1"
            and previous is not None
            and (previous.end, previous.type) == (entity.start, entity.type)
        ):
            letters = "B" + letters[1:]
        elif scheme != "IOB1":
            letters = "S" if len(entity) == 1 else "B" + letters[2:] + "E"
            letters = letters.translate(_FROM_BIOES[scheme])
        tags[entity.start : entity.end] = [f"{letter}-{entity.type}" for letter in letters]
        previous = entity
    return tags


def convert_tags(tags: Sequence[str], from_scheme: str, to_scheme: str) -> tuple[list[str], list[Repair]]:
    """The tags in another scheme, and every tag that was ill formed where it stood.

    The entities stay those that conlleval would read from the original tags.

    Raises:
        TagError: (a ValueError) for a tag that is not of `from_scheme`.
    """
    entities = decode_tags(tags, from_scheme)
    well_formed = encode_tags(entities, len(tags), from_scheme)
    repairs = [
        Repair(position, found, used, _reason(tags, position, used, from_scheme))
        for position, (found, used) in enumerate(zip(tags, well_formed, strict=True))
        if found != used
    ]
    return encode_tags(entities, len(tags), to_scheme), repairs


def allowed_transitions(tags: Sequence[str]) -> tuple[list[bool], list[bool], list[list[bool]]]:
    """Which BIOES tags may start a sentence, end it, and follow each other.

    Args:
        tags: the tag inventory, in the order of the tag ids.

    Returns:
        `start[k]`, `end[k]` and `matrix[from][to]`, True where allowed.

    Raises:
        TagError: (a ValueError) for a tag that is not BIOES.
    """
    check_tags(tags, "BIOES")
    parts = [("O", "") if tag == "O" else (tag[0], tag[2:]) for tag in tags]
    start = [letter in "OBS" for letter, _ in parts]
    end = [letter in "OES" for letter, _ in parts]
    matrix = [
        [
            (letter in "OES" and next_letter in "OBS")
            or (letter in "BI" and next_letter in "IE" and kind == next_kind)
            for next_letter, next_kind in parts
        ]
        for letter, kind in parts
    ]
    return start, end, matrix


def _check_scheme(scheme: str) -> str:
    if scheme not in SCHEMES:
        raise ValueError(f"expected a scheme of {', '.join(SCHEMES)}, got {scheme!r}")
    return scheme


def _unknown_shape(tag: str) -> str:
    return f"expected a tag such as O or B-PER, got {tag!r}; is the tag in the last column?"


def _refuse_mixture(found: dict[str, tuple[int, int, str]]) -> None:
    """Raise at the first tag whose letter no scheme has together with those seen before."""
    letters = set(found)
    if any(letters <= set(known) for known in _LETTERS.values()):
        return
    sentence, position, tag = found[next(reversed(found))]
    seen = ", ".join(seen_tag for _, _, seen_tag in list(found.values())[:-1])
    raise TagError(
        f"expected tags of one scheme, got mixed schemes: {tag!r} after {seen}; "
        "convert the file to one scheme first",
        position,
        sentence,
    )


def _reason(tags: Sequence[str], position: int, used: str, scheme: str) -> str:
    """Why the tag at a position is ill formed, given the tag that says what was understood."""
    table = _TO_BIOES[scheme]
    found = tags[position]
    letter, used_letter = found[0].translate(table), used[0].translate(table)
    before = "O" if position == 0 else tags[position - 1]
    if letter == "B" and scheme == "IOB1":
        return f"{found} where no entity of its type ends before it"
    if letter in "IE" and used_letter in "BS":
        if before != "O" and before[2:] != found[2:]:
            return f"type changes inside an entity: {found} after {before}"
        return f"{found} starts an entity"
    return f"{found} ends an entity" if used_letter in "ES" else f"{found} inside an entity"
