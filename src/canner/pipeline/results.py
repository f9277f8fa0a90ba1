"""What the pipelines hand to people: entities with places in the text, English, attention."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from canner.data.translation import Translation
from canner.nn.word_attention import join_attention, strongest_links
from canner.text.entities import Entity
from canner.text.tokenizer import Token, detokenize
from canner.text.wording import shorten

_NUM_LISTED = 8
"""Entities that the `repr` of a result shows."""
_LEAST_LINK = 0.25
"""Share of a word's attention that its link has: people are shown few links that are wrong."""


@dataclass(frozen=True)
class FoundEntity:
    """An entity of a text.

    Attributes:
        type: for example `PER`.
        text: what stands there, exactly as in the text.
        start, end: character offsets, end-exclusive.
        start_token, end_token: token indices, end-exclusive.
        confidence: probability of exactly this span with this type, 0..1: under the tagger's CRF; without labels, as
            if tokens were independent.
    """

    type: str
    text: str
    start: int
    end: int
    start_token: int
    end_token: int
    confidence: float


@dataclass(frozen=True)
class Translated:
    """A translated sentence."""

    translation: Translation

    def __repr__(self) -> str:
        return f"Translated({_described(self.translation)})"

    @property
    def source(self) -> tuple[str, ...]:
        """The tokens that were translated."""
        return self.translation.source

    @property
    def target(self) -> tuple[str, ...]:
        """The English words."""
        return self.translation.target

    @property
    def text(self) -> str:
        """The English as one would write it."""
        return detokenize(self.translation.target)

    @property
    def score(self) -> float:
        """Log probability per piece; 0 where the translator has none."""
        return self.translation.score

    @property
    def attention(self) -> Tensor:
        """[L, T, S]: weights over the source tokens while each word was produced."""
        return self.translation.attention

    @cached_property
    def alignment(self) -> list[tuple[int, int]]:
        """Links (source token, English word): each English word with the token it looked at most, if at any.

        Read off the layer that was taught to align, else off the mean of the layers. A word that spread its look too
        thin (less than a quarter of its mass on one token) has no link. (`canner align` links every word but those of
        which `<eos>` had more.) A word that was copied is linked with all tokens that it was copied from.
        """
        copied = {word for word, _ in self.translation.copies}
        looked = strongest_links(self.translation.aligning_attention, at_least=_LEAST_LINK)
        known = [(token, word) for word, token in self.translation.copies]
        return sorted([link for link in looked if link[1] not in copied] + known)


@dataclass(frozen=True, repr=False)
class EnglishView(Translated):
    """What one translator made of a sentence, and what the teacher saw in it.

    Attributes:
        translator: its name.
        entities: the teacher's, in English words.
    """

    translator: str
    entities: tuple[Entity, ...]

    def __repr__(self) -> str:
        found = _listed((e.type, " ".join(self.target[e.start : e.end])) for e in self.entities)
        return f"EnglishView({self.translator}: {_described(self.translation)}, entities {found})"


@dataclass(frozen=True)
class TaggedSentence:
    """One sentence of a tagged text.

    Attributes:
        start_token: index in the text of its first token.
        tokens: its words with character offsets into the text.
        entities: token indices counted from the sentence's first token; `score` is the confidence.
        views: the English of each translator of a CAN tagger; empty for a plain tagger.
    """

    start_token: int
    tokens: tuple[Token, ...]
    entities: tuple[Entity, ...]
    views: tuple[EnglishView, ...] = ()

    def __repr__(self) -> str:
        found = _listed((e.type, " ".join(self.words[e.start : e.end])) for e in self.entities)
        views = "".join(f", {view!r}" for view in self.views)
        return f"TaggedSentence({shorten(' '.join(self.words))!r}, entities {found}{views})"

    @property
    def words(self) -> tuple[str, ...]:
        """The words alone."""
        return tuple(token.text for token in self.tokens)


@dataclass(frozen=True)
class Tagged:
    """A tagged text: its tokens, its entities, and the English where the tagger read it.

    `text` is what was given; for given tokens, the tokens joined by spaces. Lone surrogates, which nothing can write,
    stand in it as U+FFFD, so that offsets hold. `reads_english`: whether the tagger read English.
    """

    text: str
    sentences: tuple[TaggedSentence, ...]
    reads_english: bool = False

    def __repr__(self) -> str:
        found = _listed((entity.type, entity.text) for entity in self.entities)
        english = f", English {shorten(self.english)!r}" if self.english is not None else ""
        return f"Tagged({shorten(self.text)!r}, entities {found}{english})"

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """All tokens with their character offsets: `token.text == text[token.start:token.end]`."""
        return tuple(token for sentence in self.sentences for token in sentence.tokens)

    @cached_property
    def entities(self) -> tuple[FoundEntity, ...]:
        """All entities with token and character offsets."""
        found = []
        for sentence in self.sentences:
            for entity in sentence.entities:
                start, end = sentence.tokens[entity.start].start, sentence.tokens[entity.end - 1].end
                found.append(
                    FoundEntity(
                        entity.type,
                        self.text[start:end],
                        start,
                        end,
                        sentence.start_token + entity.start,
                        sentence.start_token + entity.end,
                        1.0 if entity.score is None else entity.score,
                    )
                )
        return tuple(found)

    @property
    def english(self) -> str | None:
        """The English of the first translator; None for a tagger that reads no English."""
        views = self._first_views()
        return " ".join(view.text for view in views) if views or self.reads_english else None

    @property
    def english_tokens(self) -> tuple[str, ...]:
        """The words of `english`, which `alignment` and `attention` count."""
        return tuple(word for view in self._first_views() for word in view.target)

    @property
    def alignment(self) -> list[tuple[int, int]]:
        """Links (token, English word) of the first translator, over the whole text."""
        links, target = [], 0
        for sentence, view in zip(self.sentences, self._first_views(), strict=False):
            links += [(sentence.start_token + s, target + t) for s, t in view.alignment]
            target += len(view.target)
        return links

    @property
    def attention(self) -> Tensor | None:
        """Attention [L, T, S] of the first translator, between two sentences of a text 0; None without sentences."""
        views = self._first_views()
        if not views:
            return None
        return join_attention([view.attention.float() for view in views])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: character spans as annotation tools read them (docs/service.md)."""
        result: dict[str, Any] = {
            "text": self.text,
            "entities": [
                {
                    "start": entity.start,
                    "end": entity.end,
                    "label": entity.type,
                    "text": entity.text,
                    "score": round(entity.confidence, 4),
                }
                for entity in self.entities
            ],
            "tokens": [[token.start, token.end] for token in self.tokens],
        }
        if self.english is not None:
            result["english"] = self.english
            result["english_tokens"] = list(self.english_tokens)
            result["alignment"] = [list(link) for link in self.alignment]
        return result

    def _first_views(self) -> Sequence[EnglishView]:
        return [sentence.views[0] for sentence in self.sentences if sentence.views]


def _described(translation: Translation) -> str:
    """Source, target, score and the shape of the attention: what `repr` has room for."""
    return repr(translation).removeprefix("Translation(").removesuffix(")")


def _listed(entities: Iterable[tuple[str, str]]) -> str:
    """Types and words of the first entities, and how many more there are."""
    found = [f"{kind} {shorten(words, 40)!r}" for kind, words in entities]
    more = [f"… {len(found) - _NUM_LISTED} more"] if len(found) > _NUM_LISTED else []
    return f"[{', '.join([*found[:_NUM_LISTED], *more])}]"
