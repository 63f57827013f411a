"""A disk without room: on a small file system of its own, which only root can mount."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.program import named, read_until, started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Sandbox

_ROOM = 150_000_000
"""Bytes. Before anything is paid for, there has to be room for 50 MB a song that is downloaded at once."""

_LATE = "demo-lookup-slow100"
"""The file is not known before five seconds have passed: time to fill the disk after the payment."""


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir()
    size = f"size={_ROOM}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    with file.open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, _ROOM - 500_000)


@pytest.mark.long
def test_a_song_waits_for_room_on_the_disk(sandbox: Sandbox) -> None:
    folder, filler = Path("disk"), Path("disk", "filler")
    with small_disk(folder):
        with started(sandbox, "convert", f"{_LATE}+full", "--out", "disk/", "--tunnel", "none") as process:
            read_until(process, named("submitted"))
            fill(filler)
            retried = read_until(process, named("download_retried"))
            filler.unlink()
            out, err = process.communicate(timeout=60)
        assert "No space left on device" in retried["reason"]
        assert (process.returncode, '"saved"' in out) == (0, True), err
        assert (folder / f"{_LATE}+full.wav").stat().st_size > 1_000_000


@pytest.mark.long
def test_a_disk_that_stays_full_fails_its_song_alone(sandbox: Sandbox) -> None:
    folder, filler = Path("disk"), Path("disk", "filler")
    options = ("--tunnel", "none", "--timeout", "10s", "--poll-interval", "100ms")
    with small_disk(folder):
        with started(sandbox, "convert", f"{_LATE}+stays-full", "--out", "disk/", *options) as process:
            read_until(process, named("submitted"))
            fill(filler)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 9, err
        assert "No space left on device" in err
        filler.unlink()
        done = sandbox.run("resume")
        assert done.code == 0
        assert sandbox.counted("accepted", f"{_LATE}+stays-full") == 1


@pytest.mark.long
def test_a_disk_with_room_for_what_is_downloaded_at_once_is_enough(sandbox: Sandbox) -> None:
    """150 MB: too little for four songs at once, as far as that is known before they are paid for."""
    songs = [f"demo+room{number}" for number in range(4)]
    with small_disk(Path("disk")):
        refused = sandbox.run("convert", *songs, "--out", "disk/new/", "--jobs", "4")
        assert (refused.code, sandbox.counted("submissions", songs[0])) == (2, 0)
        assert "disk has 150 MB free; what is downloaded at once may need 200 MB" in refused.err
        assert list(Path("disk").iterdir()) == []
        done = sandbox.run("convert", *songs, "--out", "disk/new/", "--jobs", "2")
        assert (done.code, len(done.out.split())) == (0, 4)
        assert "suno-wav: warning: disk has 150.0 MB free, and the songs may need 200.0 MB" in done.err


@pytest.mark.long
def test_a_disk_that_stays_full_is_waited_for_once(sandbox: Sandbox) -> None:
    """Songs that take turns would each wait as long."""
    songs = [f"{_LATE}+turn{number}" for number in range(5)]
    options = ("--tunnel", "none", "--timeout", "10s", "--poll-interval", "100ms", "--jobs", "1")
    with small_disk(Path("disk")):
        with started(sandbox, "convert", *songs, "--out", "disk/", *options) as process:
            for _ in songs:
                read_until(process, named("submitted"))
            fill(Path("disk", "filler"))
            begun = time.monotonic()
            _, err = process.communicate(timeout=60)
        assert process.returncode == 9, err
        assert time.monotonic() - begun < 40, "each song has waited on its own"
        Path("disk", "filler").unlink()
        assert sandbox.run("resume", "--timeout", "1m").code == 0
        assert [sandbox.counted("accepted", song) for song in songs] == [1] * len(songs)


@pytest.mark.long
def test_nothing_is_paid_for_while_the_disk_is_full(sandbox: Sandbox) -> None:
    songs = [f"{_LATE}+paid", f"{_LATE}+unpaid"]
    options = ("--tunnel", "none", "--timeout", "10s", "--poll-interval", "100ms", "--window", "1/9s")
    with small_disk(Path("disk")):
        with started(sandbox, "convert", *songs, "--out", "disk/", *options) as process:
            read_until(process, named("submitted"))
            fill(Path("disk", "filler"))
            paused = read_until(process, named("submissions_paused"))
            out, err = process.communicate(timeout=60)
        assert paused["reason"] == "a disk is full"
        assert (process.returncode, [sandbox.counted("accepted", song) for song in songs]) == (9, [1, 0]), err
        assert '"unfinished": 0, "not_begun": 0' in out
        Path("disk", "filler").unlink()
        assert sandbox.run("convert", *songs, "--out", "disk/", "--timeout", "1m").code == 0
        assert [sandbox.counted("accepted", song) for song in songs] == [1, 1]
