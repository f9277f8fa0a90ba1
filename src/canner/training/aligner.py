"""Training an alignment head for a translator that stays as it is."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import pad_sequence

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import save_json
from canner.data.translation_pairs import PairExample, collate_pairs, prepare_pairs
from canner.decoding.neural_aligner import NeuralAligner, require_same_translator
from canner.decoding.neural_translator import NeuralTranslator
from canner.models.alignment_head import (
    AlignmentHead,
    AlignmentHeadConfig,
    AlignmentInputs,
    alignment_inputs,
)
from canner.text.config import Config
from canner.text.files import require_file
from canner.training.loop import fit
from canner.training.run_files import RESUME, TRAINING
from canner.training.run_state import FitResult
from canner.training.schedule import TrainingConfig
from canner.training.task import ParameterGroup, trainable
from canner.training.translator import guided_alignment_loss
from canner.training.translator_data import (
    ParallelTextConfig,
    align,
    read_training_pairs,
    read_words,
    require_positions,
    segmented_pairs,
)

logger = logging.getLogger(__name__)


class AlignerExperiment(Config):
    """An alignment head and its training.

    Attributes:
        translator: bundle of the translator; the head can be used with no other.
        data: parallel text; all of it is aligned by eflomal, which is what the head learns from.
        num_pairs: pairs drawn from the text for training; what the translator knows of them is computed first and
            stays in memory, 3 kB a piece with 256 channels (a pair of sentences: 60 kB).
        num_held_out: further pairs, for validation.
        batch_pieces: pieces in a batch, padding included.
        align_rest: a target piece without link is to be aligned with the `<eos>` of the source; else it is left out.
        model: size of the head.
    """

    kind: Literal["aligner"] = "aligner"
    translator: str
    data: ParallelTextConfig
    num_pairs: int = Field(20000, ge=1)
    num_held_out: int = Field(500, ge=1)
    batch_pieces: int = Field(2500, ge=10)
    align_rest: bool = True
    model: AlignmentHeadConfig = AlignmentHeadConfig()
    training: TrainingConfig = TrainingConfig(
        schedule="warmup_cosine",
        warmup_steps=50,
        decay_steps=4000,
        learning_rate=2e-3,
        clip_norm=1.0,
        metric="agreement",
        max_epochs=10,
        average=0.998,
    )
    seed: int = 1


@dataclass(frozen=True)
class KnownPair:
    """A pair with what the translator knows of it.

    Attributes:
        example: pieces of both sides, and links.
        target: of each target piece [T, 2D + E], in half precision.
        source: of each source piece with `<eos>` [S, 2E], in half precision.
    """

    example: PairExample
    target: Tensor
    source: Tensor


@torch.no_grad()
def know_pairs(
    translator: NeuralTranslator, examples: Sequence[PairExample], *, batch_pieces: int
) -> list[KnownPair]:
    """Runs the translator once over pairs, as it is."""
    model = translator.model.eval()
    device = model.encoder.tokens.weight.device
    known: list[KnownPair | None] = [None] * len(examples)
    with parametrize.cached():
        for batch in bucket_by_length(_lengths(examples), max_tokens=batch_pieces, shuffle=False):
            pairs = collate_pairs([examples[i] for i in batch], with_links=False).to(device)
            encoded = model.encode(pairs.source, pairs.source_mask)
            hidden_BUD, _ = model.decoder.hidden_states(pairs.target_in, encoded)
            inputs = alignment_inputs(model, pairs.source, encoded, pairs.target_in, hidden_BUD)
            for row, index in enumerate(batch):
                target = inputs.target[row, : len(examples[index].target)]
                source = inputs.source[row, : len(examples[index].source) + 1]
                known[index] = KnownPair(examples[index], target.half(), source.half())
    return [pair for pair in known if pair is not None]


def _lengths(examples: Sequence[PairExample]) -> list[int]:
    return [max(len(example.source), len(example.target)) + 1 for example in examples]


class AlignerTask:
    """Batches, loss and validation of an alignment head (a `Task` of the training loop)."""

    def __init__(
        self,
        head: AlignmentHead,
        train: Sequence[KnownPair],
        held_out: Sequence[KnownPair],
        config: AlignerExperiment,
        device: str,
    ) -> None:
        self.model = head
        self.train = train
        self.held_out = held_out
        self.config = config
        self.device = device

    def parameters(self) -> list[ParameterGroup]:
        """All of the head's."""
        return trainable(self.model)

    def train_batches(self, epoch: int) -> list[list[int]]:
        """Indices of training pairs, similar in length."""
        lengths = _lengths([pair.example for pair in self.train])
        return bucket_by_length(
            lengths, max_tokens=self.config.batch_pieces, seed=self.config.seed, epoch=epoch
        )

    def loss(self, batch: list[int]) -> tuple[Tensor, int]:
        """-log of the attention on the pieces that a target piece is linked with, mean over target pieces."""
        inputs, aligned = self._collate([self.train[i] for i in batch], rest=self.config.align_rest)
        number = sum(len(self.train[i].target) for i in batch)
        return guided_alignment_loss(self.model(inputs), aligned), number

    def validate(self) -> dict[str, float]:
        """Share of linked target pieces whose strongest source piece is one of theirs, in percent."""
        right = linked = 0
        for start in range(0, len(self.held_out), 50):
            inputs, aligned = self._collate(self.held_out[start : start + 50], rest=False)
            strongest = self.model(inputs).argmax(dim=2, keepdim=True)
            has_link = aligned.amax(dim=2) > 0
            right += int((aligned.gather(2, strongest)[:, :, 0][has_link] > 0).sum())
            linked += int(has_link.sum())
        return {"agreement": 100 * right / max(1, linked)}

    def _collate(self, pairs: Sequence[KnownPair], *, rest: bool) -> tuple[AlignmentInputs, Tensor]:
        """What the head reads, and the links [B, T, S]; with `rest`, pieces without one are linked with `<eos>`."""
        target = pad_sequence([pair.target for pair in pairs], batch_first=True).float()
        source = pad_sequence([pair.source for pair in pairs], batch_first=True).float()
        in_source, in_target = (
            torch.arange(padded.shape[1])[None, :] < torch.tensor([len(side) for side in sides])[:, None]
            for padded, sides in (
                (source, [pair.source for pair in pairs]),
                (target, [pair.target for pair in pairs]),
            )
        )
        aligned = collate_pairs([pair.example for pair in pairs], with_links=True).aligned
        assert aligned is not None
        # the last row of each pair is that of `<eos>`, which the head does not align
        aligned = aligned[:, :-1] * in_target[:, :, None]
        if rest:
            linked = aligned.amax(dim=2, keepdim=True) > 0
            ends = torch.nn.functional.one_hot(in_source.sum(dim=1) - 1, source.shape[1])[:, None, :]
            aligned = torch.where(in_target[:, :, None] & ~linked, ends.to(aligned.dtype), aligned)
        device = self.device
        inputs = AlignmentInputs(target.to(device), source.to(device), in_source.to(device))
        return inputs, aligned.to(device)


def train_aligner(
    config: AlignerExperiment,
    folder: str | Path,
    *,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> FitResult:
    """Trains an alignment head; `folder` becomes its bundle, which refers to the translator's.

    Args:
        config: the translator, data, head, training.
        folder: of the run; an unfinished run in it is taken up.
        max_minutes: wall-clock budget of the training itself.
        device: "cpu" or "cuda".
        progress: show a progress bar on a terminal.

    Raises:
        ValueError: no such translator, or another than the run was started with; pairs longer than it reads;
            parallel files of unequal length, not UTF-8, empty, or without enough pairs.
    """
    folder, data = Path(folder), config.data
    try:
        translator = NeuralTranslator.load(config.translator, device=device)
    except ValueError as error:
        raise ValueError(f"translator: {error}") from None
    for key in ("train_source", "train_target", "train_domains"):
        if getattr(data, key) is not None:
            require_file(getattr(data, key), f"data.{key}")
    require_positions(data, translator.model.config.max_positions, config.translator)
    if (folder / RESUME).exists():
        require_same_translator(folder, translator)
    folder.mkdir(parents=True, exist_ok=True)
    examples = _linked_pairs(config, translator, folder)
    logger.info("the translator reads %d pairs", len(examples))
    known = know_pairs(translator, examples, batch_pieces=config.batch_pieces)
    torch.manual_seed(config.seed)
    head = AlignmentHead(config.model, translator.model.config).to(device)
    save_json(folder / TRAINING, config.model_dump())
    held_out, train = known[: config.num_held_out], known[config.num_held_out :]
    NeuralAligner(translator, head).save_config(folder, config.translator)
    return fit(
        AlignerTask(head, train, held_out, config, device),
        config.training,
        folder,
        seed=config.seed,
        max_minutes=max_minutes,
        device=device,
        progress=progress,
    )


def _linked_pairs(config: AlignerExperiment, translator: NeuralTranslator, folder: Path) -> list[PairExample]:
    """Held-out pairs, then those to train on, drawn from all of the text; all of it is aligned."""
    segmented = segmented_pairs(read_training_pairs(config.data), translator.segment)
    pairs = read_words(segmented, translator.copier.known)
    links = align(pairs, folder / "alignments.txt", config.seed)
    order = list(range(len(pairs)))
    random.Random(config.seed).shuffle(order)
    wanted = config.num_held_out + config.num_pairs
    found: list[PairExample] = []
    for start in range(0, len(order), wanted):
        drawn = order[start : start + wanted]
        prepared = prepare_pairs(
            [pairs[i] for i in drawn],
            [links[i] for i in drawn],
            translator.source_subwords,
            translator.target_subwords,
            translator.copier,
            extra_copies=config.data.extra_copies,
            max_pieces=config.data.max_pieces,
            seed=config.seed,
        )
        found += [example for example in prepared if example.links]
        if len(found) >= wanted:
            break
    if len(found) <= config.num_held_out:
        raise ValueError(
            f"expected more than num_held_out = {config.num_held_out} pairs that have links, are alike in length and "
            f"below the limit of pieces, got {len(found)}; check the files, data.max_pieces and num_held_out"
        )
    return found[:wanted]
