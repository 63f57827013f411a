"""Room on the disk: for what is downloaded at once, not for all songs."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.room import SONG_BYTES, DiskRoom, check_room
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.payments import RoomShort
from suno_wav_cli.journal.parts import ByteRange, PartialFile

if TYPE_CHECKING:
    from suno_wav_cli.events import Event

SOON = 5.0


def songs_that_fit() -> int:
    return shutil.disk_usage(".").free // SONG_BYTES


def test_what_is_downloaded_at_once_must_fit() -> None:
    count = songs_that_fit() + 100
    # The folders need not be there, and share a disk.
    targets = [Path(f"new{n % 10}/{n}.wav") for n in range(count)]
    with pytest.raises(UsageError, match="MB free; what is downloaded at once may need"):
        check_room(targets, at_once=count, report=print)
    assert list(Path().iterdir()) == []


def test_a_disk_that_may_be_too_small_for_all_is_said_once() -> None:
    shown: list[Event] = []
    count = songs_that_fit() + 100
    check_room([Path(f"new/{n}.wav") for n in range(count)], at_once=4, report=shown.append)
    ((needed, free),) = [(event.needed, event.free) for event in shown if isinstance(event, RoomShort)]
    assert free < needed == count * SONG_BYTES


def test_the_disk_need_not_hold_all_that_leaves_it() -> None:
    shown: list[Event] = []
    targets = [Path(f"new/{n}.wav") for n in range(songs_that_fit() + 100)]
    check_room(targets, at_once=4, keeps_all=False, report=shown.append)
    assert shown == []


def test_what_a_part_file_holds_is_not_needed_again() -> None:
    shown: list[Event] = []
    Path("a.wav.part").write_bytes(bytes(1_000_000))
    count = songs_that_fit() + 100
    check_room([Path("a.wav")] * count, at_once=1, report=shown.append)
    assert [event.needed for event in shown if isinstance(event, RoomShort)] < [count * SONG_BYTES]


def partial_of(length: int) -> PartialFile:
    return PartialFile(validator='"a"', length=length, missing=(ByteRange(start=0, stop=length),))


@pytest.mark.long
def test_a_download_waits_for_the_room_that_another_needs() -> None:
    asyncio.run(_share_a_disk())


async def _share_a_disk() -> None:
    room = DiskRoom(timeout=60)
    free = shutil.disk_usage(".").free
    with room.shared_with(Path("b.part")):
        with room.shared_with(Path("a.part")):
            # Alone it may try, although it cannot fit.
            await room.wait_for(Path("a.part"), partial_of(2 * free))
            second = asyncio.create_task(room.wait_for(Path("b.part"), None))
            await asyncio.wait([second], timeout=1)
            assert not second.done()
            room.learn(Path("a.part"), 1000)
            await asyncio.wait_for(second, SOON)
        third = asyncio.create_task(room.wait_for(Path("c.part"), partial_of(2 * free)))
        await asyncio.wait([third], timeout=1)
        assert not third.done()
    await asyncio.wait_for(third, SOON)


def test_a_full_disk_is_waited_for_once() -> None:
    room = DiskRoom(timeout=0)
    assert room.found_short(Path("a.part")) <= 0
    room = DiskRoom(timeout=60)
    first = room.found_short(Path("a.part"))
    assert 0 < room.found_short(Path("b.part")) <= first
    room.found_enough()
    assert room.found_short(Path("c.part")) > 59
