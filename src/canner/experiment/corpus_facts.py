"""Which data a comparison is about: files, counts, and what of the test set stands in the training set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from canner.data.corpus import CorpusConfig, data_path, load_corpus
from canner.experiment.results import digest
from canner.experiment.results_schema import Split
from canner.text.sentence import Sentence


@dataclass(frozen=True)
class CorpusFacts:
    """What a results file says of its data.

    Attributes:
        described: each whole split, if there is one; of the development and test set also how many sentences stand
            in the training set too, word for word.
        seen: of each test sentence that is counted whether it stands in the whole training set, of which a row may
            read a few sentences alone [N].
    """

    described: dict[str, Split]
    seen: NDArray[np.bool_]

    @classmethod
    def of(cls, config: CorpusConfig) -> CorpusFacts:
        """The facts about a corpus.

        Raises:
            ValueError: if it cannot be read.
        """
        whole = load_corpus(
            config.model_copy(update=dict.fromkeys(("num_sentences", "num_held_out", "num_dev", "num_test")))
        )
        trained_on = {sentence.tokens for sentence in whole.train}
        described: dict[str, Split] = {}
        for name, sentences in (("train", whole.train), ("dev", whole.dev), ("test", whole.test)):
            if not sentences:
                continue
            paths = [data_path(path) for path in getattr(config, name)]
            files = {path.name: digest(path) for path in paths}
            of_split = {}
            if name != "train":
                of_split["in_train"] = sum(sentence.tokens in trained_on for sentence in sentences)
            elif config.num_held_out is not None:
                of_split["held_out"] = config.num_held_out
            described[name] = Split(sha256=files, **_counts(sentences), **of_split)
        counted = whole.test
        if config.num_test is not None:
            counted = load_corpus(config.model_copy(update={"num_sentences": None})).test
        seen = [sentence.tokens in trained_on for sentence in counted]
        return cls(described, np.array(seen, dtype=bool))

    def require(self, budgets: Sequence[int]) -> None:
        """Refuses budgets of more training sentences than there are.

        Raises:
            ValueError: says how many there are.
        """
        available = self.described["train"].sentences if "train" in self.described else 0
        if larger := [budget for budget in budgets if budget > available]:
            raise ValueError(
                f"budgets: expected at most {available} training sentences, as many as there are, got {larger[0]}; "
                "leave it out, or all budgets, to train on every sentence"
            )


def _counts(sentences: Sequence[Sentence]) -> dict[str, int]:
    return {
        "sentences": len(sentences),
        "tokens": sum(len(sentence.tokens) for sentence in sentences),
        "entities": sum(len(sentence.entities) for sentence in sentences),
    }
