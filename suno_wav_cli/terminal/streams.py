"""Standard output for results, standard error for people; neither may end paid work by going away."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO


def write_line(stream: TextIO, text: str) -> None:
    """Write one line at once. A reader that has gone (`| head -1`, a closed terminal) is not an error."""
    with suppress(BrokenPipeError, OSError, ValueError):
        stream.write(text + "\n")
        stream.flush()


def prepare() -> None:
    """Let names pass that no encoding carries: a path as its bytes, a message with escapes."""
    for stream, errors in ((sys.stdout, "surrogateescape"), (sys.stderr, "backslashreplace")):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=errors)


def discard_rest() -> None:
    """Keep the interpreter from complaining at its end of a reader that has gone."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(BrokenPipeError, OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            stream.close()
