"""The labelled corpora of the tables: where their files lie, and what they are called. docs/data.md says where from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from canner.data.corpus import CorpusConfig
from canner.tables.bundles import VECTORS

CHARACTERS: dict[str, Any] = {"char_encoder": "none", "word_dim": 100}
"""The tagger of a corpus whose tokens are characters, which have no characters of their own."""


@dataclass(frozen=True)
class LabelledCorpus:
    """A corpus.

    Attributes:
        language: its code, as translators have it.
        title, name: as titles of tables and the lines about their data call it.
        data: all of it.
        model: keys of the tagger's configuration that differ from the protocol's.
        vectors: those of its kind of tokens; None: there are none. Each table says whether it reads them.
    """

    language: str
    title: str
    name: str
    data: CorpusConfig
    model: dict[str, Any] = field(default_factory=dict)
    vectors: str | None = None


def _of(pattern: str, splits: tuple[str, str, str] = ("train", "dev", "test"), **more: Any) -> CorpusConfig:
    """A corpus of three files.

    Args:
        pattern: of their paths, with {} for the split.
        splits: what training, development and test set are called there.
        more: other keys of the corpus.
    """
    train, dev, test = ((f"$CANNER_DATA/ner/{pattern.format(split)}",) for split in splits)
    return CorpusConfig(train=train, dev=dev, test=test, **more)


SPANISH = LabelledCorpus(
    "es",
    "Spanish (CoNLL-2002)",
    "CoNLL-2002 Spanish",
    _of("conll2002_es/esp.{}", ("train", "testa", "testb")),
    vectors=VECTORS["es"],
)
GERMAN = LabelledCorpus(
    "de", "German (CoNLL-2003)", "CoNLL-2003 German", _of("conll2003_de/{}.txt"), vectors=VECTORS["de"]
)
"""The annotation of 2003."""
ENGLISH = LabelledCorpus(
    "en",
    "English (CoNLL-2003)",
    "CoNLL-2003 English",
    _of("conll2003_en/eng.{}", ("train", "testa", "testb")),
)
"""What the teacher learns."""
SWAHILI = LabelledCorpus(
    "sw",
    "Swahili (MasakhaNER 2)",
    "MasakhaNER 2 Swahili",
    _of("masakhaner2/swa/{}.txt"),
    vectors=VECTORS["sw"],
)
YORUBA = LabelledCorpus(
    "yo",
    "Yoruba (MasakhaNER 2)",
    "MasakhaNER 2 Yoruba",
    _of("masakhaner2/yor/{}.txt"),
    vectors=VECTORS["yo"],
)
UNER = LabelledCorpus(
    "zh",
    "Chinese (Universal NER, GSD simplified)",
    "Universal NER Chinese GSDSIMP",
    _of("uner_zh_gsdsimp/zh_gsdsimp-ud-{}.iob2", token_column=1, tag_column=2),
)
"""Encyclopaedia, a token a word. Rules of the dictionary were made on its training and development part, none else."""
ONTONOTES5 = LabelledCorpus(
    "zh",
    "OntoNotes 5 Chinese news",
    "OntoNotes 5 Chinese, bn+mz+nw, four types",
    CorpusConfig(
        **{
            split: tuple(
                f"$CANNER_DATA/ner/ontonotes5_zh/{genre}.{split}.char" for genre in ("bn", "mz", "nw")
            )
            for split in ("train", "dev", "test")
        },
        types={"PERSON": "PER", "ORG": "ORG", "GPE": "GPE", "LOC": "LOC"},
    ),
    CHARACTERS,
    VECTORS["zh"],
)
"""The stand-in for OntoNotes 4."""
ONTONOTES4 = LabelledCorpus(
    "zh",
    "OntoNotes 4 Chinese (licensed)",
    "OntoNotes 4 Chinese, four types",
    _of("ontonotes4_zh/{}.char"),
    CHARACTERS,
)
"""As the paper splits it, in BMES, for those who have the licence."""
_WEIBO = (
    "Weibo, all training sentences, full test set; some rules by which gloss and translator read Chinese names "
    "were made while looking at development and test sentences"
)
WEIBO = {
    annotation: LabelledCorpus(
        "zh", f"Weibo ({annotation} annotation)", _WEIBO, _of(f"weibo/{files}.{{}}"), CHARACTERS
    )
    for annotation, files in (("revised", "weiboNER_2nd_conll"), ("original", "weiboNER.conll"))
}
"""By the annotation."""
