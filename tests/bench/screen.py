"""Measure what the screen of a run of many songs costs: CPU a song, bytes a second, the end by Ctrl-C.

    python -m tests.bench.screen [--songs N] [--waiting N] [--beside FOLDER] [--columns N] [--rows N]

Each program converts the same songs twice against a sandbox of its own: on a terminal, and with
--quiet. The difference in CPU is the cost of showing. Then it waits for songs that never end, which
shows what it writes while only time passes, and how long it takes to end after Ctrl-C. `--beside` is
the folder of another version, with its own .venv.

Exit code: 0 whatever the numbers are, 1 if something failed.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket

_CREDITS = 1_000_000
_TIME_PASSES = 10.0
"""Seconds for which bytes are counted while only time passes."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run has spent: seconds, and bytes that it wrote to the terminal."""

    wall: float
    cpu: float
    written: int


@dataclass(frozen=True, kw_only=True)
class Waited:
    """A run that was stopped: bytes a second while only time passed, and seconds from Ctrl-C to its end."""

    bytes_a_second: float
    seconds_to_end: float


@dataclass(kw_only=True)
class Program:
    """A running program whose terminal is read here."""

    process: subprocess.Popen[bytes]
    terminal: int
    written: int = 0

    def read(self, seconds: float) -> bool:
        """Read for some time. Return False once the program has gone."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.terminal], [], [], left)[0]:
                return True
            try:
                self.written += len(os.read(self.terminal, 65536))
            except OSError:
                return False  # how Linux says that the last writer has gone
        return True

    def wait(self) -> float:
        """Wait for its end, and return the CPU seconds that it took."""
        while self.read(1.0):
            pass
        os.close(self.terminal)
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_utime + used.ru_stime


def start(python: Path, arguments: list[str], home: Path, size: tuple[int, int]) -> Program:
    """Start a version of the program, all of whose streams are a new terminal of this size."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SUNO_")}
    process = subprocess.Popen(
        [python, "-m", "suno_wav_cli", *arguments],
        env={**environ, "SUNO_WAV_HOME": str(home), "TERM": "xterm-256color"},
        cwd=home,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        # So that a key pressed there reaches it.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
    )
    os.close(slave)
    return Program(process=process, terminal=master)


def convert(python: Path, songs: list[str], size: tuple[int, int], *options: str) -> Spent:
    """Convert songs in an empty folder. Raise RuntimeError if that fails."""
    with (
        TemporaryDirectory() as folder,
        bind_socket(0) as bound,
        run_sandbox(bound, credits_left=_CREDITS),
    ):
        began = time.perf_counter()
        program = start(python, _arguments(address_of(bound), songs, folder, *options), Path(folder), size)
        cpu = program.wait()
    if program.process.returncode != 0:
        raise RuntimeError(f"{python} ended with exit code {program.process.returncode}")
    return Spent(wall=time.perf_counter() - began, cpu=cpu, written=program.written)


def stop(python: Path, songs: list[str], size: tuple[int, int], after: float) -> Waited:
    """Wait for songs that never end, and press Ctrl-C."""
    with (
        TemporaryDirectory() as folder,
        bind_socket(0) as bound,
        run_sandbox(bound, credits_left=_CREDITS),
    ):
        arguments = _arguments(address_of(bound), songs, folder, "--poll-interval", "60s")
        program = start(python, arguments, Path(folder), size)
        program.read(after)
        before = program.written
        program.read(_TIME_PASSES)
        rate = (program.written - before) / _TIME_PASSES
        os.write(program.terminal, b"\x03")
        pressed = time.perf_counter()
        program.wait()
    return Waited(bytes_a_second=rate, seconds_to_end=time.perf_counter() - pressed)


def _arguments(address: str, songs: list[str], folder: str, *options: str) -> list[str]:
    listed = Path(folder) / "songs.txt"
    listed.write_text("\n".join(songs) + "\n")
    service = ["--provider", "sandbox", "--base-url", address, "--tunnel", "none"]
    return ["convert", "--from-file", str(listed), *service, *options]


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--songs", type=int, default=60, help="songs to convert")
    options.add_argument("--waiting", type=int, default=500, help="songs that wait when Ctrl-C is pressed")
    options.add_argument("--beside", type=Path, help="folder of another version")
    options.add_argument("--columns", type=int, default=80)
    options.add_argument("--rows", type=int, default=24)
    given = options.parse_args()
    # A background shell ignores it, and the programs started here would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    size = (given.rows, given.columns)
    pythons = {"this version": Path(sys.executable)}
    if given.beside is not None:
        pythons["the other"] = given.beside.absolute() / ".venv/bin/python"
    songs = [f"demo+screen{number}" for number in range(given.songs)]
    waiting = [f"demo-never+screen{number}" for number in range(given.waiting)]
    print(f"{given.songs} songs, {given.columns}x{given.rows}; {given.waiting} waiting at Ctrl-C")
    print(
        f"{'':14}{'wall s':>8}{'CPU s':>8}{'quiet':>8}{'ms/song':>9}{'KB/s':>8}{'idle KB/s':>11}{'end s':>8}"
    )
    try:
        for name, python in pythons.items():
            shown, quiet = convert(python, songs, size), convert(python, songs, size, "--quiet")
            waited = stop(python, waiting, size, after=25.0)
            each = (shown.cpu - quiet.cpu) / len(songs) * 1000
            print(
                f"{name:14}{shown.wall:8.1f}{shown.cpu:8.2f}{quiet.cpu:8.2f}{each:9.1f}"
                f"{shown.written / shown.wall / 1000:8.2f}{waited.bytes_a_second / 1000:11.2f}"
                f"{waited.seconds_to_end:8.2f}"
            )
    except (OSError, RuntimeError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
