"""Chinese names in Latin letters, so that an English teacher sees a name where a lexicon has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from canner.text.copying import COPIED_SHARE
from canner.text.extras import missing_package
from canner.text.segmentation import Segment

# the family names of two characters that are still common
_DOUBLE_SURNAMES = frozenset(
    {
        "欧阳",
        "司马",
        "诸葛",
        "上官",
        "司徒",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "夏侯",
        "令狐",
        "宇文",
        "长孙",
        "端木",
    }
)

# characters that are read otherwise where they are a family name
_SURNAMES = {
    "曾": "Zeng",
    "单": "Shan",
    "仇": "Qiu",
    "解": "Xie",
    "查": "Zha",
    "朴": "Piao",
    "区": "Ou",
    "翟": "Zhai",
    "缪": "Miao",
    "冼": "Xian",
    "尉迟": "Yuchi",
    "长孙": "Zhangsun",
}
# what ends the name of a place and is a word in English: autonomous region, province, city, county, town, road, river …
_KINDS_OF_PLACE = ("特别行政区", "自治区", "自治州", "自治县", *"省市县区镇乡村路街河江山湖岛")


def write_names(segments: Sequence[Segment], known: Collection[str]) -> list[Segment]:
    """The segments, with persons and places in pinyin, as English text writes them.

    Chinese has no capitals; jieba's parts of speech say what may be a name. A segment in pinyin has the owners of the
    characters that it stands for.

    Args:
        segments: with parts of speech.
        known: names that stay as they are, since they are translated and not spelt (香港, Hong Kong).

    Raises:
        ValueError: if pypinyin is not installed.
    """
    return [part for segment in segments for part in _written(segment, known)]


def translated_names(
    pairs: Iterable[tuple[Sequence[Segment], Sequence[str]]], *, min_count: int
) -> tuple[set[str], set[str]]:
    """Names that English has words for, and all names.

    Args:
        pairs: segments of a Chinese sentence, and the words of its translation.
        min_count: names seen less often are not trusted to be translated.
    """
    seen: Counter[str] = Counter()
    spelt: Counter[str] = Counter()
    for segments, target in pairs:
        there = set(target)
        for segment in segments:
            parts = _written(segment, ())
            if parts != [segment]:
                seen[segment.text] += 1
                spelt[segment.text] += any(part.text in there for part in parts)
    return {n for n, c in seen.items() if c >= min_count and spelt[n] < COPIED_SHARE * c}, set(seen)


def _written(segment: Segment, known: Collection[str]) -> list[Segment]:
    text, tag = segment.text, segment.tag
    if text in known or not is_chinese(text):
        return [segment]
    kind = next((kind for kind in _KINDS_OF_PLACE if text.endswith(kind)), "")
    if tag == "ns" and kind and len(text) > len(kind) + 1:
        place = segment.part(0, len(text) - len(kind))
        return [place._replace(text=romanise(place.text)), segment.part(len(place.text), len(text))]
    if tag in ("ns", "nrt"):
        return [segment._replace(text=romanise(text))]
    if tag.startswith("nr") and (len(text) <= 3 or has_double_surname(text)):
        return [part._replace(text=word) for word, part in romanise_person(segment)]
    return [segment]


def romanise_person(name: Segment) -> list[tuple[str, Segment]]:
    """Family name and given name in pinyin, each with the characters that it stands for.

    Raises:
        ValueError: if pypinyin is not installed.
    """
    length = 2 if len(name.text) > 2 and has_double_surname(name.text) else 1
    surname, given = name.part(0, length), name.part(length, len(name.text))
    written = [(_SURNAMES.get(surname.text) or romanise(surname.text), surname)]
    return written + [(romanise(given.text), given)] * bool(given.text)


def has_double_surname(name: str) -> bool:
    """Whether the name starts with a family name of two characters."""
    return name[:2] in _DOUBLE_SURNAMES


def romanise(text: str) -> str:
    """Pinyin without tones and dots, written as one capitalised word ("Xinmin").

    Raises:
        ValueError: if pypinyin is not installed.
    """
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        raise missing_package("pypinyin", "gloss") from None
    return "".join(lazy_pinyin(text, v_to_u=True)).replace("ü", "u").capitalize()


def is_chinese(text: str) -> bool:
    """Whether every character is a Chinese one, as pinyin needs."""
    return bool(text) and all("\u3400" <= c <= "\u9fff" or "\U00020000" <= c <= "\U0003134f" for c in text)
