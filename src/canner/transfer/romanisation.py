"""Chinese names in Latin letters, so that an English teacher sees a name where a lexicon has none."""

from __future__ import annotations

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


def romanise_person(name: Segment) -> list[tuple[str, Segment]]:
    """Family name and given name in pinyin, each with the characters that it stands for.

    Raises:
        ValueError: if pypinyin is not installed.
    """
    length = 2 if len(name.text) > 2 and has_double_surname(name.text) else 1
    surname, given = name.part(0, length), name.part(length, len(name.text))
    return [(romanise(part.text), part) for part in (surname, given) if part.text]


def has_double_surname(name: str) -> bool:
    """Whether the name starts with a family name of two characters."""
    return name[:2] in _DOUBLE_SURNAMES


def romanise(text: str) -> str:
    """Pinyin without tones, written as one capitalised word ("Xinmin").

    Raises:
        ValueError: if pypinyin is not installed.
    """
    try:
        from pypinyin import lazy_pinyin
    except ImportError:
        raise ValueError("expected the package pypinyin, got none; do: pip install 'canner[gloss]'") from None
    return "".join(lazy_pinyin(text)).capitalize()


def is_chinese(text: str) -> bool:
    """Whether every character is a Chinese one, as pinyin needs."""
    return bool(text) and all("\u3400" <= c <= "\u9fff" or "\U00020000" <= c <= "\U0003134f" for c in text)
