"""The corpora of which figures stand side by side by how much is labelled."""

from __future__ import annotations

from canner.report.by_labels import CorpusLine
from canner.tables.rows import DICTIONARY

WITH_DICTIONARY = (DICTIONARY, "word gloss with a dictionary")
"""The gloss of which figures are shown: of Chinese."""
BY_LABELS = (
    CorpusLine("Spanish", "spanish", "table2-spanish-fast"),
    CorpusLine("German", "german", "table2-german-fast"),
    CorpusLine("Swahili", "swahili", "masakhaner-swahili-fast"),
    CorpusLine("Yoruba", "yoruba", "masakhaner-yoruba-fast"),
    CorpusLine("Chinese news", "ontonotes", "table3-ontonotes-fast", "Char+BiLSTM+CRF", *WITH_DICTIONARY),
    CorpusLine("Chinese encyclopaedia", "uner", "uner-chinese-fast", "BiLSTM+CRF", *WITH_DICTIONARY),
)
