"""A request of our own through the public address, which shows that the address leads here."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.callbacks.sender import origin
from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL, ngrok_failure
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.system.http_errors import describe_error, read_body
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.wire import bound

if TYPE_CHECKING:
    import ssl

_MAX_PAGE_BYTES = 64 * 1024


class Probe:
    """What the requests of one proof post. The receiver sets `seen` when one arrives."""

    def __init__(self) -> None:
        self._nonce = secrets.token_urlsafe(16)
        self.seen = asyncio.Event()

    def begin(self) -> None:
        """Begin another proof: what an earlier one has posted may arrive late, by another address."""
        self._nonce = secrets.token_urlsafe(16)
        self.seen.clear()

    @property
    def content(self) -> dict[str, str]:
        return {"suno_wav_probe": self._nonce}

    def recognises(self, content: dict[str, Any]) -> bool:
        nonce = content.get("suno_wav_probe")
        return isinstance(nonce, str) and secrets.compare_digest(nonce.encode(), self._nonce.encode())


async def check_reachable(
    probe: Probe, url: str, tls: ssl.SSLContext, *, seconds: float, pause: float
) -> None:
    """Post the probe to `url` until the receiver sees it. Raise TunnelFailed after `seconds`."""
    problem = TunnelFailed(f"{origin(url)} does not answer", OR_POLL)
    probe.begin()
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(headers=headers, verify=tls, trust_env=not is_loopback(url)) as http,
        ):
            bound(http)
            while True:
                problem = await _post_probe(http, url, probe)
                if probe.seen.is_set():
                    return
                await asyncio.sleep(pause)
    raise problem


async def _post_probe(http: httpx.AsyncClient, url: str, probe: Probe) -> TunnelFailed:
    """Post the probe once. Return the error to raise if it did not arrive."""
    try:
        async with http.stream("POST", url, json=probe.content) as response:
            page = await read_body(response, _MAX_PAGE_BYTES)
    except httpx.HTTPError as error:
        reason = f"{origin(url)} cannot be reached from here: {describe_error(error)}"
        return TunnelFailed(reason, OR_POLL)
    reason = f"{origin(url)} does not lead here: it answers HTTP {response.status_code}"
    code = response.headers.get("Ngrok-Error-Code", "")
    if "Ngrok-Error-Code" not in response.headers and b"ERR_NGROK_" not in page:
        return TunnelFailed(reason, f"It must lead to the port of this program. {OR_POLL}")
    return ngrok_failure([code, page.decode("utf-8", "replace")], reason)
