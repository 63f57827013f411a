"""Downloads from a server that misbehaves in every way that a CDN, a proxy or a stranger can."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import queue
import ssl
import subprocess
import sys
import threading
import time
import wave
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from suno_wav_cli import USER_AGENT
from suno_wav_cli.callbacks.server import serve_in_thread
from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit, Transfer, fetch
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DownloadFailed,
    NotAWholeWav,
    OutputExists,
    SunoWavError,
    UsageError,
)
from suno_wav_cli.models import WavFormat
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.wav.structure import read_format
from tests.support.program import Finished, Sandbox

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.datastructures import Headers
    from starlette.requests import Request


def wav(seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(range(256)) * int(seconds * 8000 * 4 / 256))
    return file.getvalue()


WHOLE = wav()
FORMAT = WavFormat(encoding="PCM", sample_rate=8000, bits=16, channels=2, data_bytes=len(WHOLE) - 44)
TLS = ssl.create_default_context()
PART = Path("song.wav.part")
TARGET = Path("song.wav")


@dataclass
class Cdn:
    """The server, and the headers of what it was asked for, in order."""

    address: str
    asked: queue.SimpleQueue[tuple[str, Headers]] = field(default_factory=queue.SimpleQueue)

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    def requests(self) -> list[tuple[str, Headers]]:
        return [self.asked.get() for _ in range(self.asked.qsize())]

    def application(self) -> Starlette:
        async def answer(request: Request) -> Response:
            self.asked.put((request.url.path, request.headers))
            kind = request.path_params["kind"]
            if kind == "silent":
                await asyncio.Event().wait()
            return ANSWERS[kind](request.path_params.get("detail", ""))

        return Starlette(routes=[Route("/{kind}", answer), Route("/{kind}/{detail:path}", answer)])


async def _pieces(content: bytes, *, stall: bool = False) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 4096):
        yield content[start : start + 4096]
    if stall:
        await asyncio.Event().wait()


def _with_length(pieces: AsyncIterator[bytes], length: int, **headers: str) -> Response:
    """Promise a length, whatever comes then."""
    return StreamingResponse(pieces, headers={"Content-Length": str(length)} | headers)


def _to(location: str) -> Response:
    return Response(status_code=302, headers={"Location": location})


HALF = WHOLE[: len(WHOLE) // 2]
PACKED = gzip.compress(WHOLE)

ANSWERS: dict[str, Callable[[str], Response]] = {
    "whole": lambda _: Response(WHOLE),
    "status": lambda detail: Response(b"no\n", int(detail)),
    "short": lambda _: _with_length(_pieces(HALF), len(WHOLE)),
    "headers-only": lambda _: _with_length(_pieces(b""), len(WHOLE)),
    "half": lambda _: Response(HALF),
    "stall": lambda _: _with_length(_pieces(HALF, stall=True), len(WHOLE)),
    "chunked": lambda _: StreamingResponse(_pieces(WHOLE)),
    "gzip": lambda _: Response(PACKED, headers={"Content-Encoding": "gzip"}),
    "gzip-broken": lambda _: Response(b"\x1f\x8b" + bytes(100), headers={"Content-Encoding": "gzip"}),
    "gzip-cut": lambda _: _with_length(_pieces(PACKED), len(PACKED) + 1, **{"Content-Encoding": "gzip"}),
    "endless": lambda _: _with_length(_pieces(WHOLE), 10**18),
    "page": lambda _: Response(b"<!DOCTYPE html><h1>no</h1>", media_type="text/html"),
    "loop": lambda _: _to("/loop"),
    "ring": lambda detail: _to(f"/ring/{int(detail) + 1}"),
    "hops": lambda detail: _to(f"/hops/{int(detail) - 1}" if int(detail) > 1 else "/whole"),
    "to": _to,
    "cookie": lambda _: Response(
        status_code=302, headers={"Location": "/whole", "Set-Cookie": "a=b; Path=/"}
    ),
}


@contextmanager
def serving_a_cdn() -> Iterator[Cdn]:
    with bind_socket(0) as bound:
        made = Cdn(address=address_of(bound))
        with serve_in_thread(made.application(), bound):
            yield made


@pytest.fixture(scope="module")
def shared_cdn() -> Iterator[Cdn]:
    with serving_a_cdn() as made:
        yield made


@pytest.fixture
def cdn(shared_cdn: Cdn) -> Cdn:
    """One server for all; what it was asked for before is forgotten."""
    shared_cdn.requests()
    return shared_cdn


@contextmanager
def transfer_of(url: str, *, local: bool = True) -> Iterator[Transfer]:
    with open_part(TARGET) as part:
        yield Transfer(url, part, terms(local=local))


def terms(*, local: bool = True, max_size: int = 1 << 32) -> DownloadPolicy:
    return DownloadPolicy(
        tls=TLS,
        local=local,
        private_hosts=True,
        rate=RateLimit(None),
        max_size=max_size,
        min_speed=1000,
        stall_timeout=20.0,
    )


def download(url: str) -> WavFormat:
    with transfer_of(url) as transfer:
        transfer.run()
        return read_format(PART)


def test_a_whole_file_arrives_byte_for_byte(cdn: Cdn) -> None:
    with transfer_of(cdn.address + "/whole") as transfer:
        transfer.run()
    assert (transfer.segments.received, transfer.segments.length) == (len(WHOLE), len(WHOLE))
    assert PART.read_bytes() == WHOLE
    assert list(Path().iterdir()) == [PART]


def test_without_a_length_the_end_of_the_body_tells_it(cdn: Cdn) -> None:
    with transfer_of(cdn.address + "/chunked") as transfer:
        transfer.run()
    assert (transfer.segments.received, transfer.segments.length, PART.read_bytes()) == (
        len(WHOLE),
        len(WHOLE),
        WHOLE,
    )


def test_a_body_that_was_packed_on_the_way_is_unpacked(cdn: Cdn) -> None:
    """The length that the server tells is that of the packed bytes, and so not the file's."""
    with transfer_of(cdn.address + "/gzip") as transfer:
        transfer.run()
    assert (transfer.segments.length, PART.read_bytes()) == (len(WHOLE), WHOLE)


def test_a_second_attempt_begins_anew(cdn: Cdn) -> None:
    with open_part(TARGET) as part:
        with pytest.raises(BrokenOff):
            Transfer(cdn.address + "/short", part, terms()).run()
        Transfer(cdn.address + "/whole", part, terms()).run()
        assert PART.read_bytes() == WHOLE


def test_what_an_earlier_try_left_is_replaced(cdn: Cdn) -> None:
    PART.write_bytes(b"x" * (2 * len(WHOLE)))
    download(cdn.address + "/whole")
    assert PART.read_bytes() == WHOLE


@pytest.mark.parametrize(
    ("path", "error"),
    [
        pytest.param("/short", BrokenOff, id="the body ends early"),
        pytest.param("/headers-only", BrokenOff, id="no body at all"),
        pytest.param("/gzip-broken", DownloadFailed, id="not packed as it is said to be"),
        pytest.param("/gzip-cut", BrokenOff, id="packed and cut"),
        pytest.param("/status/500", BrokenOff, id="500"),
        pytest.param("/status/502", BrokenOff, id="502"),
        pytest.param("/status/503", BrokenOff, id="503"),
        pytest.param("/status/429", BrokenOff, id="429"),
        pytest.param("/status/401", AddressRefused, id="401"),
        pytest.param("/status/403", AddressRefused, id="403"),
        pytest.param("/status/404", AddressRefused, id="404"),
        pytest.param("/status/410", AddressRefused, id="410"),
        pytest.param("/status/400", AddressRefused, id="400"),
        pytest.param("/status/202", AddressRefused, id="202"),
        pytest.param("/status/416", AddressRefused, id="416"),
        pytest.param("/status/204", AddressRefused, id="204"),
        pytest.param("/status/206", NotAWholeWav, id="206 without saying of which part"),
        pytest.param("/status/304", AddressRefused, id="304"),
        pytest.param("/half", NotAWholeWav, id="a WAV that is shorter than it says"),
        pytest.param("/page", NotAWholeWav, id="a web page"),
        pytest.param("/loop", DownloadFailed, id="a redirect to itself"),
        pytest.param("/ring/1", DownloadFailed, id="redirects without end"),
        pytest.param("/to/file:///etc/passwd", DownloadFailed, id="a redirect to a file"),
        pytest.param("/to/ftp://127.0.0.1/x", DownloadFailed, id="a redirect to ftp"),
        pytest.param("/to/https://[", DownloadFailed, id="a redirect to no address"),
        pytest.param("/to/https://", DownloadFailed, id="a redirect to no host"),
    ],
)
def test_what_is_not_the_file_is_an_error_of_its_kind(cdn: Cdn, path: str, error: type[SunoWavError]) -> None:
    with pytest.raises(error) as caught:
        download(cdn.address + path)
    assert error in (type(caught.value), SunoWavError)
    assert not TARGET.exists()


def test_redirects_are_bounded(cdn: Cdn) -> None:
    with pytest.raises(DownloadFailed, match="redirects without end"):
        download(cdn.address + "/loop")
    assert 3 <= len(cdn.requests()) <= 10


def test_a_few_redirects_are_followed(cdn: Cdn) -> None:
    assert download(cdn.address + "/hops/4") == FORMAT


@pytest.mark.long
def test_what_is_not_a_wav_is_asked_for_once_more_and_does_not_stay(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-not-wav+1", "--out", "song.wav")
    assert (done.code, done.out, list(Path().iterdir())) == (9, "", [])
    assert sandbox.counted("file_requests", "demo-not-wav+1") == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "2130706433", "0x7f.1"])  # noqa: S104 - the address of a request
def test_a_redirect_to_plain_http_elsewhere_is_refused_without_a_connection(cdn: Cdn, host: str) -> None:
    """These hosts lead to this machine too, but not by a name that says so: had it connected, the server would know."""
    with pytest.raises(DownloadFailed, match="not https") as caught:
        download(f"{cdn.address}/to/http://{host}:{cdn.port}/whole")
    assert [path for path, _ in cdn.requests()] == [f"/to/http://{host}:{cdn.port}/whole"]
    assert type(caught.value) is DownloadFailed


def test_plain_http_elsewhere_is_refused_at_once(cdn: Cdn) -> None:
    with pytest.raises(DownloadFailed, match="not https"):
        download(f"http://0.0.0.0:{cdn.port}/whole")
    assert cdn.requests() == []


def test_a_service_elsewhere_does_not_send_the_program_to_this_machine(cdn: Cdn) -> None:
    url = cdn.address + "/whole"
    with transfer_of(url, local=False) as transfer, pytest.raises(DownloadFailed, match="not https"):
        transfer.run()
    assert cdn.requests() == []


@pytest.mark.parametrize("path", ["/whole", "/hops/2", "/cookie"])
def test_only_what_a_cdn_needs_is_sent(cdn: Cdn, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no cookie (not even the server's own), no password of the person's .netrc, and no packed body asked for."""
    netrc = Path("netrc")
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("SUNO_API_KEY", "key-1")
    download(cdn.address + path)
    for _, headers in cdn.requests():
        assert dict(headers) == {
            "host": f"127.0.0.1:{cdn.port}",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "keep-alive",
            "user-agent": USER_AGENT,
        }


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    cdn: Cdn, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port}")
    assert download(cdn.address + "/whole") == FORMAT


def test_nobody_listens(free_port: int) -> None:
    with pytest.raises(BrokenOff, match="refused"):
        download(f"http://127.0.0.1:{free_port}/song.wav")


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"https://{'a' * 64}.invalid/song.wav", id="a label of 64 letters"),
        pytest.param("https://a..invalid/song.wav", id="an empty label"),
        pytest.param("https://127.0.0.1:99999/song.wav", id="a port beyond 65535"),
        pytest.param("https://127.0.0.1:abc/song.wav", id="a port that is no number"),
        pytest.param("https://exa mple.invalid/song.wav", id="a blank in the host"),
        pytest.param("https://xn--.invalid/song.wav", id="broken punycode"),
        pytest.param("https:///song.wav", id="no host"),
        pytest.param("https://[::1/song.wav", id="a bracket too few"),
        pytest.param("song.wav", id="no scheme"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("", id="nothing"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_of_our_errors(url: str) -> None:
    """The service's answers say where to go, and whatever they say is no bug of ours."""
    with pytest.raises(SunoWavError):
        download(url)


def test_a_missing_folder_is_said() -> None:
    with pytest.raises(DownloadFailed, match=r"no/song\.wav\.part cannot be written: No such file"):
        open_part(Path("no/song.wav")).__enter__()


def test_a_file_that_does_not_fit_on_the_disk_is_found_before_its_bytes_are_fetched(cdn: Cdn) -> None:
    url = cdn.address + "/endless"
    with open_part(TARGET) as part:
        transfer = Transfer(url, part, terms(max_size=10**19))
        with pytest.raises(DownloadFailed, match="No space left on device"):
            transfer.run()
    assert transfer.segments.received == 0


def convert_with_files_up_to(largest: int, sandbox: Sandbox, *arguments: str) -> Finished:
    """Run the program where a write beyond `largest` bytes fails as it does on a full disk."""
    program = (
        "import resource, sys\n"
        "largest = int(sys.argv.pop(1))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))\n"
        "from suno_wav_cli.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(largest), "convert", *arguments],
        env={**os.environ, **sandbox.settings},
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    return Finished(code=done.returncode, out=done.stdout, err=done.stderr)


@pytest.mark.long
def test_a_write_that_fails_is_exit_9_with_a_clear_message_and_no_final_file(sandbox: Sandbox) -> None:
    """It is paid for once: with room again, the same command finishes it."""
    failed = convert_with_files_up_to(600_000, sandbox, "demo+efbig", "--out", "song.wav")
    assert (failed.code, failed.out, TARGET.exists()) == (9, "", False)
    assert "song.wav.part cannot be written: File too large" in failed.err
    assert "Traceback" not in failed.err
    again = sandbox.run("convert", "demo+efbig", "--out", "song.wav")
    assert (again.code, again.out, sandbox.counted("accepted", "demo+efbig")) == (0, "song.wav\n", 1)


@pytest.mark.long
def test_tags_that_find_no_room_leave_no_file_that_says_more_than_it_has(sandbox: Sandbox) -> None:
    """The song fits, and a part of its tags; with room again it is tagged, and paid for once."""
    wanted = ["--task-id", "5" * 32, "--tag", "--out", "{audio_id}.wav", "--jobs", "1"]
    failed = convert_with_files_up_to(1_152_300, sandbox, *wanted)
    assert (failed.code, failed.out, list(Path().glob("*.wav"))) == (9, "", [])
    assert failed.err.count(".wav.part cannot be written: File too large") == 2
    again = sandbox.run("convert", *wanted)
    assert (again.code, len(again.out.splitlines())) == (0, 2)
    for name in again.out.splitlines():
        assert read_format(Path(name)).data_bytes == 1_152_000
        assert Path(name).stat().st_size > 1_152_300


def put_in_place(*, force: bool) -> None:
    """Put a file of three letters in place of whatever is there."""
    with open_part(TARGET) as part:
        part.restart()
        part.write(0, b"new")
        part.sync()
        assert part.size == 3
        part.put_in_place(TARGET, force=force)


def test_put_in_place_renames(cdn: Cdn) -> None:
    with open_part(TARGET) as part:
        Transfer(cdn.address + "/whole", part, terms()).run()
        part.put_in_place(TARGET, force=False)
    assert [(path.name, path.read_bytes(), path.stat().st_nlink) for path in Path().iterdir()] == [
        ("song.wav", WHOLE, 1)
    ]


@pytest.mark.parametrize("there", ["a file", "a dangling link", "a folder"])
def test_what_is_there_already_is_not_replaced_without_force(there: str) -> None:
    if there == "a file":
        TARGET.write_bytes(b"mine")
    elif there == "a folder":
        TARGET.mkdir()
    else:
        TARGET.symlink_to("nowhere")
    before = TARGET.lstat()
    with pytest.raises(OutputExists, match=r"song\.wav exists"):
        put_in_place(force=False)
    assert (TARGET.lstat().st_ino, TARGET.lstat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert PART.read_bytes() == b"new"


def test_force_replaces() -> None:
    TARGET.write_bytes(b"mine")
    put_in_place(force=True)
    assert [(path.name, path.read_bytes()) for path in Path().iterdir()] == [("song.wav", b"new")]


def test_force_does_not_replace_a_folder() -> None:
    TARGET.mkdir()
    with pytest.raises(DownloadFailed, match="cannot be written"):
        put_in_place(force=True)
    assert PART.read_bytes() == b"new"


@pytest.mark.parametrize("force", [True, False])
def test_a_part_that_somebody_removed_is_said(force: bool) -> None:
    with open_part(TARGET) as part:
        part.file.write(b"new")
        PART.unlink()
        with pytest.raises(DownloadFailed, match="cannot be written"):
            part.put_in_place(TARGET, force=force)


def test_a_part_with_nothing_in_it_does_not_stay() -> None:
    with open_part(TARGET):
        assert PART.exists()
    assert list(Path().iterdir()) == []


def test_a_part_that_is_a_link_to_somebodys_file_is_not_written_through() -> None:
    Path("precious").write_bytes(b"precious")
    PART.symlink_to("precious")
    with pytest.raises(UsageError, match="is not a regular file"):
        put_in_place(force=True)
    assert Path("precious").read_bytes() == b"precious"


@pytest.mark.parametrize("path", ["/whole", "/short", "/status/500", "/page"])
def test_a_part_that_is_a_finished_files_second_name_is_never_truncated(cdn: Cdn, path: str) -> None:
    """A crash between the two steps of a rename leaves one file with two names."""
    TARGET.write_bytes(b"finished")
    os.link(TARGET, PART)
    with suppress(SunoWavError):
        download(cdn.address + path)
    assert (TARGET.read_bytes(), TARGET.stat().st_nlink) == (b"finished", 1)


DOWNLOADER = """
import ssl, sys
from pathlib import Path
from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit, Transfer
from suno_wav_cli.download.part_file import open_part
with open_part(Path(sys.argv[2])) as part:
    Transfer(sys.argv[1], part, DownloadPolicy(tls=ssl.create_default_context(), local=True, private_hosts=True, rate=RateLimit(None), max_size=10**9, min_speed=1, stall_timeout=20.0)).run()
"""


@pytest.mark.long
def test_a_second_program_does_not_write_the_same_part(cdn: Cdn) -> None:
    """Refused while the first one is at work; free again as soon as it is gone, however it went."""
    with subprocess.Popen([sys.executable, "-c", DOWNLOADER, cdn.address + "/stall", str(TARGET)]) as first:
        # It asks only after it has the file for itself.
        cdn.asked.get(timeout=20)
        with pytest.raises(DownloadFailed, match="another program is downloading to"):
            download(cdn.address + "/whole")
        assert cdn.requests() == []
        first.kill()
    assert download(cdn.address + "/whole") == FORMAT


def test_a_part_is_held_until_it_is_in_place(cdn: Cdn) -> None:
    """Between the last byte and the rename nobody may begin the same `.part` anew."""
    with open_part(TARGET) as part:
        Transfer(cdn.address + "/whole", part, terms()).run()
        with pytest.raises(DownloadFailed, match="another program is downloading to"):
            download(cdn.address + "/stall")
        part.put_in_place(TARGET, force=False)
        # The name is free again, and the finished file is not what it stands for.
        assert download(cdn.address + "/whole") == FORMAT
        PART.write_bytes(b"")
    assert TARGET.read_bytes() == WHOLE


def test_of_many_programs_that_want_one_file_none_spoils_it(cdn: Cdn) -> None:
    """Whatever the order in which they open, lock, rename and are refused: the final name is only ever a whole file."""
    spoilt: list[bytes] = []

    def want() -> None:
        for _ in range(20):
            with suppress(DownloadFailed), open_part(TARGET) as part:
                Transfer(cdn.address + "/whole", part, terms()).run()
                part.put_in_place(TARGET, force=True)
            with suppress(FileNotFoundError):
                found = TARGET.read_bytes()
                if found != WHOLE:
                    spoilt.append(found)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert spoilt == []
    assert TARGET.read_bytes() == WHOLE


async def fetched(url: str, look: Callable[[int, int | None], None]) -> str:
    with transfer_of(url) as transfer:
        return await fetch(transfer, look, lambda *_: None)


def test_fetch_reports_progress_up_to_the_last_byte(cdn: Cdn) -> None:
    seen: list[tuple[int, int | None]] = []
    digest = asyncio.run(fetched(cdn.address + "/whole", lambda *counts: seen.append(counts)))
    assert digest == hashlib.sha256(WHOLE).hexdigest()
    assert seen[-1] == (len(WHOLE), len(WHOLE))
    assert seen == sorted(seen, key=lambda counts: counts[0])


def test_fetch_raises_what_the_transfer_raises(cdn: Cdn) -> None:
    with pytest.raises(AddressRefused):
        asyncio.run(fetched(cdn.address + "/status/403", lambda *_: None))


async def cancelled_once(url: str, begun: asyncio.Event) -> float:
    """Cancel a fetch as soon as the event is set; the seconds that it takes to return."""

    def look(received: int, _total: int | None) -> None:
        if received > 0:
            begun.set()

    task = asyncio.create_task(fetched(url, look))
    await asyncio.wait_for(begun.wait(), 10)
    start = time.monotonic()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return time.monotonic() - start


@pytest.fixture
def threads_that_stay() -> Callable[[], list[threading.Thread]]:
    """Tell which threads of this test are still there, after the last moment that ending takes."""
    before = set(threading.enumerate())

    def stay() -> list[threading.Thread]:
        threads = [
            thread for thread in threading.enumerate() if thread not in before and thread.name == "download"
        ]
        for thread in threads:
            thread.join(1.0)
        return [thread for thread in threads if thread.is_alive()]

    return stay


@pytest.mark.timing
def test_cancelled_in_the_middle_of_a_body_it_leaves_within_a_second_and_without_a_thread(
    cdn: Cdn, threads_that_stay: Callable[[], list[threading.Thread]]
) -> None:
    seconds = asyncio.run(cancelled_once(cdn.address + "/stall", asyncio.Event()))
    assert seconds < 5
    assert threads_that_stay() == []
    # What came stays: it is not the final file.
    assert (PART.exists(), TARGET.exists()) == (True, False)


def test_cancelled_before_the_answer_begins_it_leaves_within_a_second_and_without_a_thread(
    cdn: Cdn, threads_that_stay: Callable[[], list[threading.Thread]]
) -> None:
    """The server has the request and is silent: the socket is open, and can be shut down."""

    async def story() -> float:
        begun = asyncio.Event()
        asked = asyncio.create_task(asyncio.to_thread(cdn.asked.get, timeout=10))
        asked.add_done_callback(lambda _: begun.set())
        return await cancelled_once(cdn.address + "/silent", begun)

    assert asyncio.run(story()) < 5
    assert threads_that_stay() == []


def test_cancelled_in_the_middle_of_a_tls_handshake_it_leaves_without_a_thread(
    threads_that_stay: Callable[[], list[threading.Thread]],
) -> None:
    """A host that accepts the connection and says nothing."""

    async def story(listening: socket.socket) -> float:
        begun = asyncio.Event()
        port = listening.getsockname()[1]

        async def accept() -> socket.socket:
            loop = asyncio.get_running_loop()
            accepted, _ = await loop.sock_accept(listening)
            accepted.setblocking(False)
            # The client's greeting: now it waits for ours.
            await loop.sock_recv(accepted, 1)
            begun.set()
            return accepted

        accepting = asyncio.create_task(accept())
        seconds = await cancelled_once(f"https://127.0.0.1:{port}/song.wav", begun)
        threads = await asyncio.to_thread(threads_that_stay)
        (await accepting).close()
        assert threads == []
        return seconds

    with bind_socket(0) as listening:
        listening.setblocking(False)
        assert asyncio.run(story(listening)) < 1


def test_an_aborted_transfer_that_has_not_begun_fetches_nothing(cdn: Cdn) -> None:
    with transfer_of(cdn.address + "/stall") as transfer:
        transfer.stop(BrokenOff("enough"))
        with pytest.raises(BrokenOff):
            transfer.run()
    assert transfer.segments.received == 0


@pytest.mark.long
def test_a_disk_that_is_full_at_the_last_byte_is_exit_9(sandbox: Sandbox) -> None:
    """What is still in a buffer cannot be written when the file is closed either."""
    limited = f"ulimit -f 1125; exec {sys.executable} -m suno_wav_cli convert demo+lastbyte --out song.wav"
    done = subprocess.run(
        ["bash", "-c", limited],
        env=os.environ | sandbox.settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (9, "")
    assert "cannot be written" in done.stderr
    assert not Path("song.wav").exists()
