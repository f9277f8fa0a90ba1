"""A neural translator on disk: sizes, weights, vocabularies, copier."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from canner.data.bundle import (
    FORMAT,
    config_of,
    fill_weights,
    load_tensors,
    read_bundle_config,
    read_bundle_file,
    save_json,
    save_tensors,
    save_text,
)
from canner.data.compression import StoredPrecision, compress, expand
from canner.decoding.options import TranslateOptions
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.text.copying import Copier
from canner.text.files import write_atomically
from canner.text.segmentation import Segmentation
from canner.text.subwords import Subwords

_NAMES_IN_PINYIN = 2
"""The format since when a translator that cuts Chinese words writes unknown names in pinyin."""
_OUTPUT, _SHARED = "decoder.output.weight", "decoder.tokens.weight"


@dataclass(frozen=True)
class TranslatorBundle:
    """All that a bundle holds."""

    model: ConvS2S
    source_subwords: Subwords
    target_subwords: Subwords
    copier: Copier
    options: TranslateOptions
    source_language: str
    target_language: str
    segment: Segmentation = "none"


def fingerprint_of(bundle: TranslatorBundle) -> str:
    """Names a translator by all that decides its output: weights, vocabularies, names and options."""
    digest = hashlib.sha256()
    for name, tensor in sorted(bundle.model.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    for subwords in (bundle.source_subwords, bundle.target_subwords):
        digest.update("\n".join(subwords.piece(i) for i in range(len(subwords))).encode())
    copier = bundle.copier
    digest.update("\n".join(sorted(copier.known)).encode())
    digest.update(f"\nnames {json.dumps(sorted(copier.names.items()))}".encode() if copier.names else b"")
    digest.update(f"\nguesser {copier.guesser.to_json()}".encode() if copier.guesser else b"")
    # Without effect, `strip_accents` leaves the fingerprint as it was before there was such an option.
    unsaid = {"batch_tokens"} if bundle.options.strip_accents else {"batch_tokens", "strip_accents"}
    options = bundle.options.model_dump(exclude=unsaid)
    digest.update(json.dumps(options, sort_keys=True).encode())
    digest.update(f"{bundle.segment}, names in pinyin".encode() if bundle.segment != "none" else b"")
    return f"convs2s-{digest.hexdigest()[:16]}"


def save_bundle(
    folder: str | Path, bundle: TranslatorBundle, *, precision: StoredPrecision, notes: dict[str, object]
) -> None:
    """Writes a bundle; each file appears whole, the config last.

    Raises:
        OSError: the disk is full.
    """
    folder = Path(folder)
    weights = bundle.model.state_dict()
    if bundle.model.config.share_embeddings:
        del weights[_SHARED]
    save_tensors(folder / "model.safetensors", compress(weights, precision))
    write_atomically(folder / "source.subwords.json", bundle.source_subwords.save)
    write_atomically(folder / "target.subwords.json", bundle.target_subwords.save)
    write_atomically(folder / "copier.json", bundle.copier.save)
    save_text(folder / "README.md", _card(bundle, notes))
    save_config(folder, bundle)


def save_config(folder: Path, bundle: TranslatorBundle) -> None:
    """Writes the `config.json` of a bundle alone: without weights it cannot be loaded yet."""
    config = {
        "format": FORMAT,
        "kind": "translator",
        "source_language": bundle.source_language,
        "target_language": bundle.target_language,
        "segment": bundle.segment,
        "model": bundle.model.config.model_dump(),
        "options": bundle.options.model_dump(),
    }
    save_json(folder / "config.json", config)


def load_bundle(folder: str | Path) -> TranslatorBundle:
    """Reads a bundle, the model on the CPU in float32.

    Raises:
        ValueError: no translator, a newer format, or a file that is missing, damaged or of another model.
    """
    folder = Path(folder)
    config = read_bundle_config(folder, "translator")
    source = read_bundle_file(folder / "source.subwords.json", Subwords.load)
    target = read_bundle_file(folder / "target.subwords.json", Subwords.load)
    copier = read_bundle_file(folder / "copier.json", Copier.load)
    model_config = config_of(ConvS2SConfig, config.get("model"), folder / "config.json")
    options = config_of(TranslateOptions, config.get("options", {}), folder / "config.json")
    if config.get("alignment_layer") is not None and options.alignment_layer is None:
        options = options.model_copy(update={"alignment_layer": config["alignment_layer"]})
    model = ConvS2S(model_config, num_source_pieces=len(source), num_target_pieces=len(target))
    weights = read_bundle_file(folder / "model.safetensors", lambda path: expand(load_tensors(path)))
    if model_config.share_embeddings and _OUTPUT in weights:
        weights[_SHARED] = weights[_OUTPUT]
    fill_weights(model, weights, folder / "model.safetensors")
    languages = config.get("source_language", ""), config.get("target_language", "en")
    segment = config.get("segment", "none")
    if segment not in get_args(Segmentation):
        raise ValueError(
            f"{folder / 'config.json'}: expected segment {' or '.join(get_args(Segmentation))}, got {segment!r}; "
            "install a newer canner"
        )
    if segment == "jieba" and config["format"] < _NAMES_IN_PINYIN:
        raise ValueError(
            f"{folder}: expected a translator that reads names in pinyin (format {_NAMES_IN_PINYIN}), got format "
            f"{config['format']}; train it again"
        )
    return TranslatorBundle(model, source, target, copier, options, *languages, segment)


def _card(bundle: TranslatorBundle, notes: dict[str, object]) -> str:
    config, number = bundle.model.config, sum(p.numel() for p in bundle.model.parameters())
    lines = [
        f"# Translator {bundle.source_language or '?'} → {bundle.target_language}",
        "",
        "A ConvS2S translator of canner, made to be read backwards: the attention of its decoder layers carries what "
        "a tagger knows of the English back to the source.",
        "",
        f"- {number / 1e6:.1f} million parameters: {config.encoder_layers} encoder and {config.decoder_layers} "
        f"decoder layers, {config.embed_dim} / {config.hidden_dim} channels",
        f"- {len(bundle.source_subwords)} source and {len(bundle.target_subwords)} target pieces",
        *(["- names that are copied lose their accents"] if bundle.options.strip_accents else []),
        *(f"- {name}: {value}" for name, value in notes.items()),
        "",
        "```python",
        "import canner",
        "canner.Translator.load(FOLDER).translate([TOKENS])",
        "```",
    ]
    return "\n".join(lines) + "\n"
