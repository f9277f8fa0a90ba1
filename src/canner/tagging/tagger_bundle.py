"""A tagger on disk: weights, vocabularies, and what else it needs to read a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from canner.data.bundle import (
    FORMAT,
    bundle_kind,
    config_of,
    fill_weights,
    load_tensors,
    read_bundle_config,
    read_bundle_file,
    save_json,
    save_tensors,
)
from canner.data.embedding import WordEmbedder
from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.models.piece_encoder import PieceEncoder
from canner.models.tagger import TaggerConfig, TaggerModel, TaggerSizes
from canner.tagging.char_features import CharLMFeatures
from canner.tagging.checkpoint import CHECKPOINT, Checkpoint
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.transformer_features import TransformerFeatures
from canner.text.schemes import allowed_transitions
from canner.text.vocabulary import Vocabulary


def make_model(
    config: TaggerConfig,
    encoder: TaggingEncoder,
    *,
    features_dim: int,
    aligned_dim: int,
    word_vectors: Tensor | None = None,
    checkpoint: Checkpoint | None = None,
) -> TaggerModel:
    """A fresh model of the sizes that the vocabularies and features ask for.

    Args:
        config: of the model.
        encoder: the vocabularies.
        features_dim: width of the frozen embeddings; 0: none.
        aligned_dim: width of the features aligned from English; 0: none.
        word_vectors: [V word_dim] to start from.
        checkpoint: a pretrained encoder that becomes part of the model, itself and no copy; None: none does.
    """
    sizes = TaggerSizes(
        num_words=len(encoder.words) if encoder.words is not None else 0,
        num_chars=len(encoder.characters) if encoder.characters is not None else 0,
        features_dim=features_dim,
        aligned_dim=aligned_dim,
        num_tags=len(encoder.tags),
    )
    constraints = allowed_transitions(encoder.tags.items)
    return TaggerModel(
        config,
        sizes,
        word_vectors=word_vectors,
        piece_encoder=PieceEncoder(checkpoint.model) if checkpoint is not None else None,
        constraints=constraints,
    )


def save_tagger(
    folder: str | Path, tagger: SentenceTagger, extra: Mapping[str, Any] | None = None, *, half: bool = False
) -> None:
    """Writes a bundle; `config.json` comes last, so that a folder with one is whole.

    Args:
        folder: made if it is not there.
        tagger: what to write; its embedders go to folders of their own inside.
        extra: further entries of `config.json` (`transfer`, `scores`, …).
        half: weights in half precision, at half the size; `load_tagger` makes them single again.

    Raises:
        OSError: if the disk is full.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    encoder = tagger.encoder
    for name, vocabulary in _vocabularies(encoder).items():
        vocabulary.save(folder / f"{name}.json")
    weights = tagger.model.state_dict()
    if half:
        weights = {name: w.half() if w.is_floating_point() else w for name, w in weights.items()}
    save_tensors(folder / "model.safetensors", weights)
    for number, embedder in enumerate(tagger.embedders):
        embedder.save(folder / f"embedder{number}")
    if tagger.checkpoint is not None:
        tagger.checkpoint.save(folder / CHECKPOINT)
    config = {
        "format": FORMAT,
        "kind": "tagger",
        "model": tagger.model.config.model_dump(mode="json"),
        "sizes": asdict(tagger.model.sizes),
        "encoding": encoder.config.model_dump(mode="json"),
        "vocabularies": sorted(_vocabularies(encoder)),
        "embedders": [f"embedder{number}" for number in range(len(tagger.embedders))],
        **({CHECKPOINT: CHECKPOINT} if tagger.checkpoint is not None else {}),
        **(extra or {}),
    }
    save_json(folder / "config.json", config)


def load_tagger(folder: str | Path, *, device: str = "cpu") -> SentenceTagger:
    """Reads what `save_tagger` wrote.

    Raises:
        ValueError: if the folder is no tagger, of a newer format, or damaged.
    """
    folder = Path(folder)
    config = read_bundle_config(folder, "tagger")
    start = Checkpoint.load(folder / CHECKPOINT, device=device) if CHECKPOINT in config else None
    try:
        known = {
            name: read_bundle_file(folder / f"{name}.json", Vocabulary.load)
            for name in config["vocabularies"]
        }
        encoder = TaggingEncoder(
            config_of(EncodingConfig, config["encoding"], folder / "config.json"),
            known.get("words"),
            known.get("characters"),
            known["tags"],
            start.pieces if start is not None else None,
        )
        model = make_model(
            config_of(TaggerConfig, config["model"], folder / "config.json"),
            encoder,
            features_dim=config["sizes"]["features_dim"],
            aligned_dim=config["sizes"]["aligned_dim"],
            checkpoint=start,
        )
        embedder_names = list(config["embedders"])
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{folder / 'config.json'}: expected the description of a tagger, got none of {error}; "
            "the file is damaged: copy it again"
        ) from None
    weights = folder / "model.safetensors"
    fill_weights(model, load_tensors(weights), weights)
    embedders = [load_embedder(folder / name, device=device) for name in embedder_names]
    return SentenceTagger(model.to(device).eval(), encoder, embedders, start)


def load_embedder(folder: str | Path, *, device: str = "cpu") -> WordEmbedder:
    """Reads frozen embeddings: a bundle of character language models, or a checkpoint of `transformers`.

    Raises:
        ValueError: if the folder is neither.
    """
    if bundle_kind(folder) == "charlm":
        return CharLMFeatures.load(folder, device=device)
    return TransformerFeatures.load(folder, device=device)


def _vocabularies(encoder: TaggingEncoder) -> dict[str, Vocabulary]:
    given = {"words": encoder.words, "characters": encoder.characters, "tags": encoder.tags}
    return {name: vocabulary for name, vocabulary in given.items() if vocabulary is not None}
