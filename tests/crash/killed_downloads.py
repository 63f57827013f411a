"""Kill downloads with SIGKILL while bytes come, by one connection and by four, and go on with each.

    python -m tests.crash.killed_downloads

The CDN sends slowly, so that there is time to be killed in. The next run must continue: what both are sent is little
more than the file. Exit code: 0, or 1 where anything was not so.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.cdn import tune
from tests.support.program import Sandbox, command_line, named, read_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KILLS = 20
_AT_ONCE = 6
"""The trials wait more than they compute."""

_PACE = 6 * 1024 * 1024
"""Bytes a second of all connections together."""

_MAY_BE_LOST = 1.0
"""Seconds of progress: every half of one it is put on the disk, which takes a moment on a busy machine."""

_SONG = "demo-17mb"


@dataclass(frozen=True)
class Kill:
    """The `number`th one of a download by so many connections."""

    connections: int
    number: int

    @property
    def song(self) -> str:
        # As many answers as there are connections are slow: all of the first run, and none of the next.
        return f"{_SONG}-cdn-trickle{_PACE // self.connections}~{self.connections}+kill{self.number}"

    @property
    def after(self) -> float:
        """How many seconds of the first run's download go by until it happens."""
        return random.Random(self.number).uniform(0, 0.9) * len(tune(_SONG)) / _PACE


def kills(count: int = _KILLS) -> Sequence[Kill]:
    return [Kill(connections=connections, number=number) for connections in (1, 4) for number in range(count)]


def check(kill: Kill, sandbox: Sandbox, folder: Path) -> None:
    """Download until it is killed, and once more. Raises AssertionError where anything is not as it must be."""
    folder.mkdir(parents=True)
    environ = {**os.environ, **sandbox.settings, "SUNO_WAV_HOME": str(folder / "home")}
    target = folder / "song.wav"
    command = command_line(
        *("convert", kill.song, "--out", str(target), "--tunnel", "none"),
        *("--connections", str(kill.connections), "--json"),
    )
    _kill(command, environ, kill.after)
    had = sandbox.counted("file_bytes", kill.song)
    assert not target.exists(), "there is a file before it is whole"
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        began = int(read_until(process, named("download_started"))["received"])
        process.communicate()
    whole = tune(_SONG)
    assert process.returncode == 0, f"the next run ends with {process.returncode}"
    assert target.read_bytes() == whole, "the file is not the CDN's"
    assert [path.name for path in folder.iterdir() if path.name != "home"] == ["song.wav"], (
        "something is left"
    )
    lost = int(_PACE * _MAY_BE_LOST)
    assert began >= had - lost, f"of {had:,} bytes {began:,} were left"
    sent = sandbox.counted("file_bytes", kill.song)
    # Between two answers of several connections, some bytes are on their way in vain.
    assert sent <= len(whole) + lost + kill.connections * 1024 * 1024, f"{sent:,} bytes were sent"
    assert sandbox.counted("accepted", kill.song) == 1, "it was paid for twice"


def _kill(command: Sequence[str], environ: Mapping[str, str], after: float) -> None:
    """Run until the download has gone on for so many seconds."""
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            read_until(process, named("download_started"))
            process.wait(after)
        except subprocess.TimeoutExpired:
            return
        finally:
            process.kill()
    raise AssertionError("it ended before it was killed")


def main() -> int:
    for name in list(os.environ):
        if name.startswith(("SUNO_", "NGROK_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    began = time.monotonic()
    with (
        TemporaryDirectory() as folder,
        bind_socket(0) as bound,
        run_sandbox(bound, speed=20.0, credits_left=10_000),
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):
        sandbox = Sandbox(base_url=address_of(bound))

        def violation(kill: Kill) -> str | None:
            try:
                check(kill, sandbox, Path(folder) / f"{kill.connections}-{kill.number}")
            except AssertionError as error:
                return f"{kill.connections} connections, killed after {kill.after:.2f} s: {error}"
            return None

        wrong = [found for found in pool.map(violation, kills()) if found]
    for line in wrong:
        print(line)
    print(f"{len(kills())} downloads killed in {time.monotonic() - began:.0f} s, {len(wrong)} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
