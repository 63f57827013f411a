"""The cover of a song, from the address that the service names: small, soon, and a picture."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.download.addresses import may_be_fetched
from suno_wav_cli.errors import DownloadFailed
from suno_wav_cli.models import Cover
from suno_wav_cli.system.http_errors import describe_error, read_body
from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    import ssl

_LARGEST_COVER = 5_000_000
_SECONDS = 10.0
"""In all, with every redirect: a song that is paid for waits for its cover."""
_MOST_REDIRECTS = 3

_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""The first bytes decide, for servers name pictures as they like."""


async def fetch_cover(url: str, tls: ssl.SSLContext, *, local: bool, seconds: float = _SECONDS) -> Cover:
    """Fetch a JPEG or PNG of at most 5 MB, without a key or a cookie; `local` as in `may_be_fetched`.

    Raises DownloadFailed, and UsageError where the certificates cannot be loaded.
    """
    try:
        async with asyncio.timeout(seconds):
            content = await _fetched(url, tls, local=local)
    except TimeoutError:
        raise _no_cover(f"it is not there within {seconds:g} s") from None
    except httpx.HTTPError as error:
        raise _no_cover(describe_error(error)) from error
    except (httpx.InvalidURL, ValueError, OverflowError, ImportError) as error:
        # What httpx raises for hosts and ports that cannot be, and for a proxy setting that it cannot use.
        raise _no_cover(f"its address cannot be used: {error}") from error
    for beginning, media_type in _KINDS:
        if content.startswith(beginning):
            return Cover(content=content, media_type=media_type)
    raise _no_cover("what is there is no JPEG and no PNG")


async def _fetched(url: str, tls: ssl.SSLContext, *, local: bool) -> bytes:
    async def check(request: httpx.Request) -> None:
        # A redirect may have set a cookie.
        request.headers.pop("Cookie", None)
        if not may_be_fetched(str(request.url), local=local):
            raise _no_cover(f"its address at {request.url.host} is not https")

    async with httpx.AsyncClient(
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        timeout=_SECONDS,
        verify=tls,
        trust_env=not is_loopback(url),
        # Called for each step of a redirect too.
        event_hooks={"request": [check]},
    ) as client:
        request = client.build_request("GET", url)
        # By hand, for httpx would read the body of each redirect, however long.
        for _ in range(_MOST_REDIRECTS + 1):
            response = await client.send(request, stream=True)
            try:
                if response.next_request is None:
                    return await _content(response)
                request = response.next_request
            finally:
                await response.aclose()
    raise _no_cover("its address redirects without end")


async def _content(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise _no_cover(f"its server answers HTTP {response.status_code}")
    # What is packed against our wish stays so, and is no picture.
    content = await read_body(response, _LARGEST_COVER)
    if len(content) > _LARGEST_COVER:
        raise _no_cover(f"it is larger than {_LARGEST_COVER / 1e6:g} MB")
    return content


def _no_cover(why: str) -> DownloadFailed:
    return DownloadFailed(f"the cover cannot be had: {why}", "Run the same command again with --force.")
