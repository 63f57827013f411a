"""Ask a server once more how long a file is, by a request for its last byte."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.download.connections import Connections
from suno_wav_cli.download.http import open_client, open_response
from suno_wav_cli.download.response import confirms_length
from suno_wav_cli.errors import BrokenOff, DownloadFailed
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from suno_wav_cli.download.http import DownloadPolicy


async def confirm_length(url: str, length: int, validator: str | None, policy: DownloadPolicy) -> bool:
    """Return whether the server says that the file with `validator` has exactly `length` bytes."""
    connections = Connections()

    def ask() -> bool:
        headers = {"Range": f"bytes={length - 1}-{length - 1}"}
        if validator is not None:
            headers["If-Range"] = validator
        with (
            open_client(url, policy, timeout=policy.stall_timeout) as client,
            connections.track() as trace,
            open_response(client, url, headers, trace) as response,
        ):
            return confirms_length(response.status_code, response.headers, length, validator)

    try:
        # In all: a head may come byte by byte, and each byte ends a silence.
        return await asyncio.wait_for(start_in_thread(ask, "confirm"), policy.stall_timeout)
    except (DownloadFailed, httpx.HTTPError, TimeoutError):
        return False
    finally:
        connections.stop(BrokenOff("stopped"))
