"""What the receiver calls for the requests that reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.callbacks.refusal import Refusal, RefusedRequest

VIA_HEADER = "Via"
"""Names the programs that have forwarded a request (RFC 9110, 7.6.3)."""


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """`handle` is called for each callback, and `refused` for each request that is none.

    `keep` writes a callback to a file before it is acknowledged, or says why it must not be. `handle` is a coroutine function, because Starlette runs others in a thread, and an
    asyncio.Event is not for threads. `via` is how this program names itself in what it forwards.
    """

    handle: Callable[[ReceivedCallback], Awaitable[None]]
    keep: Callable[[ReceivedCallback], Path | Refusal] | None = None
    refused: Callable[[RefusedRequest], None] | None = None
    via: str | None = None
