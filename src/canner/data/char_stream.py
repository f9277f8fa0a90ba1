"""Plain text as the endless line of characters that a language model reads."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from canner.text.accents import composed
from canner.text.files import read_lenient_lines
from canner.text.tokenizer import tokenize_words
from canner.text.vocabulary import Vocabulary

SENTENCE_START = "\n"
"""What stands before every sentence, and so after the one before it."""

_ENDS = {".", "?", "!", "。", "？", "！"}
_CLOSES = {'"', "''", "”", "’", ")", "»"}
_STARTS = re.compile(r"[^\W\d_a-z]|[\"“«]")
_TITLES = {"Mr", "Mrs", "Ms", "Dr", "St", "Gen", "Sen", "Rep", "Gov", "Prof", "Lt", "Col", "No", "vs"}


def as_text(words: Sequence[str]) -> str:
    """A sentence as the language models read it: its words with one space between them."""
    return " ".join(words)


def cut_paragraph(words: Sequence[str]) -> list[list[str]]:
    """Cuts a paragraph after full stops that a new sentence follows; rough, for language models only."""
    sentences: list[list[str]] = [[]]
    for position, word in enumerate(words):
        own = sentences[-1]
        own.append(word)
        before, following = (words[i] if 0 <= i < len(words) else "" for i in (position - 1, position + 1))
        # A mark at the very start of a sentence opens it, whatever ended before.
        closes = word in _CLOSES and before in _ENDS and len(own) > 2
        at_end = closes or (word in _ENDS and before not in _TITLES)
        quotation_open = own.count('"') % 2 == 1
        if at_end and _STARTS.match(following) and not (following == '"' and quotation_open):
            sentences.append([])
    return [sentence for sentence in sentences if sentence]


def read_char_stream(path: str | Path, *, tokenized: bool, clitics: bool) -> str:
    """The text of a file as one string in the form in which sentences will be read later.

    Args:
        path: UTF-8, a sentence or paragraph a line.
        tokenized: write words, with one space between them, and sentences, one a line, as the sentences of a
            tagged corpus are; else keep the lines as they are.
        clitics: also split English clitics; only where `tokenized`.

    Raises:
        ValueError: the file is not UTF-8, or holds no text.
    """
    lines, _ = read_lenient_lines(path)
    if tokenized:
        lines = [
            as_text(sentence)
            for line in lines
            for sentence in cut_paragraph(tokenize_words(line, clitics=clitics))
        ]
    else:
        lines = [composed(line.rstrip("\r")) for line in lines if line.strip()]
    if not lines:
        raise ValueError(f"{path}: expected text for a language model, found none")
    return SENTENCE_START + SENTENCE_START.join(lines) + SENTENCE_START


def build_char_vocabulary(text: str, *, min_count: int) -> Vocabulary:
    """The characters of a text, most frequent first; rare ones become `<unk>`, which so is learned as well."""
    counts = Counter(text)
    return Vocabulary(
        c for c, count in counts.most_common() if count >= min_count or c in SENTENCE_START + " "
    )


class CharEncoder:
    """Characters to ids, many at a time.

    Args:
        vocabulary: of characters; unknown ones get its `<unk>`.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        unknown = vocabulary.id("")
        known = [(ord(item), index) for index, item in enumerate(vocabulary) if len(item) == 1]
        self._table = np.full(max((code for code, _ in known), default=0) + 2, unknown, dtype=np.int64)
        for code, index in known:
            self._table[code] = index

    def encode(self, text: str) -> Tensor:
        """The ids [C] of a text's characters."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return torch.from_numpy(self._table[np.minimum(codes, len(self._table) - 1)])


def as_rows(ids: Tensor, num_rows: int) -> Tensor:
    """A stream [N] as rows [B, N // B] that continue each other; the few ids left over go.

    Raises:
        ValueError: the stream is too short.
    """
    length = len(ids) // num_rows
    if length < 2:
        raise ValueError(
            f"expected at least {2 * num_rows} characters for {num_rows} rows, got {len(ids)}; "
            "give more text or fewer rows"
        )
    return ids[: num_rows * length].view(num_rows, length)
