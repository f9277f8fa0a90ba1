"""Words to pieces and back (byte-pair encoding by `tokenizers`); every piece knows its word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
NUM_COPY_SLOTS = 16
COPY_SLOTS = tuple(f"<copy{k}>" for k in range(NUM_COPY_SLOTS))
WORD_START = "▁"


_SPECIAL = (PAD, BOS, EOS, UNK, *COPY_SLOTS)


def _plain(word: str) -> str:
    """The word without what means something else to the tokenizer; copy slots stay."""
    if word in COPY_SLOTS:
        return word
    # White space or ▁ inside a word would split it, an empty word would vanish, half a character is no text.
    plain = "".join(word.split()).replace(WORD_START, "_").encode("utf-8", "replace").decode()
    if "<" in plain and any(special in plain for special in _SPECIAL):
        plain = plain.replace("<", "‹")
    return plain or "?"


class Pieces(NamedTuple):
    """The pieces of a sentence, without `<bos>` and `<eos>`: ids, and for each the index of its word."""

    ids: list[int]
    words: list[int]


class Subwords:
    """A byte-pair vocabulary over words that are already tokenised.

    Ids: `<pad>` 0, `<bos>` 1, `<eos>` 2, `<unk>` 3, then the copy slots (see `canner.text.copying`), then pieces.
    A piece never crosses a word, so pieces map exactly to words; the first piece of a word starts with `▁`.
    """

    pad_id, bos_id, eos_id, unk_id, first_copy_id = 0, 1, 2, 3, 4
    num_special = len(_SPECIAL)

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._pieces = [tokenizer.id_to_token(i) or UNK for i in range(tokenizer.get_vocab_size())]

    @classmethod
    def train(
        cls, sentences: Iterable[Sequence[str]], *, vocab_size: int, limit_alphabet: int = 6000
    ) -> Subwords:
        """Learns the vocabulary from tokenised sentences.

        Args:
            sentences: words of each sentence; copy slots among them are not learned from.
            vocab_size: most pieces, special ones included.
            limit_alphabet: most distinct characters; rarer ones become `<unk>`.
        """
        tokenizer = Tokenizer(models.BPE(unk_token=UNK, fuse_unk=True))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always", split=True)]
        )
        trainer = trainers.BpeTrainer(
            vocab_size=vocab_size,
            min_frequency=2,
            special_tokens=[PAD, BOS, EOS, UNK, *COPY_SLOTS],
            limit_alphabet=limit_alphabet,
            show_progress=False,
        )
        slots = set(COPY_SLOTS)
        lines = (" ".join(w for w in words if w not in slots) for words in sentences)
        tokenizer.train_from_iterator(lines, trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, path: str | Path) -> Subwords:
        """Reads a vocabulary that `save` wrote.

        Raises:
            ValueError: the file is missing or not a vocabulary.
        """
        try:
            return cls(Tokenizer.from_file(str(path)))
        except Exception as error:
            raise ValueError(
                f"{path}: expected a subword vocabulary (tokenizers JSON), got {error}; the bundle is damaged"
            ) from error

    def save(self, path: str | Path) -> None:
        """Writes the vocabulary as one JSON file."""
        Path(path).write_text(self._tokenizer.to_str(), encoding="utf-8")

    def __len__(self) -> int:
        return len(self._pieces)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subwords) and self._pieces == other._pieces

    def __hash__(self) -> int:
        return hash(tuple(self._pieces))

    def encode(self, words: Sequence[str]) -> Pieces:
        """Pieces of one tokenised sentence; every word has at least one piece."""
        return self.encode_many([words])[0]

    def encode_many(self, sentences: Sequence[Sequence[str]]) -> list[Pieces]:
        """Pieces of many tokenised sentences, in one parallel call."""
        encodings = self._tokenizer.encode_batch(
            [[_plain(word) for word in words] for words in sentences],
            is_pretokenized=True,
            add_special_tokens=False,
        )
        return [Pieces(list(e.ids), [w for w in e.word_ids if w is not None]) for e in encodings]

    def piece(self, index: int) -> str:
        """The text of a piece."""
        return self._pieces[index]

    def word_indices(self, ids: Sequence[int]) -> list[int]:
        """For each piece the index of its word, for ids without `<bos>`/`<eos>`; the inverse of `encode`."""
        words: list[int] = []
        for position, index in enumerate(ids):
            fresh = self._pieces[index].startswith(WORD_START) or self.is_copy(index)
            after_slot = position > 0 and self.is_copy(ids[position - 1])
            # `<unk>` starts no word: the `▁` before it does, which is in every vocabulary.
            if not words:
                words.append(0)
            else:
                words.append(words[-1] + int(fresh or after_slot))
        return words

    def is_copy(self, index: int) -> bool:
        """Whether the piece is a copy slot."""
        return self.first_copy_id <= index < self.first_copy_id + NUM_COPY_SLOTS

    def word(self, ids: Sequence[int]) -> str:
        """The text of one word from its pieces (a lone `▁` is an empty string)."""
        return "".join(self._pieces[i] for i in ids).removeprefix(WORD_START)
