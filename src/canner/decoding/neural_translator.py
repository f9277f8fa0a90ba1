"""ConvS2S as a translator of words: names masked, pieces searched, attention of every layer between words."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.utils import parametrize

from canner.data.bucketing import bucket_by_length
from canner.data.compression import StoredPrecision
from canner.data.translation import Translation
from canner.decoding.beam import beam_search
from canner.decoding.constraints import constraints_of
from canner.decoding.forcing import Forced, force, require_readable
from canner.decoding.greedy import greedy_search
from canner.decoding.options import TranslateOptions, require_layer
from canner.decoding.piece_translation import (
    PieceTranslation,
    copies,
    empty_translation,
    join_parts,
    make_piece_translation,
    read_words,
    spread_over_tokens,
    to_words,
)
from canner.decoding.splitting import SentencePart, sentence_parts
from canner.decoding.step import ConvS2SStep, Hypothesis
from canner.decoding.translator_bundle import TranslatorBundle, fingerprint_of, load_bundle, save_bundle
from canner.models.alignment_head import AlignmentHead
from canner.models.convs2s import ConvS2S
from canner.text.accents import all_composed, without_accents
from canner.text.copying import Copier
from canner.text.romanisation import write_names
from canner.text.segmentation import Segment, Segmentation, segments_of
from canner.text.subwords import Pieces, Subwords

Notes = dict[str, object]


class NeuralTranslator:
    """Translates words with ConvS2S; a `Translator`.

    Args:
        model: the translator.
        source_subwords, target_subwords: its vocabularies.
        copier: which source words are carried over through copy slots.
        options: search and reporting.
        source_language, target_language: ISO codes.
        segment: how tokens become the words that it reads; attention is given over the tokens all the same.
    """

    def __init__(
        self,
        model: ConvS2S,
        source_subwords: Subwords,
        target_subwords: Subwords,
        copier: Copier,
        options: TranslateOptions = TranslateOptions(),
        *,
        source_language: str = "",
        target_language: str = "en",
        segment: Segmentation = "none",
    ) -> None:
        self.model = model
        self.source_subwords = source_subwords
        self.target_subwords = target_subwords
        self.copier = copier
        self.options = options
        self.source_language = source_language
        self.target_language = target_language
        self.segment = segment
        require_layer("alignment_layer", options.alignment_layer, self.num_layers)

    @property
    def num_layers(self) -> int:
        return self.model.config.decoder_layers

    @functools.cached_property
    def fingerprint(self) -> str:
        """Names weights, vocabularies and options; computed once, so not for a model that is still trained."""
        return fingerprint_of(self._bundle)

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translates sentences, in their order.

        A sentence of more than `options.max_source_pieces` pieces is translated in parts; `parts` says in how many.
        Every translation of a sentence with words has at least one word.

        Args:
            sentences: words of each sentence; tokens, where the translator segments itself.
            progress: called with the number of sentences just finished.
        """
        segmented = [self.segments(tokens) for tokens in sentences]
        found = self._translate_words([[s.text for s in segments] for segments in segmented], progress)
        return [self._over_tokens(*each) for each in zip(found, sentences, segmented, strict=True)]

    def _translate_words(
        self, sentences: Sequence[Sequence[str]], progress: Callable[[int], None] | None
    ) -> list[Translation]:
        parts = self._prepare(sentences)
        results: list[list[Translation | None]] = [[] for _ in sentences]
        slots = []
        for part in parts:
            slots.append(len(results[part.sentence]))
            results[part.sentence].append(None)
        for index, pieces, target in self._search(parts):
            part = parts[index]
            output = read_words(target, part.slots, self.target_subwords)
            results[part.sentence][slots[index]] = self._to_words(pieces, part.words, output)
            if progress is not None and all(results[part.sentence]):
                progress(1)
        translations = []
        for words, found in zip(sentences, results, strict=True):
            done = [translation for translation in found if translation is not None]
            translations.append(join_parts(done, words) if done else empty_translation(self.num_layers))
            if progress is not None and not done:
                progress(1)
        return translations

    def translate_words(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The words of translations, without attention.

        A word that the model cannot spell (`<unk>`) is left out: attention would say which source word stands for it.

        Args:
            sentences: tokens of each sentence.
        """
        parts = self._prepare([[segment.text for segment in self.segments(tokens)] for tokens in sentences])
        outputs: list[list[str]] = [[] for _ in parts]
        for batch, hypotheses in self._hypotheses(parts):
            for index, ids in zip(batch, (hypothesis.tokens for hypothesis in hypotheses), strict=True):
                target = Pieces(ids, self.target_subwords.word_indices(ids))
                found = read_words(target, parts[index].slots, self.target_subwords)
                outputs[index] = [word for word in found if word is not None]
        words: list[list[str]] = [[] for _ in sentences]
        for part, output in zip(parts, outputs, strict=True):
            words[part.sentence] += output
        return words

    # -- pieces, and given translations -----------------------------------------------------------------------
    def translate_pieces(self, sentences: Sequence[Sequence[str]]) -> list[list[PieceTranslation]]:
        """The same translations in pieces; one for each part of a sentence. Words are those that it reads."""
        words = [[segment.text for segment in self.segments(tokens)] for tokens in sentences]
        parts = self._prepare(words)
        found = {index: pieces for index, pieces, _ in self._search(parts)}
        results: list[list[PieceTranslation]] = [[] for _ in words]
        for index, part in enumerate(parts):
            results[part.sentence].append(found[index])
        return results

    def force(self, source: Sequence[str], target: Sequence[str]) -> Translation:
        """The attention and score that the model gives to a translation made elsewhere."""
        return self.force_many([(source, target)])[0]

    def force_many(
        self, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], *, head: AlignmentHead | None = None
    ) -> list[Translation]:
        """As `force`, for many pairs; a head gives the only attention.

        Raises:
            UnreadablePairsError: a side is empty, or has more pieces than the model has positions.
        """
        segmented = [self.segments(tokens) for tokens, _ in pairs]
        words = [tuple(segment.text for segment in segments) for segments in segmented]
        sources, targets = [], []
        for source, (_, target) in zip(words, pairs, strict=True):
            masked, slots = self._mask(source)
            slot_of = {word: slot for slot, word in reversed(slots.items())}
            sources.append(masked)
            targets.append([slot_of.get(word, word) for word in all_composed(target)])
        source_pieces = self.source_subwords.encode_many(sources)
        target_pieces = self.target_subwords.encode_many(targets)
        require_readable(source_pieces, target_pieces, self.model.config.max_positions - 1)
        results: list[Translation | None] = [None] * len(pairs)
        lengths = [max(len(s.ids), len(t.ids)) for s, t in zip(source_pieces, target_pieces, strict=True)]
        for batch in bucket_by_length(lengths, max_tokens=self.options.batch_tokens, shuffle=False):
            targets_now = [target_pieces[i] for i in batch]
            forced = self._force([source_pieces[i] for i in batch], [t.ids for t in targets_now], head)
            for row, index in enumerate(batch):
                translation = self._piece_translation(
                    source_pieces[index], target_pieces[index], forced[row], forced[row].log_probability
                )
                found = self._to_words(translation, words[index], tuple(pairs[index][1]))
                results[index] = self._over_tokens(found, pairs[index][0], segmented[index])
        return [result for result in results if result is not None]

    def spans(self, tokens: Sequence[str]) -> list[tuple[int, int]]:
        """Start and end of the parts in which a sentence is translated; one for a sentence that is not too long."""
        segments = self.segments(tokens)
        parts = self._prepare([[segment.text for segment in segments]])
        counts = itertools.accumulate(len(part.words) for part in parts)
        ends = [max(segments[n - 1].owners) + 1 if n < len(segments) else len(tokens) for n in counts]
        return list(itertools.pairwise([0, *ends]))

    # -- disk ---------------------------------------------------------------------------------------------------
    def save(
        self, folder: str | Path, *, precision: StoredPrecision = "float32", notes: Notes | None = None
    ) -> None:
        """Writes a bundle.

        Args:
            folder: made if it is not there.
            precision: of the weights; "float16" halves their size, "int8" quarters it.
            notes: scores and whatever else the model card is to say.

        Raises:
            OSError: the disk is full.
        """
        save_bundle(folder, self._bundle, precision=precision, notes=notes or {})

    @classmethod
    def load(cls, folder: str | Path, *, device: str = "cpu") -> "NeuralTranslator":
        """Reads a bundle, to translate on a device ("cpu", "cuda").

        Raises:
            ValueError: no translator, a newer format, or damaged files.
        """
        bundle = load_bundle(folder)
        bundle.model.to(device).eval()
        return cls.of(bundle)

    @classmethod
    def of(cls, bundle: TranslatorBundle) -> "NeuralTranslator":
        """What a bundle holds, ready to translate; the model is shared."""
        vocabularies = bundle.source_subwords, bundle.target_subwords, bundle.copier
        return cls(
            bundle.model,
            *vocabularies,
            bundle.options,
            source_language=bundle.source_language,
            target_language=bundle.target_language,
            segment=bundle.segment,
        )

    def changed(self, changes: Mapping[str, object]) -> "NeuralTranslator":
        """The same model with some settings of its `options` changed.

        Raises:
            ValueError: no such setting, or no such value.
        """
        return self.of(replace(self._bundle, options=self.options.changed(changes)))

    def segments(self, tokens: Sequence[str]) -> list[Segment]:
        """The words that the model reads, over the tokens given."""
        return write_names(segments_of(all_composed(tokens), self.segment), self.copier.known)

    def _english(self, word: str) -> str:
        """What stands in the English for a word that is copied."""
        name = self.copier.english(word)
        return (without_accents(name) or name) if self.options.strip_accents else name

    def _mask(self, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Words with slots in the place of names, and what each slot becomes in the English."""
        masked, slots = self.copier.mask(words)
        return masked, {slot: self._english(name) for slot, name in slots.items()}

    def _over_tokens(
        self, translation: Translation, tokens: Sequence[str], segments: Sequence[Segment]
    ) -> Translation:
        """A translation of the words that the model read, as one of the tokens as they were given."""
        if self.segment != "none":
            translation = spread_over_tokens(translation, tokens, segments)
        copied = [(self._english(s.text), s) for s in segments if self.copier.copies(s.text)]
        return replace(
            translation, source=tuple(tokens), copies=copies(copied, all_composed(translation.target))
        )

    @property
    def _bundle(self) -> TranslatorBundle:
        vocabularies = self.source_subwords, self.target_subwords, self.copier
        languages = self.source_language, self.target_language
        return TranslatorBundle(self.model, *vocabularies, self.options, *languages, self.segment)

    def _prepare(self, sentences: Sequence[Sequence[str]]) -> list[SentencePart]:
        """Masks names, cuts long sentences, and encodes; sentences without words have no part."""
        limit = min(self.options.max_source_pieces, self.model.config.max_positions - 2)
        return sentence_parts(sentences, self._mask, self.source_subwords, limit)

    def _to_words(
        self, pieces: PieceTranslation, source: Sequence[str], target: Sequence[str | None]
    ) -> Translation:
        return to_words(pieces, source, [self._english(word) for word in source], target, self.options)

    def _search(self, parts: Sequence[SentencePart]) -> Iterator[tuple[int, PieceTranslation, Pieces]]:
        """Index, translation and output pieces of every part, in the order of batches."""
        for batch, hypotheses in self._hypotheses(parts):
            sources = [parts[i].pieces for i in batch]
            forced = self._force(sources, [hypothesis.tokens for hypothesis in hypotheses])
            for row, index in enumerate(batch):
                ids = hypotheses[row].tokens
                target = Pieces(ids, self.target_subwords.word_indices(ids))
                pieces = self._piece_translation(
                    sources[row], target, forced[row], hypotheses[row].log_probability
                )
                yield index, pieces, target

    def _hypotheses(self, parts: Sequence[SentencePart]) -> Iterator[tuple[list[int], list[Hypothesis]]]:
        """Indices and outputs of the parts of each batch."""
        lengths = [len(part.pieces.ids) + 1 for part in parts]
        for batch in bucket_by_length(lengths, max_tokens=self.options.batch_tokens, shuffle=False):
            yield batch, self._search_batch([parts[i].pieces for i in batch])

    @torch.inference_mode()
    def _search_batch(self, sources: Sequence[Pieces]) -> list[Hypothesis]:
        self.model.eval()
        ids_BS, mask_BS = self._pad(sources)
        sizes = len(self.target_subwords), self.model.config.max_positions
        constraints = constraints_of(ids_BS, mask_BS, *sizes, self.options)
        with parametrize.cached():  # else weight normalisation is computed again at every step
            function = ConvS2SStep(self.model, self.model.encode(ids_BS, mask_BS))
            if self.options.beam_size == 1:
                return greedy_search(
                    function, num_sentences=len(sources), bos_id=Subwords.bos_id, constraints=constraints
                )
            return beam_search(
                function,
                num_sentences=len(sources),
                bos_id=Subwords.bos_id,
                constraints=constraints,
                beam_size=self.options.beam_size,
                length_penalty=self.options.length_penalty,
            )

    def _pad(self, sources: Sequence[Pieces]) -> tuple[Int[Tensor, "B S"], Bool[Tensor, "B S"]]:
        rows = [torch.tensor([*pieces.ids, Subwords.eos_id]) for pieces in sources]
        ids_BS = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=Subwords.pad_id)
        ids_BS = ids_BS.to(self.model.encoder.tokens.weight.device)
        return ids_BS, ids_BS != Subwords.pad_id

    def _force(
        self, sources: Sequence[Pieces], targets: Sequence[Sequence[int]], head: AlignmentHead | None = None
    ) -> list[Forced]:
        self.model.eval()
        return force(self.model, *self._pad(sources), targets, head=head)

    def _piece_translation(
        self, source: Pieces, target: Pieces, forced: Forced, log_probability: float
    ) -> PieceTranslation:
        return make_piece_translation(
            source, target, forced.attention, log_probability, self.source_subwords, self.target_subwords
        )
