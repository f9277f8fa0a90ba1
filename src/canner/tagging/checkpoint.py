"""A pretrained model of `transformers` (optional extra): where it is, its weights, and how it cuts words."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError
from torch import Tensor

from canner.data.bundle import (
    FORMAT,
    bundle_kind,
    fill_weights,
    load_tensors,
    read_bundle_config,
    reference_to,
    referred_to,
    save_json,
)
from canner.data.corpus import data_path
from canner.data.word_pieces import WordPieces
from canner.text.extras import missing_package

TRANSFORMERS = "transformers:"
CHECKPOINT = "checkpoint"
"""The folder of a tagger's bundle that refers to what its trained encoder was before, and the key that says so."""
LEARNED = "piece_encoder.encoder."
"""Begins the names of what it has become among the tagger's weights."""
_LONGEST, _LONGEST_TO_TRANSLATE = 512, 200


ModelKind = Literal["encoder", "token classifier", "translator"]
_AUTO: dict[ModelKind, str] = {
    "encoder": "AutoModel",
    "token classifier": "AutoModelForTokenClassification",
    "translator": "AutoModelForSeq2SeqLM",
}
"""What of `transformers` loads each kind of model."""


class Checkpoint:
    """A model as it was published: an encoder, say.

    Args:
        path: of a local checkpoint, or a name that `transformers` knows.
        device: "cpu" or "cuda".
        kind: of model; of an encoder that was published with something on top only the encoder is read.

    Attributes:
        model: of `transformers`; nothing in it learns unless somebody says so.
        pieces: how it cuts words.
        tokenizer: of `transformers`.
        dim: width of its states.
        fingerprint: of the weights.
        store_key: of the weights, the configuration and the tokenizer.

    Raises:
        ValueError: `transformers` is not installed, or it cannot read the checkpoint.
    """

    def __init__(self, path: str, *, device: str = "cpu", kind: ModelKind = "encoder") -> None:
        try:
            transformers: Any = importlib.import_module("transformers")
        except ImportError:
            raise missing_package("transformers", "transformers") from None
        try:
            with _quiet(transformers.utils.logging):
                tokenizer = transformers.AutoTokenizer.from_pretrained(path, use_fast=True)
                loader = getattr(transformers, _AUTO[kind])
                options = (
                    {"attn_implementation": "eager"} if kind == "translator" else {}
                )  # that tells its weights
                model, loaded = loader.from_pretrained(
                    path, output_loading_info=True, ignore_mismatched_sizes=True, **options
                )
            # in half precision a sentence would be another one in a batch than alone, and what is learned be rounded
            self.model: Any = model.float().to(device).eval().requires_grad_(False)
        except (
            ImportError,
            OSError,
            ValueError,
            TypeError,
            KeyError,
            RuntimeError,
            SafetensorError,
        ) as error:
            reason = " ".join(str(error).partition("Model type should be")[0].split())[:200]
            raise ValueError(f"{path}: expected a checkpoint of transformers, got {reason}") from None
        lacking = set(loaded["missing_keys"])
        _check(path, tokenizer, lacking, loaded["mismatched_keys"])
        weights = self.model.state_dict()
        for name in lacking:  # transformers makes random ones; what is saved should not depend on chance
            weights[name].zero_()
        self.path = path
        sizes = self.model.config.get_text_config()
        self.dim = int(sizes.hidden_size)
        limits = (tokenizer.model_max_length, getattr(sizes, "max_position_embeddings", None) or _LONGEST)
        translates = kind == "translator"
        # XLNet says -1: no limit.
        most = min(
            _LONGEST_TO_TRANSLATE if translates else _LONGEST, *(int(own) for own in limits if own > 0)
        )
        # Encoders of the RoBERTa family count positions from 2.
        self.pieces = WordPieces(tokenizer, most - 4, running_text=translates)
        self.tokenizer: Any = tokenizer
        digest = hashlib.sha256()
        for name, weight in sorted(weights.items()):
            if name in lacking:
                continue
            digest.update(name.encode())
            digest.update(weight.detach().float().cpu().contiguous().numpy().tobytes())
        self.fingerprint = f"transformer-{digest.hexdigest()[:16]}"
        self.store_key = f"{self.fingerprint}-{_usage(self.model.config, self.pieces, tokenizer)}"

    @classmethod
    def named(cls, source: str, *, device: str = "cpu") -> Checkpoint:
        """The one that a configuration names: a folder, or `transformers:NAME`.

        Of a tagger that trained its encoder it is what that encoder has become; what it was before stays the checkpoint
        that `save` refers to.

        Raises:
            ValueError: there is none, or it cannot be read.
        """
        if source.startswith(TRANSFORMERS):
            return cls(source.removeprefix(TRANSFORMERS), device=device)
        folder = data_path(source)
        if bundle_kind(folder) != "tagger":
            return cls.load(folder, device=device)
        if CHECKPOINT not in read_bundle_config(folder, "tagger"):
            raise ValueError(
                f"{folder}: expected a tagger with an encoder that was trained with it, got one without"
            )
        checkpoint = cls.load(folder / CHECKPOINT, device=device)
        path = folder / "model.safetensors"
        weights = load_tensors(path)
        learned = {name.removeprefix(LEARNED): w for name, w in weights.items() if name.startswith(LEARNED)}
        fill_weights(checkpoint.model, {**_tables(checkpoint.model), **learned}, path)
        return checkpoint

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> Checkpoint:
        """Reads a reference that `save` wrote, or a checkpoint itself.

        Raises:
            ValueError: the checkpoint is gone, or is another one.
        """
        kind = bundle_kind(folder)
        if kind is None:
            return cls(str(folder), device=device)
        if kind != "transformer":
            raise ValueError(
                f"{folder}: expected a checkpoint of transformers, got a bundle of kind {kind!r}"
            )
        config = read_bundle_config(folder, "transformer")
        if not {"path", "fingerprint"} <= config.keys():
            raise ValueError(
                f"{folder}/config.json: expected path and fingerprint of an encoder, got {', '.join(config)}; the file "
                "is damaged: copy it again"
            )
        path = str(config["path"])
        if path.startswith(".") or Path(path).is_absolute():  # else a name that `transformers` knows
            place = referred_to(path, folder)
            if not place.is_dir():
                raise ValueError(
                    f"{folder}: expected the encoder that the tagger was trained with in {place}, got no such folder; "
                    "put it there"
                )
            path = str(place)
        checkpoint = cls(path, device=device)
        if checkpoint.fingerprint != config["fingerprint"]:
            raise ValueError(
                f"{checkpoint.path}: expected the encoder {config['fingerprint']} that the tagger was trained with, "
                f"got {checkpoint.fingerprint}; restore it"
            )
        return checkpoint

    def save(self, folder: Path) -> None:
        """Writes a reference to the checkpoint, not its weights: encoders are large and have homes of their own.

        Where a local one is, as a relative path (decision 0010); else the name that `transformers` knows.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = f"./{reference_to(self.path, folder)}" if Path(self.path).exists() else self.path
        reference = {"format": FORMAT, "kind": "transformer", "path": path, "fingerprint": self.fingerprint}
        save_json(folder / "config.json", reference)


def kind_named(source: str | Path) -> str | None:
    """The kind of the bundle that a configuration names; None: it names a model of `transformers`.

    Raises:
        ValueError: if there is neither.
    """
    return None if str(source).startswith(TRANSFORMERS) else bundle_kind(source)


def _usage(config: Any, pieces: WordPieces, tokenizer: Any) -> str:
    """A digest of what decides, beside the weights, what comes out: configuration and tokenizer."""
    settings = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}
    vocabulary = tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else tokenizer.get_vocab()
    decisive = [vocabulary, pieces.longest, settings, *(["spaces"] if pieces.wants_spaces else [])]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _tables(model: Any) -> dict[str, Tensor]:
    """The vectors of the pieces, by their name among a model's weights: no training changes them."""
    table = model.get_input_embeddings().weight
    return {name: own for name, own in model.state_dict(keep_vars=True).items() if own is table}


def _check(path: str, tokenizer: Any, lacking: Collection[str], mismatched: Iterable[Any]) -> None:
    """Whether all is there that makes vectors; a pooler, which many checkpoints lack, does not.

    Args:
        mismatched: a name of weights, their shape in the checkpoint and the one that its configuration wants, for each
            that has another.

    Raises:
        ValueError: if not.
    """
    if others := sorted(mismatched):
        name, stored, configured = others[0]
        raise ValueError(
            f"{path}: expected {name} of shape {tuple(configured)}, which config.json says, got "
            f"{tuple(stored)}; the files are of two models: copy the checkpoint again"
        )
    if wanted := sorted(name for name in lacking if "pooler" not in name):
        raise ValueError(f"{path}: expected a whole checkpoint of transformers, got one without {wanted[0]}")
    if len(tokenizer) <= len(set(tokenizer.all_special_ids)):
        raise ValueError(
            f"{path}: expected a checkpoint of transformers with its tokenizer, got a tokenizer without pieces; copy "
            "the tokenizer's files beside the weights"
        )


@contextlib.contextmanager
def _quiet(settings: Any) -> Iterator[None]:
    """Keeps the progress bar of loading out of files and pipes, and reports and warnings out of everything.

    What the report on the weights says that matters, `Checkpoint` checks.

    Args:
        settings: the module `logging` of `transformers`.
    """
    verbosity, bars = settings.get_verbosity(), settings.is_progress_bar_enabled()
    settings.set_verbosity_error()
    if bars and not sys.stderr.isatty():
        settings.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        settings.set_verbosity(verbosity)
        if bars:
            settings.enable_progress_bar()
