"""What a translator hands to the transfer: English words and, for every decoder layer, its attention."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from canner.text.wording import shorten


@dataclass(frozen=True)
class Translation:
    """A sentence, its English, and who looked where.

    Attributes:
        source: the S tokens that were translated, as they were given.
        target: the T words of the English.
        attention: [L, T, S], word level. Row j holds the weights over the source tokens while word j was
            *produced*; what a row lacks to 1 lay on the end-of-sentence symbol.
        reading_attention: [L, T, S], the same at the step where word j was the decoder's *input*;
            None where the translator knows no such difference.
        score: log probability of the translation per piece; 0 where the translator has none.
        parts: how many parts a long sentence was translated in.
        alignment_layer: the layer that was taught to align words (negative: from the last); None: none was.
        copies: pairs (target word, source token) of words that the translator copied (or spelt exactly like one that
            it was to copy): what each of them translates is known, wherever the attention lay.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    attention: Float[Tensor, "L T S"]
    reading_attention: Float[Tensor, "L T S"] | None = None
    score: float = 0.0
    parts: int = 1
    alignment_layer: int | None = None
    copies: tuple[tuple[int, int], ...] = ()

    @property
    def aligning_attention(self) -> Float[Tensor, "T S"]:
        """The attention that says best which word is which: of the layer that was taught to, else the mean of all.

        What was copied is known.
        """
        attention = self.attention.float()
        layer = self.alignment_layer
        return self.with_copies(attention.mean(0) if layer is None else attention[layer])

    def with_copies(self, attention_TS: Float[Tensor, "T S"]) -> Float[Tensor, "T S"]:
        """An attention in which a copied word has its whole weight on its tokens, shared equally."""
        copied_TS = torch.zeros_like(attention_TS)
        for word, token in self.copies:
            copied_TS[word, token] = 1.0
        tokens_T1 = copied_TS.sum(dim=1, keepdim=True)
        return torch.where(tokens_T1 > 0, copied_TS / tokens_T1.clamp(min=1.0), attention_TS)

    def __repr__(self) -> str:
        source, target = (shorten(" ".join(words)) for words in (self.source, self.target))
        shape = list(self.attention.shape)
        return f"Translation({source!r} → {target!r}, score {self.score:.3f}, attention {shape})"

    def __post_init__(self) -> None:
        for name in ("attention", "reading_attention"):
            attention: Tensor | None = getattr(self, name)
            if attention is None:
                continue
            expected = (len(self.target), len(self.source))
            if attention.dim() != 3 or tuple(attention.shape[1:]) != expected:
                raise ValueError(
                    f"expected {name} of shape [layers, {expected[0]} target words, {expected[1]} source "
                    f"tokens], got {tuple(attention.shape)}; pool pieces to words first"
                )
        if self.reading_attention is not None and len(self.reading_attention) != len(self.attention):
            raise ValueError(
                f"expected reading_attention of {len(self.attention)} layers as attention has, "
                f"got {len(self.reading_attention)}; give both for every layer"
            )


@runtime_checkable
class Translator(Protocol):
    """Anything that turns tokens into English words with attention over those tokens.

    Attributes:
        fingerprint: names the translator with all that decides its output; stores are keyed by it.
        num_layers: L, attention layers of every translation.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def num_layers(self) -> int: ...

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translate sentences, in their order.

        Args:
            sentences: tokens of each sentence.
            progress: called with the number of sentences just finished.
        """
        ...
