"""The lines of a text file, whatever wrote it: decoded and split in bounded memory."""

from __future__ import annotations

import codecs
import io
import json
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 16
_LONGEST_LINE = 1_000_000
"""Characters. An object with a song's lyrics has a few thousand."""
_MOST_LINES = 10_000_000


def read_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the lines without their ends: LF, CR LF or CR; UTF-8, UTF-16 or UTF-32, with or without a BOM.

    Bytes that are not UTF-8 become surrogates. Raise UsageError for what is no list of lines, and
    OSError.
    """
    unfinished, number = "", 0
    for text in _decode(file):
        *lines, unfinished = (unfinished + text).split("\n")
        yield from lines
        number += len(lines)
        if len(unfinished) > _LONGEST_LINE:
            raise UsageError(
                f"line {number + 1} is longer than {_LONGEST_LINE:,} characters", "One song a line."
            )
        if number > _MOST_LINES:
            raise UsageError(f"there are more than {_MOST_LINES:,} lines", "Convert fewer songs at a time.")
    if unfinished:
        yield unfinished


def is_text(line: str) -> bool:
    """Tell whether all bytes of a line could be decoded."""
    return line.isascii() or not any("\ud800" <= character <= "\udfff" for character in line)


def _decode(file: BinaryIO) -> Iterator[str]:
    block = file.read(_BLOCK)
    # Spreadsheets and PowerShell write UTF-16. Python's own rules for JSON tell them all apart.
    encoding = json.detect_encoding(block)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    with_newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    while block:
        yield with_newlines.decode(block)
        block = file.read(_BLOCK)
    yield with_newlines.decode(b"", final=True)
