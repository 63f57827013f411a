"""Standard output for results, standard error for people. Paid work goes on if either is closed."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIPE_PIECE = 4096
"""Bytes that a pipe accepts at once while it is ready (POSIX requires 512, Linux has 4096)."""

_READER_SECONDS = 1.0


def write_line(stream: TextIO | None, text: str) -> None:
    """Write and flush one line.

    A reader that has gone (`| head -1`, a closed terminal, `>&-`) is not an error.
    """
    if stream is None:
        return
    with suppress(BrokenPipeError, OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


class Results:
    """Standard output, line by line. Paths keep their very bytes, whatever the encoding.

    A droppable line is lost if the reader has stopped reading (`| less`, a stopped log shipper):
    waiting for it would also stop the acknowledgement of callbacks.
    """

    def __init__(self) -> None:
        self._stuck = False
        self._cut = False

    def write(self, lines: Iterable[str], *, droppable: bool) -> None:
        for line in lines:
            if droppable:
                self._offer(line)
            else:
                self._write(line)

    def _write(self, text: str) -> None:
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            write_line(sys.stdout, text)
            return
        with suppress(BrokenPipeError, OSError, ValueError):
            sys.stdout.flush()
            buffer.write(_encode(text + "\n"))
            buffer.flush()

    def _offer(self, text: str) -> None:
        line = _encode(("\n" if self._cut else "") + text + "\n")
        with suppress(OSError, ValueError, AttributeError):
            # Not through the stream's buffer: a blocked writer would hold its lock until the program ends.
            descriptor = sys.stdout.fileno()
            for start in range(0, len(line), _PIPE_PIECE):
                if not self._is_read(descriptor):
                    self._cut = self._cut or start > 0
                    return
                os.write(descriptor, line[start : start + _PIPE_PIECE])
            self._cut = False

    def _is_read(self, descriptor: int) -> bool:
        """Return whether the reader takes more. Wait for it, but only the first time."""
        try:
            ready = bool(select.select([], [descriptor], [], 0.0 if self._stuck else _READER_SECONDS)[1])
        except (OSError, ValueError):
            # Windows supports this for sockets only.
            ready = True
        self._stuck = not ready
        return ready


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
