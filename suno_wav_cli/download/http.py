"""A request for a file's bytes: on what terms, of whom, and through which redirects."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.download.addresses import may_be_fetched
from suno_wav_cli.errors import BrokenOff, DownloadFailed
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from suno_wav_cli.download.connections import Trace
    from suno_wav_cli.system.pacing import RateLimit

_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5
_GIGABIT = 125_000_000
"""Bytes a second: what is faster is no line of a person, and several connections only cost more."""


@dataclass(frozen=True, kw_only=True)
class DownloadPolicy:
    """What a download may take. Sizes in bytes, times in seconds, `min_speed` in bytes a second.

    A connection that is silent for `stall_timeout`, or a download that is slower than `min_speed` for so long, is
    given up. A connection that brings `fast_enough` bytes a second gets no others beside it; where that is None, every
    one does at once. `local` allows http:// on this machine, for a service that is on this machine itself.
    """

    tls: ssl.SSLContext
    local: bool
    rate: RateLimit
    max_size: int
    min_speed: int
    stall_timeout: float
    fast_enough: int | None = _GIGABIT


def open_client(url: str, terms: DownloadPolicy) -> httpx.Client:
    """Make what asks for `url`: without a key, without cookies, and of nobody but whom the terms allow."""

    def prepare(request: httpx.Request) -> None:
        # A redirect may have set a cookie.
        request.headers.pop("Cookie", None)
        if not may_be_fetched(str(request.url), local=terms.local):
            raise DownloadFailed(
                f"the file's address at {request.url.host} is not https",
                "Nothing is fetched unencrypted; ask your provider.",
            )

    return httpx.Client(
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(terms.stall_timeout, connect=_CONNECT_SECONDS),
        verify=terms.tls,
        trust_env=not is_loopback(url),
        # A connection that its body was read from is of no use to httpx any more.
        limits=httpx.Limits(max_keepalive_connections=0),
        # Called for each step of a redirect too.
        event_hooks={"request": [prepare]},
    )


@contextmanager
def answered(
    client: httpx.Client, url: str, headers: Mapping[str, str], trace: Trace
) -> Iterator[httpx.Response]:
    """Ask, follow redirects, and yield the last answer, of which only the head was read.

    By hand, for httpx would read the body of each redirect, however long. Raises DownloadFailed where they do not end,
    and httpx.HTTPError.
    """
    request = client.build_request("GET", url, headers=headers, extensions={"trace": trace})
    for _ in range(_MOST_REDIRECTS + 1):
        response = client.send(request, stream=True)
        try:
            if response.next_request is None:
                yield response
                return
            request = response.next_request
        finally:
            response.close()
    raise DownloadFailed("the file's address redirects without end", "Ask your provider.")


def explained(error: Exception, terms: DownloadPolicy) -> Exception:
    """Put what httpx has to say into one of our errors; give back what is not httpx's."""
    if isinstance(error, httpx.ReadTimeout):
        return BrokenOff(f"the file's server is silent for {terms.stall_timeout:g} s")
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DownloadFailed(
            f"the file's server is not trusted: {describe_error(error)}",
            "If its certificate is one of your own, name it: SSL_CERT_FILE=FILE. Else ask your provider.",
        )
    if isinstance(error, httpx.HTTPError):
        return BrokenOff(f"the download broke off: {describe_error(error)}")
    if isinstance(error, httpx.InvalidURL | UnicodeError | OverflowError | ImportError):
        # What httpx raises for hosts and ports that cannot be, and for a proxy setting that it cannot use.
        return DownloadFailed(f"the file's address cannot be used: {error}", "Ask your provider.")
    return error
