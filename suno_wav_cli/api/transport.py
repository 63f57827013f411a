"""One request to an API and the envelope that answers it, within bounds of time and size."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.api.error_messages import describe_page
from suno_wav_cli.api.parsing import read_envelope
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.http_errors import decode_body, read_body
from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from suno_wav_cli.api.parsing import Envelope
    from suno_wav_cli.models import Secret

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_TOTAL_SECONDS = 60.0
_LARGEST_ANSWER = 1 << 20


class NotAnEnvelope(Exception):
    """An answer that is not an envelope.

    `read` is False if the body is too long or cannot be decoded.
    """

    def __init__(self, status: int, *, read: bool = True) -> None:
        super().__init__(describe_page(status))
        self.status = status
        self.read = read


def open_http(base_url: str, key: Secret, tls: ssl.SSLContext) -> httpx.AsyncClient:
    """Return an HTTP client that sends the key to this address only.

    Raise UsageError if the key would be sent unencrypted, or if the environment's proxy is not usable.
    """
    if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
        raise UsageError(
            f"the API key is not sent to {base_url} over plain http",
            "Use an https:// address; http:// is accepted for this machine only.",
        )
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {key.value}",
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "identity",
            },
            timeout=_TIMEOUT,
            verify=tls,
            follow_redirects=False,
            # Short: a paid request on a connection that the server just closes has an unknown outcome.
            limits=httpx.Limits(keepalive_expiry=2.0),
            # This machine's own addresses are not reached through a proxy.
            trust_env=not is_loopback(base_url),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise UsageError(
            f"the proxy that the environment names cannot be used: {error}",
            "Correct http_proxy, https_proxy and all_proxy, or unset them.",
        ) from error


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    json: Mapping[str, object] | None = None,
    params: dict[str, str] | None = None,
    extensions: dict[str, Any] | None = None,
) -> Envelope:
    """Send one request and read its answer. Raise httpx.HTTPError and NotAnEnvelope."""
    try:
        async with (
            asyncio.timeout(_TOTAL_SECONDS),
            http.stream(method, path, json=json, params=params, extensions=extensions) as response,
        ):
            body = await read_body(response, _LARGEST_ANSWER)
    except TimeoutError:
        raise httpx.ReadTimeout(f"no whole answer within {_TOTAL_SECONDS:.0f} s") from None
    except ValueError as error:
        # httpx parses the address of a redirect even if it does not follow it.
        raise httpx.RemoteProtocolError(f"an invalid answer: {error}") from error
    decoded = decode_body(body, response.headers.get("Content-Encoding", ""), _LARGEST_ANSWER)
    if decoded is None:
        raise NotAnEnvelope(response.status_code, read=False)
    answer = read_envelope(decoded)
    if answer is None:
        raise NotAnEnvelope(response.status_code)
    return answer
