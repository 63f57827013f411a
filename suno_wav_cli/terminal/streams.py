"""Standard output for results, standard error for people; neither may end paid work by going away."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress
from typing import TextIO

_PIPE_PIECE = 4096
"""Bytes. As long as a pipe is ready it takes so many at once (POSIX asks for 512, Linux has these)."""

_READER_SECONDS = 1.0


def write_line(stream: TextIO | None, text: str) -> None:
    """Write one line at once. A reader that has gone (`| head -1`, a closed terminal, `>&-`) is not an error."""
    if stream is None:
        return
    with suppress(BrokenPipeError, OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


class Results:
    """Standard output, a line at a time, a path as its very bytes, whatever the encoding of the stream.

    A line that may be lost is dropped where nobody reads (`| less`, a log shipper that was stopped): waiting for that
    reader would end the acknowledgements.
    """

    def __init__(self) -> None:
        self._stuck = False
        self._cut = False

    def write(self, text: str) -> None:
        buffer = getattr(sys.stdout, "buffer", None)
        if buffer is None:
            write_line(sys.stdout, text)
            return
        with suppress(BrokenPipeError, OSError, ValueError):
            sys.stdout.flush()
            buffer.write(_encoded(text + "\n"))
            buffer.flush()

    def offer(self, text: str) -> None:
        """Write a line that may be lost."""
        line = _encoded(("\n" if self._cut else "") + text + "\n")
        with suppress(OSError, ValueError, AttributeError):
            # Beside the stream's buffer, whose lock a writer that waits would hold to the end of the program.
            descriptor = sys.stdout.fileno()
            for start in range(0, len(line), _PIPE_PIECE):
                if not self._is_read(descriptor):
                    self._cut = self._cut or start > 0
                    return
                os.write(descriptor, line[start : start + _PIPE_PIECE])
            self._cut = False

    def _is_read(self, descriptor: int) -> bool:
        """Give a reader a moment, but only the first time."""
        try:
            ready = bool(select.select([], [descriptor], [], 0.0 if self._stuck else _READER_SECONDS)[1])
        except (OSError, ValueError):
            # Windows can ask this of sockets only.
            ready = True
        self._stuck = not ready
        return ready


def _encoded(text: str) -> bytes:
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        # Titles and tags come in any alphabet; a line with a hole is better than none.
        return text.encode(sys.getfilesystemencoding(), errors="backslashreplace")


def prepare() -> None:
    """Let a message pass that the encoding of standard error does not carry."""
    reconfigure = getattr(sys.stderr, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def discard_rest() -> None:
    """Keep the interpreter from complaining at its end of a reader that has gone."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        with suppress(BrokenPipeError, OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            stream.close()
