"""Ask for a secret."""

from __future__ import annotations

import sys

from suno_wav_cli.errors import UsageError
from suno_wav_cli.terminal.fold import fold
from suno_wav_cli.terminal.streams import write_line
from suno_wav_cli.terminal.tables import get_width

_LONGEST_LINE = 4096


def read_secret(prompt: str) -> str:
    """Read one line from standard input, without showing it if that is a terminal.

    Return "" if there is nothing to read. Raise UsageError if it is not text.
    """
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        return _read_hidden(prompt)
    line = sys.stdin.buffer.readline(_LONGEST_LINE + 1)
    if len(line) > _LONGEST_LINE:
        raise UsageError("standard input does not begin with a key", "Send in the key alone, as one line.")
    try:
        # PowerShell puts a byte order mark before what it pipes.
        return line.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError("standard input is not UTF-8 text", "Send in the key alone, as one line.") from None


def _read_hidden(prompt: str) -> str:
    import getpass

    try:
        return getpass.getpass(fold(prompt, get_width(sys.stdin)))
    except EOFError:
        return ""
    except KeyboardInterrupt:
        # The cursor is still behind the prompt.
        write_line(sys.stderr, "")
        raise
