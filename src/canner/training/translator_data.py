"""Parallel text as a translator reads it: chosen by domain, in words, with names that are copied, and aligned."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import Field

from canner.data.bundle import bundle_kind
from canner.text.alignments import Link, read_alignments, write_alignments
from canner.text.bitext import read_bitext, read_lines
from canner.text.capitals import NameGuesser
from canner.text.config import Config
from canner.text.copying import Copier
from canner.text.english_names import english_names
from canner.text.files import write_atomically
from canner.text.romanisation import translated_names, write_names
from canner.text.segmentation import Segment, Segmentation, segments_of
from canner.text.subwords import Subwords
from canner.text.tokenizer import detokenize, tokenize_words
from canner.transfer.gloss import WordGloss
from canner.transfer.word_alignment import align_words

logger = logging.getLogger(__name__)


class ParallelTextConfig(Config):
    """Parallel text to train on."""

    train_source: str
    train_target: str
    max_pieces: int = Field(120, ge=4)
    """Longer training pairs are left out."""
    max_pairs: int | None = Field(None, ge=1)
    """Only the first pairs; None: all."""
    train_domains: str | None = None
    """A file that names the domain of each training pair, a line a pair."""
    domain_limits: dict[str, int] = Field(default_factory=dict)
    """Most pairs of a domain; a domain that is not named is taken whole."""
    extra_copies: float = Field(0.25, ge=0, le=1)
    """Chance that a known word that stands on both sides is copied too, so that copying is learned."""


class TranslatorDataConfig(ParallelTextConfig):
    """Parallel text and how it is cut into pieces."""

    dev_source: str
    dev_target: str
    english_by: str | None = None
    """The bundle of a word gloss whose English is learned in the place of what the files have."""
    source_language: str
    target_language: str = "en"
    segment: Segmentation = "none"
    """Whether source tokens (Chinese characters) are cut into words first."""
    source_pieces: int = Field(8000, ge=100)
    target_pieces: int = Field(8000, ge=100)
    batch_tokens: int = Field(2500, ge=10)
    """Target pieces in a batch, padding included."""
    copy_min_count: int = Field(6, ge=1)
    """Source words seen less often than this are copied if they may be names."""
    name_translations: bool = False
    """Whether names whose English the parallel text is sure of are carried over under it, instead of translated."""
    capitalised_nouns: bool | None = None
    """Whether nouns begin with a capital as names do (German), and are translated; None: found from the text."""
    strip_accents: bool = False
    """Whether names that are copied lose their accents: where these are tones (Yoruba), English does not write them."""
    num_dev: int = Field(500, ge=1)
    """Dev pairs for the loss."""
    num_translated: int = Field(200, ge=1)
    """Dev sentences among them that a validation translates (greedily), for BLEU and chrF."""


def require_positions(data: ParallelTextConfig, max_positions: int, owner: str) -> None:
    """Refuses pairs longer than a translator can read: with `<bos>` or `<eos>`, a piece more than they have.

    Raises:
        ValueError: names the limit.
    """
    if data.max_pieces >= max_positions:
        raise ValueError(
            f"data.max_pieces: expected less than the {max_positions} positions of {owner}, got {data.max_pieces}; "
            "lower it"
        )


def vocabularies(
    segmented: Sequence[tuple[list[Segment], list[str]]],
    folder: Path,
    data: TranslatorDataConfig,
    *,
    source: Subwords | None,
    target: Subwords | None,
    parent: Copier | None = None,
) -> tuple[Subwords, Subwords, Copier]:
    """Subwords of both sides and the copier; those of the folder, so that a resumed run goes on with its own.

    Args:
        segmented: the training pairs.
        folder: of the run.
        data: sizes.
        source, target: subwords that are given; None: learned from the pairs.
        parent: of a translator that reads the same text: what it knows, and its names, however rare they are here.
    """
    paths = [folder / name for name in ("source.subwords.json", "target.subwords.json", "copier.json")]
    if all(path.exists() for path in paths):
        return Subwords.load(paths[0]), Subwords.load(paths[1]), Copier.load(paths[2])
    parent = parent or Copier(())
    words = [([segment.text for segment in segments], target) for segments, target in segmented]
    guesser = parent.guesser if data.capitalised_nouns is not False else None
    guesser = guesser or NameGuesser.train(words, capitalised_nouns=data.capitalised_nouns)
    translated, names = translated_names(segmented, min_count=data.copy_min_count)
    english = _english_names(segmented, words, nouns=guesser is not None) if data.name_translations else {}
    translated |= english.keys()
    train = read_words(segmented, translated)
    copier = Copier.train((s for s, _ in train), (t for _, t in train), min_count=data.copy_min_count)
    # a name is known as the parallel text of names says, whatever else its characters mean
    copier = Copier(copier.known - names | translated | parent.known, {**parent.names, **english}, guesser)
    source = source or Subwords.train((s for s, _ in train), vocab_size=data.source_pieces)
    target = target or Subwords.train((t for _, t in train), vocab_size=data.target_pieces)
    folder.mkdir(parents=True, exist_ok=True)
    for path, save in zip(paths, (source.save, target.save, copier.save), strict=True):
        write_atomically(path, save)
    return source, target, copier


def _english_names(
    segmented: Sequence[tuple[list[Segment], list[str]]],
    words: Sequence[tuple[list[str], list[str]]],
    *,
    nouns: bool,
) -> dict[str, str]:
    """English of names that do not mostly stand in their translations, as they are or spelt.

    In Latin script a name has a capital; a Chinese one has a part of speech. Where nouns have capitals too, the text
    must be surer: a noun may stand beside the same name in the few texts that it is in (Zementfirma, ACC).
    """
    tagged = {s.text for segments, _ in segmented for s in segments if s.tag in ("nt", "nz")}
    translated, _ = translated_names(segmented, min_count=1)
    known = Copier.train((s for s, _ in words), (t for _, t in words), min_count=1).known
    candidates = translated | {w for w in known if w[:1].isupper() or w in tagged}
    return english_names(words, candidates, share=0.7 if nouns else 0.5, dice=0.5 if nouns else 0.3)


def read_training_pairs(data: ParallelTextConfig) -> list[tuple[str, str]]:
    """The pairs of both files, as many of each domain as wanted.

    Raises:
        ValueError: the files differ in length.
    """
    pairs = read_bitext(data.train_source, data.train_target)
    if data.train_domains is not None:
        domains = read_lines(data.train_domains)
        if len(domains) != len(pairs):
            raise ValueError(
                f"expected a domain for each of {len(pairs)} pairs, got {len(domains)} lines in {data.train_domains}"
            )
        taken: Counter[str] = Counter()
        kept = []
        for pair, domain in zip(pairs, domains, strict=True):
            taken[domain] += 1
            if taken[domain] <= data.domain_limits.get(domain, taken[domain]):
                kept.append(pair)
        pairs = kept
    return pairs[: data.max_pairs]


def english_gloss(data: TranslatorDataConfig) -> WordGloss | None:
    """The gloss whose English is learned, if one is.

    Raises:
        ValueError: no such bundle, or one that is no gloss.
    """
    if data.english_by is None:
        return None
    try:
        if (kind := bundle_kind(data.english_by)) != "gloss":
            raise ValueError(f"expected the bundle of a word gloss, got kind {kind!r}: {data.english_by}")
        return WordGloss.load(data.english_by)
    except ValueError as error:
        raise ValueError(f"data.english_by: {error}") from None


def with_english_by(gloss: WordGloss, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs with a gloss's English in the place of their own.

    It is more regular than people's, and in the order of the source, so that a small translator learns it sooner (in
    the manner of sequence-level knowledge distillation, Kim and Rush 2016, whose teacher is a neural translator).
    """
    sources = [source for source, _ in pairs]
    translations = gloss.translate([tokenize_words(source) for source in sources])
    return [(s, detokenize(t.target)) for s, t in zip(sources, translations, strict=True)]


def align(pairs: Sequence[tuple[list[str], list[str]]], path: Path, seed: int) -> list[list[Link]]:
    """Word alignments of the pairs; kept in a file, so that a resumed run need not align again."""
    if path.exists():
        links = read_alignments(path)
        if len(links) != len(pairs):
            raise ValueError(
                f"{path}: expected alignments of {len(pairs)} training pairs, got {len(links)}; the text is "
                "another than when this run was started: start in another folder"
            )
        return links
    logger.info("aligning %d sentence pairs", len(pairs))
    links = align_words([s for s, _ in pairs], [t for _, t in pairs], seed, symmetrise="grow-diag")
    write_alignments(path, links)
    return links


def segmented_pairs(
    pairs: Sequence[tuple[str, str]], segmentation: Segmentation
) -> list[tuple[list[Segment], list[str]]]:
    """Both sides in words; English with its clitics split, as the teacher reads it. Pairs with an empty side go."""
    segmented = []
    for source, target in pairs:
        tokens, words = tokenize_words(source), tokenize_words(target, clitics=True)
        if tokens and words:
            segmented.append((segments_of(tokens, segmentation), words))
    return segmented


def read_words(
    segmented: Sequence[tuple[list[Segment], list[str]]], known: Collection[str]
) -> list[tuple[list[str], list[str]]]:
    """The pairs as the translator reads them."""
    return [
        ([segment.text for segment in write_names(source, known)], target) for source, target in segmented
    ]
