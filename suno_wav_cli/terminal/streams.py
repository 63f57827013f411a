"""Standard output for results, standard error for people. Paid work goes on if either is closed."""

from __future__ import annotations

import errno
import os
import re
import select
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PIPE_PIECE = 4096
"""Bytes that a pipe accepts at once while it is ready (POSIX requires 512, Linux has 4096)."""

_READER_SECONDS = 1.0

_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What controls a terminal, or turns the direction of what follows. Joiners are part of names."""


def write_line(stream: TextIO | None, text: str) -> None:
    """Write and flush one line.

    A reader that has gone (`| head -1`, a closed terminal, `>&-`) is not an error.
    """
    if stream is None:
        return
    with suppress(BrokenPipeError, OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


def say(text: str, *, verbatim: bool = False) -> None:
    """Write a message to standard error. On a terminal, its lines are broken between words."""
    # Help, which is to come at once, needs neither.
    from suno_wav_cli.terminal.fold import fold
    from suno_wav_cli.terminal.tables import get_width

    write_line(sys.stderr, text if verbatim else fold(text, get_width(sys.stderr)))


class Results:
    """Standard output, line by line. Paths keep their very bytes, whatever the encoding, but not on a terminal.

    A droppable line is lost if the reader has stopped reading (`| less`, a stopped log shipper):
    waiting for it would also stop the acknowledgement of callbacks.

    `lost` is why a line could not be written, if it was not for a reader that has gone.
    """

    lost: OSError | None

    def __init__(self) -> None:
        self.lost = None
        self._stuck = False
        self._cut = False

    def write(self, lines: Iterable[str], *, droppable: bool) -> None:
        for line in map(_for_terminal, lines) if _is_terminal() else lines:
            if droppable:
                self._offer(line)
            else:
                self._write(line)

    def _write(self, text: str) -> None:
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            write_line(sys.stdout, text)
            return
        with self._noting_loss():
            sys.stdout.flush()
            buffer.write(_encode(text + "\n"))
            buffer.flush()

    def _offer(self, text: str) -> None:
        line = _encode(("\n" if self._cut else "") + text + "\n")
        with self._noting_loss():
            # Not through the stream's buffer: a blocked writer would hold its lock until the program ends.
            descriptor = sys.stdout.fileno()
            for start in range(0, len(line), _PIPE_PIECE):
                if not self._is_read(descriptor):
                    self._cut = self._cut or start > 0
                    return
                os.write(descriptor, line[start : start + _PIPE_PIECE])
            self._cut = False

    @contextmanager
    def _noting_loss(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, AttributeError):
            # Closed, or not a file at all: no result is expected there.
            return
        except OSError as error:
            if self.lost is None and not _is_gone(error):
                self.lost = error

    def _is_read(self, descriptor: int) -> bool:
        """Return whether the reader takes more. Wait for it, but only the first time."""
        try:
            ready = bool(select.select([], [descriptor], [], 0.0 if self._stuck else _READER_SECONDS)[1])
        except (OSError, ValueError):
            # Windows supports this for sockets only.
            ready = True
        self._stuck = not ready
        return ready


def _is_terminal() -> bool:
    # Closed, or replaced by what is no file.
    with suppress(ValueError, AttributeError):
        return sys.stdout.isatty()
    return False


def _for_terminal(text: str) -> str:
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _is_gone(error: OSError) -> bool:
    """Return whether the reader of standard output has gone: a pipe, a socket or a terminal was closed."""
    if error.errno == errno.EIO:
        # A disk answers so, too.
        with suppress(OSError, ValueError):
            return stat.S_ISCHR(os.fstat(sys.stdout.fileno()).st_mode)
    # Windows answers EINVAL for a closed pipe.
    windows = os.name == "nt" and error.errno == errno.EINVAL
    return windows or isinstance(error, ConnectionError)


def report_loss(error: OSError) -> None:
    """Say on standard error that standard output cannot be written, and what to do."""
    reason = error.strerror or str(error)
    say(
        f"error: standard output cannot be written: {reason}\n  Make room or send it elsewhere, and run it again."
    )


def _encode(text: str) -> bytes:
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        # Titles and tags come in any alphabet; a line with escapes is better than none.
        return text.encode(sys.getfilesystemencoding(), errors="backslashreplace")


def prepare_stderr() -> None:
    """Escape characters that the encoding of standard error cannot carry."""
    reconfigure = getattr(sys.stderr, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def discard_rest() -> None:
    """Keep the interpreter from complaining, when it exits, about a reader that has gone."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        with suppress(BrokenPipeError, OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            stream.close()
