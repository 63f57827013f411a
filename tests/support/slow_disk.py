"""Run `suno-wav` on a disk that is slow to store bytes for good.

    python tests/support/slow_disk.py SECONDS ARGUMENTS...

Each fsync(2) of the program takes SECONDS longer, as on a busy disk or a network share. SQLite
syncs the journal by itself, and is as fast as ever.
"""

from __future__ import annotations

import os
import sys
import time

_SECONDS = float(sys.argv[1])
_sync = os.fsync


def _sync_slowly(descriptor: int) -> None:
    time.sleep(_SECONDS)
    _sync(descriptor)


if __name__ == "__main__":
    from suno_wav_cli.cli.main import main

    setattr(os, "fsync", _sync_slowly)  # noqa: B010 - mypy knows os.fsync as a function of fixed type
    sys.argv = ["suno-wav", *sys.argv[2:]]
    main()
