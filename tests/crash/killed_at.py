"""Run `suno-wav` and kill it at one of its journal's writes.

    python tests/crash/killed_at.py LOG POINT ARGUMENTS...

Every write is a point before it and, where it ends a transaction, one after it: within one, the next write's is the
same. They are appended to LOG as they are reached; at the one that is named as POINT (`write:7:before`) the process kills
itself with SIGKILL. The program is as it always is: only the interpreter's SQLite connections count.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from functools import partial
from itertools import count
from typing import Any

_READING = ("SELECT", "PRAGMA synchronous", "PRAGMA busy_timeout")

_LOG, _POINT = sys.argv[1:3]
_numbers = count(1)


def _reached(point: str, statement: str) -> None:
    with open(_LOG, "a", encoding="utf-8") as log:  # noqa: PTH123 - in as few steps as can be
        log.write(f"{point}\t{' '.join(statement.split()[:3])}\n")
    if point == _POINT:
        os.kill(os.getpid(), signal.SIGKILL)


class _Counting(sqlite3.Connection):
    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        if not statement or statement.startswith(_READING) or statement == "PRAGMA user_version":
            return super().execute(statement, *values)
        number = next(_numbers)
        _reached(f"write:{number}:before", statement)
        cursor = super().execute(statement, *values)
        if not self.in_transaction:
            _reached(f"write:{number}:after", statement)
        return cursor

    def close(self) -> None:
        # It moves what was written from the log beside the journal into the journal.
        number = next(_numbers)
        _reached(f"write:{number}:before", "close")
        super().close()
        _reached(f"write:{number}:after", "close")


if __name__ == "__main__":
    from suno_wav_cli.cli.main import main

    setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_Counting))  # noqa: B010 - as its stub forbids
    sys.argv = ["suno-wav", *sys.argv[3:]]
    main()
