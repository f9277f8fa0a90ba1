"""Quality of translations: BLEU and chrF by sacrebleu, and how many names come through."""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics import BLEU, CHRF

from canner.text.accents import without_accents
from canner.text.sentence import Sentence
from canner.text.tokenizer import tokenize_words


def bleu(hypotheses: Sequence[str], references: Sequence[str], *, tokenize: str = "13a") -> float:
    """Corpus BLEU, 0..100.

    Args:
        hypotheses: translations as plain text, not tokenised.
        references: one reference each.
        tokenize: tokenisation of sacrebleu: `13a`; `none` for text that is tokenised already.

    Raises:
        ValueError: if the numbers of lines differ or there are none.
    """
    _check(hypotheses, references)
    return float(BLEU(tokenize=tokenize, force=True).corpus_score(hypotheses, [references]).score)


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF2 (character n-grams up to six), 0..100.

    Raises:
        ValueError: if the numbers of lines differ or there are none.
    """
    _check(hypotheses, references)
    return float(CHRF().corpus_score(hypotheses, [references]).score)


def share_of_entity_tokens_copied(
    sentences: Sequence[Sentence], english: Sequence[str | Sequence[str]]
) -> float:
    """Share (0..1) of the tokens of gold entities that stand in the English translation, with accents or without.

    An English teacher can find only those names again that the translator left whole.

    Args:
        sentences: labelled sentences.
        english: the translation of each, as words or as text.

    Raises:
        ValueError: if the numbers differ or no sentence has an entity.
    """
    if len(sentences) != len(english):
        raise ValueError(f"expected {len(sentences)} translations, got {len(english)}")
    copied = total = 0
    for sentence, translation in zip(sentences, english, strict=True):
        words = tokenize_words(translation) if isinstance(translation, str) else translation
        there = set(map(without_accents, words))
        for entity in sentence.entities:
            total += len(entity)
            tokens = sentence.tokens[entity.start : entity.end]
            copied += sum(without_accents(token) in there for token in tokens)
    if not total:
        raise ValueError("expected labelled sentences with entities, got none")
    return copied / total


def _check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    if len(hypotheses) != len(references):
        raise ValueError(f"expected {len(references)} translations, one a reference, got {len(hypotheses)}")
    if not hypotheses:
        raise ValueError("expected at least one translation, got none")
