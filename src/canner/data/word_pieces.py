"""Words as the pieces of a pretrained encoder's vocabulary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

import torch

from canner.nn.pieces import PieceBatch
from canner.text.accents import all_composed
from canner.text.tokenizer import is_unspaced, without_spaces

_SPACE = "▁"
"""Begins a piece of SentencePiece that has a space before it."""
_LONGEST_RUN = 128
"""Tokens that are read without a space between; no text has longer runs without punctuation."""


@dataclass(frozen=True)
class PieceRow:
    """What an encoder reads at once: a sentence, or a part of a long one.

    Attributes:
        ids: of the pieces, between the marks that the encoder was trained with.
        words: for each word the places of its pieces in the row; none: it has no piece.
    """

    ids: list[int]
    words: list[range]


class WordPieces:
    """Cuts words into pieces, and sentences of more pieces than the encoder reads into parts, between words.

    Tokens of scripts without spaces (Chinese characters) are read as the running text that they stand for, where one
    piece may belong to several of them.

    Args:
        tokenizer: of `transformers`.
        longest: pieces that the encoder reads at once, without its marks.
        running_text: read all tokens as text writes them, full stops behind their word, as translators do.

    Attributes:
        pad_id: fills rows up.
        wants_spaces: whether it is given the spaces between words.

    Raises:
        ValueError: the marks of the tokenizer are not around its text.
    """

    def __init__(self, tokenizer: Any, longest: int, *, running_text: bool = False) -> None:
        self._tokenizer = tokenizer
        self._running_text = running_text
        self.longest = longest
        self.pad_id: int = tokenizer.pad_token_id or 0
        self._first, self._last = _own_marks(tokenizer) if running_text else _marks(tokenizer)
        self.wants_spaces = _wants_spaces(tokenizer)

    def rows(self, tokens: Sequence[str]) -> list[PieceRow]:
        """What an encoder reads of a sentence, in one row or several; none if it has no token."""
        parts: list[list[_Run]] = []
        room = 0
        for run in self._runs(all_composed(tokens)):
            if not parts or len(run.ids) > room:
                parts.append([])
                room = self.longest
            parts[-1].append(run)
            room -= len(run.ids)
        return [self._row(runs) for runs in parts]

    def _row(self, runs: Sequence[_Run]) -> PieceRow:
        ids, words = list(self._first), []
        for run in runs:
            words += [range(len(ids) + own.start, len(ids) + own.stop) for own in run.pieces]
            ids += run.ids
        return PieceRow(ids + self._last, words)

    def _runs(self, tokens: Sequence[str]) -> list[_Run]:
        longest = min(_LONGEST_RUN, self.longest // 2)
        groups = _as_written(tokens, longest) if self._running_text else _unspaced_together(tokens, longest)
        if not groups:
            return []
        if self.wants_spaces:  # text has none before its first word
            bare = 1 if self._running_text else 0
            groups[bare:] = [[f" {first}" if first else "", *others] for first, *others in groups[bare:]]
        runs = []
        for group, (ids, offsets) in zip(groups, self._cut(["".join(g) for g in groups]), strict=True):
            ids = ids[: self.longest]
            if len(group) == 1:
                runs.append(_Run(ids, [range(len(ids))]))
            else:
                runs.append(_Run(ids, _pieces_of(group, offsets[: self.longest])))
        return runs

    def _cut(self, texts: list[str]) -> Iterator[tuple[list[int], list[tuple[int, int]]]]:
        """Pieces of each text, with the places of their characters in it."""
        if self._tokenizer.is_fast:
            encoded = self._tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
            yield from zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
            return
        for text in texts:  # one of Python says what its pieces are, not where
            pieces = self._tokenizer.tokenize(text)
            yield self._tokenizer.convert_tokens_to_ids(pieces), _places(pieces, text)


def _places(pieces: Sequence[str], text: str) -> list[tuple[int, int]]:
    """Where the characters of each piece of SentencePiece stand in the text, which it reads in compatible form (NFKC).

    That is longer in places: … is three full stops. A space is there with the character behind it.
    """
    places = [i for i, own in enumerate(text) for it in normalize("NFKC", own) if not it.isspace()]
    places.append(len(text))
    found, start = [], 0
    for piece in pieces:
        end = start + len(piece.lstrip(_SPACE))
        first, last = (places[min(at, len(places) - 1)] for at in (start, max(start, end - 1)))
        found.append((first, last + 1))
        start = end
    return found


def _wants_spaces(tokenizer: Any) -> bool:
    """Whether a word within a text must be given with the space before it, as to those that cut bytes (RoBERTa's)."""
    alone, spaced, both = tokenizer(["a", " a", "a a"], add_special_tokens=False)["input_ids"]
    return alone != spaced and alone + spaced == both


def _marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """What stands before and after a text that an encoder reads."""
    first = [i for i in (tokenizer.cls_token_id, tokenizer.bos_token_id) if i is not None][:1]
    last = [i for i in (tokenizer.sep_token_id, tokenizer.eos_token_id) if i is not None][:1]
    return first, last


def _own_marks(tokenizer: Any) -> tuple[list[int], list[int]]:
    """What the tokenizer itself puts there: the language, say, where it knows several."""
    marked = tokenizer("a")["input_ids"]
    bare = tokenizer("a", add_special_tokens=False)["input_ids"]
    start = next((i for i in range(len(marked)) if marked[i : i + len(bare)] == bare), None)
    if start is None:
        raise ValueError(
            "expected a tokenizer that only puts marks around a text, got one that cuts it otherwise with them; take "
            "another translator"
        )
    return marked[:start], marked[start + len(bare) :]


def pad_pieces(sentences: Sequence[Sequence[PieceRow]], pad_id: int) -> PieceBatch:
    """A batch of sentences, each with the rows that `WordPieces` made of it."""
    rows = [row for sentence in sentences for row in sentence]
    longest = max((len(row.ids) for row in rows), default=0)
    ids = torch.full((len(rows), longest), pad_id, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for number, row in enumerate(rows):
        ids[number, : len(row.ids)] = torch.tensor(row.ids)
        mask[number, : len(row.ids)] = True
    most = max((sum(len(row.words) for row in sentence) for sentence in sentences), default=0)
    of_words: list[int] = []
    starts: list[list[int]] = []
    before = 0
    for sentence in sentences:
        own = []
        for row in sentence:
            for word in row.words:
                own.append(len(of_words))
                of_words += range(before + word.start, before + word.stop)
            before += longest
        starts.append(own + [len(of_words)] * (most - len(own)))
    return PieceBatch(
        ids, mask, torch.tensor(of_words, dtype=torch.long), torch.tensor(starts, dtype=torch.long)
    )


@dataclass(frozen=True)
class _Run:
    """Tokens that the encoder reads without a space between: their piece ids, and the pieces of each token."""

    ids: list[int]
    pieces: list[range]


def _as_written(tokens: Sequence[str], longest: int) -> list[list[str]]:
    """Groups of tokens between which text has no space."""
    wholes: list[list[str]] = []
    for group in without_spaces(tokens):
        if wholes and _touch(wholes[-1][-1], group[0]):
            wholes[-1] += group
        else:
            wholes.append(group)
    return [whole[start : start + longest] for whole in wholes for start in range(0, len(whole), longest)]


def _unspaced_together(tokens: Sequence[str], longest: int) -> list[list[str]]:
    """A word alone, or characters of Chinese side by side."""
    groups: list[list[str]] = []
    for token in tokens:
        if groups and _touch(groups[-1][-1], token) and len(groups[-1]) < longest:
            groups[-1].append(token)
        else:
            groups.append([token])
    return groups


def _touch(left: str, right: str) -> bool:
    """Whether text of their script has no space between two tokens."""
    return is_unspaced(left[-1:]) and is_unspaced(right[:1])


def _pieces_of(group: Sequence[str], offsets: Sequence[tuple[int, int]]) -> list[range]:
    """For each token of a run the pieces that share a character with it."""
    found, end, first = [], 0, 0
    for token in group:
        start, end = end, end + len(token)
        while first < len(offsets) and offsets[first][1] <= start:
            first += 1
        last = first
        while last < len(offsets) and offsets[last][0] < end:
            last += 1
        found.append(range(first, last))
    return found
