"""The two protocols under which tables are run, and the systems that all tables share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.experiment.tagger import EmbeddingsConfig, TaggerExperiment
from canner.presets import FAST_MODEL, FAST_TRAINING, PAPER_MODEL, PAPER_TRAINING
from canner.transfer.aligned import TransferOptions
from canner.transfer.views import FilesConfig, TransferConfig, ViewConfig

Protocol = Literal["paper", "fast"]
Comparison = Callable[[Protocol], ComparisonExperiment]
"""A part of a table: its comparison under a protocol. The docstring tells what it is."""

TEACHER = "models/teacher-en"
OUR_TEACHER = (
    "its English tagger reads GloVe and character language models, ours GloVe and characters by a convolution"
)
"""For the notes on the paper's figures."""
LANGUAGES = ("es", "de", "zh", "sw", "yo")
TRANSLATORS = {language: f"models/{language}-en" for language in LANGUAGES}
"""ConvS2S into English by language."""
ALIGNERS = {language: f"models/{language}-en-aligner" for language in LANGUAGES}
"""Alignment heads on these by language."""
GLOSSES = {language: f"models/{language}-en-gloss" for language in LANGUAGES}
"""Word glosses by language."""
ENCODER = "runs/encoder-e5"
"""A frozen multilingual encoder, in the place of the paper's BERT."""
FIRST, LAST = TransferOptions(layer="first"), TransferOptions(layer="last")
"""The paper's CAN_first and CAN_last."""
COPIED = TransferOptions(layer="last", reading="copied")
"""Beyond the paper: what a copied word translates is known (decision 0019). Also how an alignment head is read."""
SCALED = TransferOptions(layer="last", normalise="source", posteriors=True, coverage=True)
"""Beyond the paper: every source token gets the same mass, and the teacher's tags beside its states."""
AS_PRINTED = ", softmax"
"""Ends the name of a row that has Eq. 12 as printed."""
AT_INPUT = {"model.aligned_at": "input"}
"""Beyond the paper: the BiLSTM reads the aligned features beside the word vectors (decision 0017)."""
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
    batch_size: int = 16,
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
        budgets: numbers of training sentences; with some, three random subsets stand for the seeds, of which there are
            else five under the paper's protocol, as there, and three under the fast one.
        large: whether there are so many sentences that the fast protocol needs few epochs.
        batch_size: under the fast protocol; the paper's is of its grid.
        headline: whether its gains stand among those of all tables.
        as_printed: under the paper's protocol add a row of the plain tagger with Eq. 12 as printed.
    """
    of_paper = protocol == "paper"
    base_model = (PAPER_MODEL if of_paper else FAST_MODEL).model_copy(update=model or {})
    training = PAPER_TRAINING if of_paper else FAST_TRAINING
    if large and not of_paper:
        training = training.model_copy(update=LARGE)
    base = TaggerExperiment(
        name=name,
        data=data,
        embeddings=embeddings or EmbeddingsConfig(),
        model=base_model,
        training=training,
        batch_size=batch_size,
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


def view(translator: str, options: TransferOptions | None = None) -> ViewConfig:
    """English by one translator's bundle."""
    return ViewConfig(translator=translator, options=options or TransferOptions())


def external(pair: str, system: str) -> ViewConfig:
    """English by another system, from files: the upper bound.

    A few German sentences (13 of 18,024) have other tokens in those files: they have no English.
    """
    folder, language = f"$CANNER_DATA/external/{pair}", pair.split("-", maxsplit=1)[0]
    parts = ("train", "dev", "test")
    files = FilesConfig(
        source=tuple(f"{folder}/source.{part}.{language}" for part in parts),
        english=tuple(f"{folder}/{system}.{part}.en" for part in parts),
        alignments=tuple(f"{folder}/{system}.{part}.align" for part in parts),
        missing="empty" if language == "de" else "error",
    )
    return ViewConfig(files=files)


def with_english(*views: ViewConfig) -> dict[str, Any]:
    """The change that makes a tagger read English."""
    return {"transfer": TransferConfig(teacher=TEACHER, views=views).model_dump(mode="json")}


def can_systems(language: str, prefix: str) -> list[System]:
    """A plain tagger and what English adds to it: the paper's two rows, other readings, the gloss, both together.

    Args:
        language: whose translator and gloss are read.
        prefix: of the rows' names; the row of that name alone is the plain tagger.
    """
    translator, gloss = TRANSLATORS[language], view(GLOSSES[language])
    copied, aligned = view(translator, COPIED), view(ALIGNERS[language], COPIED)
    additions = {
        "CAN_first": with_english(view(translator, FIRST)),
        "CAN_last": with_english(view(translator, LAST)),
        "CAN_last with copies at the input": {**with_english(copied), **AT_INPUT},
        "CAN_aligned at the input": {**with_english(aligned), **AT_INPUT},
        "CAN_gloss at the input": {**with_english(gloss), **AT_INPUT},
        "CAN_gloss and CAN_last with copies at the input": {**with_english(gloss, copied), **AT_INPUT},
    }
    return rows_of(prefix, additions, {})


def can_systems_with(contextual: str, language: str, prefix: str) -> list[System]:
    """The same beside frozen contextual embeddings: the paper's rows, and the best of ours without them.

    Args:
        contextual: the embeddings' bundle.
        language, prefix: as in `can_systems`.
    """
    plain, gloss = gloss_with(contextual, language, prefix)
    translator = TRANSLATORS[language]
    of_paper = {
        "CAN_first": with_english(view(translator, FIRST)),
        "CAN_last": with_english(view(translator, LAST)),
    }
    return [*rows_of(prefix, of_paper, plain.change), gloss]


def gloss_with(contextual: str, language: str, prefix: str) -> list[System]:
    """Does English still add something to a tagger that reads frozen contextual embeddings? Two rows.

    Args:
        contextual, language, prefix: as in `can_systems_with`.
    """
    gloss = {**with_english(view(GLOSSES[language])), **AT_INPUT}
    return rows_of(prefix, {"CAN_gloss at the input": gloss}, {"embeddings.contextual": [contextual]})


def rows_of(plain: str, additions: dict[str, dict[str, Any]], change: dict[str, Any]) -> list[System]:
    """A plain tagger and what is added to it, each tested against it.

    Args:
        plain: the name of its row.
        additions: what each other row adds, by the end of its name.
        change: how all of them differ from the table's base.
    """
    rows = [System(name=plain, change=change, baseline=plain)]
    for name, addition in additions.items():
        rows.append(System(name=f"{plain} + {name}", change={**change, **addition}, baseline=plain))
    return rows


def rows_named(systems: Sequence[System], names: Collection[str]) -> tuple[System, ...]:
    """Those of the rows that have these names.

    Raises:
        ValueError: if a name is none of theirs.
    """
    known = [system.name for system in systems]
    if missing := [name for name in names if name not in known]:
        raise ValueError(f"expected rows among {', '.join(known)}, got {missing[0]!r}")
    return tuple(system for system in systems if system.name in names)
