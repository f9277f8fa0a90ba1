"""How good a translator is: BLEU and chrF of its English, alignment error rate of each attention layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from canner.data.translation import Translation, Translator
from canner.evaluation.alignment import GoldAlignment, score_alignments
from canner.evaluation.translation import bleu, chrf
from canner.text.alignments import Link
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
                links.append(_strongest(_to_words(attention[layer].float(), source.words, target.words)))
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


def _to_words(attention_TS: Tensor, source_words: list[int], target_words: list[int]) -> Tensor:
    """Tokens to words: sums over source tokens, means over target tokens."""
    columns = torch.zeros(len(source_words), source_words[-1] + 1)
    columns[torch.arange(len(source_words)), torch.tensor(source_words)] = 1.0
    rows = torch.zeros(target_words[-1] + 1, len(target_words))
    rows[torch.tensor(target_words), torch.arange(len(target_words))] = 1.0
    return (rows / rows.sum(dim=1, keepdim=True)) @ attention_TS @ columns


def _strongest(attention_TS: Tensor) -> list[Link]:
    weights, sources = attention_TS.max(dim=1)
    on_eos = 1.0 - attention_TS.sum(dim=1)
    return [
        (int(source), target)
        for target, (weight, source, eos) in enumerate(zip(weights, sources, on_eos, strict=True))
        if weight > eos
    ]
