"""Training examples of the translator: pieces of both sides, and which piece is aligned with which."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from canner.text.alignments import Link
from canner.text.copying import Copier
from canner.text.subwords import COPY_SLOTS, Subwords

Words = Sequence[str]


@dataclass(frozen=True)
class PairExample:
    """One pair: piece ids of both sides without `<bos>`/`<eos>`, and piece links (source, target)."""

    source: list[int]
    target: list[int]
    links: list[Link]


@dataclass(frozen=True)
class PairBatch:
    """Padded pairs. The target is given as read (`<bos>` first) and as to be written (`<eos>` last)."""

    source: Int[Tensor, "B S"]
    source_mask: Bool[Tensor, "B S"]
    target_in: Int[Tensor, "B T"]
    target_out: Int[Tensor, "B T"]
    aligned: Float[Tensor, "B T S"] | None
    num_target: int

    def to(self, device: str | torch.device) -> "PairBatch":
        """The batch on another device."""
        aligned = None if self.aligned is None else self.aligned.to(device)
        return PairBatch(
            self.source.to(device),
            self.source_mask.to(device),
            self.target_in.to(device),
            self.target_out.to(device),
            aligned,
            self.num_target,
        )


def prepare_pairs(
    pairs: Sequence[tuple[Words, Words]],
    links: Sequence[Sequence[Link]] | None,
    source_subwords: Subwords,
    target_subwords: Subwords,
    copier: Copier,
    *,
    extra_copies: float,
    max_pieces: int,
    seed: int,
) -> list[PairExample]:
    """Masks names, encodes both sides, and carries word alignments over to pieces.

    Args:
        pairs: words of both sides.
        links: word alignments (source word, target word) of each pair, or None.
        source_subwords, target_subwords: the vocabularies.
        copier: which words become copy slots.
        extra_copies: chance that a known word that stands on both sides becomes a slot too.
        max_pieces: longer pairs, and pairs that differ in length more than fourfold, are left out.
        seed: of the choice of extra slots.
    """
    rng = random.Random(seed)
    masked = [copier.mask_pair(source, target, rng, extra_copies) for source, target in pairs]
    sources = source_subwords.encode_many([source for source, _ in masked])
    targets = target_subwords.encode_many([target for _, target in masked])
    examples = []
    for index, (source, target) in enumerate(zip(sources, targets, strict=True)):
        short, long = sorted((len(source.ids), len(target.ids)))
        if short == 0 or long > max_pieces or long > 4 * short + 4:
            continue
        piece_links = []
        if links is not None:
            known = _with_copies(links[index], *masked[index])
            piece_links = _piece_links(known, source.words, target.words)
        examples.append(PairExample(source.ids, target.ids, piece_links))
    return examples


def _with_copies(links: Sequence[Link], source: Words, target: Words) -> list[Link]:
    """The links, with those of slots as they are known to be: each with itself, and with nothing else."""
    kept = [(i, j) for i, j in links if source[i] not in COPY_SLOTS and target[j] not in COPY_SLOTS]
    slots = [(i, word) for i, word in enumerate(source) if word in COPY_SLOTS]
    return kept + [(i, j) for i, slot in slots for j, word in enumerate(target) if word == slot]


def _piece_links(links: Sequence[Link], source_words: list[int], target_words: list[int]) -> list[Link]:
    """Every piece of a word is linked with every piece of the words that its word is linked with."""
    source_pieces: dict[int, list[int]] = {}
    target_pieces: dict[int, list[int]] = {}
    for piece, word in enumerate(source_words):
        source_pieces.setdefault(word, []).append(piece)
    for piece, word in enumerate(target_words):
        target_pieces.setdefault(word, []).append(piece)
    return [(s, t) for i, j in links for s in source_pieces.get(i, []) for t in target_pieces.get(j, [])]


def collate_pairs(examples: Sequence[PairExample], *, with_links: bool) -> PairBatch:
    """Pads examples to a batch; both `<eos>` are linked with each other."""
    pad_id, bos_id, eos_id = Subwords.pad_id, Subwords.bos_id, Subwords.eos_id
    size = len(examples)
    source_length = max(len(e.source) for e in examples) + 1
    target_length = max(len(e.target) for e in examples) + 1
    source = torch.full((size, source_length), pad_id, dtype=torch.long)
    target_in = torch.full((size, target_length), pad_id, dtype=torch.long)
    target_out = torch.full((size, target_length), pad_id, dtype=torch.long)
    aligned = torch.zeros(size, target_length, source_length) if with_links else None
    for row, example in enumerate(examples):
        num_source, num_target = len(example.source), len(example.target)
        source[row, : num_source + 1] = torch.tensor([*example.source, eos_id])
        target_in[row, : num_target + 1] = torch.tensor([bos_id, *example.target])
        target_out[row, : num_target + 1] = torch.tensor([*example.target, eos_id])
        if aligned is not None:
            aligned[row, num_target, num_source] = 1.0
            if example.links:
                s, t = zip(*example.links, strict=True)
                aligned[row, list(t), list(s)] = 1.0
    num_target = sum(len(e.target) + 1 for e in examples)
    return PairBatch(source, source != pad_id, target_in, target_out, aligned, num_target)
