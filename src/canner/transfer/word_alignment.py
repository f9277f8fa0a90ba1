"""Word alignment of parallel text: eflomal in both directions, symmetrised.

eflomal (Östling and Tiedemann, 2016) samples the HMM-with-fertility model of word alignment by Gibbs
sampling: no training data but the parallel text, about a minute for 170 thousand sentence pairs.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from canner.text.alignments import Link
from canner.text.extras import missing_package

Symmetrisation = Literal["intersection", "grow-diag"]

# eflomal's own limit: it leaves a longer sentence unaligned
_MAX_LENGTH = 1000
_RANDOM_DEVICE = b"/dev/urandom\0"
_SEED_FILE = "canner.seed."
_NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def align_words(
    source_tokens: Sequence[Sequence[str]],
    target_tokens: Sequence[Sequence[str]],
    seed: int,
    *,
    symmetrise: Symmetrisation = "intersection",
    prefix_length: int = 0,
    relative_iterations: float = 1.0,
) -> list[list[Link]]:
    """Align the words of sentence pairs with eflomal, in lower case.

    Args:
        source_tokens: the source sentences, tokenised; an empty one gets no links.
        target_tokens: the target sentences, tokenised, line by line beside the source.
        seed: the same seed on the same machine gives the same links.
        symmetrise: "intersection" keeps the links which both directions found (precise: for lexicons);
            "grow-diag" adds neighbouring links of either direction (more complete: for guided attention).
        prefix_length: cut words to so many characters before aligning (0: whole words); 4 helps where
            a language inflects much and the text is small.
        relative_iterations: sampling iterations relative to eflomal's own choice for this many sentences.

    Returns:
        For every pair the sorted links (source index, target index), from 0.

    Raises:
        ValueError: if the two sides differ in length or eflomal is not installed.
    """
    if len(source_tokens) != len(target_tokens):
        raise ValueError(
            f"expected as many target as source sentences, got {len(source_tokens)} source and "
            f"{len(target_tokens)} target; align the files line by line first"
        )
    usable = [
        k
        for k, (source, target) in enumerate(zip(source_tokens, target_tokens, strict=True))
        if 0 < len(source) <= _MAX_LENGTH and 0 < len(target) <= _MAX_LENGTH
    ]
    links: list[list[Link]] = [[] for _ in source_tokens]
    if not usable:
        return links
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_indexed(folder / "source", (source_tokens[k] for k in usable), len(usable), prefix_length)
        _write_indexed(folder / "target", (target_tokens[k] for k in usable), len(usable), prefix_length)
        _sample(folder, len(usable), seed, relative_iterations)
        with open(folder / "forward") as forward, open(folder / "reverse") as reverse:
            for k, line, reverse_line in zip(usable, forward, reverse, strict=True):
                pair = _parse(line), _parse(reverse_line)
                links[k] = intersect(*pair) if symmetrise == "intersection" else grow_diagonal(*pair)
    return links


def intersect(forward: Iterable[Link], reverse: Iterable[Link]) -> list[Link]:
    """The links which both directions found, sorted."""
    return sorted(set(forward) & set(reverse))


def grow_diagonal(forward: Iterable[Link], reverse: Iterable[Link]) -> list[Link]:
    """The intersection, grown by neighbouring links of the union that align a word not yet aligned.

    Source: Koehn, Och and Marcu, "Statistical phrase-based translation" (2003), `grow-diag`.
    """
    forward, reverse = set(forward), set(reverse)
    union, links = forward | reverse, forward & reverse
    rows, columns = {i for i, _ in links}, {j for _, j in links}
    queue = sorted(links)
    while queue:
        i, j = queue.pop(0)
        for di, dj in _NEIGHBOURS:
            link = (i + di, j + dj)
            if link in union and link not in links and (link[0] not in rows or link[1] not in columns):
                links.add(link)
                rows.add(link[0])
                columns.add(link[1])
                queue.append(link)
    return sorted(links)


def _write_indexed(
    path: Path, sentences: Iterable[Sequence[str]], num_sentences: int, prefix_length: int
) -> None:
    """Write the text as eflomal's binary reads it: a header, then length and word ids, a sentence a line."""
    index: dict[str, int] = {}
    lines = []
    for tokens in sentences:
        words = (token.lower() for token in tokens)
        ids = [
            index.setdefault(word[:prefix_length] if prefix_length else word, len(index)) for word in words
        ]
        lines.append(f"{len(ids)} {' '.join(map(str, ids))}\n")
    with open(path, "w", encoding="ascii") as file:
        file.write(f"{num_sentences} {len(index)}\n")
        file.writelines(lines)


def _parse(line: str) -> list[Link]:
    return [(int(i), int(j)) for i, _, j in (link.partition("-") for link in line.split())]


def _sample(folder: Path, num_sentences: int, seed: int, relative_iterations: float) -> None:
    # eflomal's own schedule: fewer iterations for more text, a quarter of them for the simpler models
    iterations = max(2, round(relative_iterations * 5000 / num_sentences**0.5))
    quarter = max(1, iterations // 4)
    command = [str(_seeded_binary(folder, seed)), "-q", "-m", "3", "-n", "1", "-N", "0.2"]
    command += ["-s", "source", "-t", "target", "-f", "forward", "-r", "reverse"]
    command += ["-1", str(max(2, quarter)), "-2", str(quarter), "-3", str(iterations)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ValueError(
            f"expected eflomal to align the text, got exit {done.returncode}: {done.stderr[-300:]}"
        )


def _seeded_binary(folder: Path, seed: int) -> Path:
    """A copy of eflomal's program that reads its seed from a file beside it.

    The program has no option for the seed: it reads eight bytes from the random device. The copy has the
    name of that device replaced by the name (of equal length) of a file in its working folder. Where the
    program is built differently, it runs unseeded and says so.
    """
    try:
        import eflomal
    except ImportError:
        raise missing_package("eflomal", "gloss") from None
    original = Path(eflomal.__file__).parent / "bin" / "eflomal"
    program = original.read_bytes()
    if program.count(_RANDOM_DEVICE) != 1:
        warnings.warn(
            "this build of eflomal cannot be seeded: alignments will vary", RuntimeWarning, stacklevel=4
        )
        return original
    replacement = _SEED_FILE.encode()[: len(_RANDOM_DEVICE) - 1] + b"\0"
    copy = folder / "eflomal"
    copy.write_bytes(program.replace(_RANDOM_DEVICE, replacement))
    copy.chmod(stat.S_IRUSR | stat.S_IXUSR)
    # hashed, because the generator is poor when seeded with small numbers and stuck when seeded with zero
    (folder / os.fsdecode(replacement[:-1])).write_bytes(hashlib.sha256(str(seed).encode()).digest()[:8])
    return copy
