"""Running text cut into sentences, because translators and taggers are trained on single ones."""

from __future__ import annotations

import re

# An end mark with closing quotes, then space and something that opens a sentence; Chinese needs no space.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*(?=\s+[\"'“‘«(\[¿¡]*[^\W\d_a-zß-öø-ÿ])|[。！？]+[”’」』）]*)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:[^\W\d_]|Sr|Sra|Srta|Dr|Dra|D|Ud|Uds|St|Mr|Mrs|Ms|Prof|Ing|Lic|Gral|Cnel|Hr|Fr|Nr|No|Núm|vs|"
    r"etc|ca|bzw|z\.B|Jr|Inc|Corp|Co|Ltd|Rev|Gen|Col|Sen|Rep|Gov)\.$"
)


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences of a text stand.

    A line break ends a sentence; so does an end mark before a capital letter, unless it closes a single letter
    or a common abbreviation.

    Returns:
        `(start, end)` character offsets in order; each is free of white space at both ends, none is empty.
    """
    spans = []
    offset = 0
    for line in text.splitlines(keepends=True):
        start = 0
        for match in _END.finditer(line):
            if _ABBREVIATION.search(line, start, match.end()):
                continue
            spans.append((offset + start, offset + match.end()))
            start = match.end()
        spans.append((offset + start, offset + len(line)))
        offset += len(line)
    return [trimmed for start, end in spans if (trimmed := _trim(text, start, end))]


def _trim(text: str, start: int, end: int) -> tuple[int, int] | None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return (start, end) if start < end else None
