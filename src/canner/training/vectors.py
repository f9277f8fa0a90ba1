"""Training static word vectors with subwords (fastText's model) from plain and labelled text."""

from __future__ import annotations

import logging
import math
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from canner.text.accents import composed
from canner.text.config import Config
from canner.text.conll import read_conll
from canner.text.extras import missing_package
from canner.text.files import read_lenient_lines, require_file
from canner.text.tokenizer import tokenize_words
from canner.training.vectors_bundle import save_vectors

logger = logging.getLogger(__name__)


class VectorsExperiment(Config):
    """Text and sizes of word vectors.

    Attributes:
        text: plain texts, a sentence a line, split into words here (Chinese: into characters).
        labelled: CoNLL files whose tokens are read too; give training sets only.
        looked_up: CoNLL files whose words get a vector from their subwords, as do rare words of `labelled`: what
            fastText gives for any word that is asked for. Nothing is trained on these files.
        lowercase: read everything in lower case, for taggers that look words up so (their default).
        dim: width of a vector.
        window: words on either side that are predicted.
        min_count: rarer words are not trained on.
        min_chars, max_chars: lengths of the subwords; max_chars 0: words alone, so
            that rare words get no vector.
        epochs: passes over the text.
        seed: of the first values.
    """

    kind: Literal["vectors"] = "vectors"
    text: tuple[str, ...] = ()
    labelled: tuple[str, ...] = ()
    looked_up: tuple[str, ...] = ()
    lowercase: bool = False
    dim: int = Field(default=100, ge=1)
    window: int = Field(default=5, ge=1)
    min_count: int = Field(default=3, ge=1)
    min_chars: int = Field(default=3, ge=1)
    max_chars: int = Field(default=6, ge=0)
    epochs: int = Field(default=8, ge=1)
    seed: int = 1

    @model_validator(mode="after")
    def _check_subwords(self) -> VectorsExperiment:
        if 0 < self.max_chars < self.min_chars:
            raise ValueError(
                f"expected max_chars of at least min_chars ({self.min_chars}), or 0 for words alone, "
                f"got {self.max_chars}"
            )
        return self


def train_vectors(config: VectorsExperiment, folder: str | Path) -> int:
    """Trains vectors with `gensim` and writes them as `vectors.vec` (fastText's text format).

    One thread, so that the same seed gives the same vectors.

    Args:
        config: text and sizes.
        folder: gets the file.

    Returns:
        How many words have a vector.

    Raises:
        ValueError: if a text is missing, no word is frequent enough, or the package `gensim` is missing.
    """
    try:
        from gensim.models import FastText
    except ImportError:
        raise missing_package("gensim", "vectors") from None
    sentences = _sentences(config)
    logger.info("%d sentences, %d words", len(sentences), sum(map(len, sentences)))
    counts = Counter(word for sentence in sentences for word in sentence)
    if not any(count >= config.min_count for count in counts.values()):
        raise ValueError(
            f"expected words that occur {config.min_count} times in the texts, got none; give more text"
        )
    model = FastText(
        sentences,
        vector_size=config.dim,
        window=config.window,
        min_count=config.min_count,
        min_n=config.min_chars,
        max_n=config.max_chars,
        epochs=config.epochs,
        sg=1,
        seed=config.seed,
        workers=1,
        # The words are stored by their hash: Python's own differs from run to run.
        hashfxn=_hash,
    )
    words, vectors = list(model.wv.index_to_key), model.wv.get_normed_vectors()
    if config.max_chars:
        rare = _rare_words(config, set(words))
        of_rare = [model.wv.get_vector(word, norm=True) for word in rare]
        # A word that is shorter than every subword has none.
        found = [(word, vector) for word, vector in zip(rare, of_rare, strict=True) if vector.any()]
        words += [word for word, _ in found]
        vectors = np.concatenate([vectors, *(vector[None] for _, vector in found)])
    # The mean length of a vector becomes √dim · 0.1, about that of random vectors, which stand beside them.
    save_vectors(Path(folder), words, vectors * (0.1 * math.sqrt(vectors.shape[1])))
    return len(words)


def _rare_words(config: VectorsExperiment, known: set[str]) -> list[str]:
    """Words of the CoNLL files that have no vector of their own, in the order in which they occur.

    Those with white space in them, which ends a word in a file of vectors, are left out.
    """
    found: dict[str, None] = {}
    for path in config.looked_up:
        require_file(path, "looked_up")
    for path in (*config.labelled, *config.looked_up):
        for sentence in read_conll(path):
            found.update(dict.fromkeys(_cased(sentence.tokens, config)))
    return [word for word in found if word not in known and not re.search(r"\s", word)]


def _sentences(config: VectorsExperiment) -> list[list[str]]:
    sentences = []
    for path in config.text:
        require_file(path, "text")
        sentences += [tokenize_words(line) for line in read_lenient_lines(path)[0]]
    for path in config.labelled:
        require_file(path, "labelled")
        sentences += [list(sentence.tokens) for sentence in read_conll(path)]
    return [_cased(sentence, config) for sentence in sentences if sentence]


def _cased(words: Sequence[str], config: VectorsExperiment) -> list[str]:
    return [word.lower() if config.lowercase else word for word in map(composed, words)]


def _hash(text: str) -> int:
    value = 0
    for character in text:
        value = (value * 31 + ord(character)) % (1 << 31)
    return value
