"""What all commands share: streams, messages, options."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, TextIO

import typer

from canner.text.files import join_surrogates, write_lines
from canner.text.labelled import ReadingWarning

if TYPE_CHECKING:
    from canner.pipeline import Tagger

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages but errors.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
BLOCK = 64
"""So many lines, or sentences, are read at a time."""
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.")
]
Teacher = Annotated[
    Path | None,
    typer.Option(
        help="Without labels: an English tagger, whose entities are carried back; what is named in the tagger's place "
        "is then a translator, aligner or gloss. Either may be a model of transformers: a folder, or transformers:NAME."
    ),
]
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        help="With --teacher: find only this type (several times: these types).",
    ),
]
Threads = Annotated[int | None, typer.Option(help="Processor threads to use; default: all.", min=1)]

_usual_format = warnings.formatwarning


def tagger_of(bundle: Path, teacher: Path | None, types: list[str] | None, device: str) -> Tagger:
    """The tagger that a command names: a bundle, or without labels a translator and its teacher.

    Raises:
        ValueError: if a bundle is missing, damaged or of another kind, or types are given for a trained tagger.
    """
    from canner.pipeline import Tagger
    from canner.tagging.checkpoint import kind_named

    if teacher is not None:
        return Tagger.without_labels(bundle, teacher, types=types, device=device)
    if types:
        raise ValueError(
            "expected --teacher beside --type, got none; a trained tagger finds what it was taught"
        )
    if kind_named(bundle) in ("gloss", "translator", "aligner", None):
        raise ValueError(
            f"{bundle}: expected a tagger, got a translator; to tag without labels, name an English tagger: --teacher"
        )
    return Tagger.load(bundle, device=device)


def complain(message: str) -> None:
    """One line on stderr."""
    line = " ".join(message.split())
    sys.stderr.write(f"canner: {line}\n".encode(errors="replace").decode())
    sys.stderr.flush()


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment: above a progress bar, while one is there."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def start(*, quiet: bool = False, threads: int | None = None, device: str = "cpu") -> None:
    """Messages go to stderr, a line each; the machine is used as asked.

    Raises:
        ValueError: if there is no such device.
    """
    level = logging.WARNING if quiet else logging.INFO
    logging.basicConfig(level=level, format="%(message)s", handlers=[_StderrHandler()], force=True)
    for chatty in ("jieba", "gensim", "smart_open"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    warnings.formatwarning = _format_warning
    warnings.filterwarnings("ignore" if quiet else "always", category=ReadingWarning)
    import torch

    from canner.nn.device import check_device

    if threads is not None:
        torch.set_num_threads(threads)
    check_device(device)


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """What a file lost in reading is for people: a line, without the place in the code."""
    if issubclass(category, ReadingWarning):
        return f"{message}\n"
    return _usual_format(message, category, filename, lineno, line)


def note(message: str, *, quiet: bool = False) -> None:
    """A line for people, on stderr."""
    if not quiet:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


def keep_inputs(output: Path | None, *inputs: Path | None) -> None:
    """Refuses to write over what is read; to be called before anything is.

    Args:
        output: file to be written; None: standard output.
        inputs: files to be read; None or `-`: standard input.

    Raises:
        ValueError: if the output is one of the inputs, by whatever name.
    """
    if output is None or not output.is_file():
        return
    for path in inputs:
        if path is None or str(path) == "-":
            same = _is_standard_input(output)
        else:
            same = path.exists() and output.samefile(path)
        if same:
            raise ValueError(
                f"expected an --output other than the input, got {output}, which would be overwritten; "
                "name another file"
            )


def _is_standard_input(path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(sys.stdin.fileno()), path.stat())
    except (OSError, ValueError, AttributeError):  # closed, or no file at all
        return False


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes]]:
    """A file to read, or standard input for None and `-`.

    Raises:
        ValueError: if there is no such file.
    """
    if path is None or str(path) == "-":
        yield sys.stdin.buffer
        return
    if not path.is_file():
        raise ValueError(f"expected a file to read, got no such file: {path}")
    with path.open("rb") as stream:
        yield stream


def lines_of(stream: IO[bytes]) -> Iterator[str]:
    """Lines of UTF-8 text, one at a time, without their ends.

    Raises:
        ValueError: if a line is not UTF-8; names it.
    """
    name = getattr(stream, "name", "<stdin>")
    for number, raw in enumerate(stream, 1):
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            line = raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            raise ValueError(
                f"{name}, line {number}: expected UTF-8, got byte 0x{byte:02x}; convert the file to UTF-8"
            ) from None
        # Halves of surrogate pairs cannot be written again.
        yield join_surrogates(line).rstrip("\r\n")


def check_folder(output: Path) -> None:
    """Refuses a file to be written in a folder that is not there.

    Raises:
        ValueError: names the folder.
    """
    if not output.parent.is_dir():
        raise ValueError(f"expected a folder to write to, got none: {output.parent}")


def emit(lines: Iterable[str], output: Path | None) -> None:
    """Writes lines to a file, which appears only when it is complete, or to standard output as they come."""
    if output is not None:
        check_folder(output)
        write_lines(output, lines)
        return
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8") + b"\n")
    sys.stdout.buffer.flush()


def note_parts(number: int, num_tokens: int, parts: int, quiet: bool) -> None:
    """Tells that a sentence was translated in parts, if it was."""
    if parts > 1:
        note(f"{number}: a sentence of {num_tokens} tokens was translated in {parts} parts", quiet=quiet)
