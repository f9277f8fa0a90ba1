"""The command line: `canner VERB …`.

Commands import what they need when they run, so that `canner --help` answers at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

import typer

from canner.cli import files, report, reproduce, show, tag, train, translation
from canner.cli.console import complain

app = typer.Typer(
    name="canner",
    help="Named entities in languages with few labels, with the help of a translation into English.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
_INTERRUPTED = 130
_READER_GONE = 141
for group in (train, tag, translation, show, files, reproduce, report):
    group.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits; SIGTERM, by which schedulers and containers end a process, is as Ctrl-C.

    0: well; 2: an error (one line on stderr); 130: after Ctrl-C or SIGTERM; 141: the reader of the output was gone.
    """
    if threading.current_thread() is threading.main_thread():  # signals belong to it
        signal.signal(signal.SIGTERM, _end)
    sys.exit(run(arguments))


def _end(number: int, frame: FrameType | None) -> None:
    signal.signal(number, lambda *_: None)  # once is enough: what is ending is not interrupted
    raise KeyboardInterrupt


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    try:
        given = None if arguments is None else list(arguments)
        status = app(args=given, prog_name="canner", standalone_mode=False)
        sys.stdout.flush()
        if status == _INTERRUPTED:  # how typer reports Ctrl-C
            complain("interrupted")
        return int(status or 0)
    except (KeyboardInterrupt, typer.Abort):
        complain("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as stop:
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        return _reader_gone()  # typer makes an exit with 1 of it
    except (ValueError, OSError) as error:
        complain(_described(error))
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _abandon_output()
        return 2
    except Exception as error:
        message = getattr(error, "format_message", None)  # a wrong option or argument
        if message is None:
            raise
        complain(str(message()) or "expected a command; see canner --help")
        return 2


def _reader_gone() -> int:
    """The status after the reader (head, less) has seen enough; nothing may be flushed to it at exit."""
    _abandon_output()
    return _READER_GONE


def _abandon_output() -> None:
    """What standard output could not take must not be flushed to it again at exit."""
    with contextlib.suppress(OSError, ValueError):  # in tests it may be no file at all
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _described(error: ValueError | OSError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)
