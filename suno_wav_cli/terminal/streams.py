"""Standard output for results, standard error for people; neither may end paid work by going away."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO


def write_line(stream: TextIO | None, text: str) -> None:
    """Write one line at once. A reader that has gone (`| head -1`, a closed terminal, `>&-`) is not an error."""
    if stream is None:
        return
    with suppress(BrokenPipeError, OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


def write_result(text: str) -> None:
    """Write one line to standard output, a path as its very bytes, whatever the encoding of the stream."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        write_line(sys.stdout, text)
        return
    with suppress(BrokenPipeError, OSError, ValueError):
        sys.stdout.flush()
        buffer.write(os.fsencode(text + "\n"))
        buffer.flush()


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
