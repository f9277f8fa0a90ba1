"""How good a translator is: BLEU and chrF of its English, alignment error rate of each attention layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from canner.data.translation import Translation, Translator
from canner.evaluation.alignment import GoldAlignment, score_alignments
from canner.evaluation.translation import bleu, chrf
from canner.nn.pooling import pool_attention
from canner.nn.word_attention import strongest_links
from canner.text.tokenizer import detokenize, tokenize_words


class ForcingTranslator(Protocol):
    """A translator that can also read its attention off a given translation."""

    @property
    def num_layers(self) -> int: ...

    def force_many(self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]]) -> list[Translation]:
        """Attention of every layer for each (source, target)."""


def score_translations(
    translator: Translator, sources: Sequence[str], references: Sequence[str]
) -> dict[str, float]:
    """BLEU and chrF (0–100) of translations of raw text against one reference each."""
    translations = translator.translate([tokenize_words(source) for source in sources])
    hypotheses = [detokenize(translation.target) for translation in translations]
    return {"bleu": bleu(hypotheses, references), "chrf": chrf(hypotheses, references)}


def attention_error_rates(
    translator: ForcingTranslator,
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    gold: Sequence[GoldAlignment],
) -> dict[str, list[float]]:
    """Alignment error rate (percent) of each layer, for attention as produced and as read.

    Every target word is linked with the source word that has most of its attention, unless `<eos>` has more.

    Args:
        translator: forced through the pairs.
        pairs: words of both sides, as the gold links count them; words are cut further where the translator's
            own tokens are smaller (Chinese: characters).
        gold: links of each pair.

    Returns:
        `{"produced": [one a layer], "read": [one a layer]}`.
    """
    cut = [(_cut(source), _cut(target)) for source, target in pairs]
    forced = translator.force_many([(source.tokens, target.tokens) for source, target in cut])
    rates: dict[str, list[float]] = {"produced": [], "read": []}
    for reading in rates:
        for layer in range(translator.num_layers):
            links = []
            for (source, target), translation in zip(cut, forced, strict=True):
                attention = translation.attention
                if reading == "read" and translation.reading_attention is not None:
                    attention = translation.reading_attention
                over_words = pool_attention(
                    attention[layer : layer + 1].float(),
                    source.words,
                    target.words,
                    num_source_words=source.words[-1] + 1,
                    num_target_words=target.words[-1] + 1,
                )
                links.append(strongest_links(over_words[0]))
            rates[reading].append(score_alignments(links, gold).error_rate)
    return rates


class _Cut:
    """The tokens of words, and the word of each token."""

    def __init__(self, tokens: list[str], words: list[int]) -> None:
        self.tokens = tokens
        self.words = words


def _cut(words: Sequence[str]) -> _Cut:
    tokens: list[str] = []
    owners: list[int] = []
    for index, word in enumerate(words):
        parts = tokenize_words(word) or [word]
        tokens += parts
        owners += [index] * len(parts)
    return _Cut(tokens, owners)
