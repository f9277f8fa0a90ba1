"""Training ConvS2S from parallel text."""

import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import save_json, write_atomically
from canner.data.translation_pairs import PairBatch, PairExample, collate_pairs, prepare_pairs
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.decoding.translator_bundle import TranslatorParts, load_parts
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.alignments import Link, read_alignments, write_alignments
from canner.text.bitext import read_bitext, read_lines
from canner.text.config import Config
from canner.text.copying import Copier
from canner.text.files import require_file
from canner.text.romanisation import translated_names, write_names
from canner.text.segmentation import Segment, Segmentation, segments_of
from canner.text.subwords import Subwords
from canner.text.tokenizer import tokenize_words
from canner.training.lexical_start import start_from_lexicon, start_from_translator
from canner.training.loop import fit
from canner.training.run_state import FitResult
from canner.training.schedule import TrainingConfig
from canner.training.translator_scores import score_translations
from canner.transfer.word_alignment import align_words

logger = logging.getLogger(__name__)

LONGEST_SHARE = 0.99
"""Share of the training pairs below the length from which a sentence is translated in parts."""


class TranslatorDataConfig(Config):
    """Parallel text and how it is cut into pieces."""

    train_source: str
    train_target: str
    dev_source: str
    dev_target: str
    source_language: str
    target_language: str = "en"
    segment: Segmentation = "none"
    """Whether source tokens (Chinese characters) are cut into words first."""
    source_pieces: int = Field(8000, ge=100)
    target_pieces: int = Field(8000, ge=100)
    max_pieces: int = Field(120, ge=4)
    """Longer training pairs are left out."""
    max_pairs: int | None = Field(None, ge=1)
    """Only the first pairs; None: all."""
    train_domains: str | None = None
    """A file that names the domain of each training pair, a line a pair."""
    domain_limits: dict[str, int] = Field(default_factory=dict)
    """Most pairs of a domain; a domain that is not named is taken whole."""
    batch_tokens: int = Field(2500, ge=10)
    """Target pieces in a batch, padding included."""
    copy_min_count: int = Field(6, ge=1)
    """Source words seen less often than this are copied if they may be names."""
    extra_copies: float = Field(0.25, ge=0, le=1)
    num_dev: int = Field(500, ge=1)
    """Dev pairs for the loss."""
    num_translated: int = Field(200, ge=1)
    """Dev sentences among them that a validation translates (greedily), for BLEU and chrF."""


class TranslatorConfig(Config):
    """A ConvS2S translator and its training."""

    kind: str = "translator"
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
    lexical_start: bool = False
    """Whether source embeddings start as means of the embeddings of the English words that they are aligned with."""
    start_from: str | None = None
    """A translator bundle whose weights and target pieces this one starts with (Zoph et al. 2016): from the same source
    language or another, of the same sizes, with as many decoder layers or fewer. New source pieces start as with
    `lexical_start`."""
    seed: int = 1


def translation_loss(
    logits_BTV: Float[Tensor, "B T V"], target_BT: Tensor, *, pad_id: int, label_smoothing: float
) -> Float[Tensor, ""]:
    """Mean cross-entropy per target piece, with label smoothing, padding left out."""
    return F.cross_entropy(
        logits_BTV.flatten(0, 1).float(),
        target_BT.flatten(),
        ignore_index=pad_id,
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
        config: TranslatorConfig,
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
        ids = {"pad_id": Subwords.pad_id, "bos_id": Subwords.bos_id, "eos_id": Subwords.eos_id}
        return collate_pairs(examples, with_links=with_links, **ids).to(self.device)

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
        loss = translation_loss(
            logits, pairs.target_out, pad_id=Subwords.pad_id, label_smoothing=self.config.label_smoothing
        )
        if guided > 0:
            assert pairs.aligned is not None
            attention = attentions[self.config.guided_layer]
            loss = loss + guided * guided_alignment_loss(attention, pairs.aligned)
        return loss, pairs.num_target

    def validate(self) -> dict[str, float]:
        """Cross-entropy per piece and next-piece accuracy on the dev pairs, BLEU and chrF of greedy translations."""
        total, right, count = 0.0, 0, 0
        lengths = [max(len(e.source), len(e.target)) + 1 for e in self.dev]
        for batch in bucket_by_length(lengths, max_tokens=self.config.data.batch_tokens, shuffle=False):
            pairs = self._collate([self.dev[i] for i in batch], with_links=False)
            logits, _ = self.model(pairs.source, pairs.source_mask, pairs.target_in)
            loss = translation_loss(logits, pairs.target_out, pad_id=Subwords.pad_id, label_smoothing=0.0)
            real = pairs.target_out != Subwords.pad_id
            right += int(((logits.argmax(-1) == pairs.target_out) & real).sum())
            total, count = total + float(loss) * pairs.num_target, count + pairs.num_target
        sources, references = zip(*self.dev_text, strict=True)
        scores = score_translations(self.translator, sources, references)
        return {"loss": total / count, "accuracy": 100 * right / count, **scores}


def train_translator(
    config: TranslatorConfig,
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
        ValueError: parallel files of unequal length, not UTF-8, empty, or without a usable pair; a translator to
            start from of other sizes or another target language.
    """
    folder, data = Path(folder), config.data
    parent = _parent(config)
    for key in ("train_source", "train_target", "train_domains", "dev_source", "dev_target"):
        if getattr(data, key) is not None:
            require_file(getattr(data, key), f"data.{key}")
    segmented = _segmented(_read_training_pairs(data), data.segment)
    dev_text = read_bitext(data.dev_source, data.dev_target)[: data.num_dev]
    source_subwords, target_subwords, copier = _vocabularies(segmented, folder, data, parent)
    train = _words(segmented, copier.known)
    dev = _words(_segmented(dev_text, data.segment), copier.known)
    links = None
    if config.guided_alignment > 0 or config.lexical_start or parent is not None:
        links = _align(train, folder / "alignments.txt", config.seed)
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
        dev, None, source_subwords, target_subwords, copier, extra_copies=0.0, max_pieces=300, seed=0
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
        start_from_translator(model, parent.model, examples, same_source=_reads_as(parent, data))
    elif config.lexical_start:
        start_from_lexicon(model, examples)
    # A sentence longer than nearly all that it was trained on is translated worse whole than in parts.
    longest = int(torch.tensor([len(e.source) for e in examples]).float().quantile(LONGEST_SHARE))
    bundle = {
        "format": 1,
        "kind": "translator",
        "options": {"max_source_pieces": max(8, longest)},
        "source_language": data.source_language,
        "target_language": data.target_language,
        "segment": data.segment,
        "model": config.model.model_dump(),
        "alignment_layer": config.guided_layer if config.guided_alignment > 0 else None,
    }
    save_json(folder / "config.json", bundle)
    save_json(folder / "training.json", config.model_dump())
    logger.info("%d training pairs, %d target pieces", len(examples), sum(len(e.target) for e in examples))
    options = TranslateOptions(beam_size=1)
    translator = NeuralTranslator(
        model, source_subwords, target_subwords, copier, options, segment=data.segment
    )
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


def _parent(config: TranslatorConfig) -> TranslatorParts | None:
    """The translator to start from, if it fits."""
    if config.start_from is None:
        return None
    parent = load_parts(config.start_from)
    ours, theirs = (
        {**found.model_dump(exclude={"dropout", "decoder_layers"}), "target_language": language}
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


def _reads_as(parent: TranslatorParts, data: TranslatorDataConfig) -> bool:
    """Whether the source pieces of the parent serve this text."""
    return (parent.source_language, parent.segment) == (data.source_language, data.segment)


def _vocabularies(
    segmented: Sequence[tuple[list[Segment], list[str]]],
    folder: Path,
    data: TranslatorDataConfig,
    parent: TranslatorParts | None,
) -> tuple[Subwords, Subwords, Copier]:
    """Subwords of both sides and the copier; those of the folder, so that a resumed run goes on with its own."""
    paths = [folder / name for name in ("source.subwords.json", "target.subwords.json", "copier.json")]
    if all(path.exists() for path in paths):
        return Subwords.load(paths[0]), Subwords.load(paths[1]), Copier.load(paths[2])
    translated, names = translated_names(segmented, min_count=data.copy_min_count)
    train = _words(segmented, translated)
    copier = Copier.train((s for s, _ in train), (t for _, t in train), min_count=data.copy_min_count)
    # a name is known as the parallel text of names says, whatever else its characters mean
    copier = Copier(copier.known - names | translated)
    if parent is not None and _reads_as(parent, data):
        source_subwords = parent.source_subwords
    else:
        source_subwords = Subwords.train((s for s, _ in train), vocab_size=data.source_pieces)
    if parent is not None:
        target_subwords = parent.target_subwords
    else:
        target_subwords = Subwords.train((t for _, t in train), vocab_size=data.target_pieces)
    for path, save in zip(paths, (source_subwords.save, target_subwords.save, copier.save), strict=True):
        write_atomically(path, save)
    return source_subwords, target_subwords, copier


def _read_training_pairs(data: TranslatorDataConfig) -> list[tuple[str, str]]:
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


def _align(pairs: Sequence[tuple[list[str], list[str]]], path: Path, seed: int) -> list[list[Link]]:
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


def _segmented(
    pairs: Sequence[tuple[str, str]], segmentation: Segmentation
) -> list[tuple[list[Segment], list[str]]]:
    """Both sides in words; English with its clitics split, as the teacher reads it. Pairs with an empty side go."""
    segmented = []
    for source, target in pairs:
        tokens, words = tokenize_words(source), tokenize_words(target, clitics=True)
        if tokens and words:
            segmented.append((segments_of(tokens, segmentation), words))
    return segmented


def _words(
    segmented: Sequence[tuple[list[Segment], list[str]]], known: Collection[str]
) -> list[tuple[list[str], list[str]]]:
    """The pairs as the translator reads them."""
    return [
        ([segment.text for segment in write_names(source, known)], target) for source, target in segmented
    ]
