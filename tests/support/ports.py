"""Ports that stay free until somebody is told to open them."""

from __future__ import annotations

import secrets
from contextlib import suppress

from suno_wav_cli.system.loopback import bind_socket

# The system gives outgoing connections one above these: a port that it chose could be taken again in the meantime.
_PORTS = range(20_000, 32_000)


def free_port() -> int:
    while True:
        port = secrets.choice(_PORTS)
        with suppress(OSError), bind_socket(port):
            return port
