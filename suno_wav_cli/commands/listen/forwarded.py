"""What is passed on with a forwarded delivery, where it may not go, and when it is tried again."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.callbacks.handlers import VIA_HEADER
from suno_wav_cli.callbacks.sender import end_to_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from suno_wav_cli.callbacks.sender import Answer

_SERVER_ERRORS = 500
_MAY_PASS = (408, 425, 429)

_PORTS = {"http": 80, "https": 443}


def headers_to_forward(
    headers: Iterable[tuple[str, str]], via: str, *, keep_forwarded: bool
) -> tuple[tuple[str, str], ...]:
    """Return the delivery's own headers, and a note that this program has forwarded it.

    What proxies have added (`X-Forwarded-…`, `Forwarded`) is of the public address, for which a
    receiver on this machine may refuse the request.
    """
    kept = tuple(
        (name, value) for name, value in end_to_end(headers) if keep_forwarded or not _is_forwarded(name)
    )
    return (*kept, (VIA_HEADER, via))


def _is_forwarded(name: str) -> bool:
    return name.lower() == "forwarded" or name.lower().startswith("x-forwarded-")


def pause_before_retry(answer: Answer, attempt: int, pauses: Sequence[float]) -> float | None:
    """Return how long to wait after the attempt (from 0), or None if there is to be no other.

    What may pass is tried until the end, with the last pause again and again. What the receiver has
    refused is tried as often as there are pauses: it may be one that is still being written.
    """
    if answer.is_taken:
        return None
    may_pass = answer.status is None or answer.status >= _SERVER_ERRORS or answer.status in _MAY_PASS
    if attempt < len(pauses):
        return pauses[attempt]
    return pauses[-1] if may_pass else None


def leads_to_port(url: str, port: int) -> bool:
    """Tell whether a URL leads to a port of this machine's own address, under any name."""
    parts = urlsplit(url)
    if (parts.port or _PORTS[parts.scheme]) != port:
        return False
    try:
        found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    hosts = [str(address[0]) for *_, address in found]
    return any(host.startswith(("127.", "::ffff:127.")) or host in ("::1", "0.0.0.0", "::") for host in hosts)  # noqa: S104
