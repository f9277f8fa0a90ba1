"""A labelled corpus as an experiment uses it: three splits, types mapped, a budget of labels."""

from __future__ import annotations

import random
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from canner.text.brat import BratReport
from canner.text.config import Config
from canner.text.entities import Entity
from canner.text.files import expand_path, require_file
from canner.text.jsonl import JsonlReport
from canner.text.labelled import ReadingWarning, read_labelled
from canner.text.schemes import encode_tags
from canner.text.sentence import Sentence


class CorpusConfig(Config):
    """Where labelled sentences come from.

    Attributes:
        train, dev, test: files of CoNLL, JSON lines (`.jsonl`) or brat (`.ann`); several are read one after the
            other. `$NAME`: from the environment.
        scheme: tagging scheme of the files; None: found out.
        token_column, tag_column: which column of CoNLL holds what.
        types: old type → new type. When given, types that it does not name are dropped.
        num_dev, num_test: at most so many development or test sentences, drawn once for all seeds; None: all.
        num_sentences: so many training sentences, drawn at random with `subset_seed`; None: all.
        num_held_out: so many of these, drawn alike, are not trained on but are the development set, in the place of
            `dev`; None: none. A sentence that stands there twice may be on both sides.
    """

    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    scheme: str | None = None
    token_column: int = 0
    tag_column: int = -1
    types: dict[str, str] = Field(default_factory=dict)
    num_sentences: int | None = Field(default=None, ge=1)
    num_held_out: int | None = Field(default=None, ge=1)
    subset_seed: int = 0
    num_dev: int | None = Field(default=None, ge=1)
    num_test: int | None = Field(default=None, ge=1)

    @field_validator("train", "dev", "test", mode="before")
    @classmethod
    def _one_file(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_development_set(self) -> CorpusConfig:
        if self.num_held_out and self.num_sentences and self.num_held_out >= self.num_sentences:
            raise ValueError(
                f"expected num_held_out below num_sentences ({self.num_sentences}), got {self.num_held_out}; some must "
                "be left to learn from"
            )
        if self.num_held_out is not None and (self.dev or self.num_dev is not None):
            raise ValueError(
                "expected num_held_out or a development set, got both; leave num_held_out out, or dev and num_dev"
            )
        return self


@dataclass(frozen=True)
class Corpus:
    """Training, development and test sentences, BIOES tags."""

    train: list[Sentence]
    dev: list[Sentence]
    test: list[Sentence]


def load_corpus(config: CorpusConfig) -> Corpus:
    """Reads the splits of a corpus, draws the training subset and what is held out of it.

    Raises:
        ValueError: if a file is missing, broken or empty, or there are fewer training sentences than asked.
    """
    train = read_split(config, "train")
    if config.num_sentences is not None:
        train = draw_subset(train, config.num_sentences, config.subset_seed)
    dev = _at_most(read_split(config, "dev"), config.num_dev)
    if config.num_held_out is not None:
        train, dev = _hold_out(train, config.num_held_out, config.subset_seed)
    return Corpus(train, dev, _at_most(read_split(config, "test"), config.num_test))


def _at_most(sentences: list[Sentence], number: int | None) -> list[Sentence]:
    return sentences if number is None or number >= len(sentences) else draw_subset(sentences, number, seed=0)


def _hold_out(sentences: list[Sentence], number: int, seed: int) -> tuple[list[Sentence], list[Sentence]]:
    """The others, and so many sentences drawn at random; either in their old order.

    Raises:
        ValueError: if none would be left.
    """
    if number >= len(sentences):
        raise ValueError(
            f"expected num_held_out below {len(sentences)} (the training sentences), got {number}; some must be left "
            "to learn from"
        )
    held_out = set(random.Random(seed).sample(range(len(sentences)), number))
    kept = [sentence for index, sentence in enumerate(sentences) if index not in held_out]
    return kept, [sentences[index] for index in sorted(held_out)]


def read_split(config: CorpusConfig, split: Literal["train", "dev", "test"]) -> list[Sentence]:
    """All sentences of a split of a corpus, types mapped; warns of entities that were left out.

    Raises:
        ValueError: if a file is missing, broken, empty, or without labels.
    """
    sentences: list[Sentence] = []
    for path in getattr(config, split):
        read, report = read_labelled(
            data_path(path, f"data.{split}"),
            scheme=config.scheme,
            token_column=config.token_column,
            tag_column=config.tag_column,
        )
        if not read:
            raise ValueError(f"expected labelled sentences in {path}, got none; is the file empty?")
        unlabelled = next((number for number, one in enumerate(read, 1) if one.tags is None), None)
        if unlabelled is not None:
            raise ValueError(
                f"{path}: expected labelled sentences, got none for sentence {unlabelled}; label it or leave it out"
            )
        if isinstance(report, BratReport | JsonlReport) and not report.is_literal:
            warnings.warn(report.summary(), ReadingWarning, stacklevel=2)
        sentences += read
    if config.types:
        sentences = [map_types(sentence, config.types) for sentence in sentences]
    return sentences


def data_path(path: str, key: str | None = None) -> Path:
    """The path with `$NAME` and `~` replaced.

    Args:
        path: as in a configuration.
        key: of the configuration, for messages.

    Raises:
        ValueError: if a variable is not set or there is no such file.
    """
    found = Path(expand_path(path, key))
    require_file(found, key)
    return found


def map_types(sentence: Sentence, types: Mapping[str, str]) -> Sentence:
    """The sentence with entity types renamed; entities of types not named are dropped."""
    kept = [Entity(e.start, e.end, types[e.type]) for e in sentence.entities if e.type in types]
    return Sentence(sentence.tokens, tuple(encode_tags(kept, len(sentence.tokens))))


def draw_subset(sentences: Sequence[Sentence], num_sentences: int, seed: int) -> list[Sentence]:
    """So many sentences at random, in their old order; the same for the same seed.

    Raises:
        ValueError: if there are fewer.
    """
    if num_sentences > len(sentences):
        raise ValueError(
            f"expected num_sentences of at most {len(sentences)} (the training set), got {num_sentences}"
        )
    chosen = random.Random(seed).sample(range(len(sentences)), num_sentences)
    return [sentences[index] for index in sorted(chosen)]
