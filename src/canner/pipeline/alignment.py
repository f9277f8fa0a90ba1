"""Word alignment of parallel text: by eflomal, or read off the attention of a translator."""

from __future__ import annotations

from pathlib import Path

import torch

from canner.decoding.neural_translator import NeuralTranslator
from canner.text.alignments import Link
from canner.text.bitext import read_bitext
from canner.text.tokenizer import tokenize_words
from canner.transfer.word_alignment import align_words


def align_texts(
    source: str | Path,
    target: str | Path | None,
    *,
    translator: str | Path | None = None,
    layer: int = 0,
    seed: int = 1,
    device: str = "cpu",
) -> list[list[Link]]:
    """Links between the words of sentence pairs; words are those of `canner.text.tokenizer`.

    Args:
        source: sentences, a line each, or both sides as `source ||| target`.
        target: their translations.
        translator: bundle whose attention is read while it is forced through the translations; None: eflomal.
        layer: decoder layer from 1; 0: the mean of all.
        seed: of eflomal.
        device: of the translator.

    Raises:
        ValueError: if the files differ in length, or there is no such layer.
    """
    pairs = read_bitext(source, target)
    words = [(tokenize_words(s), tokenize_words(t, clitics=True)) for s, t in pairs]
    if translator is None:
        aligned = align_words([s for s, _ in words], [t for _, t in words], seed, symmetrise="grow-diag")
        return [list(links) for links in aligned]
    model = NeuralTranslator.load(translator, device=device)
    if layer > model.num_layers:
        raise ValueError(f"expected a layer from 1 to {model.num_layers} (0: the mean), got {layer}")
    filled = [index for index, (s, t) in enumerate(words) if s and t]
    found: list[list[Link]] = [[] for _ in words]
    for index, translation in zip(filled, model.force_many([words[i] for i in filled]), strict=True):
        attention = translation.attention.float()
        chosen = attention.mean(0) if layer == 0 else attention[layer - 1]
        found[index] = strongest_links(chosen)
    return found


def strongest_links(attention: torch.Tensor) -> list[Link]:
    """Each English word of attention [T, S] with the source token it looked at most; none where `<eos>` had more."""
    weights, sources = attention.max(dim=1)
    on_eos = 1.0 - attention.sum(dim=1)
    kept = weights > on_eos
    return sorted((int(s), t) for t, (s, keep) in enumerate(zip(sources, kept, strict=True)) if keep)
