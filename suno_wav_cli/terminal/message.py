"""An event in words, before any display has decided how to show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Level(Enum):
    DETAIL = auto()
    """For -v only."""
    PROGRESS = auto()
    """For displays without bars, and not too often."""
    INFO = auto()
    SUCCESS = auto()
    ERROR = auto()
    """Shown even if --quiet or --json was given."""
    OUTPUT = auto()
    """What a command of the user's prints: shown as an error is, and not marked as one."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """What to say about an event.

    `text` is for people, on standard error. `result` is for standard output, line by line, and may
    be an iterator, so that a table is only made if it is shown. A `droppable` message must not make
    the program wait for a reader that has stopped reading. The lines of a `verbatim` text are not broken.
    """

    text: str | None = None
    result: Iterable[str] = ()
    level: Level = Level.INFO
    droppable: bool = False
    verbatim: bool = False
