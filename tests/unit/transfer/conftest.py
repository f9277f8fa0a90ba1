"""Small translators and teachers whose output is known exactly, for the tests of the transfer."""

from __future__ import annotations

import pytest
import torch

from canner.data.translation import Translation
from canner.transfer.teacher import TargetFeatures


class SmallTranslator:
    """Writes every token backwards, and one word more; random attention that depends on the sentence."""

    def __init__(self, fingerprint="small-1", num_layers=3, with_reading=True, seed=0):
        self.fingerprint = fingerprint
        self.num_layers = num_layers
        self.with_reading = with_reading
        self.seed = seed
        self.calls: list[list[tuple[str, ...]]] = []
        self.fail_after: int | None = None

    def translate(self, sentences, *, progress=None):
        if self.fail_after is not None and len(self.calls) >= self.fail_after:
            raise KeyboardInterrupt
        self.calls.append([tuple(tokens) for tokens in sentences])
        return [self.one(tuple(tokens)) for tokens in sentences]

    def one(self, tokens):
        generator = torch.Generator().manual_seed(self.seed + sum(map(ord, "".join(tokens))) + len(tokens))
        target = () if tokens == ("untranslatable",) else (*(token[::-1] for token in tokens), "!")
        shape = (self.num_layers, len(target), len(tokens) + 1)
        attention = torch.softmax(torch.randn(shape, generator=generator), -1)[..., :-1]
        reading = torch.softmax(torch.randn(shape, generator=generator), -1)[..., :-1]
        copies = tuple((j, j) for j in range(min(1, len(target) - 1)))
        return Translation(
            tokens, target, attention, reading if self.with_reading else None, -0.5, 1, copies=copies
        )


class SmallTeacher:
    """Features made of the words' lengths; posteriors by whether a word is capitalised."""

    tags = ("O", "S-PER")
    features_dim = 3

    def __init__(self, fingerprint="teacher-1"):
        self.fingerprint = fingerprint
        self.num_read = 0

    def read(self, sentences):
        assert all(sentences), "a teacher is never asked for an empty sentence"
        self.num_read += len(sentences)
        return [
            TargetFeatures(
                torch.tensor([[len(word), j, 1.0] for j, word in enumerate(words)]) / 8,
                torch.tensor([[0.25, 0.75] if word[:1].isupper() else [1.0, 0.0] for word in words]),
            )
            for words in sentences
        ]


@pytest.fixture
def make_translator():
    return SmallTranslator


@pytest.fixture
def make_teacher():
    return SmallTeacher
