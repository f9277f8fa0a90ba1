"""Few labels: how much English brings over a plain tagger, and by which translator."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

from canner.data.corpus import CorpusConfig
from canner.experiment.comparison import ComparisonExperiment, System
from canner.tables.chinese import OUR_VECTORS
from canner.tables.corpora import GERMAN, ONTONOTES5, SPANISH, SWAHILI, UNER, YORUBA, LabelledCorpus
from canner.tables.protocols import Part, Protocol, comparison
from canner.tables.readings import Change, readings, some
from canner.tables.rows import gloss_with_encoder, glosses_at_input, rows_named, rows_of
from canner.tables.variations import with_more_epochs

NUM_DEV = 400
"""So many labelled sentences decide when training stops."""
FEW = 100
"""Training sentences; with these alone the parts of what is carried over are told apart."""


CORPORA = {
    "german": GERMAN,
    "spanish": SPANISH,
    "ontonotes": ONTONOTES5,
    "uner": UNER,
    "swahili": SWAHILI,
    "yoruba": YORUBA,
}
"""The corpora by the names of the tables' parts."""
_READINGS = (
    "CAN_gloss",
    "CAN_gloss at the input",
    "CAN_first",
    "CAN_last",
    "CAN_last with copies",
    "CAN_last with copies at the input",
    "CAN_aligned",
    "CAN_aligned at the input",
    "CAN_gloss and CAN_last",
)
_OF_CHINESE = ("CAN_dictionary", "CAN_dictionary at the input")
_SCALED = ("CAN_last scaled", "CAN_gloss and CAN_last scaled")
_BY_OTHERS = ("CAN, DeepL", "CAN, DeepL at the input")
_BUDGETS = {"spanish": (FEW, 500), "ontonotes": (FEW, 500, 1000, 2000)}
"""Numbers of training sentences, where there are others than the fewest."""
_AT_ALL = {
    "spanish": (
        "plain",
        "CAN_gloss",
        "CAN_gloss at the input",
        "CAN_last",
        "CAN_last with copies at the input",
        "CAN_aligned at the input",
        "CAN, DeepL",
        "CAN, DeepL at the input",
    ),
    "ontonotes": ("plain", "CAN_gloss at the input", "CAN_dictionary at the input", "CAN_last"),
}
"""The rows that run with all these numbers; the others with the fewest alone."""
WITH_VECTORS = "Word vectors"
"""The row of a tagger that reads trained word vectors."""
_RANDOM = "random word vectors"
_TRAINED = (
    "word vectors trained on our own parallel text and all training sentences, without their labels, known for the "
    "words of dev and test too"
)
_TRAINED_CHARACTERS = f"{OUR_VECTORS}, without their labels, all of them known"


def drawn(
    name: str,
    corpus: LabelledCorpus,
    protocol: Protocol,
    *,
    title: str,
    budgets: tuple[int, ...],
    at_all: Container[str] = (),
    rows: Collection[str] | None = None,
    held_out: int | None = None,
    headline: bool = True,
) -> ComparisonExperiment:
    """A comparison on random subsets of a corpus.

    Args:
        name, title: of the results; the protocol is added to both.
        corpus, protocol: which.
        budgets: numbers of training sentences.
        at_all: rows that run with all these numbers, the others with the fewest alone; empty: all do.
        rows: names of those wanted, those of word vectors among them; None: all others.
        held_out: so many of the drawn sentences decide when training stops; None: others do.
        headline: whether its gains stand among those of all tables.
    """
    systems: Sequence[System] = _rows(corpus.language)
    if rows is not None:
        systems = rows_named([*systems, *_rows_of_vectors(corpus)], rows)
    systems = [
        row.model_copy(update={"budgets": (FEW,)}) if at_all and row.name not in at_all else row
        for row in systems
    ]
    return comparison(
        name,
        title,
        protocol,
        few(corpus.data, held_out),
        systems,
        model=corpus.model,
        corpus=f"{corpus.name}, {subsets(budgets, held_out, _vectors_of(systems, corpus.language))}",
        budgets=budgets,
        headline=headline,
    )


def patient(
    name: str,
    corpus: LabelledCorpus,
    protocol: Protocol,
    *,
    title: str,
    rows: Collection[str],
    held_out: int | None = None,
) -> ComparisonExperiment:
    """A comparison as `drawn` makes, with more epochs, and more of them without gain before training ends.

    With few sentences an epoch is short, and many pass before the few of the development set show a gain.

    Args:
        name, corpus, protocol, title, rows, held_out: as in `drawn`.
    """
    drawn_rows = drawn(
        name, corpus, protocol, title=title, budgets=(FEW,), rows=rows, held_out=held_out, headline=False
    )
    return with_more_epochs(drawn_rows, early_stopping=True)


def few(data: CorpusConfig, held_out: int | None = None) -> CorpusConfig:
    """The corpus with the few labelled sentences that decide when training stops: its own, or held out ones."""
    return data.model_copy(
        update={"num_dev": NUM_DEV} if held_out is None else {"dev": (), "num_held_out": held_out}
    )


def _vectors_of(systems: Sequence[System], language: str) -> str:
    """What vectors the rows read, in words."""
    trained = _TRAINED_CHARACTERS if language == "zh" else _TRAINED
    read = {"embeddings.vectors" in row.change for row in systems}
    if read == {True, False}:
        return f"{_RANDOM}; in the rows of word vectors {trained}"
    return trained if True in read else _RANDOM


def subsets(budgets: tuple[int, ...] = (FEW,), held_out: int | None = None, vectors: str = _RANDOM) -> str:
    """What a run reads of a corpus, in words."""
    numbers = " or ".join(f"{budget:,}" for budget in budgets)
    if held_out is None:
        rest = (
            f"{NUM_DEV} more labelled sentences (of the development set, the same for all runs) that decide"
        )
    else:
        rest = f"{held_out} of which are not trained on, but decide"
    return (
        f"{numbers} training sentences, drawn at random for each run, {rest} when training stops, full test set; "
        f"{vectors}"
    )


def _few_labels(part: str) -> Part:
    corpus, budgets = CORPORA[part], _BUDGETS.get(part, (FEW,))
    title = f"{corpus.title}, {'few labels' if len(budgets) > 1 else f'{FEW} sentences'}"

    def made(protocol: Protocol) -> ComparisonExperiment:
        at_all = _AT_ALL.get(part, ())
        return drawn(f"few-labels-{part}", corpus, protocol, title=title, budgets=budgets, at_all=at_all)

    numbers = f"{FEW} to {budgets[-1]:,}" if len(budgets) > 1 else FEW
    made.__doc__ = f"{corpus.title}, {numbers} sentences: word gloss, ConvS2S, both together, an encoder."
    return made


def _rows(language: str) -> list[System]:
    """A plain tagger, English by each translator of ours, and other people's where there is some; the encoder."""
    known = readings(language)
    rows = [System(name=name, change=known[name]) for name in _READINGS]
    if language == "es":
        rows += [System(name=name, change=known[name]) for name in _SCALED]
    rows += [System(name=name, change=known[name]) for name in (*_OF_CHINESE, *_BY_OTHERS) if name in known]
    return [System(name="plain"), *rows, *gloss_with_encoder(language, "Encoder")]


def _rows_of_vectors(corpus: LabelledCorpus) -> list[System]:
    """Whether English still adds something to a tagger that reads trained word vectors; none, where there are none."""
    if corpus.vectors is None:
        return []
    english = beside_vectors(corpus.language)
    return rows_of(WITH_VECTORS, some(readings(corpus.language), *english), _known(corpus.vectors))


def beside_vectors(language: str) -> tuple[str, ...]:
    """What is added to a tagger that reads trained word vectors."""
    return ("CAN_last", *glosses_at_input(language))


def _known(vectors: str) -> Change:
    """The change that makes a tagger know all words that have one of these vectors."""
    return {
        "embeddings.vectors": vectors,
        "embeddings.vocabulary_text": [vectors],
        "model.word_dim": 100,
    }


PARTS = {part: _few_labels(part) for part in CORPORA}
"""The parts of the table, by name."""
