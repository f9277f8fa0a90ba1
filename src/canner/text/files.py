"""Reading lines that name their place when they are broken, and writing files that are never half-written."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

Source = str | Path | IO[bytes]
Destination = str | Path | IO[str]
_SURROGATE = re.compile("[\ud800-\udfff]")


def name_of(source: Source) -> str:
    """What error messages call a file or stream."""
    return str(source) if isinstance(source, str | Path) else str(getattr(source, "name", "<stream>"))


def replace_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which nothing can write or hash; the length stays the same."""
    return _SURROGATE.sub("\ufffd", text)


def join_surrogates(text: str) -> str:
    """The text with one character for two halves of a surrogate pair side by side, U+FFFD for a lone half."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_lenient_lines(source: Source) -> tuple[list[str], list[int]]:
    """Lines of UTF-8 text, tolerant of lone surrogates only.

    Halves of surrogate pairs, which some tools write as three bytes each, are joined where both stand side by
    side and become U+FFFD otherwise, so that every line can be written and hashed again. Only `\\n` ends a
    line (white space at its end, as of CRLF, is kept); a byte order mark is dropped.

    Returns:
        The lines, and the numbers (1-based) of lines that held lone surrogates.

    Raises:
        ValueError: if the bytes are not UTF-8; names the line.
    """
    raw = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    lines: list[str] = []
    with_surrogates: list[int] = []
    for number, raw_line in enumerate(raw.split(b"\n"), 1):
        try:
            line = raw_line.decode("utf-8")
        except UnicodeDecodeError as error:
            try:
                halves = raw_line.decode("utf-8", "surrogatepass")
            except UnicodeDecodeError:
                raise ValueError(
                    f"{name_of(source)}, line {number}: expected UTF-8, "
                    f"got byte 0x{raw_line[error.start]:02x} at position {error.start}; "
                    "convert the file to UTF-8"
                ) from None
            line = join_surrogates(halves)
            with_surrogates.append(number)
        lines.append(line)
    if lines and not lines[-1]:
        lines.pop()
    return lines, with_surrogates


def expand_path(path: str, key: str | None = None) -> str:
    """The path with `$NAME` and `~` replaced.

    Args:
        path: as in a configuration.
        key: of the configuration, for messages.

    Raises:
        ValueError: a variable is not set.
    """
    expanded = os.path.expanduser(os.path.expandvars(path))
    if "$" in expanded:
        place = f"{key}: " if key is not None else ""
        hint = " (CANNER_DATA: docs/data.md says what it holds)" if "CANNER_DATA" in expanded else ""
        raise ValueError(
            f"{place}expected the variables in {path!r} to be set, got none; export them first{hint}"
        )
    return expanded


def require_file(path: str | Path, key: str | None = None) -> None:
    """Refuses a path of a configuration where there is nothing.

    Raises:
        ValueError: names the key, where it is given, and the path.
    """
    if not Path(path).exists():
        place = f"{key}: " if key is not None else ""
        raise ValueError(f"{place}expected a file, got no such file: {path}; correct the path")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls `write` with a temporary path beside `path`, then moves it into place: nothing is left half-written.

    The file may be read by whom the umask says, whatever `write` sets.

    Raises:
        OSError: the folder is absent, or as `write` raised it; names `path`. The temporary file is gone.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        mode = stat.S_IMODE(temporary.stat().st_mode)
        write(temporary)
        os.chmod(temporary, mode)  # safetensors writes files that only their owner can read
        os.replace(temporary, path)
    except OSError as error:
        if error.filename is None or str(error.filename) == str(temporary):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_lines(destination: Destination, lines: Iterable[str]) -> None:
    """Write lines as UTF-8, each ended by `\\n`.

    A file appears under its name only when it is complete. What is no plain file (a device, a pipe) is written to
    directly.

    Raises:
        ValueError: if a line cannot be written as UTF-8 (lone surrogates); names the line.
        OSError: if the disk is full or the folder is absent; nothing is left behind.
    """
    if not isinstance(destination, str | Path):
        for line in lines:
            destination.write(line + "\n")
        return
    path = Path(os.path.realpath(destination))  # through a link to the file, which would be replaced itself
    if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to move into place
        with path.open("wb") as device:
            _write(device, path, lines)
        return

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            _write(file, path, lines)

    write_atomically(path, write)


def _write(file: IO[bytes], path: Path, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines, 1):
        try:
            file.write(line.encode() + b"\n")
        except UnicodeEncodeError:
            raise ValueError(
                f"{path}, line {number}: expected characters of UTF-8, got a lone surrogate in "
                f"{line!r}; replace it by U+FFFD"
            ) from None
