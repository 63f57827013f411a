"""From the service's callback to the finished file, beside what curl needs for the same bytes.

    python -m tests.bench.callback_to_file [--runs N]

Ours: from the moment the service opens the connection for its callback until `convert` says `saved` of a file of about
30 MB: looked up, downloaded, flushed to disk, checked and renamed. The program runs already; it waits for that callback.
curl: `curl -sS -o FILE URL` from its start to its end, for the same file from the same server. That includes the start
of its process, and it neither flushes nor checks the file.

Everything is a real process on this machine: the sandbox, `suno-wav convert` and curl, which take turns. A relay
between the sandbox and the program takes the time; its own work counts as ours. One conversion before the first run is
not counted: in it the sandbox composes its melody.

Exit code: 0 whatever the times are, 1 if something failed, 2 if curl is missing.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import socket
import socketserver
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GOAL_SECONDS = 0.3
"""How much longer than curl the program may take."""

_AUDIO_ID = "demo-30mb"
_MOST_RUNS = 200
"""A sandbox has credits for 250 conversions."""

_CURL_SECONDS = "60"
_LAST_MOMENT = 5.0
_OURS = ("SUNO_", "NGROK_")


class NotMeasured(Exception):
    """Something did not work, and so there are no times."""


@dataclass(frozen=True)
class Run:
    """Seconds of both, for a file of `size` bytes."""

    size: int
    ours: float
    curl: float


@dataclass(frozen=True)
class Conversion:
    """What one run of the program left; `seconds` from the callback to the file."""

    path: Path
    url: str
    seconds: float


class Relay(socketserver.ThreadingTCPServer):
    """Passes connections on to a port, byte for byte; `arrivals` has the time at which each was opened."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _PassOn)
        self.onward = ("127.0.0.1", port)
        self.arrivals: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"


class _PassOn(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        self.server.arrivals.append(time.monotonic())
        with socket.create_connection(self.server.onward) as onward:
            answering = Thread(target=_pump, args=(onward, self.request), daemon=True)
            answering.start()
            _pump(self.request, onward)
            answering.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    # Either side may leave first.
    with suppress(OSError):
        while piece := source.recv(64 * 1024):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


@dataclass(frozen=True)
class Bench:
    """What every run uses. `receiver_port` is where the program is to listen; the relay leads there."""

    folder: Path
    environ: Mapping[str, str]
    base_url: str
    relay: Relay
    receiver_port: int

    def run(self, number: int) -> Run:
        """Convert one song and fetch its file again with curl."""
        ours = self._convert(f"{_AUDIO_ID}+{number}")
        peer = self.folder / f"curl-{number}.wav"
        curl = self._curl(ours.url, peer)
        if not filecmp.cmp(ours.path, peer, shallow=False):
            raise NotMeasured(f"{ours.path.name} and {peer.name} differ")
        run = Run(size=peer.stat().st_size, ours=ours.seconds, curl=curl)
        # Now, so that no later run waits for bytes of this one on their way to the disk.
        ours.path.unlink()
        peer.unlink()
        return run

    def _convert(self, audio_id: str) -> Conversion:
        target = self.folder / f"{audio_id}.wav"
        url = None
        end = None
        self.relay.arrivals.clear()
        command = _suno_wav("convert", audio_id, "--provider", "sandbox", "--base-url", self.base_url)
        command += ["--out", str(target), "--public-url", self.relay.url, "--port", str(self.receiver_port)]
        # Too slow to be what finds the file: without its callback a conversion ends at the timeout.
        command += ["--json", "--poll-interval", "60s", "--timeout", "50s"]
        with _started(command, self.environ) as process:
            for line, moment in _lines(process):
                event = json.loads(line)
                if event["event"] == "looked_up":
                    url = event["record"]["url"]
                elif event["event"] == "saved":
                    end = moment
                    if not target.is_file() or target.stat().st_size != event["bytes"]:
                        raise NotMeasured(f"{target.name} is called saved and is not there")
            code = process.wait()
        if code != 0 or url is None or end is None:
            raise NotMeasured(f"suno-wav convert {audio_id} ended with {code}")
        if len(self.relay.arrivals) != 1:
            raise NotMeasured(f"{len(self.relay.arrivals)} callbacks came for {audio_id}, not 1")
        return Conversion(path=target, url=url, seconds=end - self.relay.arrivals[0])

    def _curl(self, url: str, target: Path) -> float:
        # Its own limit, because `timeout=` makes Python look for the end at ever longer intervals, of up to 50 ms.
        command = ["curl", "-sS", "--max-time", _CURL_SECONDS, "-o", str(target), url]
        start = time.monotonic()
        done = subprocess.run(command, env=self.environ, stdin=subprocess.DEVNULL, check=False)
        seconds = time.monotonic() - start
        if done.returncode != 0:
            raise NotMeasured(f"curl ended with {done.returncode}")
        return seconds


def measured(runs: int) -> list[Run]:
    """Take the times, in a world of their own."""
    with TemporaryDirectory(prefix="suno-wav-bench-") as name:
        folder = Path(name)
        environ = _clean_environment(folder / "home")
        receiver_port = _free_port()
        with _sandbox(environ) as base_url, _relaying(receiver_port) as relay:
            bench = Bench(
                folder=folder, environ=environ, base_url=base_url, relay=relay, receiver_port=receiver_port
            )
            # The warm-up.
            bench.run(0)
            return [bench.run(number) for number in range(1, runs + 1)]


@contextmanager
def _sandbox(environ: Mapping[str, str]) -> Iterator[str]:
    """Run the sandbox as a process; yields its address."""
    command = _suno_wav("sandbox", "--port", "0", "--speed", "20", "--json")
    # What it says at its end, that it was stopped, is of no interest; errors come as events too.
    with _started(command, environ, errors=subprocess.DEVNULL) as process:
        lines = _lines(process)
        first, _ = next(lines, ("{}", 0.0))
        event: dict[str, Any] = json.loads(first)
        if event.get("event") != "sandbox_serving":
            raise NotMeasured(f"the sandbox did not start: {event.get('message', 'it said nothing')}")
        # Read to its end, else a full pipe would stop the sandbox.
        Thread(target=lambda: list(lines), daemon=True).start()
        yield event["base_url"]


@contextmanager
def _relaying(port: int) -> Iterator[Relay]:
    with Relay(port) as relay:
        Thread(target=relay.serve_forever, daemon=True).start()
        try:
            yield relay
        finally:
            relay.shutdown()


@contextmanager
def _started(
    command: list[str], environ: Mapping[str, str], errors: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start a process whose standard output is read; it has ended when the block is left."""
    process = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        encoding="utf-8",
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_LAST_MOMENT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _lines(process: subprocess.Popen[str]) -> Iterator[tuple[str, float]]:
    """Yield each line and the moment at which it came."""
    if process.stdout is None:
        raise AssertionError("the process was started without a pipe")
    with process.stdout as lines:
        for line in lines:
            yield line, time.monotonic()


def _suno_wav(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "suno_wav_cli", *arguments]


def _clean_environment(home: Path) -> dict[str, str]:
    """No proxy and no setting of the person who measures."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and not name.lower().endswith("_proxy")
    }
    return kept | {"SUNO_WAV_HOME": str(home)}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _print_table(runs: list[Run]) -> None:
    ours, curl = median(run.ours for run in runs), median(run.curl for run in runs)
    verdict = "met" if ours - curl < GOAL_SECONDS else "MISSED"
    print(f"From the callback to the file, {runs[0].size / 1e6:.1f} MB over loopback; seconds\n")
    print(f"{'run':>6}  {'ours':>6}  {'curl':>6}  {'difference':>10}")
    for number, run in enumerate(runs, start=1):
        print(f"{number:>6}  {run.ours:6.3f}  {run.curl:6.3f}  {run.ours - run.curl:+10.3f}")
    print(f"{'median':>6}  {ours:6.3f}  {curl:6.3f}  {ours - curl:+10.3f}\n")
    print(f"Ours minus curl: {ours - curl:+.3f} s (goal: under {GOAL_SECONDS} s, {verdict}).")
    print(f"Ours to curl: {ours / curl:.2f}.")
    print("curl's time includes the start of its process, and no flush to disk and no check.")
    print("Ours includes the relayed callback, the lookup, the flush, the check and the rename.")


def _number_of_runs(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= _MOST_RUNS):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {_MOST_RUNS}")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="From the service's callback to the file, beside curl.")
    parser.add_argument("--runs", metavar="N", type=_number_of_runs, default=7, help="default: 7")
    arguments = parser.parse_args()
    if shutil.which("curl") is None:
        print("curl is not installed: there is nothing to compare with.", file=sys.stderr)
        return 2
    try:
        runs = measured(arguments.runs)
    except (NotMeasured, OSError) as error:
        print(f"Not measured: {error}", file=sys.stderr)
        return 1
    _print_table(runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
