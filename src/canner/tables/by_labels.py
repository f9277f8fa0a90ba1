"""The corpora of which figures stand side by side by how much is labelled."""

from __future__ import annotations

from canner.report.by_labels import CorpusLine

BY_LABELS = (
    CorpusLine("Spanish", "Spanish, word gloss", "hundred-spanish-fast", "table2-spanish-fast"),
    CorpusLine("German", "German, word gloss", "hundred-german-fast", "table2-german-fast"),
    CorpusLine("Swahili", "Swahili, word gloss", "hundred-swahili-fast", "masakhaner-swahili-fast"),
    CorpusLine("Yoruba", "Yoruba, word gloss", "hundred-yoruba-fast", "masakhaner-yoruba-fast"),
    CorpusLine(
        "Chinese news",
        "Chinese news, word gloss",
        "hundred-ontonotes-fast",
        "table3-ontonotes-fast",
        "Char+BiLSTM+CRF",
    ),
    CorpusLine(
        "Chinese encyclopaedia",
        "Chinese encyclopaedia, word gloss",
        "hundred-uner-fast",
        "uner-chinese-fast",
    ),
)
