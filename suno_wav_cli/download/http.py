"""A request for a file's bytes: from which addresses, and through which redirects."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.download.redirects import STATUSES, find_flaw
from suno_wav_cli.download.response import Meaning, read_meaning
from suno_wav_cli.errors import BrokenOff, DownloadFailed, StartOver
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.private_hosts import choose_public
from suno_wav_cli.system.wire import allow_body, bound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from suno_wav_cli.download.connections import Trace
    from suno_wav_cli.system.pacing import RateLimit

_CONNECT_SECONDS = 10.0
_MOST_REDIRECTS = 5
_GIGABIT = 125_000_000
"""Bytes a second. No home line is faster, and then several connections only cost more."""
_ENOUGH_TO_TELL = 1000
"""Bytes of a body that tell what it is."""


@dataclass(frozen=True, kw_only=True)
class DownloadPolicy:
    """What a download may take. Sizes in bytes, times in seconds, `min_speed` in bytes a second.

    A connection that is silent for `stall_timeout`, or a download slower than `min_speed` for that
    long, is given up; so is one that takes longer than each of `timeout` and the other limits allows
    (`pace.py`). A connection that brings `fast_enough` bytes a second gets no others beside
    it; if that is None, the others join at once. `local` allows http:// on this machine, for a
    service that runs on this machine itself. `private_hosts` allows addresses of private networks.
    """

    tls: ssl.SSLContext
    local: bool
    rate: RateLimit
    max_size: int
    min_speed: int
    stall_timeout: float
    timeout: float = 1800.0
    fast_enough: int | None = _GIGABIT
    private_hosts: bool = False


def may_fetch(url: str, *, local: bool) -> bool:
    """Return whether a URL may be fetched: by https, or from this machine if the service is `local`.

    Which addresses its host may have, `open_client` decides.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme == "https" or (scheme == "http" and local and is_loopback(url))


def open_client(url: str, policy: DownloadPolicy, *, timeout: float) -> httpx.Client:
    """Return an HTTP client for `url`, without cookies or key, restricted to allowed addresses.

    It waits `timeout` seconds for each piece of an answer. Its requests raise DownloadFailed for others, also after a redirect.
    """

    def prepare(request: httpx.Request) -> None:
        # A redirect may have set a cookie.
        request.headers.pop("Cookie", None)
        if request.url.userinfo:
            raise DownloadFailed(
                f"the file's address at {request.url.host} holds a user name or a password",
                "None is sent to a file's server; ask your provider.",
            )
        if not may_fetch(str(request.url), local=policy.local):
            raise DownloadFailed(
                f"the file's address at {request.url.host} is not https",
                "Nothing is fetched unencrypted; ask your provider.",
            )

    client = httpx.Client(
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=httpx.Timeout(timeout, connect=_CONNECT_SECONDS),
        verify=policy.tls,
        trust_env=not is_loopback(url),
        # httpx cannot use a connection again whose body was read past it.
        limits=httpx.Limits(max_keepalive_connections=0),
        # Called for each step of a redirect too.
        event_hooks={"request": [prepare], "response": [_check_redirect]},
    )
    bound(client, None if policy.private_hosts else choose_public)
    return client


@contextmanager
def open_response(
    client: httpx.Client,
    url: str,
    headers: Mapping[str, str],
    trace: Trace,
    *,
    redirects: int = _MOST_REDIRECTS,
) -> Iterator[httpx.Response]:
    """Follow redirects, and yield the last answer after its head.

    Raise DownloadFailed if there are more than `redirects`, and httpx.HTTPError.
    """
    request = client.build_request("GET", url, headers=headers, extensions={"trace": trace})
    # By hand: httpx would read the body of each redirect, however long.
    for _ in range(redirects + 1):
        response = client.send(request, stream=True)
        try:
            if response.next_request is None:
                # How slow and how large it may be, its reader knows.
                allow_body(response, None)
                yield response
                return
            request = response.next_request
        finally:
            response.close()
    raise DownloadFailed("the file's address redirects without end", "Ask your provider.")


def read_start(response: httpx.Response) -> bytes:
    """Return the first bytes of a body that is not the file's, if they come, and b"" for the file's."""
    if read_meaning(response.status_code, ranged=False) in (Meaning.WHOLE, Meaning.PART):
        return b""
    with suppress(httpx.HTTPError):
        return next(response.iter_raw(), b"")[:_ENOUGH_TO_TELL]
    return b""


def _check_redirect(response: httpx.Response) -> None:
    """Raise DownloadFailed for a redirect that cannot be followed: httpx takes it for a broken connection."""
    flaw = find_flaw(response.headers.get("Location", "")) if response.status_code in STATUSES else None
    if flaw is not None:
        raise DownloadFailed(f"the file's address redirects {flaw}", "Ask your provider.")


def explain(error: Exception, policy: DownloadPolicy) -> Exception:
    """Return one of our errors for one of httpx's, and any other as it is."""
    if isinstance(error, httpx.ReadTimeout):
        return BrokenOff(f"the file's server is silent for {policy.stall_timeout:g} s")
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return DownloadFailed(
            f"the file's server is not trusted: {describe_error(error)}",
            "If its certificate is one of your own, name it: SSL_CERT_FILE=FILE. Else ask your provider.",
        )
    if isinstance(error, httpx.DecodingError):
        # Its checksum comes last: what was unpacked before may be other bytes than the file's.
        return StartOver(f"the download broke off: {describe_error(error)}")
    if isinstance(error, httpx.HTTPError):
        return BrokenOff(f"the download broke off: {describe_error(error)}")
    if isinstance(error, httpx.InvalidURL | UnicodeError | OverflowError | ImportError):
        # What httpx raises for impossible hosts and ports, and for a proxy setting it cannot use.
        return DownloadFailed(f"the file's address cannot be used: {error}", "Ask your provider.")
    return error
