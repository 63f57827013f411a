"""This machine's own address, and listening sockets there."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from suno_wav_cli.errors import TunnelFailed

_HOST = "127.0.0.1"
_BACKLOG = 1024
"""Connections that wait to be accepted, if the system allows as many."""


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def open_port(port: int) -> socket.socket:
    """Open the listening socket that a user asked for. Raise TunnelFailed."""
    try:
        return bind_socket(port)
    except OSError as error:
        raise TunnelFailed(
            f"port {port} cannot be opened: {error.strerror}", "Choose another --port; 0 takes a free one."
        ) from error


def bind_socket(port: int) -> socket.socket:
    """Open a listening socket; port 0 takes a free one. Connections wait in it until a server runs.

    Raise OSError if the port is taken.
    """
    # asyncio disables Nagle's delay (40 ms a response) only if the protocol is named.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((_HOST, port))
        bound.listen(_BACKLOG)
    except OSError:
        bound.close()
        raise
    return bound


def address_of(bound: socket.socket) -> str:
    """Return the base URL of a listening socket."""
    port: int = bound.getsockname()[1]
    return f"http://{_HOST}:{port}"
