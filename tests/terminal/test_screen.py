"""The program on a terminal, as a terminal emulator draws it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pyte
import pytest

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import ENDS_WITHIN, Sandbox, start_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


def screen_after(sandbox: Sandbox, *arguments: str, columns: int, ctrl_c_at: str | None = None) -> list[str]:
    """Run the program against the sandbox; press Ctrl-C once `ctrl_c_at` is on the screen."""

    def is_there(lines: Sequence[str]) -> bool:
        return ctrl_c_at is not None and any(ctrl_c_at in line for line in lines)

    return screen_of(*arguments, columns=columns, ctrl_c_when=is_there, env=sandbox.settings)


def screen_of(
    *arguments: str,
    columns: int,
    ctrl_c_when: Callable[[Sequence[str]], bool] = lambda _: False,
    env: Mapping[str, str] | None = None,
) -> list[str]:
    """Run the program with all its streams on one terminal; return the lines on the screen at the end.

    `ctrl_c_when` gets the screen whenever something was drawn; Ctrl-C is pressed once it is true.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = start_program(
        *arguments,
        env={**(env or {}), "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        # So that a key pressed there reaches it.
        terminal=True,
    )
    os.close(slave)
    screen = pyte.Screen(columns, 40)
    stream = pyte.ByteStream(screen)
    deadline = time.monotonic() + 30
    pressed = False
    try:
        while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            # Drawing begins with a carriage return: before each of them, the picture is complete.
            for piece in re.split(rb"(?=\r)", os.read(master, 65536)):
                if piece.startswith(b"\r") and not pressed and ctrl_c_when(lines_of(screen)):
                    os.write(master, b"\x03")
                    pressed = True
                stream.feed(piece)
    except OSError:
        pass  # how Linux says that the last writer has gone
    finally:
        os.close(master)
        process.wait(timeout=10)
    return [line.rstrip() for line in lines_of(screen)]


def lines_of(screen: pyte.Screen) -> list[str]:
    """Return the lines that are not blank. `screen.display` measures each character of all lines."""
    rows = (screen.buffer[number] for number in sorted(screen.buffer))
    lines = ("".join(row[column].data for column in range(screen.columns)) for row in rows)
    return [line for line in lines if line.strip()]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("stream", ["", " >&2"])
def test_what_a_command_prints_has_lines_of_its_own(sandbox: Sandbox, stream: str) -> None:
    songs = [f"demo+printed{stream[-1:]}-{number}" for number in range(3)]
    lines = screen_after(
        sandbox,
        *("convert", *songs, "--window", "20/1s", "--exec", f"sh -c 'echo ran $(basename $0){stream}'"),
        columns=80,
    )
    said = [f"ran {song}.wav" for song in songs]
    assert sorted(line for line in lines if "ran " in line) == said
    assert lines[-1] == "suno-wav: 3 of 3 saved"
    assert not any("\N{BOX DRAWINGS HEAVY HORIZONTAL}" in line or "converting" in line for line in lines)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("columns", [60, 120])
def test_no_line_is_drawn_over(sandbox: Sandbox, columns: int) -> None:
    """Rows move while paths go to the same terminal; in the end each song has one line, and no row is left."""
    songs = [f"demo-5mb+{columns}a", f"demo+{columns}b", f"demo-fails+{columns}c"]
    seen = screen_after(sandbox, "convert", *songs, columns=columns)
    text = "\n".join(seen)
    assert [seen.count(f"{song}.wav") for song in songs] == [1, 1, 0]
    assert text.count("submitted as task") == 0
    assert text.count(": saved") == 0, "the path is the line"
    assert f"{songs[2]}: error: the service could" in text
    assert seen[-1] == "suno-wav: 2 of 3 saved, 1 failed"
    assert "converting" not in text


@pytest.mark.long
@pytest.mark.parametrize("columns", [60, 120])
def test_ctrl_c_leaves_no_bar_behind(sandbox: Sandbox, columns: int) -> None:
    """The terminal writes ^C at the cursor; the bar must be erased even so."""
    seen = screen_after(
        sandbox, "convert", f"demo-never+{columns}", columns=columns, ctrl_c_at="converting 0:0"
    )
    text = "\n".join(seen)
    assert "stopped by Ctrl-C" in text
    assert "To continue: suno-wav resume" in " ".join(line.strip() for line in seen)
    assert "converting" not in text


@pytest.mark.long
def test_status_watch_leaves_lines_and_no_bar() -> None:
    """On two terminals at once, so that the task, which takes ten seconds, is waited for once."""
    song = "demo-slow+watched"
    with bind_socket(0) as bound, run_sandbox(bound, speed=6.0):
        sandbox = Sandbox(base_url=address_of(bound))
        task_id = sandbox.run("convert", song, "--no-wait").out.strip()
        with ThreadPoolExecutor() as pool:
            screens = pool.map(
                lambda columns: screen_after(sandbox, "status", task_id, "--watch", columns=columns),
                (60, 120),
            )
    for lines in screens:
        assert [line.partition(" ")[0] for line in lines[:3]] == [f"{song}:", f"{song}:", "task"]
        assert [line.rpartition(" ")[2] for line in lines[:3]] == ["(PENDING)", "(SUCCESS)", task_id]
        assert "converting" not in "\n".join(lines)


@pytest.mark.long
@pytest.mark.timing
def test_ctrl_c_ends_a_thousand_songs_at_once() -> None:
    """With the summary, and how to continue, as the last lines."""
    Path("songs.txt").write_text("".join(f"demo-never+thousand-{number}\n" for number in range(1000)))
    pressed: list[float] = []

    def is_busy(lines: Sequence[str]) -> bool:
        busy = any(re.search(r"0/1000 saved · \d+ at the service", line) for line in lines)
        if busy:
            pressed.append(time.monotonic())
        return busy

    with bind_socket(0) as bound, run_sandbox(bound, credits_left=1000):
        seen = screen_of(
            *("convert", "--from-file", "songs.txt", "--tunnel", "none"),
            columns=120,
            ctrl_c_when=is_busy,
            env=Sandbox(base_url=address_of(bound)).settings,
        )
    assert time.monotonic() - pressed[0] < ENDS_WITHIN
    summary, stopped, line = seen[-3:]
    # A payment that is on its way then has an unknown outcome.
    unknown = r"(?:\d+ unknown \(paid for or not\), )?"
    assert re.fullmatch(rf"suno-wav: 0 of 1000 saved, {unknown}\d+ at the service, \d+ not begun.*", summary)
    assert (stopped, line) == ("stopped by Ctrl-C", "  To continue: run the same command again")


# The bar through a download

BAR = re.compile(
    r"[━╸╺] (?P<received>\d+\.\d)(?:/(?P<total>\d+\.\d))? MB"
    r"(?:(?P<waiting> waiting)|(?: (?P<speed>\d+\.\d) MB/s)?(?: [\d:]+)?)\s*$"
)


@dataclass(frozen=True)
class Bar:
    """A bar of a download, in megabytes."""

    received: float
    total: float | None
    speed: float | None
    waiting: bool


def bars(sandbox: Sandbox, audio_id: str, *options: str, enough: Callable[[list[Bar]], bool]) -> list[Bar]:
    """Convert a song and return the different states of its bar; press Ctrl-C once it is `enough`."""
    seen: list[Bar] = []

    def look(lines: Sequence[str]) -> bool:
        for match in filter(None, map(BAR.search, lines)):
            total, speed = (float(text) if text else None for text in match.group("total", "speed"))
            bar = Bar(
                received=float(match["received"]),
                total=total,
                speed=speed,
                waiting=match["waiting"] is not None,
            )
            if seen[-1:] != [bar]:
                seen.append(bar)
        return enough(seen)

    env = sandbox.settings | {"SUNO_WAV_RETRIES": "20"}
    screen_of("convert", audio_id, *options, columns=110, ctrl_c_when=look, env=env)
    return seen


def since_waiting(seen: list[Bar]) -> list[Bar]:
    """Return the states after the bar was last waiting."""
    waits = [at for at, bar in enumerate(seen) if bar.waiting]
    return seen[waits[-1] + 1 :] if waits else []


def since_going_back(seen: list[Bar]) -> list[Bar]:
    """Return the states from the first one with fewer bytes than before."""
    backs = [at for at, (one, next_one) in enumerate(pairwise(seen), 1) if next_one.received < one.received]
    return seen[backs[0] :] if backs else []


def speeds(seen: list[Bar]) -> list[float]:
    return [bar.speed for bar in seen if bar.speed is not None]


@pytest.mark.long
def test_the_bar_shows_that_a_download_waits_to_be_retried(sandbox: Sandbox) -> None:
    seen = bars(
        sandbox, "demo-5mb-cdn-cut2m-trickle1m+waiting", enough=lambda seen: bool(speeds(since_waiting(seen)))
    )
    assert {bar for bar in seen if bar.waiting} == {Bar(received=2.1, total=5.0, speed=None, waiting=True)}
    gone_on = since_waiting(seen)
    assert {bar.total for bar in gone_on} == {5.0}
    assert 2.1 <= gone_on[0].received < 3.0, "bytes were fetched again or counted twice"


@pytest.mark.long
@pytest.mark.parametrize(
    ("audio_id", "options", "waits"),
    [
        pytest.param("demo-15mb-cdn-trickle40m.cut12m-ignore-trickle1m", [], [12.6, 0.0], id="after a pause"),
        # The fourth connection finishes its part first; its next request is answered with another file.
        pytest.param(
            "demo-40mb-cdn-trickle1m~3-trickle10m-changed-trickle1m",
            ["--connections", "4"],
            [],
            id="at once, with one connection in place of four",
        ),
    ],
)
def test_a_restarted_download_counts_from_zero_and_so_does_its_speed(
    sandbox: Sandbox, audio_id: str, options: list[str], waits: list[float]
) -> None:
    """Megabytes arrive at once and are discarded; then a megabyte arrives each second."""
    seen = bars(
        sandbox, f"{audio_id}+over", *options, enough=lambda seen: len(speeds(since_going_back(seen))) > 2
    )
    assert [bar.received for bar in seen if bar.waiting] == waits
    anew = since_going_back(seen)
    assert max(bar.received for bar in seen) > 4
    assert anew[0].received < 1
    assert max(bar.received for bar in anew) < 4
    assert speeds(anew)[-1] < 2.5


@pytest.mark.long
def test_a_restarted_download_forgets_a_length_that_the_server_no_longer_sends(sandbox: Sandbox) -> None:
    """First the server announces twice the size of the file, then no size."""
    seen = bars(
        sandbox,
        "demo-5mb-cdn-longer5m.cut2m-ok-chunked.trickle1m+forgotten",
        enough=lambda seen: len(since_going_back(seen)) > 2,
    )
    assert Bar(received=2.1, total=10.2, speed=None, waiting=True) in seen
    assert {bar.total for bar in since_going_back(seen)} == {None}


@pytest.mark.long
def test_bytes_of_an_earlier_run_are_shown_but_do_not_count_for_the_speed(sandbox: Sandbox) -> None:
    """8 MiB are there; the server is briefly unavailable, then a megabyte arrives each second."""
    audio_id = "demo-15mb-cdn-cut8m-503-trickle1m+resumed"
    assert sandbox.run("convert", audio_id, env={"SUNO_WAV_RETRIES": "0"}).code == 9
    seen = bars(sandbox, audio_id, enough=lambda seen: len(speeds(since_waiting(seen))) > 2)
    # The bar appears a moment before the part file has been read.
    known = [bar for bar in seen if bar != Bar(received=0.0, total=None, speed=None, waiting=False)]
    assert known[0].received == min(bar.received for bar in known) == 8.4
    assert {bar for bar in known if bar.waiting} == {Bar(received=8.4, total=15.0, speed=None, waiting=True)}
    gone_on = speeds(since_waiting(seen))
    assert gone_on[-1] < 2.5
    assert max(gone_on) > 0.7, "the time of the pause was counted"


@pytest.mark.long
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_jobs_say_why_on_any_terminal(sandbox: Sandbox, columns: int) -> None:
    """The reason has lines of its own: beside the other columns there is no room for it."""
    sandbox.run("convert", "demo-fails+why")
    lines = [line for line in screen_of("jobs", columns=columns) if line.strip()]
    head, row, *why = lines
    assert (head.split()[0], row[:7]) == ("SONG", "demo-fa")
    assert " ".join(line.strip() for line in why).startswith(
        "the service could not convert the song: GENERATE_WAV_FAILED (501 "
    )
    assert max(len(line.rstrip()) for line in lines) <= columns
