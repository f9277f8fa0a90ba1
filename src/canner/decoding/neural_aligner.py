"""A translator whose finished translations are aligned anew, by a head that reads both sentences."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch

from canner.data.bundle import (
    FORMAT,
    config_of,
    fill_weights,
    load_tensors,
    read_bundle_config,
    read_bundle_file,
    reference_to,
    referred_to,
    save_json,
    save_tensors,
    save_text,
)
from canner.data.compression import StoredPrecision, compress, expand
from canner.data.translation import Translation
from canner.decoding.forcing import UnreadablePairsError
from canner.decoding.neural_translator import NeuralTranslator, Notes
from canner.decoding.piece_translation import empty_translation, join_parts
from canner.models.alignment_head import AlignmentHead, AlignmentHeadConfig
from canner.text.segmentation import Segment

WEIGHTS = "model.safetensors"
Pair = tuple[Sequence[str], Sequence[str]]


class NeuralAligner:
    """The English of a translator with the attention of an alignment head; a `Translator` of one layer.

    Args:
        translator: makes the English, and knows what the head reads.
        head: trained for this translator.
    """

    num_layers = 1

    def __init__(self, translator: NeuralTranslator, head: AlignmentHead) -> None:
        self.translator = translator
        self.head = head.eval()

    @functools.cached_property
    def fingerprint(self) -> str:
        """Names translator and head; computed once, so not for a head that is still trained."""
        digest = hashlib.sha256(self.translator.fingerprint.encode())
        for name, tensor in sorted(self.head.state_dict().items()):
            digest.update(f"{name}{tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return f"aligned-{digest.hexdigest()[:16]}"

    def changed(self, changes: Mapping[str, object]) -> NeuralAligner:
        """The same head, with some settings of its translator's `options` changed.

        Raises:
            ValueError: no such setting, or no such value.
        """
        return NeuralAligner(self.translator.changed(changes), self.head)

    def segments(self, tokens: Sequence[str]) -> list[Segment]:
        """The words that the translator reads, over the tokens given."""
        return self.translator.segments(tokens)

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translates and aligns sentences, in their order.

        Args:
            sentences: tokens of each sentence.
            progress: called with the number of sentences just translated; to align them takes little longer.
        """
        return self.realign(self.translator.translate(sentences, progress=progress))

    def realign(self, translations: Sequence[Translation]) -> list[Translation]:
        """Translations of the translator with the attention of the head; a sentence in parts is aligned in these."""
        cuts = [_cut(t, self.translator.spans(t.source) if t.parts > 1 else None) for t in translations]
        found = iter(self._aligned([part for parts in cuts for part in parts]))
        results = []
        for translation, cut in zip(translations, cuts, strict=True):
            parts = [next(found) for _ in cut]
            whole = join_parts(parts, translation.source) if parts else empty_translation(1)
            results.append(
                replace(translation, attention=whole.attention, reading_attention=None, alignment_layer=None)
            )
        return results

    def force_many(self, pairs: Sequence[Pair]) -> list[Translation]:
        """The alignment of translations made elsewhere, and the score that the translator gives them.

        Raises:
            UnreadablePairsError: a side is empty, or has more pieces than the model has positions.
        """
        found = self.translator.force_many(pairs, head=self.head)
        # a head aligns a piece once; there is no step after it that reads it
        return [replace(each, reading_attention=None, alignment_layer=None) for each in found]

    def _aligned(self, parts: Sequence[Translation]) -> list[Translation]:
        """Parts aligned anew; one that cannot be forced (no English, an endless word) stays as it is."""
        pairs = [(part.source, part.target) for part in parts]
        try:
            return self.force_many(pairs)
        except UnreadablePairsError as error:
            unreadable = error.reasons
        found = iter(self.force_many([pair for number, pair in enumerate(pairs) if number not in unreadable]))
        return [part if number in unreadable else next(found) for number, part in enumerate(parts)]

    def save(
        self,
        folder: str | Path,
        translator: str | Path,
        *,
        precision: StoredPrecision = "float32",
        notes: Notes | None = None,
    ) -> None:
        """Writes a bundle: the head, and where its translator is, as a relative path (decision 0010).

        Args:
            folder: made if it is not there.
            translator: bundle of the translator.
            precision: of the weights.
            notes: what else the model card is to say; None: no card.

        Raises:
            OSError: the disk is full.
        """
        folder = Path(folder)
        save_tensors(folder / WEIGHTS, compress(self.head.state_dict(), precision))
        if notes is not None:
            save_text(folder / "README.md", _card(self.head, Path(translator), notes))
        self.save_config(folder, translator)

    def save_config(self, folder: Path, translator: str | Path) -> None:
        """Writes the `config.json` of a bundle alone: without weights it cannot be loaded yet."""
        config = {
            "format": FORMAT,
            "kind": "aligner",
            "translator": reference_to(translator, folder),
            "translator_fingerprint": self.translator.fingerprint,
            "head": self.head.config.model_dump(),
        }
        save_json(folder / "config.json", config)

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> NeuralAligner:
        """Reads a bundle and its translator's.

        Args:
            folder: of the bundle.
            device: where to translate and align.

        Raises:
            ValueError: no aligner, a newer format, a file that is missing, damaged or of another model, or a
                translator that is missing or another than the head was trained for.
        """
        folder = Path(folder)
        config = read_bundle_config(folder, "aligner")
        path = folder / "config.json"
        place = translator_of(folder)
        try:
            translator = NeuralTranslator.load(place, device=device)
        except ValueError as error:
            raise ValueError(f"{folder}: expected the translator that it aligns for: {error}") from None
        if translator.fingerprint != config.get("translator_fingerprint"):
            raise ValueError(
                f"{folder}: expected the translator in {place} to be the one that it was trained for, got another; "
                "put that one there, or train an aligner for this one"
            )
        head = AlignmentHead(
            config_of(AlignmentHeadConfig, config.get("head"), path), translator.model.config
        )
        weights = read_bundle_file(folder / WEIGHTS, lambda file: expand(load_tensors(file)))
        fill_weights(head, weights, folder / WEIGHTS)
        return cls(translator, head.to(device))


def require_same_translator(folder: str | Path, translator: NeuralTranslator) -> None:
    """Refuses to go on in the folder of an aligner of another translator.

    Raises:
        ValueError: no aligner, or one of another translator.
    """
    if read_bundle_config(folder, "aligner").get("translator_fingerprint") != translator.fingerprint:
        raise ValueError(
            f"{folder}: expected the translator that this run was started with, got another; put that one back, or "
            "start in another folder"
        )


def translator_of(folder: str | Path) -> str:
    """Where the translator of an aligner's bundle is.

    Raises:
        ValueError: no aligner, or one that does not say.
    """
    found = read_bundle_config(folder, "aligner").get("translator")
    if not isinstance(found, str):
        raise ValueError(f"{folder}: expected the path of a translator in config.json, got {found!r}")
    return str(referred_to(found, folder))


def _cut(translation: Translation, spans: Sequence[tuple[int, int]] | None) -> list[Translation]:
    """The parts of a translation, with the attention that it had: an English word is of the part that it looked at.

    Args:
        translation: no part of which looked at another.
        spans: of the parts in the source; None: there is one.
    """
    source, target = translation.source, translation.target
    if not source:
        return []
    layer = translation.alignment_layer
    attention = (
        translation.attention.float().mean(dim=0) if layer is None else translation.attention[layer].float()
    )
    if spans is None:
        return [Translation(source, target, attention[None])]
    masses = torch.stack([attention[:, start:end].sum(dim=1) for start, end in spans], dim=1)
    # a word that looked at nothing (its weights were rounded away) is of the part of the word before it
    owners = masses.argmax(dim=1).cummax(dim=0).values
    parts = []
    for number, (start, end) in enumerate(spans):
        rows = (owners == number).nonzero()[:, 0].tolist()
        words = tuple(target[row] for row in rows)
        parts.append(Translation(source[start:end], words, attention[None, rows, start:end]))
    return parts


def _card(head: AlignmentHead, translator: Path, notes: Notes) -> str:
    lines = [
        f"# Aligner of {translator.name}",
        "",
        "An alignment head of canner: it reads a finished translation of its "
        "translator, and finds the source of each word. It is used in the translator's place.",
        "",
        f"- {sum(p.numel() for p in head.parameters()) / 1e6:.2f} million parameters, width {head.config.dim}",
        *(f"- {name}: {value}" for name, value in notes.items()),
        "",
        "```python",
        "import canner",
        "canner.Translator.load(FOLDER).translate([TOKENS])",
        "```",
    ]
    return "\n".join(lines) + "\n"
