"""Bring your own translation: files of English and word alignments stand in for a translator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import torch

from canner.data.translation import Translation
from canner.text.accents import all_composed
from canner.text.alignments import Link, read_alignments
from canner.text.bitext import read_lines


class FileTranslator:
    """Looks translations up by the tokens of the sentence; implements `Translator`.

    The attention is the alignment: 1 where an English word is linked to a source token, else 0. A row sums
    to the number of its links, so "raw" carries a word to each of its tokens in full.
    """

    num_layers = 1

    def __init__(
        self,
        source_lines: Sequence[str],
        english_lines: Sequence[str],
        alignments: Sequence[Sequence[Link]],
        *,
        name: str = "file",
        missing: Literal["error", "empty"] = "error",
    ) -> None:
        """Take the lines.

        Args:
            source_lines: source sentences, tokens between spaces. Of a repeated sentence the first counts.
            english_lines: their English, tokenised the same way.
            alignments: for each pair links (source index, English index), from 0.
            name: what the lines come from, for messages.
            missing: what becomes of a sentence that is not among them: an "error", or an "empty"
                translation, which carries nothing.

        Raises:
            ValueError: if the numbers of lines differ or a link leaves its sentence.
        """
        if not len(source_lines) == len(english_lines) == len(alignments):
            raise ValueError(
                f"{name}: expected as many English lines and alignments as source lines, got "
                f"{len(source_lines)} source lines, {len(english_lines)} English lines and {len(alignments)} "
                "alignments; the three must go line by line"
            )
        self._entries: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[Link, ...]]] = {}
        digest = hashlib.sha256(missing.encode())
        rows = zip(source_lines, english_lines, alignments, strict=True)
        for number, (source_line, english_line, links) in enumerate(rows, 1):
            source, english = tuple(source_line.split()), tuple(english_line.split())
            for i, j in links:
                if not (0 <= i < len(source) and 0 <= j < len(english)):
                    raise ValueError(
                        f"{name}, line {number}: expected links below {len(source)}-{len(english)}, "
                        f"got {i}-{j}; is the alignment of another file, or counted from 1?"
                    )
            self._entries.setdefault(all_composed(source), (english, tuple(links)))
            digest.update(repr((source, english, tuple(links))).encode("utf-8", "backslashreplace"))
        self.name = name
        self.missing = missing
        self.fingerprint = f"file-{digest.hexdigest()[:16]}"

    @classmethod
    def read(
        cls,
        source_paths: Sequence[str | Path],
        english_paths: Sequence[str | Path],
        alignment_paths: Sequence[str | Path],
        *,
        missing: Literal["error", "empty"] = "error",
    ) -> FileTranslator:
        """Read files, such as those of the training, development and test set of a corpus, one after another.

        Args:
            source_paths: files of source sentences.
            english_paths: in the same order, the files of their English.
            alignment_paths: in the same order, the files of alignments (Pharaoh `i-j`).
            missing: as above.

        Raises:
            ValueError: if files are missing, malformed or of different lengths.
        """
        if not len(source_paths) == len(english_paths) == len(alignment_paths) or not source_paths:
            raise ValueError(
                "expected equally many source, English and alignment files, got "
                f"{len(source_paths)}, {len(english_paths)} and {len(alignment_paths)}; name them in threes"
            )
        source: list[str] = []
        english: list[str] = []
        alignments: list[list[Link]] = []
        for paths in zip(source_paths, english_paths, alignment_paths, strict=True):
            for path in paths:
                if not Path(path).is_file():
                    raise ValueError(f"{path}: expected a file, found none; check the path")
            # each triple is checked on its own, so that the message names the right files
            part = read_lines(paths[0]), read_lines(paths[1]), read_alignments(paths[2])
            cls(*part, name=str(paths[0]))
            source += part[0]
            english += part[1]
            alignments += part[2]
        name = ", ".join(str(path) for path in english_paths)
        return cls(source, english, alignments, name=name, missing=missing)

    def __len__(self) -> int:
        """Distinct sentences that have a translation."""
        return len(self._entries)

    def translate(
        self, sentences: Sequence[Sequence[str]], *, progress: Callable[[int], None] | None = None
    ) -> list[Translation]:
        """Look sentences up.

        Raises:
            ValueError: if a sentence is not in the files, unless such ones are to be empty.
        """
        translations = []
        for tokens in sentences:
            source = tuple(tokens)
            found = self._entries.get(all_composed(source))
            if found is None and self.missing == "error":
                start = " ".join(source)[:80]
                raise ValueError(
                    f"expected sentences of {self.name}, got one without translation: {start!r}; translate it "
                    'and add it to the files, check that the tokens are the same, or set missing = "empty"'
                )
            english, links = found or ((), ())
            attention = torch.zeros(1, len(english), len(source))
            if links:
                index = torch.tensor(links)
                attention[0, index[:, 1], index[:, 0]] = 1.0
            translations.append(Translation(source, english, attention))
            if progress is not None:
                progress(1)
        return translations
