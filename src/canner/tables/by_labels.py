"""The corpora of which figures stand side by side by how much is labelled."""

from __future__ import annotations

from canner.report.by_labels import CorpusLine
from canner.tables.rows import DICTIONARY

WITH_DICTIONARY = {
    "gloss": DICTIONARY,
    "gloss_alone": "word gloss with a dictionary",
    "note": ", with a dictionary",
}
_CHINESE = (
    CorpusLine("Chinese news", "ontonotes", "table3-ontonotes-fast", "Char+BiLSTM+CRF"),
    CorpusLine("Chinese encyclopaedia", "uner", "uner-chinese-fast"),
)
BY_LABELS = (
    CorpusLine("Spanish", "spanish", "table2-spanish-fast"),
    CorpusLine("German", "german", "table2-german-fast"),
    CorpusLine("Swahili", "swahili", "masakhaner-swahili-fast"),
    CorpusLine("Yoruba", "yoruba", "masakhaner-yoruba-fast"),
    *(line._replace(**kind) for line in _CHINESE for kind in ({}, WITH_DICTIONARY)),
)
