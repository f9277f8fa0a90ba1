"""Vocabularies: items (words, characters, tags) and the ids that stand for them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from canner.text.files import write_atomically

PAD = "<pad>"
UNK = "<unk>"
PAD_ID = 0
UNK_ID = 1


class Vocabulary:
    """A fixed list of distinct items, numbered from 0; special items come first.

    With the default specials, id 0 pads and id 1 stands for every unknown item. A vocabulary without
    `<unk>` (that of tags) refuses unknown items.

    Args:
        items: the items in the order of their ids, after the specials; repeated items count once.
        specials: items that come before all others, whether or not they are among `items`.
    """

    def __init__(self, items: Iterable[str], specials: Sequence[str] = (PAD, UNK)) -> None:
        self.specials = tuple(specials)
        self.items: tuple[str, ...] = tuple(dict.fromkeys([*specials, *items]))
        self._ids = {item: index for index, item in enumerate(self.items)}
        self.unk_id: int | None = self._ids[UNK] if UNK in self.specials else None

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, item: object) -> bool:
        return item in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.items == other.items and self.specials == other.specials

    def __hash__(self) -> int:
        return hash((self.items, self.specials))

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} items, specials={list(self.specials)})"

    def id(self, item: str) -> int:
        """The id of an item, or of `<unk>`.

        Raises:
            ValueError: for an unknown item where there is no `<unk>`.
        """
        found = self._ids.get(item, self.unk_id)
        if found is None:
            known = ", ".join(self.items[:20]) + (", …" if len(self) > 20 else "")
            raise ValueError(
                f"expected one of {len(self)} known items ({known}), got {item!r}; "
                "correct the data, or build the vocabulary with data that has it"
            )
        return found

    def ids(self, items: Iterable[str]) -> list[int]:
        """The ids of several items."""
        return [self.id(item) for item in items]

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads: plain lists of strings."""
        return {"specials": list(self.specials), "items": list(self.items[len(self.specials) :])}

    @classmethod
    def from_json(cls, data: Any) -> Vocabulary:
        """Build the vocabulary that `to_json` described.

        Raises:
            ValueError: when the data is not of that form, or an item is repeated (the ids would shift).
        """
        items, specials = (
            (data.get("items"), data.get("specials")) if isinstance(data, dict) else (None, None)
        )
        if not (_are_strings(items) and _are_strings(specials)):
            raise ValueError(
                'expected a vocabulary {"specials": [strings], "items": [strings]}, '
                f"got {str(data)[:80]!r}; write the file again with Vocabulary.save"
            )
        vocabulary = cls(items, specials)
        if len(vocabulary) != len(items) + len(specials):
            raise ValueError(
                "expected distinct items in a vocabulary, got repeated ones; the file was changed"
            )
        return vocabulary

    def save(self, path: str | Path) -> None:
        """Write the vocabulary as JSON; the file is either complete or not there."""
        # ASCII escapes, because a lone surrogate (some corpora have them) cannot be written as UTF-8.
        text = json.dumps(self.to_json(), indent=0)
        write_atomically(Path(path), lambda temporary: temporary.write_text(text, encoding="ascii"))

    @classmethod
    def load(cls, path: str | Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            ValueError: when the file is not a vocabulary.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(
                f"expected a vocabulary as JSON in {path}, got a file that is not JSON ({error})"
            ) from error
        return cls.from_json(data)


def _are_strings(values: Any) -> TypeGuard[list[str]]:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
