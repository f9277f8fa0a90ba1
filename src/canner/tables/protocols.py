"""The two protocols under which tables are run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig, TaggerExperiment
from canner.presets import FAST_MODEL, FAST_TRAINING, PAPER_MODEL, PAPER_TRAINING
from canner.training.schedule import TrainingConfig

Protocol = Literal["paper", "fast"]
Part = Callable[[Protocol], ComparisonExperiment]
"""A part of a table: its comparison under a protocol. The docstring tells what it is."""

OUR_TEACHER = (
    "its English tagger reads GloVe and character language models, ours GloVe and characters by a convolution"
)
"""For the notes on the paper's figures."""
AS_PRINTED = ", softmax"
"""Ends the name of a row that has Eq. 12 as printed."""
PAPER_GRID = {"training.learning_rate": (0.025, 0.05, 0.1), "batch_size": (8, 16, 32)}
"""What the paper chooses from on the development set."""
SEEDS: dict[Protocol, tuple[int, ...]] = {"paper": (1, 2, 3, 4, 5), "fast": (1, 2, 3)}
LARGE: dict[str, Any] = {"max_epochs": 15, "min_epochs": 5, "early_stopping": 4}
"""The fast protocol where an epoch has thousands of sentences."""


def comparison(
    name: str,
    title: str,
    protocol: Protocol,
    data: CorpusConfig,
    systems: Sequence[System],
    *,
    model: dict[str, Any] | None = None,
    embeddings: EmbeddingsConfig | None = None,
    corpus: str,
    paper: dict[str, Any] | None = None,
    budgets: tuple[int, ...] = (),
    large: bool = False,
    training: TrainingConfig | None = None,
    headline: bool = True,
    as_printed: bool = False,
) -> ComparisonExperiment:
    """A comparison under a protocol.

    Args:
        name, title: of the results; the protocol is added to both.
        protocol: "paper" or "fast".
        data, systems: the corpus, the rows.
        model: keys of the tagger's configuration that differ from the protocol's.
        embeddings: that all systems share.
        corpus, paper: the data in words, the figures of the paper.
        budgets: numbers of training sentences. With some: three random subsets, one seed. Without: five seeds under the
            paper's protocol, as there, three under the fast one.
        large: whether there are so many sentences that the fast protocol needs few epochs. Batches follow: 8
            sentences where labels are few, 32 where they are many, else 16; the paper's grid has its own.
        training: in the place of the protocol's.
        headline: whether its gains stand among those of all tables.
        as_printed: under the paper's protocol add a row of the plain tagger with Eq. 12 as printed.
    """
    of_paper = protocol == "paper"
    base_model = (PAPER_MODEL if of_paper else FAST_MODEL).model_copy(update=model or {})
    of_protocol = PAPER_TRAINING if of_paper else FAST_TRAINING.model_copy(update=LARGE if large else {})
    base = TaggerExperiment(
        name=name,
        data=data,
        embeddings=embeddings or EmbeddingsConfig(),
        model=base_model,
        training=training or of_protocol,
        batch_size=8 if budgets else 32 if large else 16,
    )
    return ComparisonExperiment(
        name=f"{name}-{protocol}",
        title=f"{title}, {protocol} protocol",
        base=base,
        systems=(*systems, *([_as_printed(systems[0])] if of_paper and as_printed else ())),
        budgets=budgets,
        subset_seeds=(0, 1, 2) if budgets else (0,),
        seeds=(1,) if budgets else SEEDS[protocol],
        grid=PAPER_GRID if of_paper else {},
        protocol=protocol,
        corpus=corpus,
        paper=paper,
        headline=headline,
    )


def _as_printed(plain: System) -> System:
    """The plain tagger with Eq. 12 as printed: the CRF adds the probabilities."""
    change = {**plain.change, "model.emissions": "softmax"}
    return System(name=f"{plain.name}{AS_PRINTED}", change=change, baseline=plain.name)
