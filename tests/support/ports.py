"""Ports that stay free until a program opens them."""

from __future__ import annotations

import secrets
from contextlib import suppress

from suno_wav_cli.system.loopback import bind_socket

# Below the range that the system uses for outgoing connections, which could take the port again.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), bind_socket(port):
            return port
