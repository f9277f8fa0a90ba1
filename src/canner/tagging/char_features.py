"""Vectors of words in their sentence from frozen character language models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from canner.data.bucketing import bucket_by_length
from canner.data.bundle import (
    FORMAT,
    config_of,
    fill_weights,
    load_tensors,
    read_bundle_config,
    read_bundle_file,
    save_json,
    save_tensors,
)
from canner.data.char_stream import SENTENCE_START, CharEncoder, as_text
from canner.models.char_lm import BidirectionalCharLM, CharLMConfig
from canner.nn.precision import Precision, autocast
from canner.text.accents import all_composed
from canner.text.vocabulary import Vocabulary


class CharLMFeatures:
    """Frozen character language models as embeddings of words (a `WordEmbedder`).

    A sentence is read as its words with one space between them and a line break at either end, in batches of
    sentences of similar length. What stands beside a sentence in a batch changes nothing but, in bfloat16, the
    rounding.

    Args:
        config: of the model.
        model: both directions; frozen here.
        vocabulary: of characters.
        precision: "auto" takes bfloat16 where the processor has it, about three times as fast.

    Attributes:
        dim: width of a word's vector, 2H.
        fingerprint, store_key: of everything that decides the vectors, their precision apart.
    """

    def __init__(
        self,
        config: CharLMConfig,
        model: BidirectionalCharLM,
        vocabulary: Vocabulary,
        *,
        precision: Precision = "auto",
    ) -> None:
        self.config = config
        self.model = model.eval().requires_grad_(False)
        self.vocabulary = vocabulary
        self.dim = model.features_dim
        self._encoder = CharEncoder(vocabulary)
        self._precision = precision
        # As in a saved bundle, so that vectors and fingerprint are the same before and after it is written.
        self.model.load_state_dict({k: v.half().float() for k, v in model.state_dict().items()})
        self.fingerprint = self._fingerprint()
        self.store_key = f"charlm-{self.fingerprint}"

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        precision: Precision = "auto",
        device: str = "cpu",
    ) -> CharLMFeatures:
        """Reads a bundle of kind "charlm": the folder of a training run, or what `save` wrote.

        Args:
            folder: the bundle.
            precision: as in the constructor.
            device: where the models run.

        Raises:
            ValueError: the folder is no such bundle, of a newer format, or damaged.
        """
        folder = Path(folder)
        bundle = read_bundle_config(folder, "charlm")
        config = config_of(CharLMConfig, bundle.get("model"), folder / "config.json")
        vocabulary = read_bundle_file(folder / "chars.json", Vocabulary.load)
        model = BidirectionalCharLM(config, len(vocabulary))
        weights = load_tensors(folder / "model.safetensors")
        weights.pop("carried", None)  # where a training run stood in its text
        fill_weights(
            model, {name: weight.float() for name, weight in weights.items()}, folder / "model.safetensors"
        )
        return cls(config, model.to(device), vocabulary, precision=precision)

    def save(self, folder: str | Path) -> None:
        """Writes a bundle in half precision; `config.json` comes last, so that a folder with one is whole.

        Raises:
            OSError: if the disk is full.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self.vocabulary.save(folder / "chars.json")
        weights = {name: weight.half() for name, weight in self.model.state_dict().items()}
        save_tensors(folder / "model.safetensors", weights)
        config = {
            "format": FORMAT,
            "kind": "charlm",
            "model": self.config.model_dump(mode="json"),
        }
        save_json(folder / "config.json", config)

    def embed(self, sentences: Sequence[Sequence[str]], *, max_chars: int = 12_000) -> list[Tensor]:
        """The vectors of each sentence's words.

        Args:
            sentences: words.
            max_chars: characters in a batch, padding included.

        Returns:
            For each sentence [S, dim], float32, on the CPU.
        """
        sentences = [all_composed(words) for words in sentences]
        texts = [SENTENCE_START + as_text(words) + SENTENCE_START for words in sentences]
        vectors = [torch.zeros(0, self.dim)] * len(texts)
        for batch in bucket_by_length([len(text) for text in texts], max_tokens=max_chars, shuffle=False):
            found = self._embed_batch([texts[i] for i in batch], [sentences[i] for i in batch])
            for index, own in zip(batch, found, strict=True):
                vectors[index] = own
        return vectors

    def _embed_batch(self, texts: Sequence[str], sentences: Sequence[Sequence[str]]) -> list[Tensor]:
        ids = [self._encoder.encode(text) for text in texts]
        ends = [word_ends(words) for words in sentences]
        padded = pad_sequence(ids, batch_first=True)
        reversed_padded = pad_sequence([own.flip(0) for own in ids], batch_first=True)
        forward_ends = pad_sequence([forward for forward, _ in ends], batch_first=True)
        backward_ends = pad_sequence([backward for _, backward in ends], batch_first=True)
        device = next(self.model.parameters()).device
        with torch.no_grad(), autocast(device, self._precision):
            features_BSF = self.model.word_features(
                padded.to(device),
                reversed_padded.to(device),
                forward_ends.to(device),
                backward_ends.to(device),
            )
        features_BSF = features_BSF.float().cpu()
        # Copies: a view would keep the whole batch in memory.
        return [features_BSF[row, : len(words)].clone() for row, words in enumerate(sentences)]

    def _fingerprint(self) -> str:
        digest = hashlib.sha256(json.dumps(["character", self.vocabulary.to_json()]).encode())
        for name, weight in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.half().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:16]


def word_ends(words: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Where each direction stops to look at each word of a sentence: at its outermost character (Eq. 4).

    Args:
        words: of the sentence, whose text has a line break at either end.

    Returns:
        Positions [S] in the text, and [S] in the reversed text. An empty word is met at what stands beside it.
    """
    lengths = torch.tensor([len(word) for word in words], dtype=torch.long)
    starts = 1 + torch.cumsum(lengths + 1, 0) - (lengths + 1)
    last = int(starts[-1] + lengths[-1]) if len(words) else 0
    return starts + lengths - 1, last - starts
