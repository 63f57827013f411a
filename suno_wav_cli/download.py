"""Bytes to a whole file: streamed to `NAME.part` beside the target, checked, flushed, renamed.

A worker thread moves the bytes, because httpx on the event loop costs several times the CPU; the loop watches a
counter, and wakes a thread that waits for a byte by shutting its socket down.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

import httpx

from suno_wav_cli.client import USER_AGENT
from suno_wav_cli.errors import AddressRefused, DownloadFailed, NotAWholeWav, OutputExists, ServiceUnavailable
from suno_wav_cli.loopback import is_loopback
from suno_wav_cli.wav import read_format

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    from suno_wav_cli.models import WavFormat

_TIMEOUT = httpx.Timeout(20.0, connect=10.0)
"""Seconds; the first is the longest silence between two bytes."""

_MOST_REDIRECTS = 5
_LARGEST_FILE = (1 << 32) + 8
"""What a RIFF header can describe: more than that is not a song."""

_PROGRESS_SECONDS = 0.1
_LAST_MOMENT = 0.5


class Transfer:
    """One download as its worker thread sees it. `received` and `total` may be read from any thread."""

    def __init__(self, url: str, part: Path, tls: ssl.SSLContext) -> None:
        self._url = url
        self._part = part
        self._tls = tls
        self._socket: socket.socket | None = None
        self._aborted = False
        self.received = 0
        self.total: int | None = None

    def abort(self) -> None:
        """Make the worker stop within a moment, even where it waits for a byte that never comes."""
        self._aborted = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> WavFormat:
        """Fetch the file into the `.part` and check it.

        Raises ServiceUnavailable where trying again may help, AddressRefused where a fresh address may, and
        NotAWholeWav or DownloadFailed otherwise.
        """
        try:
            _drop_finished(self._part)
            # Not "wb": the file may be another program's until it is locked.
            with self._part.open("ab") as file:
                _lock(file)
                file.truncate(0)
                self._fetch_into(file)
                file.flush()
                os.fsync(file.fileno())
        except httpx.HTTPError as error:
            raise ServiceUnavailable(
                f"the download broke off: {str(error) or type(error).__name__}",
                "Check the network, then try again.",
            ) from error
        except httpx.InvalidURL as error:
            raise DownloadFailed(
                f"the file's address is not usable: {error}", "Ask your provider."
            ) from error
        except OSError as error:
            raise _disk_failed(self._part, error) from error
        try:
            return read_format(self._part)
        except NotAWholeWav:
            self._part.unlink(missing_ok=True)
            raise

    def _refuse_plain_http(self, request: httpx.Request) -> None:
        # Loopback is for a service on this machine; a stranger's redirect must not lead there.
        local = is_loopback(self._url) and is_loopback(str(request.url))
        if request.url.scheme != "https" and not local:
            raise DownloadFailed(
                f"the file's address at {request.url.host} is not https",
                "Nothing is fetched unencrypted; ask your provider.",
            )

    def _fetch_into(self, file: BinaryIO) -> None:
        with (
            httpx.Client(
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                timeout=_TIMEOUT,
                verify=self._tls,
                follow_redirects=True,
                max_redirects=_MOST_REDIRECTS,
                trust_env=not is_loopback(self._url),
                # Called for each step of a redirect too.
                event_hooks={"request": [self._refuse_plain_http]},
            ) as client,
            client.stream("GET", self._url) as response,
        ):
            self._socket = response.extensions["network_stream"].get_extra_info("socket")
            _check_status(response.status_code)
            self.total = _content_length(response)
            _check_space(self._part, self.total)
            for piece in response.iter_bytes():
                if self._aborted:
                    raise httpx.ReadError("stopped")
                file.write(piece)
                self.received += len(piece)
                if self.received > _LARGEST_FILE:
                    raise NotAWholeWav(
                        "the file is larger than a WAV can be", "The address seems wrong; ask your provider."
                    )


async def fetch(transfer: Transfer, on_progress: Callable[[int, int | None], None]) -> WavFormat:
    """Run the transfer in a thread of its own; `on_progress(received, total)` is called ten times a second.

    Raises as Transfer.run. Cancelled, it stops the thread before it returns.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[WavFormat] = loop.create_future()

    def settle(result: WavFormat | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        elif result is not None:
            done.set_result(result)

    def work() -> None:
        result, failure = None, None
        try:
            result = transfer.run()
        except Exception as error:  # noqa: BLE001 - carried to the loop, where it is raised again
            failure = error
        # A loop that was left in a hurry is closed, and nobody waits for the result.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, failure)

    # A daemon, because a name that does not resolve blocks where no socket can be shut down yet.
    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        while not done.done():
            await asyncio.wait([done], timeout=_PROGRESS_SECONDS)
            on_progress(transfer.received, transfer.total)
        return done.result()
    except asyncio.CancelledError:
        transfer.abort()
        await asyncio.wait([done], timeout=_LAST_MOMENT)
        if not done.cancel() and not done.cancelled():
            # Looked at, so that asyncio does not complain of an error that nobody saw.
            done.exception()
        raise


def put_in_place(part: Path, target: Path, *, force: bool) -> None:
    """Rename `.part` to its target atomically. Raises OutputExists rather than replace a file without `force`."""
    try:
        if force:
            part.replace(target)
        else:
            _rename_to_nothing(part, target)
    except OSError as error:
        raise _disk_failed(target, error) from error
    _flush_folder(target.parent)


def _rename_to_nothing(part: Path, target: Path) -> None:
    exists = OutputExists(
        f"{target} exists", f"It was not touched; the new file is at {part}. To replace it: --force"
    )
    try:
        # A hard link fails where the name is taken, even if another program took it this instant.
        os.link(part, target)
    except FileExistsError:
        raise exists from None
    except OSError:
        # A file system without hard links.
        if target.exists():
            raise exists from None
        part.rename(target)
    else:
        part.unlink()


def _flush_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where the system lets a folder be opened (Windows does not)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _drop_finished(part: Path) -> None:
    """Remove a `.part` that is a finished file's second name, left by a crash in the middle of `_rename_to_nothing`."""
    with suppress(FileNotFoundError):
        if part.stat().st_nlink > 1:
            part.unlink()


def _lock(file: BinaryIO) -> None:
    """Keep two programs from writing one `.part`. POSIX only: elsewhere the last one to finish wins."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise DownloadFailed(
            f"another program is downloading to {file.name}",
            "Let it finish; it will put the same file there.",
        ) from None


def _check_status(status: int) -> None:
    if status == httpx.codes.OK:
        return
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND, httpx.codes.GONE):
        raise AddressRefused(
            f"the file's address answers HTTP {status}",
            "The file may have expired (providers delete it after about two weeks). Only a new conversion, "
            "which is charged again, brings it back: convert … --resubmit",
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


def _check_space(part: Path, needed: int | None) -> None:
    if needed is not None and shutil.disk_usage(part.parent).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _disk_failed(path: Path, error: OSError) -> DownloadFailed:
    return DownloadFailed(
        f"{path} cannot be written: {error.strerror or error}",
        "Make room or choose another folder, then run the same command again: it is not charged twice.",
    )
