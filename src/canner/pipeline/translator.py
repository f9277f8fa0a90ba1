"""`Translator`: a bundle that translates, with the attention of every layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from canner.data.translation import Translator as TranslatorProtocol
from canner.nn.device import check_device
from canner.pipeline.results import Translated
from canner.text.files import replace_surrogates
from canner.text.tokenizer import tokenize
from canner.transfer.views import load_translator


class Translator:
    """Translates text or tokens; a neural translator, an aligner, a word gloss or a model of others is behind it."""

    def __init__(self, translator: TranslatorProtocol) -> None:
        self._translator = translator

    @classmethod
    def load(
        cls, folder: str | Path, *, device: str = "cpu", options: Mapping[str, object] | None = None
    ) -> Translator:
        """Reads a bundle of kind translator, aligner or gloss, or a translator of `transformers`.

        Args:
            folder: of either; or `transformers:NAME`.
            device: "cpu" or "cuda".
            options: of the search, in the place of the bundle's, such as `{"beam_size": 8, "length_penalty": 0.8}`:
                the settings of `canner.decoding.options.TranslateOptions`. Only our own neural translators have any.

        Raises:
            ValueError: if the folder is none of these, of a newer format, or damaged; or if there is no such device
                or option.
        """
        check_device(device)
        return cls(load_translator(folder, device=device, options=options))

    @property
    def num_layers(self) -> int:
        """L, layers of attention of every translation."""
        return self._translator.num_layers

    def translate(
        self,
        sentences: Sequence[str] | Sequence[Sequence[str]],
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[Translated]:
        """Translates sentences.

        Args:
            sentences: each raw text or a list of tokens.
            progress: called with the number of sentences just finished.

        Returns:
            For each its tokens, its English, a score and the attention [L, T, S]. What a row of attention lacks
            to 1 is its weight on the end of the sentence.

        Raises:
            ValueError: one text instead of a list, or what is no sentence.
        """
        if isinstance(sentences, str):
            raise ValueError("expected a list of sentences, got one text; put it in a list: [text]")
        given = (
            list(sentences)
            if isinstance(sentences, Iterable) and not isinstance(sentences, bytes)
            else [None]
        )
        if not all(map(_is_sentence, given)):
            raise ValueError(
                "expected a list of sentences, each a text or a list of tokens, "
                f"got {type(sentences).__name__} {str(sentences)[:60]!r}"
            )
        # Lone surrogates, which nothing can write or hash, become U+FFFD as they do in files.
        words = [
            [token.text for token in tokenize(replace_surrogates(s))]
            if isinstance(s, str)
            else list(map(replace_surrogates, s))
            for s in given
        ]
        return [Translated(t) for t in self._translator.translate(words, progress=progress)]


def _is_sentence(item: Any) -> bool:
    is_tokens = isinstance(item, Sequence) and not isinstance(item, bytes)
    return isinstance(item, str) or (is_tokens and all(isinstance(token, str) for token in item))
