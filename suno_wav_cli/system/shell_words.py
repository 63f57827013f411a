"""A command line as words, as a shell splits it, without a shell."""

from __future__ import annotations

import os
import shlex

_WINDOWS = os.name == "nt"


def split_command(text: str, *, windows: bool = _WINDOWS) -> tuple[str, ...]:
    """Return the words of a command: quotes group, and a backslash quotes the next character.

    On Windows, a backslash is part of a path, and only double quotes group. Raise ValueError if a
    quote is not closed or there is no word.
    """
    words = shlex.shlex(text, posix=True)
    words.whitespace_split = True
    words.commenters = ""
    if windows:
        words.escape = ""
        words.quotes = '"'
    found = tuple(words)
    if not found or not found[0]:
        raise ValueError("there is no command in it")
    return found
