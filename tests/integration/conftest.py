"""Bundles small enough to be made in a moment, and the command line in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from canner import cli
from canner.data.tagging import EncodingConfig, TaggingEncoder
from canner.decoding.neural_translator import NeuralTranslator
from canner.decoding.options import TranslateOptions
from canner.models.convs2s import ConvS2S, ConvS2SConfig
from canner.models.tagger import TaggerConfig
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import make_model, save_tagger
from canner.text.copying import Copier
from canner.text.sentence import Sentence
from canner.text.subwords import Subwords
from canner.transfer.views import TransferConfig, TransferViews, ViewConfig

TEXT = [
    "Ana Pérez vive en Lima .",
    "El Real Madrid ganó en Sevilla .",
    "La OTAN se reúne en Bruselas hoy .",
]


_CONFIG = """kind = "tagger"
name = "tiny"
{lines}
[data]
train = ["{train}"]
dev = ["{dev}"]
[model]
char_encoder = "none"
hidden_dim = 8
{model}
[training]
learning_rate = 0.01
{training}
"""


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    status: int
    out: str
    err: str

    def complaint(self) -> str:
        """The one line of a refused command.

        Raises:
            AssertionError: it was not refused, or said more or less than a line.
        """
        assert self.status == 2, (self.status, self.err)
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("canner: "), self.err
        assert "Traceback" not in self.err
        return self.err


@pytest.fixture
def canner(capsysbinary) -> Callable[..., Answer]:
    """The command line, called with arguments."""

    def call(*arguments: object) -> Answer:
        capsysbinary.readouterr()
        status = cli.run([str(argument) for argument in arguments])
        captured = capsysbinary.readouterr()
        return Answer(status, captured.out.decode(), captured.err.decode())

    return call


@pytest.fixture(scope="session")
def byte_tokenizer() -> Tokenizer:
    """Cuts every word into its bytes."""
    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    alphabet = [*marks, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: index for index, piece in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


@pytest.fixture(scope="session")
def demo_corpus() -> Path:
    return Path(str(files("canner"))) / "demo_data" / "es"


@pytest.fixture(scope="session")
def bundles(tmp_path_factory) -> Path:
    """Untrained bundles: `plain`, `translator` (at most 12 pieces at a time) and `can`, which reads through them."""
    folder = tmp_path_factory.mktemp("bundles")
    torch.manual_seed(1)
    words = [line.split() for line in TEXT]
    alphabet = [list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789")] * 2
    subwords = Subwords.train(words + alphabet, vocab_size=150)
    model = ConvS2S(
        ConvS2SConfig(embed_dim=8, hidden_dim=8, encoder_layers=1, decoder_layers=2, max_positions=32),
        num_source_pieces=len(subwords),
        num_target_pieces=len(subwords),
    )
    options = TranslateOptions(beam_size=1, max_source_pieces=12, max_length_ratio=0.5, max_length_extra=2)
    NeuralTranslator(model, subwords, subwords, Copier([]), options, source_language="es").save(
        folder / "translator"
    )

    tags = ("B-PER", "E-PER", "O", "O", "S-LOC", "O")
    encoder = TaggingEncoder.build(
        EncodingConfig(), [Sentence(tuple(words[0]), tags)], words=True, characters=False
    )
    config = TaggerConfig(word_dim=8, char_encoder="none", hidden_dim=4)
    plain = SentenceTagger(make_model(config, encoder, features_dim=0, aligned_dim=0), encoder)
    save_tagger(folder / "plain", plain)
    transfer = TransferConfig(
        teacher=str(folder / "plain"), views=(ViewConfig(translator=str(folder / "translator")),)
    )
    width = TransferViews.load(transfer).aligned_dim
    can = SentenceTagger(make_model(config, encoder, features_dim=0, aligned_dim=width), encoder)
    relative = transfer.relative_to(folder / "can").model_dump(mode="json")
    save_tagger(folder / "can", can, {"transfer": relative})
    return folder


@pytest.fixture
def write_config(tmp_path) -> Callable[..., Path]:
    """Writes a tiny tagger experiment as TOML."""

    def write(train: Path, dev: Path, *, lines: str = "", model: str = "", training: str = "") -> Path:
        path = tmp_path / "tiny.toml"
        text = _CONFIG.format(train=train, dev=dev, lines=lines, model=model, training=training)
        path.write_text(text, encoding="utf-8")
        return path

    return write
