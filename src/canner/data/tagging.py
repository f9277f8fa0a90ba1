"""From sentences to the ids that a tagger reads: vocabularies, encoding.

A model never sees a string, so this is where words, characters and tags become numbers.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor

from canner.data.word_pieces import PieceRow, WordPieces
from canner.text.accents import composed
from canner.text.config import Config
from canner.text.sentence import Sentence
from canner.text.vocabulary import Vocabulary


class EncodingConfig(Config):
    """How tokens become ids.

    Attributes:
        lowercase: look words up in lower case (characters keep their case).
        replace_digits: look words up with every digit as `0`.
        min_word_count: rarer words of the training sentences become `<unk>`.
        max_word_chars: of a longer token only the first and the last characters are read, half of them each.
        word_shapes: of characters read alone whether they are capitals, other letters or digits; signs stay.
    """

    lowercase: bool = True
    replace_digits: bool = False
    min_word_count: int = Field(default=1, ge=1)
    max_word_chars: int = Field(default=32, ge=4)
    word_shapes: bool = False


@dataclass(frozen=True)
class EncodedSentence:
    """Ids of one sentence; `char_ids` is padded over its own words, `pieces` are those of a pretrained encoder."""

    length: int
    word_ids: Tensor | None  # [S]
    char_ids: Tensor | None  # [S C]
    tag_ids: Tensor | None  # [S]
    pieces: list[PieceRow] | None = None

    @property
    def size(self) -> int:
        """What there is to read of it: its words or its pieces, of whichever there are more."""
        return max(self.length, sum(len(row.ids) for row in self.pieces or ()))


class TaggingEncoder:
    """The vocabularies of a tagger and the way from a sentence to its ids.

    Args:
        config: how tokens become ids.
        words, characters: None: the tagger reads none.
        tags: the tag set.
        pieces: how the encoder that is trained with the tagger cuts words; None: there is none.
    """

    def __init__(
        self,
        config: EncodingConfig,
        words: Vocabulary | None,
        characters: Vocabulary | None,
        tags: Vocabulary,
        pieces: WordPieces | None = None,
    ) -> None:
        self.config = config
        self.words = words
        self.characters = characters
        self.tags = tags
        self.pieces = pieces

    @classmethod
    def build(
        cls,
        config: EncodingConfig,
        sentences: Iterable[Sentence],
        *,
        words: bool,
        characters: bool,
        extra_words: Iterable[str] = (),
        pieces: WordPieces | None = None,
    ) -> TaggingEncoder:
        """Collects words, characters and tags of labelled sentences.

        Args:
            config: what to collect.
            sentences: labelled training sentences, BIOES.
            words, characters: whether the tagger reads these at all.
            extra_words: further words to know (those of pretrained vectors), already in their looked-up form.
            pieces: of the encoder that is trained with the tagger.

        Raises:
            ValueError: if there is no sentence, or one without tags.
        """
        word_counts: Counter[str] = Counter()
        char_counts: Counter[str] = Counter()
        types: set[str] = set()
        num_sentences = 0
        for sentence in sentences:
            if sentence.tags is None:
                raise ValueError("expected labelled sentences, got one without tags; check the tag column")
            num_sentences += 1
            word_counts.update(normalise_word(token, config) for token in sentence.tokens)
            for token in sentence.tokens:
                char_counts.update(_characters(token, config))
            types.update(tag[2:] for tag in sentence.tags if tag != "O")
        if not num_sentences:
            raise ValueError("expected training sentences, got none; is the training file empty?")
        known = [w for w, count in word_counts.most_common() if count >= config.min_word_count]
        known_set = set(known)
        known += [w for w in dict.fromkeys(extra_words) if w not in known_set]
        tags = ["O", *(f"{position}-{kind}" for kind in sorted(types) for position in "BIES")]
        return cls(
            config,
            Vocabulary(known) if words else None,
            Vocabulary([c for c, _ in char_counts.most_common()]) if characters else None,
            Vocabulary(tags, specials=()),
            pieces,
        )

    def encode(self, sentence: Sentence, *, with_tags: bool = False) -> EncodedSentence:
        """Ids of one sentence.

        Raises:
            ValueError: if a tag is asked for and is not in the tag vocabulary.
        """
        word_ids = char_ids = tag_ids = None
        if self.words is not None:
            words = self.words
            word_ids = torch.tensor(
                [words.id(normalise_word(t, self.config)) for t in sentence.tokens], dtype=torch.long
            )
        if self.characters is not None:
            char_ids = self._encode_characters(sentence.tokens)
        if with_tags:
            if sentence.tags is None:
                raise ValueError("expected a labelled sentence, got one without tags; check the tag column")
            unknown = sorted({tag for tag in sentence.tags if tag not in self.tags})
            if unknown:
                known = ", ".join(sorted({tag[2:] for tag in self.tags.items if tag != "O"}))
                raise ValueError(
                    f"expected tags of the types {known}, got {', '.join(unknown)}; "
                    "train on data that has these types, or map them with data.types"
                )
            tag_ids = torch.tensor([self.tags.id(tag) for tag in sentence.tags], dtype=torch.long)
        pieces = self.pieces.rows(sentence.tokens) if self.pieces is not None else None
        return EncodedSentence(len(sentence.tokens), word_ids, char_ids, tag_ids, pieces)

    def _encode_characters(self, tokens: Sequence[str]) -> Tensor:
        assert self.characters is not None
        limit = self.config.max_word_chars
        half = limit // 2
        rows = []
        for token in (_characters(token, self.config) for token in tokens):
            kept = token if len(token) <= limit else token[:half] + token[-half:]
            rows.append([self.characters.id(c) for c in kept])
        width = max((len(row) for row in rows), default=1) or 1
        return torch.tensor([row + [0] * (width - len(row)) for row in rows], dtype=torch.long)


def _characters(token: str, config: EncodingConfig) -> str:
    """What is read of a token's characters."""
    return word_shape(composed(token)) if config.word_shapes else composed(token)


def word_shape(token: str) -> str:
    """A capital as `X`, another letter as `x`, a digit as `d`; signs stay, marks on letters are left out."""
    return "".join(
        "d" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c
        for c in token
        if not unicodedata.category(c).startswith("M")
    )


def normalise_word(token: str, config: EncodingConfig) -> str:
    """The form under which a token is looked up among the words."""
    token = composed(token)
    if config.lowercase:
        token = token.lower()
    if config.replace_digits:
        token = "".join("0" if c.isdigit() else c for c in token)
    return token
