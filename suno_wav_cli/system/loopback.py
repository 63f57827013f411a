"""This machine's own address."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

_HOST = "127.0.0.1"


def is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def bind_socket(port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one. Connections wait in it until a server runs.

    Raises OSError where the port is taken.
    """
    # With its protocol named, for asyncio turns Nagle's delay off only then: 40 ms an answer.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_HOST, port))
        bound.listen(128)
    except OSError:
        bound.close()
        raise
    return bound


def address_of(bound: socket.socket) -> str:
    port: int = bound.getsockname()[1]
    return f"http://{_HOST}:{port}"
