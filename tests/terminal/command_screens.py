"""Each command on a terminal, with what it shows when all goes well and when it does not."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import tempfile
import termios
import time
from contextlib import chdir, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyte
from pyte.screens import Char

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import Sandbox, run_program, start_program
from tests.support.target import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FOLDER = Path(__file__).parent / "screens" / "commands"
SIZES = ((60, 12), (80, 24), (120, 40))

SONG = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
OTHERS = ("1f0c2d3e-55aa-4b6c-9d8e-7f6a5b4c3d2e", "c27e0f4b-9d1a-4a55-8e0b-6a1d2c3b4f50")
ALBUM = ("043b8538-4937-4282-91a5-fc056a1762ed", "a05cf1fb-b32f-4cd8-9777-7a4cb1e86d7e")
"""The songs of the sandbox's `demo-album`."""
NO_KEY = {"SUNO_WAV_PROVIDER": "sunoapi"}
AWAY = {"SUNO_WAV_BASE_URL": "http://127.0.0.1:9", "SUNO_WAV_RETRIES": "0"}
TASK = ("--task-id", "0123456789abcdef" * 2)
JOBS = (
    (SONG, "--out", "An album with a long name/Night Drive, a long song, part 1.wav"),
    (OTHERS[0], "--out", "An album with a long name/Night Drive, a long song, part 2.wav"),
    (ALBUM[0],),
    ("demo-fails",),
    ("demo-lost",),
    ("demo-never", "--timeout", "1s"),
)
"""What is converted, one song after another, so that the order is always the same."""

COMMANDS = (
    *("convert", "listen", "status", "jobs", "resume", "tracks", "credits", "login", "logout", "config"),
    *("doctor", "inspect", "trigger", "sandbox", "help"),
)
HOME = "/home/someone"
"""As long as the name of the folder that is the home."""
CTRL_C = b"\x03"
_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command line. Once `when` is shown, `then` gets the match and the terminal's other end."""

    line: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    when: str | None = None
    then: Callable[[re.Match[str], int], None] = lambda _match, _master: None
    unshown: bool = False


def step(*line: str, **more: Any) -> Step:
    return Step(line=line, **more)


def press(keys: bytes) -> Callable[[re.Match[str], int], None]:
    def write(_match: re.Match[str], master: int) -> None:
        os.write(master, keys)

    return write


def trigger(match: re.Match[str], _master: int) -> None:
    assert run_program("trigger", match[0], *TASK).code == 0


STORIES: dict[str, tuple[Step, ...]] = {
    "start": (step(), step("convrt"), step("--help"), step("help", "logout"), step("help", "convrt")),
    "help": (*(step(name, "--help") for name in COMMANDS), step("help", "agents")),
    "completion": (
        step("--show-completion", "bash"),
        step("--install-completion", "zsh"),
        step("--install-completion", "fish"),
        step("--install-completion", "tcsh"),
    ),
    "convert": (
        step("convert", "--from-file", "songs.txt", "--out", "album/", "--dry-run"),
        step("convert", SONG, "--out", "song.wav"),
        step("convert", SONG, "--out", "song.wav"),
        step("convert", OTHERS[0], "--out", "album/"),
        step("convert", OTHERS[0], "demo-fails", "--out", "album/"),
        step("convert", "demo-fails"),
        step("convert", "demo-no-credits"),
        step("convert", "demo-lost"),
        step("convert", "demo-gone"),
        step("convert", "demo-not-wav"),
        step("convert", "demo-never", "--timeout", "1s"),
        step("convert", "demo", "--max-credits", "0.1"),
        step("convert", "song.wav"),
        step("convert", SONG, "--otu", "song.wav"),
        step("convert", "demo", env=NO_KEY),
        step("convert", "demo+away", env=AWAY),
    ),
    "interrupt": (step("convert", "demo-never", when="converting 0:0", then=press(CTRL_C)),),
    "status": (
        step("convert", "demo", "--no-wait"),
        step("status", "@last", "--wait"),
        step("status", "@last", "--wait", "--download"),
        step("status", "@last"),
        step("status", "@last", "--raw"),
        step("status", "0" * 32),
        step("status", "nothing-here"),
    ),
    "jobs": (
        step("jobs"),
        step("tracks", "demo-album", unshown=True),
        *(step("convert", *words, unshown=True) for words in JOBS),
        step("jobs"),
        step("jobs", "--all", "--limit", "3"),
        step("jobs", "--failed"),
        step("jobs", "--unfinished"),
        step("jobs", "--expiring", "--days", "20"),
    ),
    "resume": (
        step("resume"),
        step("convert", "demo", "--no-wait", unshown=True),
        step("resume"),
        step("resume", "@last"),
        *(step("convert", *words, unshown=True) for words in JOBS[3:]),
        step("resume", "--timeout", "1s"),
        step("resume", "demo-fails"),
        step("resume", "nothing-here", "--timeout", "1s"),
    ),
    "tracks": (
        step("tracks", "demo-album"),
        step("tracks", SONG),
        step("tracks", "no song"),
    ),
    "credits": (step("credits"), step("credits", env=NO_KEY), step("credits", env=AWAY)),
    "login": (
        step("login", env=NO_KEY, when="(?i)key[^\n]*: ?$", then=press(b"sk-0123456789\r")),
        step("login", env={**NO_KEY, **AWAY}, when="(?i)key[^\n]*: ?$", then=press(b"sk-0123456789\r")),
        step("login", "sk-0123456789", env=NO_KEY),
        step("logout", env=NO_KEY),
        step("logout", env=NO_KEY),
    ),
    "config": (
        step("config"),
        step("config", "set", "timeout", "1h"),
        step("config", "get", "timeout"),
        step("config", "unset", "timeout"),
        step("config", "set", "timeot", "1h"),
        step("config", "set", "timeout", "soon"),
    ),
    "inspect": (
        step("convert", "demo", "demo+2", unshown=True),
        step("inspect", "demo.wav"),
        step("inspect", "demo.wav", "demo+2.wav"),
        step("inspect", "songs.txt"),
        step("inspect", "demo.wav", "songs.txt", "missing.wav"),
    ),
    "trigger": (
        step("trigger", "{receiver}", *TASK),
        step("trigger", "{receiver}", "--event", "all"),
        step("trigger", "{refusing}", *TASK),
        step("trigger", "http://127.0.0.1:9/hook", *TASK),
        step("trigger", "{receiver}", "--event", "sucess"),
        step("trigger", "--list"),
    ),
    "listen": (
        step(
            *("listen", "--tunnel", "none", "--port", "0", "--max-events", "1"),
            when=r"http://127\.0\.0\.1:\d+/\S+(?=\s)",
            then=trigger,
        ),
        step(
            *("listen", "--tunnel", "none", "--port", "0", "--max-events", "1", "--forward-to", "{slow}"),
            when=r"http://127\.0\.0\.1:\d+/\S+(?=\s)",
            then=trigger,
        ),
        step("listen", "--tunnel", "none", "--port", "{taken}"),
        step("listen", "--tunnel", "none", "--port", "0", "--timeout", "1s", "--until", "0" * 32),
    ),
    "sandbox": (
        step("sandbox", "--list"),
        step("sandbox", "--port", "0", when=r"\nhttp://127\.0\.0\.1:\d+\r", then=press(CTRL_C)),
        step("sandbox", "--port", "{taken}"),
    ),
}


class Screen(pyte.HistoryScreen):
    """A screen whose lines tell if the terminal has broken them, for want of columns."""

    _drawing = False

    def draw(self, data: str) -> None:
        self._drawing = True
        super().draw(data)
        self._drawing = False

    def linefeed(self) -> None:
        if self._drawing:
            self.buffer[self.cursor.y][self.columns] = Char("↩")
        super().linefeed()

    @property
    def text(self) -> str:
        """The lines down to the cursor's, with those that have left the screen."""
        rows = [*self.history.top, *(self.buffer[number] for number in range(self.cursor.y + 1))]
        return "\n".join(
            "".join(row[column].data for column in range(self.columns + 1)).rstrip() for row in rows
        ).rstrip()


def draw(name: str, columns: int, rows: int) -> str:
    """Run the commands of a story, one after another, in a new home on a terminal of this size."""
    with (
        tempfile.TemporaryDirectory(dir="/tmp", prefix="") as folder,
        chdir(folder),
        bind_socket(0) as bound,
        run_sandbox(bound, speed=20.0, seed=7, credits_left=1000),
        receiving() as receiver,
        receiving((500, 0.0)) as refusing,
        # So that the service's word comes first.
        receiving((500, 1.0)) as slow,
        bind_socket(0) as taken,
    ):
        Path("songs.txt").write_text("\n".join((SONG, *OTHERS)) + "\n", encoding="utf-8")
        environ = {
            **Sandbox(base_url=address_of(bound)).settings,
            "HOME": folder,
            "SUNO_WAV_HOME": f"{folder}/.suno-wav",
            "TZ": "UTC",
            # So that there is no keyring.
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/nothing",
            "TERM": "xterm-256color",
        }
        places = {
            "{receiver}": f"{receiver.address}/hook",
            "{refusing}": f"{refusing.address}/hook",
            "{slow}": f"{slow.address}/hook",
            "{taken}": str(taken.getsockname()[1]),
        }
        shown = ""
        for one in STORIES[name]:
            line = [places.get(word, word) for word in one.line]
            code, written = _run(line, environ | dict(one.env), one, columns, rows)
            if one.unshown:
                continue
            screen = Screen(columns, rows, history=5000, ratio=0.5)
            pyte.Stream(screen).feed(mask(written, folder))
            typed = mask(" ".join(["suno-wav", *line]), folder)
            shown += f"$ {typed}\n{screen.text}\n[exit code {code}]\n\n"
        return shown


def _run(line: list[str], environ: Mapping[str, str], one: Step, columns: int, rows: int) -> tuple[int, str]:
    """Return the exit code of the program, and all that it has written to its terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = start_program(*line, env=environ, stdin=slave, stdout=slave, stderr=slave, terminal=True)
    os.close(slave)
    written, waits = b"", one.when is not None
    deadline = time.monotonic() + _SECONDS
    try:
        with suppress(OSError):  # how Linux says that the last writer has gone
            while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
                written += os.read(master, 65536)
                found = waits and re.search(one.when or "", written.decode(errors="ignore"))
                if found:
                    waits = False
                    one.then(found, master)
    finally:
        os.close(master)
        if time.monotonic() >= deadline:
            process.kill()
    return process.wait(timeout=60), written.decode()


def mask(text: str, folder: str) -> str:
    """Replace what differs from run to run by something of the same width, where that is known."""
    text = text.replace(folder, HOME)
    text = re.sub(r"127\.0\.0\.1:\d{4,}", "127.0.0.1:41293", text)
    text = re.sub(r"(port |%3A)(?!3000)\d{4,}", r"\g<1>41293", text)
    text = re.sub(r"(suno-wav-callback/)[\w-]+", r"\1" + "0123456789a" * 3 + "0123456789", text)
    text = re.sub(r"\d{8}-\d{6}-[0-9a-f]{8}", "20260601-120000-0123abcd", text)
    text = re.sub(r"\d+\.\d\d s", "0.04 s", text)
    text = re.sub(r"retrying in 0\.\d s", "retrying in 0.4 s", text)
    text = re.sub(r"(#1) \d\d:\d\d:\d\d", r"\1 12:00:00", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-06-01 12:00:00", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(?!:)", "2026-06-01 12:00", text)
    text = re.sub(r"\d{4}-\d\d-\d\d(?! \d\d:)", "2026-06-16", text)
    return re.sub(r"(?<![\w-])\d\d-\d\d(?![\w-])", "06-01", text)
