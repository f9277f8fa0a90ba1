"""A translator of `transformers` (optional extra) with its attention over the words of the sentence."""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from canner.data.bucketing import bucket_by_length
from canner.data.translation import Translation
from canner.data.word_pieces import PieceRow
from canner.decoding.piece_translation import empty_translation, join_parts
from canner.nn.pooling import pool_decoder_attention
from canner.tagging.checkpoint import Checkpoint
from canner.text.accents import composed
from canner.text.tokenizer import tokenize

_BATCH_PIECES = 2048
_LENGTH_RATIO, _LENGTH_EXTRA, _LENGTH_STEP = 1.5, 20, 32
"""A translation has at most so many pieces for each of the source's, which count in such steps, and so many more."""


@dataclass(frozen=True)
class _Row:
    """What is read at once: of which sentence, its pieces, the tokens in it."""

    sentence: int
    pieces: PieceRow
    tokens: Sequence[str]


@dataclass(frozen=True)
class _English:
    """An output: its pieces, without marks; its words; the word of each piece, -1 for none."""

    pieces: list[int]
    words: tuple[str, ...]
    owners: list[int]


class Seq2SeqTranslator:
    """An encoder-decoder of `transformers` that translates into English, as a `Translator`.

    Layer l's attention is the mean over the heads of its cross-attention. It searches as the checkpoint says, but
    never draws at random; one for several languages must say which (`src_lang` of its tokenizer, `forced_bos_token_id`
    of its generation). Sentences of more than 196 pieces are translated in parts.

    Args:
        checkpoint: of kind "translator".

    Attributes:
        fingerprint: of weights, configuration, tokenizer and search.
        num_layers: L, of the decoder.

    Raises:
        ValueError: the checkpoint does not say what begins or ends a translation.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self._model = checkpoint.model
        search = self._model.generation_config
        said = {key: value for key, value in search.to_dict().items() if key != "transformers_version"}
        said["source"] = checkpoint.pieces.rows(["a"])[0].ids  # with the mark of its language
        digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode())
        self.fingerprint = f"{checkpoint.store_key}-{digest.hexdigest()[:8]}"
        search.do_sample, search.num_return_sequences, search.return_dict_in_generate = False, 1, False
        search.max_length = None  # `_translate` says how long
        starts = [i for i in (search.decoder_start_token_id, search.bos_token_id) if i is not None]
        ends: list[Any] = [
            i for i in (search.eos_token_id, checkpoint.tokenizer.eos_token_id) if i is not None
        ]
        if not starts or not ends:
            raise ValueError(
                f"{checkpoint.path}: expected a translator that knows what begins and ends a translation, got one "
                "without decoder_start_token_id or eos_token_id; set them in its generation_config.json"
            )
        forced = search.forced_bos_token_id
        self._marks = starts[:1] if forced is None else [starts[0], forced]
        self._ends: list[int] = ends[0] if isinstance(ends[0], list) else ends[:1]
        positions: int = getattr(self._model.config.get_text_config(), "max_position_embeddings", sys.maxsize)
        self._most = positions - len(self._marks) - 1
        # asked once rather than declared: configurations call it by different names
        self.num_layers = len(self._force(checkpoint.pieces.rows(["a"]), [[]])[0][0])

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Translate sentences, in their order.

        Args:
            sentences: tokens of each.
            progress: called with the number of sentences just finished.
        """
        rows = [_Row(i, *own) for i, tokens in enumerate(sentences) for own in self._rows(tokens)]
        last = {row.sentence: index for index, row in enumerate(rows)}
        found: dict[int, Translation] = {}
        for batch in _batches([len(row.pieces.ids) for row in rows]):
            found |= dict(zip(batch, self._translate([rows[i] for i in batch]), strict=True))
            if progress is not None:
                progress(sum(last[rows[i].sentence] == i for i in batch))
        if progress is not None:
            progress(len(sentences) - len(last))  # of those without words there is nothing to read
        parts: list[list[Translation]] = [[] for _ in sentences]
        for index, row in enumerate(rows):
            parts[row.sentence].append(found[index])
        return [
            join_parts(own, tokens) if own else empty_translation(self.num_layers)
            for own, tokens in zip(parts, sentences, strict=True)
        ]

    def _rows(self, tokens: Sequence[str]) -> Iterator[tuple[PieceRow, Sequence[str]]]:
        """What is read of a sentence at once, and the tokens in it."""
        start = 0
        for row in self._checkpoint.pieces.rows(tokens):
            yield row, tokens[start : start + len(row.words)]
            start += len(row.words)

    @torch.inference_mode()
    def _translate(self, rows: Sequence[_Row]) -> list[Translation]:
        """The translations of rows of a batch."""
        pieces = [row.pieces for row in rows]
        sources, mask = self._pad([own.ids for own in pieces])
        longest = _steps(sources.shape[1]) * _LENGTH_STEP
        limit = min(self._most, int(_LENGTH_RATIO * longest) + _LENGTH_EXTRA)
        outputs = self._model.generate(input_ids=sources, attention_mask=mask, max_new_tokens=limit)
        english = [self._english(output.tolist()) for output in outputs]
        forced = self._force(pieces, [output.pieces for output in english])
        return [self._to_words(*of_row) for of_row in zip(rows, english, forced, strict=True)]

    def _english(self, output: list[int]) -> _English:
        """The words of what was generated, and of which of them each piece is."""
        pieces = output[1:]
        if pieces[:1] == self._marks[1:]:
            pieces = pieces[1:]
        ended = next((place for place, piece in enumerate(pieces) if piece in self._ends), len(pieces))
        pieces = pieces[:ended]
        text = self._text(pieces)
        words = tokenize(text, clitics=True)
        owner = {place: number for number, word in enumerate(words) for place in range(word.start, word.end)}
        lengths = [len(self._text(pieces[: number + 1])) for number in range(len(pieces))]
        owners, start = [], 0
        # a text that ends within a character may be longer than with the whole of it
        for end in reversed(list(accumulate(reversed(lengths), min))):
            owners.append(next((owner[place] for place in range(start, end) if place in owner), -1))
            start = end
        return _English(pieces, tuple(composed(word.text) for word in words), owners)

    def _text(self, pieces: list[int]) -> str:
        said = self._checkpoint.tokenizer.decode(
            pieces, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(said)

    @torch.inference_mode()
    def _force(
        self, rows: list[PieceRow], outputs: Sequence[list[int]]
    ) -> list[tuple[Float[Tensor, "L steps SP"], float]]:
        """For each output the attention of every step, that which ended it too, and its log probability per piece."""
        sources, mask = self._pad([row.ids for row in rows])
        targets, _ = self._pad([[*self._marks, *pieces, self._ends[0]] for pieces in outputs])
        said = self._model(
            input_ids=sources,
            attention_mask=mask,
            decoder_input_ids=targets[:, :-1],
            output_attentions=True,
        )
        attention_BLTS = torch.stack([layer.float().mean(1) for layer in said.cross_attentions], dim=1).cpu()
        scores_BT = said.logits.float().log_softmax(2).gather(2, targets[:, 1:, None])[:, :, 0].cpu()
        first, results = len(self._marks) - 1, []
        for number, pieces in enumerate(outputs):
            steps = slice(first, first + len(pieces) + 1)
            attention = attention_BLTS[number, :, steps, : len(rows[number].ids)].clone()
            results.append((attention, float(scores_BT[number, steps].mean())))
        return results

    def _to_words(
        self, row: _Row, english: _English, forced: tuple[Float[Tensor, "L steps SP"], float]
    ) -> Translation:
        (attention, score), tokens = forced, row.tokens
        shares = torch.zeros(len(row.pieces.ids), len(tokens))
        for number, own in enumerate(row.pieces.words):
            shares[own.start : own.stop, number] = 1.0
        shares /= shares.sum(1, keepdim=True).clamp(min=1.0)  # a piece of several tokens is shared by them
        produced, read = pool_decoder_attention(
            attention @ shares,
            range(len(tokens)),
            english.owners,
            num_source_words=len(tokens),
            num_target_words=len(english.words),
        )
        return Translation(tuple(tokens), english.words, produced, read, score)

    def _pad(self, rows: Sequence[list[int]]) -> tuple[Tensor, Tensor]:
        """Ids, and a mask of the real ones, on the model's device."""
        pad_id = self._checkpoint.pieces.pad_id
        ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=pad_id)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(ids.shape[1]) < lengths[:, None]).long()
        return ids.to(self._model.device), mask.to(self._model.device)


def _steps(length: int) -> int:
    return -(-length // _LENGTH_STEP)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows to read together: of one limit, so that none depends on the others."""
    for size in sorted({_steps(length) for length in lengths}):
        own = [number for number, length in enumerate(lengths) if _steps(length) == size]
        for batch in bucket_by_length([lengths[i] for i in own], max_tokens=_BATCH_PIECES, shuffle=False):
            yield [own[place] for place in batch]
