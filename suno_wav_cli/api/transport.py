"""One request to an API and what came back, within bounds of time and size."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.api.envelope import read_envelope
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.http_errors import decode_body, decode_partly, read_body, read_retry_after
from suno_wav_cli.system.installation import how_to_install
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.peer import watch_for_end
from suno_wav_cli.system.proxies import find_unusable_proxy, run_without
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.system.wire import allow_body, bound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

    from suno_wav_cli.api.envelope import Envelope
    from suno_wav_cli.models import Secret

_CONNECT_SECONDS = 10.0
_LARGEST_ANSWER = 1 << 20
_LONGEST_RETRY_AFTER = 3600.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back of a request, as far as it arrived.

    `envelope` is None if the body is something else. `readable` is False if the body is too long,
    cannot be decoded or has broken off, for which `error` is the reason. `body` is what could be
    decoded. `retry_after` is the pause in seconds that is asked for.
    """

    status: int
    envelope: Envelope | None
    readable: bool
    error: httpx.HTTPError | None
    body: bytes
    charset: str | None
    retry_after: float | None


def open_http(base_url: str, key: Secret, tls: ssl.SSLContext, *, keep_alive: bool) -> httpx.AsyncClient:
    """Return an HTTP client that sends the key to this address only.

    Without `keep_alive`, each request has a connection of its own. Raise UsageError if the key would
    be sent unencrypted, or if the environment's proxy is not usable.
    """
    if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
        raise UsageError(
            f"the API key is not sent to {base_url} over plain http",
            "Use an https:// address; http:// is accepted for this machine only.",
        )
    try:
        client = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {key.value}",
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "identity",
            },
            verify=tls,
            follow_redirects=False,
            limits=httpx.Limits(
                max_keepalive_connections=None if keep_alive else 0,
                # Short, because a server may just be closing a connection that was idle.
                keepalive_expiry=2.0,
            ),
            # This machine's own addresses are not reached through a proxy.
            trust_env=not is_loopback(base_url),
            # None is kept: each answer could add to what the next request sends.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise _proxy_unusable() from error
    bound(client)
    return client


def _proxy_unusable() -> UsageError:
    proxy = find_unusable_proxy(os.environ)
    if proxy is not None and proxy.scheme.startswith("socks"):
        return UsageError(
            f"the proxy of {proxy.variable} is a SOCKS proxy, which needs another package",
            say_how(
                f"Name an HTTP proxy, or unset {proxy.variable}, or install it",
                # Without a package of its own, pip cannot use such a proxy either.
                *(() if os.name == "nt" else run_without(proxy, os.environ)),
                *how_to_install("socksio"),
            ),
        )
    variable = "http_proxy, https_proxy or all_proxy" if proxy is None else proxy.variable
    return UsageError(
        f"the proxy that the environment names in {variable} cannot be used: its address is not understood",
        "Correct it, as in http://HOST:PORT, or unset it.",
    )


async def exchange(
    http: httpx.AsyncClient,
    method: str,
    path: str,
    *,
    seconds: float,
    json: Mapping[str, object] | None = None,
    params: dict[str, str] | None = None,
    before_sending: Callable[[Callable[[], bool]], Awaitable[None]] | None = None,
) -> Answer:
    """Send one request, and return what arrives. Raise httpx.HTTPError if no answer begins to arrive.

    The connection is open when `before_sending` is awaited, and the request leaves when it returns.
    The answer has `seconds` from then on. It is given a function that tells whether the server has
    ended the connection meanwhile. If it has, nothing is sent, and httpx.ConnectError raised.
    """
    response: httpx.Response | None = None
    error: httpx.HTTPError | None = None
    body = bytearray()
    timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
    deadline, connection = asyncio.timeout(seconds), None

    async def watch(event: str, info: Mapping[str, Any]) -> None:
        # Only the request itself: a proxy gets a CONNECT first.
        nonlocal connection
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connection = info["return_value"]
        is_own = event.endswith(".send_request_headers.started") and info["request"].method == method.encode()
        if is_own and before_sending is not None:
            deadline.reschedule(None)
            async with watch_for_end(connection) as is_closed:
                await before_sending(is_closed)
                if is_closed():
                    raise httpx.ConnectError("the connection was closed before anything was sent")
            deadline.reschedule(asyncio.get_running_loop().time() + seconds)

    extensions = {} if before_sending is None else {"trace": watch}
    try:
        async with (
            deadline,
            http.stream(
                method, path, json=json, params=params, extensions=extensions, timeout=timeout
            ) as response,
        ):
            # Twice, for the framing of chunks.
            allow_body(response, 2 * _LARGEST_ANSWER)
            await read_body(response, _LARGEST_ANSWER, body)
    except TimeoutError:
        error = httpx.ReadTimeout(f"no whole answer within {seconds:.0f} s")
    except httpx.HTTPError as broken:
        error = broken
    except ValueError as invalid:
        # httpx parses the address of a redirect even if it does not follow it.
        error = httpx.RemoteProtocolError(f"an invalid answer: {invalid}")
    if response is None:
        raise error or httpx.RemoteProtocolError("no answer")
    return _make_answer(response, bytes(body), error)


def _make_answer(response: httpx.Response, body: bytes, error: httpx.HTTPError | None) -> Answer:
    coding = response.headers.get("Content-Encoding", "")
    decoded = decode_body(body, coding, _LARGEST_ANSWER)
    envelope = None if decoded is None else read_envelope(decoded)
    return Answer(
        status=response.status_code,
        envelope=envelope,
        # JSON that is whole is the whole answer, however the connection ended.
        readable=decoded is not None and (error is None or envelope is not None),
        error=error,
        body=decode_partly(body, coding, _LARGEST_ANSWER) if decoded is None else decoded,
        charset=response.charset_encoding,
        retry_after=read_retry_after(response.headers.get("Retry-After", ""), _LONGEST_RETRY_AFTER),
    )
