"""`Tagger`: a bundle that finds entities in text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar, overload

from canner.data.bundle import config_of, read_bundle_config
from canner.nn.device import check_device
from canner.pipeline.packing import pack
from canner.pipeline.results import EnglishView, Tagged, TaggedSentence
from canner.tagging.sentence_tagger import SentenceTagger
from canner.tagging.tagger_bundle import load_tagger
from canner.text.entities import Entity
from canner.text.files import replace_surrogates
from canner.text.schemes import decode_tags
from canner.text.sentences import split_sentences
from canner.text.tokenizer import Token, spaced_tokens, tokenize_part
from canner.transfer.aligned import Transfer
from canner.transfer.projection import PROJECTED, ProjectionTagger
from canner.transfer.views import TransferConfig, TransferViews, View, load_teacher, load_translator

_Item = TypeVar("_Item")
_BLOCK = 64
"""Texts that `tag_stream` reads before it tags: enough for full batches, little to hold."""


class Tagger:
    """Finds entities; a CAN tagger reads the English of each sentence as well.

    Args:
        tagger: the model with its vocabularies; without labels, what reads the teacher's tags.
        views: translators and teacher, for a CAN tagger.
        view_names: what to call the translators in results.
        folder: the bundle that all this is from.
        info: further entries of its `config.json`.
    """

    def __init__(
        self,
        tagger: SentenceTagger | ProjectionTagger,
        views: TransferViews | None = None,
        *,
        folder: Path,
        view_names: Sequence[str] = (),
        info: dict[str, Any] | None = None,
    ) -> None:
        self._tagger = tagger
        self._views = views
        self._view_names = list(view_names)
        self.folder = folder.absolute()
        self.info = info or {}

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> Tagger:
        """Reads a bundle: the folder of a training run, or what `save` wrote.

        Args:
            folder: the bundle. A CAN tagger's translators and teacher lie where its `config.json` says,
                relative to the folder.
            device: "cpu" or "cuda".

        Raises:
            ValueError: if the folder is no tagger, of a newer format, or anything in it is damaged; or if there is
                no such device.
        """
        check_device(device)
        folder = Path(folder)
        tagger = load_tagger(folder, device=device)
        config = read_bundle_config(folder, "tagger")
        info: dict[str, Any] = {name: config[name] for name in ("scores", "transfer") if name in config}
        if config.get("transfer") is None:
            return cls(tagger, folder=folder, info=info)
        transfer = config_of(TransferConfig, config["transfer"], folder / "config.json").seen_from(folder)
        views = TransferViews.load(transfer, device=device)
        names = [
            _name(view.translator) if view.translator is not None else "files" for view in transfer.views
        ]
        return cls(tagger, views, folder=folder, view_names=names, info=info)

    @classmethod
    def without_labels(
        cls,
        translator: str | Path,
        teacher: str | Path,
        *,
        types: Sequence[str] | None = None,
        device: str = "cpu",
    ) -> Tagger:
        """A tagger for a language of which nothing is labelled: the teacher's entities, carried back by attention.

        It knows the types of the teacher, as the teacher draws them, and needs no training. With some labelled
        sentences, a trained tagger that reads the same English is better.

        Args:
            translator: bundle of a word gloss or a ConvS2S translator into English, or a model of `transformers`.
            teacher: bundle of an English tagger, or a token classifier of `transformers`.
            types: find these only; None: all that the teacher knows.
            device: "cpu" or "cuda".

        Raises:
            ValueError: if a bundle is missing, damaged or of another kind; if the teacher does not know a type; or
                if there is no such device.
        """
        check_device(device)
        view = View(load_translator(translator, device=device), PROJECTED)
        views = TransferViews([view], load_teacher(teacher, device=device))
        tagger = ProjectionTagger(views.teacher.tags, types)
        return cls(tagger, views, folder=Path(translator), view_names=[_name(translator)])

    @property
    def reads_english(self) -> bool:
        """Whether it reads English, as a CAN tagger does, and a tagger without labels."""
        return self._views is not None

    @property
    def types(self) -> list[str]:
        """The types of entities that it knows."""
        return sorted({tag[2:] for tag in self._tagger.tags if tag != "O"})

    @overload
    def tag(self, text: str | Sequence[str]) -> Tagged: ...  # type: ignore[overload-overlap]

    @overload
    def tag(self, text: Sequence[Sequence[str]]) -> list[Tagged]: ...

    def tag(self, text: str | Sequence[str] | Sequence[Sequence[str]]) -> Tagged | list[Tagged]:
        """Finds the entities.

        Args:
            text: raw text; or the tokens of one sentence; or several texts (a list of strings of which one or
                more hold white space, which no token does); or several sentences, each a list of tokens. Where
                every text is a single word, use `tag_texts`.

        Returns:
            One result, or for several texts or sentences one each. An empty text has a result without entities.

        Raises:
            ValueError: if it is none of these.
        """
        if isinstance(text, str):
            return self.tag_texts([text])[0]
        items = list(text) if isinstance(text, Iterable) and not isinstance(text, bytes) else [None]
        if all(isinstance(item, str) for item in items):
            texts = [str(item) for item in items]
            if any(character.isspace() for item in texts for character in item):
                return self.tag_texts(texts)
            return self.tag_tokens([texts])[0]
        sentences = [_tokens(item) for item in items]
        if any(sentence is None for sentence in sentences):
            raise ValueError(
                "expected a text, the tokens of a sentence, several texts or several lists of tokens, "
                f"got {type(text).__name__} {str(text)[:60]!r}"
            )
        return self.tag_tokens([sentence for sentence in sentences if sentence is not None])

    def tag_texts(self, texts: Sequence[str]) -> list[Tagged]:
        """Finds the entities of several raw texts; each is cut into sentences and tokens.

        Raises:
            ValueError: if it is one text, or something in it is none.
        """
        texts = _texts(texts)
        texts = [replace_surrogates(text) for text in texts]
        cut = [[tokenize_part(text, *span) for span in split_sentences(text)] for text in texts]
        return self._tag(texts, cut)

    def tag_tokens(self, sentences: Sequence[Sequence[str]]) -> list[Tagged]:
        """Finds the entities of sentences that are tokens already.

        Raises:
            ValueError: if a token is empty, or a sentence is no list of tokens.
        """
        cut, texts = [], []
        for tokens in _lists_of_tokens(sentences):
            if not all(tokens):
                raise ValueError("expected tokens that are not empty, got an empty one; leave it out")
            words = [replace_surrogates(token) for token in tokens]
            texts.append(" ".join(words))
            cut.append([spaced_tokens(words)] if words else [])
        return self._tag(texts, cut)

    def tag_stream(self, texts: Iterable[str]) -> Iterator[Tagged]:
        """Tags texts one after another, holding few of them at a time.

        Raises:
            ValueError: as `tag_texts`, when it comes to it.
        """
        rest = iter(_several(texts, "texts", "text"))
        while block := list(islice(rest, _BLOCK)):
            yield from self.tag_texts(block)

    def save(self, folder: str | Path) -> None:
        """Copies the bundle with its translators, teacher and encoders into a folder that needs nothing else.

        But for an encoder that `transformers` knows by its name: that stays a name.

        Args:
            folder: new or empty.

        Raises:
            ValueError: if the folder is not empty or lies in what is copied, translations come from files, a bundle
                is missing, or nothing was trained. Nothing is written then.
            OSError: if a copy fails; nothing is left of it.
        """
        if isinstance(self._tagger, ProjectionTagger):
            raise ValueError(
                "expected a trained tagger to save, got one without labels; keep its translator and its teacher"
            )
        pack(self.folder, folder)

    def _tag(self, texts: Sequence[str], cut: Sequence[Sequence[list[Token]]]) -> list[Tagged]:
        flat = [tokens for sentences in cut for tokens in sentences]
        words = [[token.text for token in tokens] for tokens in flat]
        aligned = None
        english: list[tuple[EnglishView, ...]] = [()] * len(flat)
        if self._views is not None and words:
            transfers = self._views.transfer(words)
            aligned = self._views.align(transfers)
            english = [self._english(of_views) for of_views in zip(*transfers, strict=True)]
        entities = self._tagger.entities(words, aligned=aligned, confidence=True)
        results, position = [], 0
        for text, sentences in zip(texts, cut, strict=True):
            done, start = [], 0
            for tokens in sentences:
                found = tuple(entities[position])
                done.append(TaggedSentence(start, tuple(tokens), found, tuple(english[position])))
                position, start = position + 1, start + len(tokens)
            results.append(Tagged(text, tuple(done), self.reads_english))
        return results

    def _english(self, transfers: Sequence[Transfer]) -> tuple[EnglishView, ...]:
        """What each translator made of a sentence, with the entities that the teacher saw in it."""
        assert self._views is not None
        tags = self._views.teacher.tags
        views = []
        for name, transfer in zip(self._view_names, transfers, strict=True):
            views.append(EnglishView(transfer.translation, name, _likeliest_entities(transfer, tags)))
        return tuple(views)


def _texts(texts: Iterable[str]) -> list[str]:
    items = list(_several(texts, "texts", "text"))
    if wrong := [item for item in items if not isinstance(item, str)]:
        raise ValueError(f"expected texts, got {type(wrong[0]).__name__} {str(wrong[0])[:60]!r} among them")
    return items


def _lists_of_tokens(sentences: Iterable[Iterable[str]]) -> list[list[str]]:
    given = [
        (item, _tokens(item)) for item in _several(sentences, "sentences, each a list of tokens", "tokens")
    ]
    if wrong := [item for item, tokens in given if tokens is None]:
        raise ValueError(
            f"expected sentences, each a list of tokens, got {type(wrong[0]).__name__} {str(wrong[0])[:60]!r}; for raw "
            "texts there is tag_texts"
        )
    return [tokens for _, tokens in given if tokens is not None]


def _several(items: Iterable[_Item], what: str, one: str) -> Iterable[_Item]:
    if not isinstance(items, Iterable) or isinstance(items, str | bytes | bytearray):
        raise ValueError(
            f"expected several {what}, got {type(items).__name__} {str(items)[:60]!r}; put one in a list: [{one}]"
        )
    return items


def _tokens(item: object) -> list[str] | None:
    """A sentence's tokens as a list; None for what is no sentence."""
    if not isinstance(item, Iterable) or isinstance(item, str | bytes | bytearray):
        return None
    tokens = list(item)
    return tokens if all(isinstance(token, str) for token in tokens) else None


def _name(bundle: str | Path) -> str:
    return Path(os.path.abspath(bundle)).name


def _likeliest_entities(transfer: Transfer, tags: Sequence[str]) -> tuple[Entity, ...]:
    """The entities that the teacher's likeliest tags spell; a word that it cannot read is in none."""
    if not transfer.translation.target:
        return ()
    posteriors = transfer.target.posteriors
    best = posteriors.argmax(dim=1).masked_fill(~posteriors.any(dim=1), -1).tolist()
    return tuple(decode_tags([tags[index] if index >= 0 else "O" for index in best]))
