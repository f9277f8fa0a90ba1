"""Word alignment of parallel text: by eflomal, read off the attention of a translator, or as a gloss made it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

from canner.decoding.forcing import UnreadablePairsError
from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.nn.word_attention import strongest_links
from canner.tagging.checkpoint import kind_named
from canner.text.accents import all_composed
from canner.text.alignments import Link
from canner.text.bitext import SEPARATOR, read_bitext, read_lines
from canner.text.files import Source, name_of
from canner.text.labelled import ReadingWarning
from canner.text.tokenizer import tokenize_words
from canner.transfer.gloss import WordGloss
from canner.transfer.word_alignment import align_words


def align_texts(
    source: Source,
    target: Source | None,
    *,
    translator: str | Path | None = None,
    layer: int | None = None,
    seed: int = 1,
    tokens: bool = False,
    device: str = "cpu",
) -> list[list[Link]]:
    """Links between the words of sentence pairs.

    A pair with an empty side has no links, nor has one that is longer than the translator reads, which is warned of.
    A neural translator links every English word but those of which `<eos>` had more attention than any word, as error
    rates are counted; `Translated.alignment`, for people, asks for a quarter of the attention.

    Args:
        source: sentences, a line each, or both sides as `source ||| target`; with a gloss the source alone. A path,
            or a binary stream.
        target: their translations.
        translator: bundle of a neural translator, whose attention is read while it is forced through the
            translations, of an aligner of one, or of a gloss, which makes its own English; None: eflomal.
        layer: decoder layer from 1; 0: the mean of all; None: the one that was taught to align, else the mean.
        seed: of eflomal.
        tokens: words are what stands between spaces, as a `FileTranslator` reads them; else the tokenizer's.
        device: of the translator.

    Raises:
        ValueError: if the files differ in length, there is no such layer, a gloss is given translations, or a model of
            `transformers` is to align.
    """
    kind = _kind(translator) if translator is not None else None
    if translator is not None and kind == "gloss":
        return _align_gloss(WordGloss.load(translator), source, target, layer, tokens=tokens)
    pairs = read_bitext(source, target)
    words = [(_words(s, tokens=tokens), _words(t, tokens=tokens, clitics=True)) for s, t in pairs]
    if translator is None:
        aligned = align_words([s for s, _ in words], [t for _, t in words], seed, symmetrise="grow-diag")
        return [list(links) for links in aligned]
    loads = NeuralAligner.load if kind == "aligner" else NeuralTranslator.load
    model: NeuralAligner | NeuralTranslator = loads(translator, device=device)
    _check_layer(layer, model.num_layers)
    readable = [index for index, (s, t) in enumerate(words) if s and t]
    try:
        translations = model.force_many([words[index] for index in readable])
    except UnreadablePairsError as error:
        warnings.warn(_left_out(error, readable, source), ReadingWarning, stacklevel=2)
        readable = [index for number, index in enumerate(readable) if number not in error.reasons]
        translations = model.force_many([words[index] for index in readable])
    found: list[list[Link]] = [[] for _ in words]
    for index, translation in zip(readable, translations, strict=True):
        attention = translation.attention.float()
        if layer is None:
            chosen = translation.aligning_attention
        else:
            chosen = attention.mean(0) if layer == 0 else attention[layer - 1]
        found[index] = strongest_links(chosen)
    return found


def _words(line: str, *, tokens: bool, clitics: bool = False) -> list[str]:
    return list(all_composed(line.split())) if tokens else tokenize_words(line, clitics=clitics)


def _kind(translator: str | Path) -> str:
    """The kind of a translator's bundle."""
    kind = kind_named(translator)
    if kind is None:
        raise ValueError(
            f"{translator}: expected a bundle of a translator, an aligner or a gloss, got a model of transformers, "
            "which is not led through given translations; leave --translator out: eflomal aligns"
        )
    return kind


def _left_out(error: UnreadablePairsError, indices: Sequence[int], source: Source) -> str:
    """Which lines of a file have no links, since a translator cannot read them, and why."""
    first, *others = sorted(error.reasons)
    lines = ", ".join(str(indices[number] + 1) for number in others[:10]) + (", …" if others[10:] else "")
    so = f"; so {'are' if others[1:] else 'is'} line{'s' if others[1:] else ''} {lines}" if others else ""
    return f"{name_of(source)}, line {indices[first] + 1}: {error.reasons[first]}; left without links{so}"


def _align_gloss(
    gloss: WordGloss, source: Source, target: Source | None, layer: int | None, *, tokens: bool
) -> list[list[Link]]:
    """Each English word of a gloss with the source words that it stands for."""
    _check_layer(layer, gloss.num_layers)
    lines = read_lines(source)
    paired = next((number for number, line in enumerate(lines, 1) if SEPARATOR in line), None)
    if target is not None or paired is not None:
        place = name_of(target) if target is not None else f"{name_of(source)}, line {paired}"
        raise ValueError(
            f"expected the source alone with a gloss, which makes its own English, got translations in {place}; "
            "leave them out, or align them by a neural translator or (without --translator) eflomal"
        )
    translations = gloss.translate([_words(line, tokens=tokens) for line in lines])
    return [
        sorted((s, t) for t, s in translation.attention[0].nonzero().tolist()) for translation in translations
    ]


def _check_layer(layer: int | None, num_layers: int) -> None:
    if layer is not None and not 0 <= layer <= num_layers:
        raise ValueError(f"expected a layer from 1 to {num_layers} (0: the mean), got {layer}")
