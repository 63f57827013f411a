"""Run `suno-wav` and kill it at one of its journal's writes.

    python tests/crash/killed_at.py LOG POINT ARGUMENTS...

Every write is a point before it and one after it, which are appended to LOG in the order in which they are reached;
at the one that is named as POINT (`write:7:before`) the process kills itself with SIGKILL. The program is as it always
is: only the interpreter's SQLite connections are told to count.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_READING = ("SELECT", "PRAGMA synchronous")

_LOG, _POINT = sys.argv[1:3]
_numbers = count(1)


def _around(statement: str, write: Callable[[], Any]) -> Any:
    number = next(_numbers)
    _reached(f"write:{number}:before", statement)
    result = write()
    _reached(f"write:{number}:after", statement)
    return result


def _reached(point: str, statement: str) -> None:
    with open(_LOG, "a", encoding="utf-8") as log:  # noqa: PTH123 - in as few steps as can be
        log.write(f"{point}\t{' '.join(statement.split()[:3])}\n")
    if point == _POINT:
        os.kill(os.getpid(), signal.SIGKILL)


class _Counting(sqlite3.Connection):
    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        execute = partial(super().execute, statement, *values)
        if not statement or statement.startswith(_READING) or statement == "PRAGMA user_version":
            return execute()
        cursor: sqlite3.Cursor = _around(statement, execute)
        return cursor

    def close(self) -> None:
        # It moves what was written from the log beside the journal into the journal.
        _around("close", super().close)


if __name__ == "__main__":
    from suno_wav_cli.cli import main

    sqlite3.connect = partial(sqlite3.connect, factory=_Counting)
    sys.argv = ["suno-wav", *sys.argv[3:]]
    main()
