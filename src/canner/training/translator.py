"""Training ConvS2S from parallel text."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import save_json
from canner.data.translation_pairs import PairBatch, PairExample, collate_pairs, prepare_pairs
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions, require_layer
from canner.decoding.translator_bundle import TranslatorBundle, load_bundle, save_config
from canner.evaluation.translator_scores import score_translations
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.bitext import read_bitext
from canner.text.config import Config
from canner.text.files import require_file
from canner.text.subwords import Subwords
from canner.training.lexical_start import start_from_lexicon, start_from_translator
from canner.training.loop import fit
from canner.training.run_files import RESUME, TRAINING
from canner.training.run_state import FitResult
from canner.training.schedule import TrainingConfig
from canner.training.task import ParameterGroup, trainable
from canner.training.translator_data import (
    TranslatorDataConfig,
    align,
    english_gloss,
    read_training_pairs,
    read_words,
    require_positions,
    segmented_pairs,
    vocabularies,
    with_english_by,
)

logger = logging.getLogger(__name__)

LONGEST_SHARE = 0.99
"""Share of the training pairs below the length from which a sentence is translated in parts."""
LONGEST_DEV = 300
"""Longer development pairs, in pieces, are left out, and those that the model has no positions for."""


class TranslatorExperiment(Config):
    """A ConvS2S translator and its training."""

    kind: Literal["translator"] = "translator"
    data: TranslatorDataConfig
    model: ConvS2SConfig = ConvS2SConfig()
    training: TrainingConfig = TrainingConfig(
        schedule="warmup_cosine",
        warmup_steps=500,
        decay_steps=30000,
        learning_rate=1e-3,
        clip_norm=1.0,
        metric="chrf",
        validate_every=1000,
        precision="auto",
        max_epochs=10,
        average=0.999,
    )
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    guided_alignment: float = Field(0.0, ge=0)
    """Weight of the loss that draws one layer's attention to word alignments (Garg et al. 2019); 0: as the paper."""
    guided_layer: int = -1
    guided_reading: Literal["produced", "read"] = "produced"
    """Whether it is guided at the step that produces a word, not knowing it yet, or at the one that reads it, where it
    is then to be read, too (`reading = "read"`, Shift-Att): the bundle names no layer that aligns as it produces."""
    lexical_start: bool = False
    """Whether source embeddings start as means of the embeddings of the English words that they are aligned with."""
    start_from: str | None = None
    """A translator bundle whose weights and target pieces this one starts with (Zoph et al. 2016): from the same source
    language or another, of the same sizes, with as many decoder layers or fewer and any number of encoder layers. New
    source pieces start as with `lexical_start`, whatever that says; `data.target_pieces` is the parent's."""
    seed: int = 1


def translation_loss(
    logits_BTV: Float[Tensor, "B T V"], target_BT: Tensor, *, label_smoothing: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy per target piece, with label smoothing, padding left out."""
    return F.cross_entropy(
        logits_BTV.flatten(0, 1).float(),
        target_BT.flatten(),
        ignore_index=Subwords.pad_id,
        label_smoothing=label_smoothing,
    )


def guided_alignment_loss(
    attention_BTS: Float[Tensor, "B T S"], aligned_BTS: Float[Tensor, "B T S"]
) -> Float[Tensor, ""]:
    """Mean over aligned target pieces of -log(attention mass on the pieces they are aligned with).

    Source: Garg et al. 2019, with the mass summed over all linked pieces.
    """
    has_link_BT = aligned_BTS.amax(dim=-1) > 0
    mass_BT = (attention_BTS * aligned_BTS).sum(dim=-1)
    return -torch.log(mass_BT[has_link_BT] + 1e-6).mean()


class TranslatorTask:
    """Batches, loss and validation of a translator (a `Task` of the training loop)."""

    def __init__(
        self,
        translator: NeuralTranslator,
        config: TranslatorExperiment,
        train: Sequence[PairExample],
        dev: Sequence[PairExample],
        dev_text: Sequence[tuple[str, str]],
        device: str,
    ) -> None:
        self.model = translator.model
        self.translator = translator
        self.dev_text = dev_text
        self.config = config
        self.train = train
        self.dev = dev
        self.device = device

    def _collate(self, examples: Sequence[PairExample], with_links: bool) -> PairBatch:
        return collate_pairs(examples, with_links=with_links).to(self.device)

    def parameters(self) -> list[ParameterGroup]:
        """What is not frozen."""
        return trainable(self.model)

    def train_batches(self, epoch: int) -> list[list[int]]:
        """Indices of training pairs, similar in length."""
        lengths = [max(len(e.source), len(e.target)) + 1 for e in self.train]
        return bucket_by_length(
            lengths, max_tokens=self.config.data.batch_tokens, seed=self.config.seed, epoch=epoch
        )

    def loss(self, batch: list[int]) -> tuple[Tensor, int]:
        """Cross-entropy, plus the guidance of one layer's attention if asked for."""
        guided = self.config.guided_alignment
        pairs = self._collate([self.train[i] for i in batch], with_links=guided > 0)
        logits, attentions = self.model(pairs.source, pairs.source_mask, pairs.target_in)
        loss = translation_loss(logits, pairs.target_out, label_smoothing=self.config.label_smoothing)
        if guided > 0:
            assert pairs.aligned is not None
            attention, aligned = attentions[self.config.guided_layer], pairs.aligned
            if self.config.guided_reading == "read":  # a step reads what the step before it has produced
                attention, aligned = attention[:, 1:], aligned[:, :-1]
            loss = loss + guided * guided_alignment_loss(attention, aligned)
        return loss, pairs.num_target

    def validate(self) -> dict[str, float]:
        """Cross-entropy per piece and next-piece accuracy on the dev pairs, BLEU and chrF of greedy translations."""
        total, right, count = 0.0, 0, 0
        lengths = [max(len(e.source), len(e.target)) + 1 for e in self.dev]
        for batch in bucket_by_length(lengths, max_tokens=self.config.data.batch_tokens, shuffle=False):
            pairs = self._collate([self.dev[i] for i in batch], with_links=False)
            logits, _ = self.model(pairs.source, pairs.source_mask, pairs.target_in)
            loss = translation_loss(logits, pairs.target_out, label_smoothing=0.0)
            real = pairs.target_out != Subwords.pad_id
            right += int(((logits.argmax(-1) == pairs.target_out) & real).sum())
            total, count = total + float(loss) * pairs.num_target, count + pairs.num_target
        sources, references = zip(*self.dev_text, strict=True)
        scores = score_translations(self.translator, sources, references)
        return {"loss": total / count, "accuracy": 100 * right / count, **scores}


def train_translator(
    config: TranslatorExperiment,
    folder: str | Path,
    *,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> FitResult:
    """Trains a translator; `folder` becomes its bundle.

    Args:
        config: data, model, training.
        folder: of the run; an unfinished run in it is taken up.
        max_minutes: wall-clock budget of the training itself.
        device: "cpu" or "cuda".
        progress: show a progress bar on a terminal.

    Raises:
        ValueError: pairs longer than the model reads, or guidance of a layer that it lacks; parallel files of unequal
            length, not UTF-8, empty, or without a usable pair; a translator to start from of other sizes or another
            target language; no gloss where one is named.
    """
    folder, data = Path(folder), config.data
    require_positions(data, config.model.max_positions, "the model (model.max_positions)")
    if config.guided_alignment > 0:
        require_layer("guided_layer", config.guided_layer, config.model.decoder_layers)
    parent, gloss = None if (folder / RESUME).exists() else _parent(config), english_gloss(data)
    for key in ("train_source", "train_target", "train_domains", "dev_source", "dev_target"):
        if getattr(data, key) is not None:
            require_file(getattr(data, key), f"data.{key}")
    pairs, dev_text = read_training_pairs(data), read_bitext(data.dev_source, data.dev_target)[: data.num_dev]
    if gloss is not None:
        pairs, dev_text = with_english_by(gloss, pairs), with_english_by(gloss, dev_text)
    segmented = segmented_pairs(pairs, data.segment)
    same_source = parent is not None and _reads_as(parent, data)
    source_subwords, target_subwords, copier = vocabularies(
        segmented,
        folder,
        data,
        source=parent.source_subwords if parent is not None and same_source else None,
        target=parent.target_subwords if parent is not None else None,
        parent=parent.copier if parent is not None and same_source else None,
    )
    if parent is not None and target_subwords != parent.target_subwords:
        raise ValueError(
            f"start_from: expected the target pieces in {folder} to be those of {config.start_from}, which is "
            "another translator than when the run was started; start in another folder"
        )
    train = read_words(segmented, copier.known)
    dev = read_words(segmented_pairs(dev_text, data.segment), copier.known)
    links = None
    needs_links = config.lexical_start if parent is None else not same_source
    if config.guided_alignment > 0 or needs_links:
        links = align(train, folder / "alignments.txt", config.seed)
    examples = prepare_pairs(
        train,
        links,
        source_subwords,
        target_subwords,
        copier,
        extra_copies=data.extra_copies,
        max_pieces=data.max_pieces,
        seed=config.seed,
    )
    dev_examples = prepare_pairs(
        dev,
        None,
        source_subwords,
        target_subwords,
        copier,
        extra_copies=0.0,
        max_pieces=min(LONGEST_DEV, config.model.max_positions - 1),
        seed=0,
    )
    for name, found in (("training", examples), ("development", dev_examples)):
        if not found:
            raise ValueError(
                f"expected {name} pairs with words on both sides, alike in length and below the limit of "
                "pieces, got none; check the files and data.max_pieces"
            )
    torch.manual_seed(config.seed)
    model = ConvS2S(
        config.model, num_source_pieces=len(source_subwords), num_target_pieces=len(target_subwords)
    ).to(device)
    if parent is not None:
        start_from_translator(model, parent.model, examples, same_source=same_source)
    elif config.lexical_start:
        start_from_lexicon(model, examples)
    bundle = TranslatorBundle(
        model,
        source_subwords,
        target_subwords,
        copier,
        _options(config, examples),
        data.source_language,
        data.target_language,
        data.segment,
    )
    save_config(folder, bundle)
    save_json(folder / TRAINING, config.model_dump())
    logger.info("%d training pairs, %d target pieces", len(examples), sum(len(e.target) for e in examples))
    translator = NeuralTranslator.of(bundle).changed({"beam_size": 1})
    task = TranslatorTask(translator, config, examples, dev_examples, dev_text[: data.num_translated], device)
    return fit(
        task,
        config.training,
        folder,
        seed=config.seed,
        max_minutes=max_minutes,
        device=device,
        progress=progress,
    )


def _options(config: TranslatorExperiment, examples: Sequence[PairExample]) -> TranslateOptions:
    """How the translator searches and reports, once it is trained and while it is validated."""
    # A sentence longer than nearly all that it was trained on is translated worse whole than in parts.
    longest = int(torch.tensor([len(e.source) for e in examples]).float().quantile(LONGEST_SHARE))
    aligns = config.guided_alignment > 0 and config.guided_reading == "produced"
    return TranslateOptions(
        max_source_pieces=max(8, longest),
        strip_accents=config.data.strip_accents,
        alignment_layer=config.guided_layer if aligns else None,
    )


def _parent(config: TranslatorExperiment) -> TranslatorBundle | None:
    """The translator to start from, if it fits."""
    if config.start_from is None:
        return None
    try:
        parent = load_bundle(config.start_from)
    except ValueError as error:
        raise ValueError(f"start_from: {error}") from None
    deeper, depth = config.model.decoder_layers, parent.model.config.decoder_layers
    if deeper < depth:
        raise ValueError(
            f"start_from: expected at least the {depth} decoder layers of {config.start_from}, got {deeper}; "
            "its last layer is the one that aligns: set model.decoder_layers"
        )
    ours, theirs = (
        {
            **found.model_dump(exclude={"dropout", "encoder_layers", "decoder_layers"}),
            "target_language": language,
        }
        for found, language in (
            (config.model, config.data.target_language),
            (parent.model.config, parent.target_language),
        )
    )
    differing = {key: theirs[key] for key in ours if ours[key] != theirs[key]}
    if differing:
        raise ValueError(
            f"start_from: expected a translator with the sizes of [model] and the same target language, got "
            f"{config.start_from} with {differing}; set those in the configuration, or start from another"
        )
    return parent


def _reads_as(parent: TranslatorBundle, data: TranslatorDataConfig) -> bool:
    """Whether the source pieces of the parent serve this text."""
    return (parent.source_language, parent.segment) == (data.source_language, data.segment)
