"""Turn the marked-up sentences of the demonstration corpus into CoNLL files.

    python recipes/build_demo_corpus.py            # write src/canner/demo_data/es/{train,test}.conll
    python recipes/build_demo_corpus.py --check    # exit 1 if they are not current

One sentence a line, tokens separated by spaces, entities as `[PER Juan Pérez]`, comments after `#`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from canner.text.entities import Entity
from canner.text.schemes import encode_tags

FOLDER = Path(__file__).resolve().parents[1] / "src" / "canner" / "demo_data" / "es"
PARTS = ("train", "test")
TYPES = ("PER", "LOC", "ORG", "MISC")
_ATTACHED = re.compile(r"[^\W\d]+[,.;:!?)»\"]$|^[(¿¡«\"].+")
_ABBREVIATION = re.compile(r"^(EE\.UU\.|S\.A\.|[A-Z]\.)$")


def parse_line(line: str) -> tuple[list[str], list[Entity]]:
    """Tokens and entities of one marked-up sentence.

    Raises:
        ValueError: for brackets that do not match, an unknown type, an empty entity, or punctuation that is
            not separated from its word.
    """
    tokens: list[str] = []
    entities: list[Entity] = []
    start, kind = -1, ""
    for piece in line.split():
        if piece.startswith("["):
            if kind or piece[1:] not in TYPES:
                raise ValueError(f"expected one of {TYPES} outside an entity, got {piece!r} in: {line}")
            start, kind = len(tokens), piece[1:]
            continue
        token = piece.removesuffix("]")
        if not token or (_ATTACHED.match(token) and not _ABBREVIATION.match(token)):
            raise ValueError(f"expected a token with its punctuation separated, got {piece!r} in: {line}")
        tokens.append(token)
        if piece.endswith("]"):
            if not kind:
                raise ValueError(f"expected an opened entity before {piece!r} in: {line}")
            entities.append(Entity(start, len(tokens), kind))
            kind = ""
    if kind:
        raise ValueError(f"expected a closing bracket in: {line}")
    return tokens, entities


def read_marked(path: Path) -> list[tuple[list[str], list[Entity]]]:
    """The sentences of a marked-up file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [parse_line(line) for line in lines if line.strip() and not line.startswith("#")]


def conll(sentences: list[tuple[list[str], list[Entity]]]) -> str:
    """The sentences as CoNLL text: token, tab, IOB2 tag; an empty line after each sentence."""
    blocks = []
    for tokens, entities in sentences:
        tags = encode_tags(entities, len(tokens), "IOB2")
        blocks.append("".join(f"{token}\t{tag}\n" for token, tag in zip(tokens, tags, strict=True)))
    return "\n".join(blocks)


def describe(name: str, sentences: list[tuple[list[str], list[Entity]]]) -> str:
    """One line of counts."""
    kinds = Counter(entity.type for _, entities in sentences for entity in entities)
    tokens = sum(len(tokens) for tokens, _ in sentences)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in TYPES)
    return f"{name}: {len(sentences)} sentences, {tokens} tokens, {counts}"


def main() -> int:
    """Build or check both parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is not current")
    check = parser.parse_args().check
    stale = False
    for name in PARTS:
        sentences = read_marked(FOLDER / f"{name}.txt")
        text, path = conll(sentences), FOLDER / f"{name}.conll"
        print(describe(name, sentences))
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            print(f"{path} is not current: run python recipes/build_demo_corpus.py", file=sys.stderr)
            stale = True
        elif not check:
            path.write_text(text, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
