"""Convert many songs at once, with the service's limit lifted: what a song costs, and what waiting costs.

    python -m tests.bench.many_songs [--songs N] [--waiting N ...] [--turns N] [--beside CHECKOUT]

`--songs`: a batch whose conversions take milliseconds, by polling. Shows songs a second from the start of
the process to its end, CPU a song, the peak of memory and of open files, and lookups a song.
`--waiting`: as many songs that are never finished, all submitted and waiting. Shows the peak of memory,
open files, lookups a second while nothing else happens, and how long Ctrl-C takes.
`--beside`: another checkout with its own `.venv`, which takes turns with this one. It runs with
`--jobs 1000`, its window lifted, and cannot wait for more than 1,000.

The sandbox is a process of its own; so is each program, with a new journal on the disk of `--folder`. No
program checks the free space of the disk here.

Exit code: 0 whatever the figures are, 1 if something failed.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SERVER = """
import time
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
with bind_socket(0) as bound, run_sandbox(bound, speed=1000.0, credits_left=10**7):
    print(address_of(bound), flush=True)
    time.sleep(86400)
"""

_PROGRAM = """
import runpy, shutil, sys
shutil.disk_usage = lambda _path: shutil._ntuple_diskusage(10**15, 0, 10**15)
for module, name in (("suno_wav_cli.pacing", "SubmissionWindow"), ("suno_wav_cli.system.pacing", "RateWindow")):
    try:
        window = getattr(__import__(module, fromlist=[name]), name)
    except (ImportError, AttributeError):
        continue
    # What a program without --window has as its limit.
    if window.__init__.__defaults__:
        window.__init__.__defaults__ = (10**6, 0.001)
sys.argv[0] = "suno-wav"
runpy.run_module("suno_wav_cli", run_name="__main__")
"""
_OURS = Path(__file__).parents[2]
_MOST_JOBS = 1000
_QUIET_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A version of the program, and the options that lift its limits."""

    name: str
    folder: Path
    python: Path
    options: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Figures:
    seconds: float
    cpu: float
    peak_mb: float
    files: int


class Program:
    """A running `convert`, watched from outside."""

    def __init__(self, checkout: Checkout, address: str, folder: Path, arguments: Sequence[str]) -> None:
        env = {name: text for name, text in os.environ.items() if not name.startswith("SUNO_")}
        env |= {
            "SUNO_WAV_HOME": str(folder / "home"),
            "SUNO_API_KEY": "any",
            "PYTHONPATH": str(checkout.folder),
        }
        songs = folder / "songs"
        songs.mkdir()
        line = [str(checkout.python), "-c", _PROGRAM, "convert", *arguments, *checkout.options]
        line += ["--provider", "sandbox", "--base-url", address, "--out", str(songs), "--tunnel", "none"]
        self._errors = folder / "errors.txt"
        self._began, self._files, self._peak = time.monotonic(), 0, 0.0
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                line, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
            )

    def look(self) -> None:
        """Take the peaks so far. Linux keeps that of memory."""
        proc = Path("/proc") / str(self.process.pid)
        with suppress(OSError):
            self._files = max(self._files, len(list((proc / "fd").iterdir())))
            status = (proc / "status").read_text(encoding="ascii")
            peak = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
            self._peak = max([self._peak, *(int(kilobytes) / 1000 for kilobytes in peak)])

    def finish(self, expected: int) -> Figures:
        """Watch it to its end. Raise SystemExit if its exit code is another one."""
        while True:
            self.look()
            ended, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(0.1)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        if self.process.returncode != expected:
            raise SystemExit(
                f"exit code {self.process.returncode}\n{self._errors.read_text(errors='replace')[-2000:]}"
            )
        return Figures(
            seconds=time.monotonic() - self._began,
            cpu=usage.ru_utime + usage.ru_stime,
            peak_mb=self._peak,
            files=self._files,
        )


def counted(address: str, what: str) -> int:
    counters: dict[str, Any] = httpx.get(f"{address}/sandbox/counters", trust_env=False, timeout=60).json()
    return sum(counters[what].values())


def convert(checkout: Checkout, address: str, folder: Path, songs: int) -> str:
    """Convert a batch. Return its row."""
    listed = folder / "list.txt"
    listed.write_text("".join(f"demo+{folder.name}x{n}\n" for n in range(songs)), encoding="ascii")
    before = counted(address, "lookups")
    program = Program(
        checkout, address, folder, ["--from-file", str(listed), "--poll-interval", "100ms", "--quiet"]
    )
    figures = program.finish(0)
    lookups = (counted(address, "lookups") - before) / songs
    return (
        f"{checkout.name:8} {songs:6} songs: {songs / figures.seconds:6.1f} songs/s, "
        f"{figures.cpu / songs * 1000:5.1f} ms of CPU a song, {figures.peak_mb:5.1f} MB, {figures.files:4} files, "
        f"{lookups:.2f} lookups a song"
    )


def wait(checkout: Checkout, address: str, folder: Path, songs: int) -> str:
    """Let songs wait, and interrupt them. Return the row."""
    listed = folder / "list.txt"
    listed.write_text("".join(f"demo-never+{folder.name}x{n}\n" for n in range(songs)), encoding="ascii")
    accepted = counted(address, "accepted")
    # On a busy machine it may take long until all are submitted.
    arguments = ["--from-file", str(listed), "--quiet", "--timeout", "6h"]
    program = Program(checkout, address, folder, arguments)
    while counted(address, "accepted") - accepted < songs:
        program.look()
        if program.process.poll() is not None:
            program.finish(0)
        time.sleep(1.0)
    lookups, began = counted(address, "lookups"), time.monotonic()
    while (quiet := time.monotonic() - began) < _QUIET_SECONDS:
        program.look()
        time.sleep(0.1)
    rate = (counted(address, "lookups") - lookups) / quiet
    interrupted = time.monotonic()
    program.process.send_signal(signal.SIGINT)
    figures = program.finish(130)
    return (
        f"{checkout.name:8} {songs:6} waiting: {figures.peak_mb:5.1f} MB, {figures.files:4} files, "
        f"{rate:6.1f} lookups/s, {time.monotonic() - interrupted:4.1f} s to end"
    )


@contextmanager
def a_sandbox() -> Iterator[str]:
    with subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=1000)
    parser.add_argument("--waiting", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    # A background shell ignores it, and the programs started here would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ours = Checkout(name="this", folder=_OURS, python=Path(sys.executable), options=("--window", "10000/1s"))
    checkouts = [ours]
    if given.beside is not None:
        python = given.beside.absolute() / ".venv/bin/python"
        checkouts.append(
            Checkout(
                name="beside",
                folder=given.beside.absolute(),
                python=python,
                options=("--jobs", str(_MOST_JOBS)),
            )
        )
    with a_sandbox() as address:
        for _ in range(given.turns if given.songs else 0):
            for checkout in checkouts:
                with TemporaryDirectory(dir=given.folder) as folder:
                    print(convert(checkout, address, Path(folder), given.songs), flush=True)
        for songs in given.waiting:
            for checkout in checkouts:
                if checkout is ours or songs <= _MOST_JOBS:
                    with TemporaryDirectory(dir=given.folder) as folder:
                        print(wait(checkout, address, Path(folder), songs), flush=True)


if __name__ == "__main__":
    main()
