"""An encoder trained with the tagger, by a hundred labelled sentences or by all: does English still add to it?"""

from __future__ import annotations

from itertools import chain

from canner.experiment.comparison import ComparisonExperiment
from canner.presets import FINE_TUNING
from canner.tables import chinese, european, masakhaner, uner
from canner.tables.bundles import ENCODER, ENGLISH_ENCODER
from canner.tables.corpora import WEIBO, LabelledCorpus
from canner.tables.few_labels import CORPORA, FEW, few
from canner.tables.hundred import HELD_OUT
from canner.tables.protocols import Part, Protocol, comparison
from canner.tables.readings import readings, some
from canner.tables.rows import glosses_at_input, rows_of
from canner.tables.variations import derived

PLAIN = "Fine-tuned encoder"
STARTS = {PLAIN: ENCODER, f"{PLAIN}, English first": ENGLISH_ENCODER}
"""What the encoder is before it is trained, by the name of the plain tagger's row."""
EPOCHS, EPOCHS_OF_WEIBO = 4, 10
"""With all sentences: of the large corpora, and of Weibo, which has 1,350."""


def _with_few(part: str) -> Part:
    corpus = CORPORA[part]

    def made(protocol: Protocol) -> ComparisonExperiment:
        gloss = some(readings(corpus.language), *glosses_at_input(corpus.language))
        rows = [rows_of(plain, gloss, {"embeddings.fine_tuned": start}) for plain, start in STARTS.items()]
        return comparison(
            f"fine-tuned-{part}",
            f"{corpus.title}, a hundred sentences in all, a fine-tuned encoder",
            protocol,
            few(corpus.data, HELD_OUT),
            list(chain(*rows)),
            model=corpus.model,
            corpus=f"{corpus.name}, {FEW} training sentences, drawn at random for each run, the same as of `hundred`, "
            f"{HELD_OUT} of which are not trained on, and decide which row is bold alone, full test set; random word "
            "vectors",
            budgets=(FEW,),
            training=FINE_TUNING,
            headline=False,
        )

    made.__doc__ = f"{corpus.title}, the sentences of `hundred`: an encoder that is trained with the tagger."
    return made


def _with_all(part: str, make: Part, corpus: LabelledCorpus) -> Part:
    """A table whose tagger trains an encoder, too; with the table's sentences and word vectors.

    Args:
        part: its name here, after "all-".
        make, corpus: the table, and what it is of.
    """
    title = f"{corpus.title}, all sentences"
    epochs = EPOCHS_OF_WEIBO if corpus in WEIBO.values() else EPOCHS

    def made(protocol: Protocol) -> ComparisonExperiment:
        table = make(protocol)
        english = some(readings(corpus.language), "CAN_last", *glosses_at_input(corpus.language))
        training = FINE_TUNING.model_copy(update={"max_epochs": epochs, "decay_epochs": epochs})
        return derived(
            table,
            f"fine-tuned-all-{part}",
            f"{title}, a fine-tuned encoder, {protocol} protocol",
            rows_of(PLAIN, english, {"embeddings.fine_tuned": ENCODER}),
            base=table.base.model_copy(update={"training": training}),
        )

    made.__doc__ = f"{title}: an encoder that is trained with the tagger."
    return made


PARTS: dict[str, Part] = {
    **{part: _with_few(part) for part in CORPORA},
    "all-revised": _with_all("revised", chinese.weibo_revised, WEIBO["revised"]),
    "all-original": _with_all("original", chinese.weibo_original, WEIBO["original"]),
    "all-german": _with_all("german", european.german, CORPORA["german"]),
    "all-spanish": _with_all("spanish", european.spanish, CORPORA["spanish"]),
    "all-ontonotes": _with_all("ontonotes", chinese.ontonotes, CORPORA["ontonotes"]),
    "all-uner": _with_all("uner", uner.chinese, CORPORA["uner"]),
    "all-swahili": _with_all("swahili", masakhaner.swahili, CORPORA["swahili"]),
    "all-yoruba": _with_all("yoruba", masakhaner.yoruba, CORPORA["yoruba"]),
}
"""The parts of the table, by name."""
