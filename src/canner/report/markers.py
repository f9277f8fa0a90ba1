"""What stands between two markers of a file, the README or a card of a model, rebuilt."""

from __future__ import annotations

from pathlib import Path

from canner.data.bundle import save_text

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"


def update_readme(readme: Path, text: str) -> bool:
    """Put the text between the markers of a README; return whether that changed the file.

    Raises:
        ValueError: if the markers are not there, once each and in order.
    """
    before, after = around_markers(readme)
    return _save_if_new(readme, f"{before}{BEGIN}\n{text}\n{END}{after}")


def update_card(card: Path, text: str) -> bool:
    """Put figures on a bundle's card, at its end or where they stood ("": take them off); return whether it changed.

    Raises:
        ValueError: if a marker of the two is missing or stands there twice; the card is as it was.
    """
    content = card.read_text(encoding="utf-8")
    marked = BEGIN in content or END in content
    before, after = around_markers(card) if marked else (f"{content.rstrip()}\n\n", "\n")
    if text:
        return _save_if_new(card, f"{before}{BEGIN}\n{text}\n{END}{after}")
    return marked and _save_if_new(card, f"{before.rstrip()}\n{after.lstrip()}")


def around_markers(path: Path) -> tuple[str, str]:
    """What stands in a file before and after the two markers between which results are shown.

    Raises:
        ValueError: if there is no such file, or the markers are not there, once each and in order.
    """
    if not path.is_file():
        raise ValueError(f"expected a file with the markers {BEGIN} and {END}, got no such file: {path}")
    content = path.read_text(encoding="utf-8")
    if content.count(BEGIN) != 1 or content.count(END) != 1 or content.index(BEGIN) > content.index(END):
        raise ValueError(f"expected the markers {BEGIN} and {END} once each in {path}; put them back")
    before, rest = content.split(BEGIN)
    return before, rest.split(END)[1]


def _save_if_new(path: Path, updated: str) -> bool:
    is_new = updated != path.read_text(encoding="utf-8")
    if is_new:
        save_text(path, updated)
    return is_new
