"""What is left in a `.part`, and when it is of use: only to the very conversion that left it, and only as it was left."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.download.fetch import Transfer, fetch
from suno_wav_cli.download.part_file import PartFile, open_part
from suno_wav_cli.errors import BrokenOff, DownloadFailed, NotAWholeWav, OutputExists
from suno_wav_cli.events.songs import DownloadStarted
from suno_wav_cli.journal.parts import ByteRange, PartialFile
from suno_wav_cli.system.pacing import Backoff
from tests.support.context import PART, TARGET, WISHES, Customer, file_of
from tests.support.wire import read_head, serve, wait_for_close

if TYPE_CHECKING:
    from collections.abc import Callable

    from suno_wav_cli.journal.entry import JournalEntry

SIZE = 1_152_044
HALF = SIZE // 2
ONCE = Backoff(retries=0)


def half(customer: Customer, audio_id: str) -> JournalEntry:
    """Leave half of the song in a `.part`."""
    entry = customer.order(audio_id)
    assert isinstance(customer.save(entry, download_backoff=ONCE).error, DownloadFailed)
    assert PART.stat().st_size == HALF
    return entry


def begun_at(customer: Customer, entry: JournalEntry, audio_id: str) -> int:
    """Save the song for good; how much was there to go on from."""
    before = customer.account.counted("file_bytes", audio_id)
    run = customer.save(entry)
    assert run.error is None
    assert TARGET.read_bytes() == file_of(audio_id)
    began = run.of(DownloadStarted)[0].received
    fetched = customer.account.counted("file_bytes", audio_id) - before
    assert fetched == len(file_of(audio_id)) - began
    return began


def test_what_was_left_is_continued(customer: Customer) -> None:
    entry = half(customer, "demo-cdn-cut+left")
    assert begun_at(customer, entry, "demo-cdn-cut+left") == HALF


def test_a_part_of_another_song_is_not_continued(customer: Customer) -> None:
    half(customer, "demo-cdn-cut+another")
    other = customer.order("demo-44k+another")
    assert begun_at(customer, other, "demo-44k+another") == 0


def test_a_part_of_the_same_song_in_another_conversion_is_not_continued(customer: Customer) -> None:
    """The service may make another file of it."""
    half(customer, "demo-cdn-cut+again")
    again = customer.order("demo-cdn-ok+again")
    assert begun_at(customer, again, "demo-cdn-ok+again") == 0


def overwritten() -> None:
    """Another song comes to its name, as long and with the same header: no byte of it may be taken for ours."""
    with PART.open("r+b") as file:
        file.seek(44)
        file.write(bytes(HALF - 44))


def removed() -> None:
    PART.unlink()


def shortened() -> None:
    os.truncate(PART, HALF - 1)


def lengthened() -> None:
    os.truncate(PART, SIZE + 1)


@pytest.mark.parametrize("change", [overwritten, removed, shortened, lengthened])
def test_a_part_that_is_not_as_it_was_left_is_begun_anew(
    customer: Customer, change: Callable[[], None]
) -> None:
    audio_id = f"demo-cdn-cut+{change.__name__}"
    entry = half(customer, audio_id)
    change()
    assert begun_at(customer, entry, audio_id) == 0


def test_a_part_that_was_copied_away_and_back_is_continued(customer: Customer) -> None:
    entry = half(customer, "demo-cdn-cut+copied")
    shutil.copy(PART, "copy")
    Path("copy").replace(PART)
    assert begun_at(customer, entry, "demo-cdn-cut+copied") == HALF


def test_what_was_written_after_the_last_note_is_written_again(customer: Customer) -> None:
    """A crash leaves more than the journal knows of, in whatever state."""
    audio_id = "demo-cdn-cut+crash"
    entry = half(customer, audio_id)
    with PART.open("ab") as file:
        file.write(bytes(100_000))
    assert begun_at(customer, entry, audio_id) == HALF


def test_a_complete_part_is_not_fetched_again(customer: Customer) -> None:
    entry = customer.order("demo+complete")
    TARGET.write_bytes(b"mine")
    assert isinstance(customer.save(entry).error, OutputExists)
    assert (TARGET.read_bytes(), PART.stat().st_size) == (b"mine", SIZE)
    TARGET.unlink()
    assert begun_at(customer, entry, "demo+complete") == SIZE
    assert customer.account.counted("file_requests", "demo+complete") == 1


def test_a_file_of_the_same_length_in_its_place_is_not_taken_for_it(customer: Customer) -> None:
    """Neither after it was refused, nor where a crash left open who has made it."""
    entry = customer.order("demo+same-length")
    TARGET.write_bytes(bytes(SIZE))
    for _ in range(2):
        assert isinstance(customer.save(entry).error, OutputExists)
    entry = customer.journal.begin_rename(
        entry, TARGET, SIZE, hashlib.sha256(file_of("demo+same-length")).hexdigest()
    )
    assert not customer.journal.recognises(entry, TARGET)
    TARGET.write_bytes(file_of("demo+same-length"))
    assert customer.journal.recognises(entry, TARGET)


def test_nothing_is_remembered_of_what_is_in_its_place(customer: Customer) -> None:
    entry = half(customer, "demo-cdn-cut+done")
    assert customer.journal.parts.find(PART, entry) is not None
    begun_at(customer, entry, "demo-cdn-cut+done")
    assert customer.journal.parts.find(PART, entry) is None


def test_nothing_is_remembered_of_what_is_no_wav(customer: Customer) -> None:
    entry = half(customer, "demo-cdn-cut-gzip-page~2+none")
    assert isinstance(customer.save(entry).error, NotAWholeWav)
    assert (customer.journal.parts.find(PART, entry), PART.exists()) == (None, False)


# While it is being filled


def large(connection: socket.socket) -> None:
    """Promise 64 MB, and say nothing then."""
    read_head(connection)
    connection.sendall(
        b'HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\nETag: "a"\r\nAccept-Ranges: bytes\r\n\r\n'
    )
    wait_for_close(connection)


def test_a_file_whose_room_is_still_being_made_is_not_taken_for_complete() -> None:
    """That may take seconds where the disk is slow, and a crash in the middle would leave a file of zeros."""
    seen: list[tuple[PartialFile | None, int, int]] = []

    class SlowDisk(PartFile):
        def allocate(self, size: int) -> None:
            super().allocate(size)
            seen.append(
                (transfer.segments.partial_file(), transfer.segments.received, transfer.segments.arrived())
            )
            transfer.stop(BrokenOff("seen"))

    with serve(large) as port, open_part(TARGET) as part:
        slow = SlowDisk(part.path, part.file)
        transfer = Transfer(f"http://127.0.0.1:{port}/", slow, WISHES, connections=4)
        with pytest.raises(DownloadFailed, match="seen"):
            transfer.run()
    ((holding, received, arrived),) = seen
    assert (holding is not None and holding.received, received, arrived) == (0, 0, 0)


@pytest.mark.long
def test_what_comes_while_room_is_made_stays_where_the_file_system_cannot_make_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.without_fallocate", str(tmp_path / "song.wav")]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], check=False, timeout=30)
    if done.returncode == 77:
        pytest.skip("fallocate(2) cannot be taken away here")
    assert done.returncode == 0


def test_room_that_a_file_has_already_is_not_asked_for_again() -> None:
    """Else a file that has just fitted on the disk does not, as soon as its room is reserved."""
    free = shutil.disk_usage(".").free
    with open_part(TARGET) as part:
        part.check_room(free // 2)
        with pytest.raises(OSError, match="No space left"):
            part.check_room(free * 2)
        # With a hole: nothing of it is on the disk.
        part.file.truncate(min(free * 2, 1 << 40))
        part.check_room(part.size)


@pytest.mark.long
def test_a_disk_that_fails_stops_the_threads_too() -> None:
    """Its error comes from where the bytes are put on the disk, while the transfer waits for more."""

    async def story(url: str) -> None:
        def spoil(*_: object) -> None:
            # What is no file cannot be put on the disk.
            with serve(wait_for_close) as port, socket.create_connection(("127.0.0.1", port)) as connection:
                os.dup2(connection.fileno(), part.file.fileno())

        with open_part(TARGET) as part:
            await fetch(Transfer(url, part, WISHES), spoil, lambda *_: None)

    before = set(threading.enumerate())
    with serve(large) as port, pytest.raises(DownloadFailed, match="cannot be written"):
        asyncio.run(story(f"http://127.0.0.1:{port}/"))
    for thread in set(threading.enumerate()) - before:
        if thread.name == "download":
            thread.join(2)
            assert not thread.is_alive()


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("connections", [1, 4])
def test_what_is_said_to_be_there_is_there(customer: Customer, connections: int) -> None:
    """Asked at any moment: it is what the journal is told, and what a killed run goes on from."""
    audio_id = f"demo-17mb-cdn-trickle{20 // connections}m~{connections}"
    url, whole = customer.order(audio_id).wav_url or "", file_of(audio_id)
    wrong: list[PartialFile] = []
    looks = 0
    with open_part(TARGET) as part:
        transfer = Transfer(url, part, WISHES, connections=connections)
        fetching = threading.Thread(target=transfer.run)
        fetching.start()
        while fetching.is_alive():
            holding = transfer.segments.partial_file()
            content = PART.read_bytes()
            at = 0
            for span in (*holding.missing, ByteRange(start=len(whole), stop=len(whole))) if holding else ():
                if content[at : span.start] != whole[at : span.start]:
                    wrong.append(holding or PartialFile(validator="", length=None, missing=()))
                at = span.stop or span.start
            looks += holding is not None
        fetching.join()
        assert transfer.segments.is_shared == (connections > 1)
    assert (wrong, looks > 2) == ([], True)
    assert PART.read_bytes() == whole


@pytest.mark.long
def test_segments_left_by_four_connections_are_no_use_in_a_shorter_file(customer: Customer) -> None:
    audio_id = "demo-17mb-cdn-ok-cut3m-503~9"
    entry = customer.order(audio_id)
    assert isinstance(customer.save(entry, download_backoff=ONCE, connections=4).error, DownloadFailed)
    kept = customer.journal.parts.find(PART, entry)
    assert kept is not None
    holding, _ = kept
    assert len(holding.missing) > 0
    os.truncate(PART, holding.end - 1)
    with suppress(FileNotFoundError):
        TARGET.unlink()
    run = customer.save(entry)
    assert (run.error, run.of(DownloadStarted)[0].received) == (None, 0)
    assert TARGET.read_bytes() == file_of(audio_id)


def test_a_holding_without_an_end_is_where_its_last_byte_is() -> None:
    assert PartialFile(validator='"a"', length=None, missing=(ByteRange(start=7, stop=None),)).end == 7
