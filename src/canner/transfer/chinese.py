"""English for the words of Chinese text: lexicon, names in pinyin, and the parts of unknown words."""

from __future__ import annotations

from canner.text.romanisation import has_double_surname, is_chinese, romanise, romanise_person
from canner.text.segmentation import Segment
from canner.transfer.lexicon import Entry, Lexicon

RULES = 3
"""Version of the rules of `gloss_segment`; part of the fingerprint of a gloss that segments."""

Glossed = tuple[tuple[str, ...], Segment]
"""English words, and the characters that they stand for."""

MIN_TRUSTED = 3
"""An entry seen more rarely is not trusted against what the part of speech says."""
_PLACE_TAGS = ("ns", "nt", "nz")
# a single character is a name as a place or an abbreviation (台, Taiwan) and else a word, or part of one (林, "forest")
_TAGS_OF_SINGLE_NAMES = ("ns", "j")
# what the last character of a place says it is: province, city, river, island …
_ENDINGS_OF_PLACES = "省市县区镇乡村路街河江山湖岛州盟港湾峡桥站寺庙洲海洋"


def gloss_segment(segment: Segment, lexicon: Lexicon) -> list[Glossed]:
    """English words for one segment, each group with the characters that it stands for.

    Chinese has no capitals by which a name could be copied, so the part of speech decides: persons and
    places that the lexicon does not know well are written in pinyin with a capital, and a word that is no
    name does not get a capital from a rare alignment. Other unknown words are glossed by their parts, those of
    organisations with capitals.
    """
    if not is_chinese(segment.text):
        return [(lexicon.gloss(segment.text) or (segment.text,), segment)]
    entry = lexicon.entries.get(segment.text)
    if _is_person(segment, entry):
        return _gloss_person(segment, lexicon)
    if entry is not None:
        return [(_words(segment, entry), segment)]
    if segment.tag == "nrt":
        return [((romanise(segment.text),), segment)]
    if segment.tag in ("nt", "nz") and len(segment.text) > 2:
        # 伊拉克政府, "Iraq Government"
        parts = _gloss_parts(segment, lexicon)
        return [(tuple(w.title() if w.islower() else w for w in words), part) for words, part in parts]
    if segment.tag in _PLACE_TAGS:
        return _gloss_place(segment, lexicon)
    return _gloss_parts(segment, lexicon)


def _words(segment: Segment, entry: Entry) -> tuple[str, ...]:
    is_name = segment.tag.startswith("nr") or segment.tag in _PLACE_TAGS
    trusted = is_name or entry.seen >= MIN_TRUSTED
    if len(segment.text) == 1:
        trusted = segment.tag in _TAGS_OF_SINGLE_NAMES
    return tuple((entry.english if trusted else entry.english.lower()).split())


def _is_person(segment: Segment, entry: Entry | None) -> bool:
    """Whether to write the segment as a Chinese person's name.

    The tagger finds persons by their family names, and too many: what the lexicon knows well, and what is
    too long for a name, is none. nrt is a foreign name, which has no family name in front.
    """
    text = segment.text
    if not segment.tag.startswith("nr") or segment.tag == "nrt":
        return False
    if len(text) == 1:
        return True  # a family name, which the lexicon takes for a word (王, "king")
    if len(text) > 3 and not has_double_surname(text):
        return False
    known = entry is not None and (
        entry.seen >= MIN_TRUSTED or (entry.seen > 1 and entry.english[0].isupper())
    )
    return not known


def _gloss_person(segment: Segment, lexicon: Lexicon) -> list[Glossed]:
    title = lexicon.entries.get(segment.text[1:])
    if title is not None and title.seen >= MIN_TRUSTED and len(segment.text) > 2:
        # family name and title: 贾老板, "Jia boss"
        surname = segment.part(0, 1)
        return [((romanise(surname.text),), surname), (tuple(title.english.split()), segment.part(1, 99))]
    return [((word,), part) for word, part in romanise_person(segment)]


def _gloss_place(segment: Segment, lexicon: Lexicon) -> list[Glossed]:
    kind = lexicon.entries.get(segment.text[-1])
    if kind is None or len(segment.text) < 3 or segment.text[-1] not in _ENDINGS_OF_PLACES:
        return [((romanise(segment.text),), segment)]
    # 沧海路, "Canghai Road"
    name, last = segment.part(0, len(segment.text) - 1), segment.part(len(segment.text) - 1, 99)
    return [((romanise(name.text),), name), ((kind.english.title(),), last)]


def _gloss_parts(segment: Segment, lexicon: Lexicon) -> list[Glossed]:
    """The longest known parts from the left; what lies between is copied."""
    glossed: list[Glossed] = []
    text, start, unknown_from = segment.text, 0, 0
    while start <= len(text):
        end = next((e for e in range(len(text), start, -1) if text[start:e] in lexicon.entries), None)
        if unknown_from < start and (end is not None or start == len(text)):
            unknown = segment.part(unknown_from, start)
            glossed.append(((unknown.text,), unknown))
        if end is None:
            start += 1
            continue
        part = segment.part(start, end)
        glossed.append((_words(part._replace(tag=""), lexicon.entries[part.text]), part))
        start = unknown_from = end
    return glossed
