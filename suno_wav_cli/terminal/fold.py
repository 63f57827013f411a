"""Text broken between words where a terminal is too narrow for it: terminals break within words."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from suno_wav_cli.terminal.tables import get_width, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_INDENT = "  "
_NARROWEST = 20
"""Columns. In a narrower terminal, each line would hold a single word."""

_WHOLE = re.compile(
    r"""
    # A command to paste: what an advice ends with.
    (?<=:[ ]) (?<!error:[ ]) (?:\S*/)? (?:suno-wav|python[\d.]*|pipx?|uv|chmod|mkdir|ngrok|type) [ ] .*? (?=\.?$|[.;][ ])
    # One in a sentence, with the options that choose its service.
    | (?<!\S) suno-wav [ ] [a-z]+ (?:[ ][0-9a-f-]+)? (?:[ ]--(?:provider|base-url)[ ]\S+)+
    # An option with its value, in the same place.
    | (?<=:[ ]) --[a-z-]+ [ ] \S+ $
    # What is quoted.
    | `[^`]+` | (?<!\w) '[^']+' (?!\w)
    # A path with blanks, from its first folder to its ending.
    | (?<!\S) [^\s/:'`]* / (?: [^\s/:;,]* (?:[ ][^\s/:;,]+){0,9} / ){0,20}
      [^\s/:;,]* (?:[ ][^\s/:;,]+){0,9}? \.\w{2,7} (?![^\s:;,.)])
    # A file name with blanks, where an error begins with it.
    | (?<=error:[ ]) [^\s/:;`']+ (?:[ ][^\s/:;`']+){0,9}? \.(?:wav|part|json|csv|txt|toml) (?![^\s:;,.)])
    """,
    re.VERBOSE,
)
_BLANK = "\0"
"""Stands for a blank at which no line may end. Text to show has no control characters."""


def fold(text: str, width: int | None) -> str:
    """Break the lines of a message. Each continues below its beginning, the first one indented."""
    if width is None:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip(" "))]
        lines += wrap(line[len(indent) :], width, first=indent, others=indent or _INDENT)
    return "\n".join(lines)


def wrap_row(head: str, text: str, *, whole: Sequence[str] = ()) -> list[str]:
    """Return the lines of a row on standard output: the text is broken beside its head, on a terminal only."""
    return wrap(text, get_width(sys.stdout), first=head, others=" " * width_of(head), whole=whole)


def wrap(
    text: str,
    width: int | None,
    *,
    first: str = "",
    others: str = _INDENT,
    whole: Sequence[str] = (),
) -> list[str]:
    """Return the lines of a text, the first after `first`, the others after `others`.

    What is quoted, paths, addresses and commands stay in one piece, and so does what `whole` names: a line
    that is too long for this is left to the terminal, so that it can be pasted.
    """
    if width is None or width < _NARROWEST or width_of(first + text) <= width:
        return [first + text]
    for name in filter(None, whole):
        text = text.replace(name, name.replace(" ", _BLANK))
    text = _WHOLE.sub(lambda found: _keep(found[0], width - width_of(others)), text)
    lines, line, words = [], first, 0
    for gap, word in re.findall(r"( *)([^ ]+)", text):
        # A long word gets less of an indent.
        room = width - width_of(word)
        below = others[: room if room >= 0 else len(_INDENT)] + word
        # One that is too long for any line stays beside a single word, such as `error:`.
        moves = words > 1 or ((words == 1 or first.strip()) and width_of(below) <= width)
        if moves and width_of(line + (gap if words else "") + word) > width:
            lines.append(line.rstrip(" "))
            line, words = below, 1
        else:
            line, words = line + (gap if words else "") + word, words + 1
    return [line.replace(_BLANK, " ") for line in [*lines, line]]


def _keep(found: str, room: int) -> str:
    """Mark the blanks of a piece. What is quoted, and no command, is prose again if it is too long for a line."""
    is_prose = found[0] in "`'" and not found.startswith("`suno-wav ") and width_of(found) > room
    return found if is_prose else found.replace(" ", _BLANK)
