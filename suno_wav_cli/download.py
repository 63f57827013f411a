"""Bytes from the CDN to a `.part`, checked.

A worker thread moves the bytes, because httpx on the event loop costs several times the CPU; the loop watches a
counter, and wakes a thread that waits for a byte by shutting its socket down.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.background import start_in_thread
from suno_wav_cli.errors import AddressRefused, DownloadFailed, NotAWholeWav, ServiceUnavailable
from suno_wav_cli.loopback import is_loopback
from suno_wav_cli.part import disk_failed
from suno_wav_cli.refusals import described
from suno_wav_cli.wav import read_format

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from suno_wav_cli.models import WavFormat
    from suno_wav_cli.part import Part

_TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""Seconds; the first is the longest silence between two bytes."""

_MOST_REDIRECTS = 5
_LARGEST_FILE = (1 << 32) + 8
"""What a RIFF header can describe: more than that is not a song."""

_PROGRESS_SECONDS = 0.1
_LAST_MOMENT = 0.5


class Transfer:
    """One attempt at a download, as its worker thread sees it. `received` and `total` may be read from any thread.

    `local` allows http:// on this machine, for a service that is on this machine itself.
    """

    def __init__(self, url: str, part: Part, tls: ssl.SSLContext, *, local: bool) -> None:
        self._url = url
        self._part = part
        self._tls = tls
        self._local = local
        self._connection: socket.socket | None = None
        self._aborted = False
        self.received = 0
        self.total: int | None = None

    def abort(self) -> None:
        """Make the worker stop within a moment, even where it waits for a byte that never comes."""
        self._aborted = True
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def run(self) -> WavFormat:
        """Fetch the whole file into the `.part`, put it on the disk and check it.

        Raises ServiceUnavailable where trying again may help, AddressRefused where a fresh address may, and
        NotAWholeWav or DownloadFailed otherwise.
        """
        try:
            self._part.restart()
            self._fetch()
            self._part.flush()
            return read_format(self._part.path)
        except httpx.HTTPError as error:
            raise ServiceUnavailable(
                f"the download broke off: {described(error)}",
                "Check the network, then try again.",
            ) from error
        except NotAWholeWav:
            self._part.restart()
            raise
        except OSError as error:
            raise disk_failed(self._part.path, error) from error
        except (httpx.InvalidURL, UnicodeError, OverflowError, ImportError) as error:
            # What httpx raises for hosts and ports that cannot be, and for a proxy setting that it cannot use.
            raise DownloadFailed(
                f"the file's address cannot be used: {error}", "Ask your provider."
            ) from error
        finally:
            self._let_go()

    def _fetch(self) -> None:
        with (
            httpx.Client(
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                timeout=_TIMEOUT,
                verify=self._tls,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                trust_env=not is_loopback(self._url),
                # Called for each step of a redirect too.
                event_hooks={"request": [self._prepare]},
            ) as client,
            client.stream("GET", self._url, extensions={"trace": self._watch}) as response,
        ):
            _check_status(response.status_code)
            self.total = _content_length(response)
            _check_space(self._part, self.total)
            for piece in response.iter_bytes():
                if self._aborted:
                    raise httpx.ReadError("stopped")
                self._part.file.write(piece)
                self.received += len(piece)
                if self.received > _LARGEST_FILE:
                    raise NotAWholeWav(
                        "the file is larger than a WAV can be", "The address seems wrong; ask your provider."
                    )

    def _prepare(self, request: httpx.Request) -> None:
        # A redirect may have set a cookie.
        request.headers.pop("Cookie", None)
        if request.url.scheme != "https" and not (self._local and is_loopback(str(request.url))):
            raise DownloadFailed(
                f"the file's address at {request.url.host} is not https",
                "Nothing is fetched unencrypted; ask your provider.",
            )

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Get hold of the connection as soon as there is one, so that its handshakes can be woken too."""
        if event == "connection.connect_tcp.complete":
            self._let_go()
            # A second descriptor of the same connection: TLS takes the first one away.
            self._connection = info["return_value"].get_extra_info("socket").dup()
            if self._aborted:
                self.abort()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


async def fetch(transfer: Transfer, on_progress: Callable[[int, int | None], None]) -> WavFormat:
    """Run the transfer in a thread of its own; `on_progress(received, total)` is called ten times a second.

    Raises as Transfer.run. Cancelled, it stops the thread before it returns.
    """
    done = start_in_thread(transfer.run, "download")
    try:
        while not done.done():
            await asyncio.wait([done], timeout=_PROGRESS_SECONDS)
            on_progress(transfer.received, transfer.total)
        return done.result()
    except BaseException:
        transfer.abort()
        await asyncio.wait([done], timeout=_LAST_MOMENT)
        raise


def _check_status(status: int) -> None:
    if status == httpx.codes.OK:
        return
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise AddressRefused(
            f"the file's address answers HTTP {status}",
            "The file may have expired (providers delete it after about two weeks). Only a new conversion, "
            "which is charged again, brings it back: convert ID --resubmit",
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
        raise ServiceUnavailable(f"the file's server answers HTTP {status}", "Try again in a while.")
    raise DownloadFailed(
        f"the file's server answers HTTP {status}", "Try again; if it stays so, ask your provider."
    )


def _content_length(response: httpx.Response) -> int | None:
    """None where the body's length is not that of the file, or not said."""
    text = response.headers.get("Content-Length", "")
    if "Content-Encoding" in response.headers or not (text.isascii() and text.isdigit()):
        return None
    return int(text)


def _check_space(part: Part, needed: int | None) -> None:
    if needed is not None and shutil.disk_usage(part.path.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
