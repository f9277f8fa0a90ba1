"""English views of sentences: one or several translators, one teacher, and what is carried over from each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from canner.data.bundle import read_bundle_config, reference_to, referred_to
from canner.data.translation import Translator
from canner.decoding.neural_aligner import NeuralAligner
from canner.decoding.neural_translator import NeuralTranslator
from canner.tagging.checkpoint import TRANSFORMERS, Checkpoint, kind_named
from canner.tagging.tagger_bundle import load_tagger
from canner.text.config import Config
from canner.transfer.aligned import (
    Transfer,
    TransferOptions,
    aligned_dim,
    aligned_features,
    transfer_sentences,
)
from canner.transfer.external import FileTranslator
from canner.transfer.gloss import WordGloss
from canner.transfer.seq2seq_translator import Seq2SeqTranslator
from canner.transfer.store import TransferStore
from canner.transfer.teacher import TaggerTeacher, Teacher, content_hash
from canner.transfer.token_classifier import TokenClassifier


class FilesConfig(Config):
    """Translations made elsewhere: files of sentences, their English, and Pharaoh alignments, in threes.

    Attributes:
        missing: what becomes of a sentence that is not in the files: an "error", or an "empty" translation.
    """

    source: tuple[str, ...]
    english: tuple[str, ...]
    alignments: tuple[str, ...]
    missing: Literal["error", "empty"] = "error"


class ViewConfig(Config):
    """One way into English, a translator or files, and what is carried over from it.

    Attributes:
        translator: a bundle, or an encoder-decoder of `transformers`, as a folder or as `transformers:NAME`.
        files: made elsewhere.
        options: what is carried over.
    """

    translator: str | None = None
    files: FilesConfig | None = None
    options: TransferOptions = TransferOptions()

    @model_validator(mode="after")
    def _one_of_two(self) -> ViewConfig:
        if (self.translator is None) == (self.files is None):
            raise ValueError("expected either a translator or files, got both or neither")
        return self


class TransferConfig(Config):
    """What a CAN tagger reads beside the sentence itself.

    Attributes:
        teacher: the English tagger: a bundle, or a token classifier of `transformers`, as a folder or as
            `transformers:NAME`.
        views: translators side by side; their aligned features are joined.
    """

    teacher: str
    views: tuple[ViewConfig, ...] = Field(min_length=1)

    def bundles(self) -> list[str]:
        """Paths of the teacher and of the translators, where they have one."""
        named = [self.teacher, *(view.translator for view in self.views if view.translator is not None)]
        return [path for path in named if not path.startswith(TRANSFORMERS)]

    def with_paths(self, change: Callable[[str], str]) -> TransferConfig:
        """The same with every path changed; a name that `transformers` knows is none."""
        views = []
        for view in self.views:
            translator = _changed(view.translator, change) if view.translator is not None else None
            files = None
            if view.files is not None:
                files = FilesConfig(
                    source=tuple(map(change, view.files.source)),
                    english=tuple(map(change, view.files.english)),
                    alignments=tuple(map(change, view.files.alignments)),
                    missing=view.files.missing,
                )
            views.append(view.model_copy(update={"translator": translator, "files": files}))
        return TransferConfig(teacher=_changed(self.teacher, change), views=tuple(views))

    def relative_to(self, folder: Path) -> TransferConfig:
        """Paths as seen from a folder, so that folders can move together."""
        return self.with_paths(lambda path: reference_to(path, folder))

    def seen_from(self, folder: Path) -> TransferConfig:
        """Paths that were relative to a folder, as seen from here."""
        return self.with_paths(lambda path: str(referred_to(path, folder)))


def _changed(source: str, change: Callable[[str], str]) -> str:
    return source if source.startswith(TRANSFORMERS) else change(source)


@dataclass(frozen=True)
class View:
    """A translator with what is carried over from its English."""

    translator: Translator
    options: TransferOptions


class TransferViews:
    """Carries what the teacher knows of the English over to the tokens of a sentence.

    Args:
        views: translators side by side.
        teacher: reads the English of all of them.
    """

    def __init__(self, views: Sequence[View], teacher: Teacher) -> None:
        self.views = tuple(views)
        self.teacher = teacher

    @classmethod
    def load(cls, config: TransferConfig, *, device: str = "cpu") -> TransferViews:
        """Loads translators and teacher.

        Raises:
            ValueError: if a bundle or file is missing, damaged or of another kind.
        """
        views = []
        for view in config.views:
            if view.files is not None:
                files = view.files
                translator: Translator = FileTranslator.read(
                    files.source, files.english, files.alignments, missing=files.missing
                )
            else:
                assert view.translator is not None
                translator = load_translator(view.translator, device=device)
            views.append(View(translator, view.options))
        return cls(views, load_teacher(config.teacher, device=device))

    @property
    def aligned_dim(self) -> int:
        """Width of the aligned features of all views together."""
        widths = (
            aligned_dim(self.teacher.features_dim, len(self.teacher.tags), view.options)
            for view in self.views
        )
        return sum(widths)

    def transfer(self, sentences: Sequence[Sequence[str]]) -> list[list[Transfer]]:
        """For each view the transfers of all sentences."""
        return [transfer_sentences(sentences, view.translator, self.teacher) for view in self.views]

    def align(self, transfers: Sequence[Sequence[Transfer]]) -> list[Tensor]:
        """The aligned features [S, F] of each sentence, from what `transfer` gave."""
        columns = [
            [aligned_features(transfer, view.options) for transfer in of_view]
            for view, of_view in zip(self.views, transfers, strict=True)
        ]
        return [torch.cat(rows, dim=1) for rows in zip(*columns, strict=True)]

    def stores(
        self,
        root: Path,
        sentences: Sequence[Sequence[str]],
        *,
        deadline: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[tuple[TransferStore, TransferOptions]]:
        """A store on disk for each view, completed so that it holds the sentences.

        Args:
            root: the stores lie in folders of it that are named by translator and teacher.
            sentences: tokens of each.
            deadline: on the clock of `time.monotonic`; waiting for another process ends there too.
            progress: called with sentences done and to do, for each store anew.

        Raises:
            ValueError: if the disk is full; what was finished stays.
            OutOfTimeError: at the deadline; what was finished stays.
        """
        built: dict[int, TransferStore] = {}
        # aligners last: they take the English of their translators from the stores of these
        for number in sorted(
            range(len(self.views)), key=lambda i: isinstance(self.views[i].translator, NeuralAligner)
        ):
            translator = self.views[number].translator
            built[number] = TransferStore.build(
                root / f"{translator.fingerprint}-{self.teacher.fingerprint}",
                sentences,
                translator,
                self.teacher,
                before=_same_english(root, translator, self.teacher),
                deadline=deadline,
                progress=progress,
            )
        return [(built[number], view.options) for number, view in enumerate(self.views)]


def _same_english(root: Path, translator: Translator, teacher: Teacher) -> TransferStore | None:
    """The store of the translator whose English an aligner aligns, if there is one."""
    if not isinstance(translator, NeuralAligner):
        return None
    folder = root / f"{translator.translator.fingerprint}-{teacher.fingerprint}"
    return TransferStore.open(folder) if (folder / "store.json").exists() else None


def load_translator(
    source: str | Path, *, device: str = "cpu", options: Mapping[str, object] | None = None
) -> Translator:
    """Reads what translates: a bundle of a neural translator, an aligner of one, or a word gloss; or a model of others.

    Args:
        source: a bundle, or an encoder-decoder of `transformers`, as a folder or as `transformers:NAME`.
        device: where to translate.
        options: settings of `TranslateOptions` in the place of the bundle's.

    Raises:
        ValueError: if it is none of these, or has no such options.
    """
    kind = kind_named(source)
    if kind in ("translator", "aligner"):
        load = NeuralAligner.load if kind == "aligner" else NeuralTranslator.load
        translator: NeuralAligner | NeuralTranslator = load(source, device=device)
        return translator.changed(options) if options else translator
    if kind not in ("gloss", None):
        raise ValueError(
            f"{source}: expected a translator, an aligner or a gloss, got a bundle of kind {kind!r}"
        )
    if options:
        raise ValueError(
            f"{source}: expected a translator of our own, to set {', '.join(options)}, got another; leave that out: a "
            "gloss does not search, and a model of transformers searches as its generation_config.json says"
        )
    if kind == "gloss":
        return WordGloss.load(source)
    path = str(source).removeprefix(TRANSFORMERS)
    return Seq2SeqTranslator(Checkpoint(path, device=device, kind="translator"))


def load_teacher(source: str | Path, *, device: str = "cpu") -> Teacher:
    """Reads a plain tagger's bundle as teacher, or a token classifier of `transformers`.

    Args:
        source: the folder of either, or `transformers:NAME`.
        device: "cpu" or "cuda".

    Raises:
        ValueError: if it is neither, or a tagger that needs a teacher itself.
    """
    if kind_named(source) is None:
        path = str(source).removeprefix(TRANSFORMERS)
        return TokenClassifier(Checkpoint(path, device=device, kind="token classifier"))
    folder = Path(source)
    tagger = load_tagger(folder, device=device)
    if tagger.model.sizes.aligned_dim:
        raise ValueError(f"{folder}: expected a plain tagger as teacher, got one that reads English itself")
    vocabularies = sorted(f"{name}.json" for name in read_bundle_config(folder, "tagger")["vocabularies"])
    parts = [(folder / name).read_bytes() for name in ("model.safetensors", *vocabularies)]
    parts += [embedder.fingerprint.encode() for embedder in tagger.embedders]
    if tagger.checkpoint is not None:
        parts.append(tagger.checkpoint.fingerprint.encode())
    return TaggerTeacher(tagger, fingerprint=f"tagger-{content_hash(parts)}")
