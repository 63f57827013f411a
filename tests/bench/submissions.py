"""How much of the account's window a batch uses, and what it does when the service has trouble.

    python -m tests.bench.submissions [--songs N] [--processes N] [--callbacks] [--window N/TIME]
                                      [--trouble NAME] [--seconds N]

Converts songs at a sandbox of its own, whose conversions take 30 s, through a relay that makes the
network: 50 ms of jitter around 50 ms each way, and 250 ms for a new connection. The sandbox and the
programs have the same window. With several processes the songs are split among them, and they share
one journal. `--trouble` begins when a third of the songs is accepted:

    refusing   every request is answered with "maintenance" for --seconds
    away       connections are refused for --seconds
    half       the service's window is half of what the programs assume, all the time
    kill       the programs are killed with SIGKILL, and started again at once

Prints what the service has seen: refusals, the share of the window from its second filling on, the
most submissions in one window, lookups a second; and how the programs ended.

Exit code: 0 if all songs are saved and paid for once, else 1. Refusals and times do not change it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from suno_wav_cli.config.parsers import window as read_window
from suno_wav_cli.models import SubmissionWindow
from tests.bench.slow_network import SlowNetwork
from tests.support.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPEED = 2
"""`demo-slow` takes a minute: 30 s at this speed, which the sandbox's window is multiplied with."""
_OPENSSL = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    *("-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
)
_PROGRAM = (sys.executable, "-m", "suno_wav_cli")
_UNKNOWN = 6


@dataclass
class Seen:
    """When the service has accepted and refused submissions, and answered lookups."""

    accepted: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    lookups: list[float] = field(default_factory=list)
    songs: Counter[str] = field(default_factory=Counter)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def has(self, accepted: int) -> None:
        """Wait until so many submissions are accepted."""
        while len(self.accepted) < accepted:
            self.changed.clear()
            await self.changed.wait()

    def note(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if event["event"] != "request_served":
            return
        if event["method"] == "GET" and event["path"].endswith("record-info"):
            self.lookups.append(now)
        elif event["method"] == "POST":
            code, _, audio_id = event["detail"].removeprefix("code ").partition(" ")
            if code == "200":
                self.accepted.append(now)
                self.songs[audio_id] += 1
                self.changed.set()
            else:
                self.refused.append(now)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--songs", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--callbacks", action="store_true")
    parser.add_argument("--window", type=read_window, default=SubmissionWindow())
    parser.add_argument("--jitter", type=float, default=0.05)
    parser.add_argument("--connect", type=float, default=0.25)
    parser.add_argument("--trouble", choices=("none", "refusing", "away", "half", "kill"), default="none")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith("NGROK_") or name.lower().endswith("_proxy"):
            del os.environ[name]
    with TemporaryDirectory() as folder:
        bench = _Bench(options, Path(folder))
        subprocess.run(
            [*_OPENSSL, "-keyout", bench.key, "-out", bench.certificate], check=True, capture_output=True
        )
        return asyncio.run(bench.run())


class _Bench:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.seen = Seen()
        self.key, self.certificate = folder / "key.pem", folder / "certificate.pem"
        self.window: SubmissionWindow = options.window

    async def run(self) -> int:
        options = self.options
        submissions = self.window.submissions // (2 if options.trouble == "half" else 1)
        port = free_port()
        sandbox = await asyncio.create_subprocess_exec(
            *_PROGRAM, "sandbox", "--json", "--port", str(port), "--speed", str(_SPEED),
            "--credits", str(options.songs),
            "--window", f"{submissions}/{self.window.seconds * _SPEED}",
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert sandbox.stdout is not None
        network = SlowNetwork(
            port, jitter=options.jitter, connect=options.connect, certificate=self.certificate, key=self.key
        )
        await sandbox.stdout.readline()
        reading = asyncio.create_task(self._read(sandbox.stdout))
        try:
            async with network.serving() as address:
                began = time.monotonic()
                programs = [await self._start(number, address) for number in range(options.processes)]
                trouble = asyncio.create_task(self._make_trouble(network, programs, address))
                codes = [await program.wait() for program in programs]
                if options.trouble == "kill":
                    await trouble
                    codes = [await program.wait() for program in programs]
                trouble.cancel()
                elapsed = time.monotonic() - began
        finally:
            sandbox.terminate()
            await sandbox.wait()
            await reading
        return self._report(codes, elapsed)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            self.seen.note(json.loads(line))

    async def _start(self, number: int, address: str) -> asyncio.subprocess.Process:
        songs = range(number, self.options.songs, self.options.processes)
        listed = self.folder / f"list{number}.txt"
        listed.write_text("".join(f"demo-slow+{song}\n" for song in songs), encoding="utf-8")
        out = self.folder / "songs"
        out.mkdir(exist_ok=True)
        port = str(free_port())
        called = ("--port", port, "--public-url", f"http://127.0.0.1:{port}")
        return await asyncio.create_subprocess_exec(
            *_PROGRAM, "convert", "--from-file", str(listed), "--out", f"{out}/", "--window", str(self.window),
            "--provider", "sandbox", "--base-url", address, "--timeout", "15m", "--json",
            *(called if self.options.callbacks else ("--tunnel", "none")),
            env=os.environ
            | {
                "SUNO_WAV_HOME": str(self.folder / "home"),
                "SSL_CERT_FILE": str(self.certificate),
            },
            stdout=(self.folder / f"out{number}").open("a"),
            stderr=(self.folder / f"err{number}").open("a"),
        )  # fmt: skip

    async def _make_trouble(
        self, network: SlowNetwork, programs: list[asyncio.subprocess.Process], address: str
    ) -> None:
        await self.seen.has(self.options.songs // 3)
        match self.options.trouble:
            case "refusing":
                await network.refuse(self.options.seconds)
            case "away":
                await network.go_away(self.options.seconds)
            case "kill":
                for number, program in enumerate(programs):
                    program.kill()
                    await program.wait()
                    programs[number] = await self._start(number, address)
            case _:
                pass

    def _report(self, codes: Sequence[int], elapsed: float) -> int:
        seen, options, size = self.seen, self.options, self.window.submissions
        saved = len(list((self.folder / "songs").glob("*.wav")))
        print(
            f"{options.songs} songs, {options.processes} programs, window {self.window}, {options.trouble}:"
        )
        print(f"  {elapsed:.0f} s, exit codes {list(codes)}, {saved} saved")
        twice = [song for song, count in seen.songs.items() if count > 1]
        print(f"  {len(seen.accepted)} accepted, {len(seen.refused)} refused, {len(twice)} paid for twice")
        times = sorted(seen.accepted)
        if len(times) > size + 1:
            rate = (len(times) - 1 - size) / (times[-1] - times[size])
            share = rate * self.window.seconds / size
            most = max(
                sum(first <= moment < first + self.window.seconds for moment in times) for first in times
            )
            print(f"  {rate:.2f} submissions a second, {share:.1%} of the window; at most {most} in one")
        if seen.lookups:
            seconds = Counter(int(moment) for moment in seen.lookups)
            mean = len(seen.lookups) / elapsed
            print(f"  {mean:.1f} lookups a second, {max(seconds.values())} in the worst one")
        unknown = saved_unknown(self.folder, options.processes)
        if unknown:
            print(f"  {unknown} songs with an unknown outcome")
        if any(codes):
            for number in range(options.processes):
                print((self.folder / f"err{number}").read_text(encoding="utf-8")[-2000:])
        return 0 if saved + unknown == options.songs and not twice else 1


def saved_unknown(folder: Path, processes: int) -> int:
    """Count the songs whose paid request was in the air when a program was killed."""
    failed = set()
    for number in range(processes):
        for line in (folder / f"out{number}").read_text(encoding="utf-8").splitlines():
            event = json.loads(line) if line.endswith("}") else {}
            if event.get("event") == "song_failed" and event["exit_code"] == _UNKNOWN:
                failed.add(event["audio_id"])
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
