"""Training character language models, forward and backward at once, from plain text."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from canner.data.bundle import FORMAT, save_json
from canner.data.char_stream import CharEncoder, as_rows, build_char_vocabulary, read_char_stream
from canner.models.char_lm import BidirectionalCharLM, CharLM, CharLMConfig
from canner.nn.precision import Precision, autocast
from canner.text.config import Config
from canner.text.files import require_file
from canner.text.vocabulary import Vocabulary
from canner.training.loop import fit
from canner.training.run_files import TRAINING
from canner.training.run_state import FitResult
from canner.training.schedule import TrainingConfig
from canner.training.task import ParameterGroup, trainable

logger = logging.getLogger(__name__)


class CharLMDataConfig(Config):
    """The text, and how it is cut into batches."""

    train: str
    """A file of plain text, a sentence or paragraph a line."""
    dev: str | None = None
    """Held-out text; None: the end of the training text."""
    dev_chars: int = Field(200_000, ge=100)
    """At most this many characters are held out, and at most a tenth of the text."""
    tokenized: bool = True
    """Rewrite the text as words with single spaces, the form in which a tagger's sentences will be read."""
    clitics: bool = True
    """Split English clitics, as in CoNLL-2003; only where `tokenized`."""
    min_count: int = Field(5, ge=1)
    """Rarer characters are unknown."""
    num_rows: int = Field(64, ge=1)
    """Places of the text that are read side by side: the B of a batch [B, C]."""
    chunk: int = Field(64, ge=1)
    """Characters after which the gradient is cut off: the C of a batch [B, C]."""


class CharLMExperiment(Config):
    """Character language models and their training."""

    kind: Literal["charlm"] = "charlm"
    data: CharLMDataConfig
    model: CharLMConfig = CharLMConfig()
    training: TrainingConfig = TrainingConfig(
        schedule="warmup_cosine",
        warmup_steps=100,
        decay_minutes=20,
        learning_rate=4e-3,
        clip_norm=1.0,
        metric="bits_per_char",
        mode="min",
        validate_every=500,
        precision="auto",
        max_epochs=10,
    )
    seed: int = 1


@dataclass(frozen=True)
class Chunk:
    """A batch: columns `start … start + C` of the rows (and one more, to be predicted) of an epoch."""

    epoch: int
    start: int


class CharLMTask:
    """Truncated backpropagation through time over a stream of characters (a `Task` of the training loop).

    The backward model reads the same stream from its end. The states that are carried from one batch to the next
    are buffers of the model while it is trained, so that a resumed run goes on with them.

    Args:
        model: both directions; trained in place.
        config: rows, chunk, precision.
        train_ids: the training stream [N].
        dev_ids: the held-out stream [N].
        device: where the model is.
    """

    def __init__(
        self,
        model: BidirectionalCharLM,
        config: CharLMExperiment,
        train_ids: Tensor,
        dev_ids: Tensor,
        device: str,
    ) -> None:
        self.model = model
        self._chunk = config.data.chunk
        self._precision: Precision = config.training.precision
        self._device = device
        self._train_ids = train_ids
        self._num_rows = config.data.num_rows
        self._dev_rows = as_rows(dev_ids, min(self._num_rows, max(1, len(dev_ids) // 100)))
        self._rows: tuple[int, Tensor, Tensor] | None = None
        shape = (2, 2, 1, self._num_rows, config.model.hidden_dim)
        model.register_buffer("carried", torch.zeros(shape, device=device))

    def _rows_of(self, epoch: int) -> tuple[Tensor, Tensor]:
        """The stream of an epoch as rows, in both directions; every epoch is cut elsewhere."""
        if self._rows is None or self._rows[0] != epoch:
            ids = self._train_ids.roll(-(epoch * 7919) % len(self._train_ids))
            self._rows = (epoch, as_rows(ids, self._num_rows), as_rows(ids.flip(0), self._num_rows))
        return self._rows[1], self._rows[2]

    def parameters(self) -> list[ParameterGroup]:
        """What is not frozen."""
        return trainable(self.model)

    def train_batches(self, epoch: int) -> list[Chunk]:
        """The chunks of the rows, in the order of reading."""
        length = self._rows_of(epoch)[0].shape[1]
        return [Chunk(epoch, start) for start in range(0, length - 1, self._chunk)]

    def loss(self, batch: Chunk) -> tuple[Tensor, int]:
        """Mean cross-entropy of both directions, and the number of characters predicted."""
        carried = self.model.get_buffer("carried")
        if batch.start == 0:
            carried.zero_()
        losses, units = [], 0
        for direction, (lm, rows) in enumerate(
            zip(self._directions(), self._rows_of(batch.epoch), strict=True)
        ):
            char_ids = rows[:, batch.start : batch.start + self._chunk + 1].to(self._device)
            before = (carried[direction, 0].clone(), carried[direction, 1].clone())
            loss, (output, cell) = lm.loss(char_ids, before)
            carried[direction, 0].copy_(output.detach())
            carried[direction, 1].copy_(cell.detach())
            losses.append(loss)
            units += char_ids[:, 1:].numel()
        return torch.stack(losses).mean(), units

    def validate(self) -> dict[str, float]:
        """Bits per character and perplexity on the held-out text; a model never reads on from the training text."""
        rows = self._dev_rows.to(self._device)
        bits = []
        for lm, own_rows in zip(self._directions(), (rows, rows.flip(1)), strict=True):
            total, count, state = 0.0, 0, None
            for start in range(0, rows.shape[1] - 1, 256):
                char_ids = own_rows[:, start : start + 257]
                with autocast(self._device, self._precision):
                    loss, state = lm.loss(char_ids, state)
                total, count = total + float(loss) * char_ids[:, 1:].numel(), count + char_ids[:, 1:].numel()
            bits.append(total / count / math.log(2))
        mean = sum(bits) / 2
        return {
            "bits_per_char": mean,
            "bits_per_char_forward": bits[0],
            "bits_per_char_backward": bits[1],
            "perplexity": 2**mean,
        }

    def _directions(self) -> tuple[CharLM, CharLM]:
        return self.model.forward_lm, self.model.backward_lm


def train_charlm(
    config: CharLMExperiment,
    folder: str | Path,
    *,
    max_minutes: float | None = None,
    device: str = "cpu",
    progress: bool = True,
) -> FitResult:
    """Trains both character language models; `folder` becomes their bundle.

    Args:
        config: text, model, training.
        folder: of the run; an unfinished run in it is taken up.
        max_minutes: wall-clock budget of the training itself.
        device: "cpu" or "cuda".
        progress: show a progress bar on a terminal.

    Raises:
        ValueError: the text is not UTF-8, or too short.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    train_text, dev_text = _read_texts(config.data)
    vocabulary_path = folder / "chars.json"
    if vocabulary_path.exists():
        vocabulary = Vocabulary.load(vocabulary_path)
    else:
        vocabulary = build_char_vocabulary(train_text, min_count=config.data.min_count)
        vocabulary.save(vocabulary_path)
    bundle = {"format": FORMAT, "kind": "charlm", "model": config.model.model_dump(mode="json")}
    save_json(folder / "config.json", bundle)
    save_json(folder / TRAINING, config.model_dump())
    encoder = CharEncoder(vocabulary)
    logger.info("%d training characters, %d kinds", len(train_text), len(vocabulary))
    torch.manual_seed(config.seed)
    model = BidirectionalCharLM(config.model, len(vocabulary)).to(device)
    task = CharLMTask(model, config, encoder.encode(train_text), encoder.encode(dev_text), device)
    return fit(
        task,
        config.training,
        folder,
        seed=config.seed,
        max_minutes=max_minutes,
        device=device,
        progress=progress,
    )


def _read_texts(data: CharLMDataConfig) -> tuple[str, str]:
    """Training and held-out text."""
    require_file(data.train, "data.train")
    if data.dev is not None:
        require_file(data.dev, "data.dev")
    train = read_char_stream(data.train, tokenized=data.tokenized, clitics=data.clitics)
    if data.dev is not None:
        dev = read_char_stream(data.dev, tokenized=data.tokenized, clitics=data.clitics)
        return train, dev[: data.dev_chars]
    held_out = min(data.dev_chars, len(train) // 10)
    return train[: len(train) - held_out], train[len(train) - held_out :]
