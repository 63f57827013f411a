"""The cover of a song, from the address that the service names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.download.body import read_pieces
from suno_wav_cli.download.connections import Connections
from suno_wav_cli.download.http import open_client, open_response
from suno_wav_cli.errors import DownloadFailed, PrivateHost
from suno_wav_cli.models import Cover
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from suno_wav_cli.download.http import DownloadPolicy

_LARGEST_COVER = 5_000_000
_SECONDS = 10.0
"""In all, with every redirect: a song that is paid for waits for its cover."""
_MOST_REDIRECTS = 3

_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))
"""The first bytes decide, because servers name pictures as they like."""

_REMEDY = "Run the same command again with --force."


async def fetch_cover(url: str, policy: DownloadPolicy, *, seconds: float = _SECONDS) -> Cover:
    """Fetch a JPEG or PNG of at most 5 MB, without key or cookies, from where songs may come from.

    Raise DownloadFailed.
    """
    connections = Connections()

    def download() -> bytes:
        with open_client(url, policy, timeout=seconds) as client:
            return _download(client, url, connections)

    try:
        async with asyncio.timeout(seconds):
            content = await start_in_thread(download, "cover")
    except TimeoutError:
        raise _failed(f"it did not arrive within {seconds:g} s") from None
    except PrivateHost as error:
        raise _failed(f"{error.message}; --allow-private-hosts allows it") from error
    except DownloadFailed as error:
        raise _failed(error.message) from error
    except httpx.HTTPError as error:
        raise _failed(describe_error(error)) from error
    except (httpx.InvalidURL, ValueError, OverflowError, ImportError) as error:
        # What httpx raises for impossible hosts and ports, and for a proxy setting it cannot use.
        raise _failed(f"its address cannot be used: {error}") from error
    finally:
        connections.stop(TimeoutError())
    for beginning, media_type in _KINDS:
        if content.startswith(beginning):
            return Cover(content=content, media_type=media_type)
    raise _failed("it is neither a JPEG nor a PNG")


def _download(client: httpx.Client, url: str, connections: Connections) -> bytes:
    with (
        connections.track() as trace,
        open_response(client, url, {}, trace, redirects=_MOST_REDIRECTS) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise DownloadFailed(f"its server answers HTTP {response.status_code}", _REMEDY)
        content = bytearray()
        # Raw, and so without a picture's first bytes if the server compresses it against our wish.
        for piece in read_pieces(response):
            content += piece
            if len(content) > _LARGEST_COVER:
                raise DownloadFailed(f"it is larger than {_LARGEST_COVER / 1e6:g} MB", _REMEDY)
    return bytes(content)


def _failed(why: str) -> DownloadFailed:
    return DownloadFailed(f"the cover cannot be downloaded: {why}", _REMEDY)
