"""Which program listens on a port of this machine, as far as the system tells without being asked for more."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LISTENING = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True, kw_only=True)
class PortOwner:
    pid: int
    name: str


def find_port_owner(port: int) -> PortOwner | None:
    """Return the program, or None if the system does not tell: only Linux does, of one's own programs."""
    wanted = {f"socket:[{inode}]" for inode in _find_inodes(port)}
    if not wanted:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(_read_link(descriptor) in wanted for descriptor in (process / "fd").iterdir()):
                name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return PortOwner(pid=int(process.name), name=name)
    return None


def _find_inodes(port: int) -> list[str]:
    """Return the numbers of the sockets that listen on the port."""
    found = []
    for table in _TABLES:
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENING and int(words[1].rpartition(":")[2], 16) == port:
                    found.append(words[9])
    return found


def _read_link(descriptor: Path) -> str:
    with suppress(OSError):
        return os.readlink(descriptor)  # noqa: PTH115 - it names no file
    return ""
