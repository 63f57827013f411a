"""Allocate a file while it is written, on a file system without fallocate(2).

    python -m tests.support.without_fallocate FILE

Old NFS and many FUSE file systems do not support the call. The C library then writes into each
block of the file. Exit code: 0 if every byte that was written meanwhile is there, 1 if not, 77 if
fallocate(2) cannot be disabled here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import threading
from pathlib import Path

from suno_wav_cli.download.part_file import open_part

_FALLOCATE = {"x86_64": 285, "aarch64": 47}
_BLOCK = bytes([255]) * (64 * 1024)
_BLOCKS = 1024
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2


def _disable(number: int) -> bool:
    """Make the system call fail as if it were not supported, by a filter of four instructions."""
    answer = 0x0005_0000 | errno.EOPNOTSUPP
    instructions = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, answer), (0x06, 0, 0, 0x7FFF_0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    program = ctypes.create_string_buffer(struct.pack("HP", len(instructions), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    refused: int = libc.prctl(_PR_SET_SECCOMP, _FILTER, program)
    return not refused


def main(path: Path) -> int:
    number = _FALLOCATE.get(platform.machine())
    if sys.platform != "linux" or number is None or not _disable(number):
        return 77
    with open_part(path) as part:

        def write() -> None:
            for block in range(_BLOCKS):
                part.write(block * len(_BLOCK), _BLOCK)

        writing = threading.Thread(target=write)
        writing.start()
        part.allocate(4 * _BLOCKS * len(_BLOCK))
        writing.join()
        size = os.fstat(part.file.fileno()).st_size
        part.file.seek(0)
        whole = all(part.file.read(len(_BLOCK)) == _BLOCK for _ in range(_BLOCKS))
    return 0 if whole and size == 4 * _BLOCKS * len(_BLOCK) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
