"""What `listen` makes of floods, of crowded connections, and of many deliveries.

    python -m tests.bench.deliveries [--part flood|crowd|memory] [--seconds N] [--rate N]

flood   posts forged deliveries, 20 a second for a minute, and in the middle of them genuine ones: of a
        task that the journal knows, of one that it does not know, and (in a second turn, with a
        webhook key) a signed one. Prints after how many seconds each is confirmed, when its file is
        saved.
crowd   opens 64 idle and 200 slow connections and posts 200 deliveries at once; then 500 with nothing else.
memory  posts 10,000 deliveries, eight at a time, without and with a receiver to forward to that is not
        there. Prints memory, descriptors and CPU time at the start, after a half, after all of them, and
        a minute later. What could not be forwarded is kept and tried again.

Exit code: 0 whatever the figures are, 1 if something failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import httpx
import psutil

from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.models import Secret
from tests.support.account import open_account

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.account import SandboxAccount

_KEY = Secret(value="whsec-of-the-benchmark")
_IDLE, _SLOW, _HONEST = 64, 200, 200
_MANY, _AT_ONCE = 10_000, 8
_MINUTE = 60.0


class Listening:
    """A running `listen --json`. `events` has each event with the moment at which it came."""

    def __init__(self, home: Path, base_url: str, *arguments: str, signed: bool = False) -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SUNO_")}
        environ |= {"SUNO_WAV_HOME": str(home), "SUNO_API_KEY": "any", "SUNO_WAV_BASE_URL": base_url}
        environ |= {"SUNO_WAV_HMAC_KEY": _KEY.value} if signed else {}
        self.environ = environ
        self.process = subprocess.Popen(
            [sys.executable, "-m", "suno_wav_cli", "listen", "--json", "--port", "0", *arguments],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.events: list[tuple[float, dict[str, Any]]] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.url = str(self.wait_for("listening", 60)[1]["callback_url"])
        self.port = int(self.url.split(":")[2].split("/")[0])
        self.path = "/" + self.url.split("/", 3)[3]

    def wait_for(self, name: str, seconds: float, **fields: str) -> tuple[float, dict[str, Any]]:
        """Wait for an event with these fields."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for moment, event in list(self.events):
                if event["event"] == name and fields.items() <= event.items():
                    return moment, event
            time.sleep(0.05)
        raise RuntimeError(f"there is no {name} with {fields} within {seconds} s")

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append((time.monotonic(), json.loads(line)))

    async def post(self, body: bytes, headers: Sequence[tuple[str, str]] = ()) -> tuple[float, int]:
        """Post as the service would. Return the seconds until the answer, and its status."""
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            lines = [f"POST {self.path} HTTP/1.1", "Host: a", "Content-Type: application/json"]
            lines += [f"{name}: {value}" for name, value in headers]
            lines += [f"Content-Length: {len(body)}", "", ""]
            writer.write("\r\n".join(lines).encode() + body)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 120)
            return time.monotonic() - began, int(head.split()[1])
        finally:
            writer.close()


@contextmanager
def _listening(home: Path, base_url: str, *arguments: str, signed: bool = False) -> Iterator[Listening]:
    listener = Listening(home, base_url, *arguments, signed=signed)
    try:
        yield listener
    finally:
        listener.process.terminate()
        listener.process.wait(60)


def _callback(task_id: str, url: str | None) -> bytes:
    content = {"code": 200, "msg": "success", "data": {"task_id": task_id, "audio_wav_url": url}}
    return json.dumps(content).encode()


async def _flood(
    listener: Listening, rate: int, seconds: int, genuine: Sequence[bytes], signed: bool
) -> float:
    """Post forged deliveries, and the genuine ones in their middle. Return when those were posted."""
    posted_at = 0.0
    async with asyncio.TaskGroup() as group:
        for number in range(rate * seconds):
            if number == rate * seconds // 2:
                posted_at = time.monotonic()
                for body in genuine:
                    task_id = json.loads(body)["data"]["task_id"]
                    headers = signed_headers(_KEY, task_id, int(time.time())) if signed else ()
                    group.create_task(listener.post(body, headers))
            group.create_task(listener.post(_callback(f"forged-{number}", "https://example.com/a.wav")))
            await asyncio.sleep(1 / rate)
    return posted_at


def _lookups(account: SandboxAccount) -> int:
    counted: dict[str, int] = account.http.get("/sandbox/counters").json()["lookups"]
    return sum(counted.values())


def flood(rate: int, seconds: int) -> None:
    for signed in (False, True):
        with TemporaryDirectory() as name, open_account() as account:
            home, base_url = Path(name), str(account.http.base_url).rstrip("/")
            (home / "out").mkdir()
            arguments = (
                "--provider",
                "sunoapi",
                "--tunnel",
                "none",
                "--no-secret",
                "--out",
                str(home / "out"),
            )
            with _listening(home, base_url, *arguments, signed=signed) as listener:
                tasks = {} if signed else {"known to the journal": _convert(listener.environ, "demo+known")}
                tasks["validly signed" if signed else "unknown"] = account.task("demo+unknown")
                genuine = [_callback(task, account.wait_for_url(task)) for task in tasks.values()]
                before, began = _lookups(account), time.monotonic()
                posted_at = asyncio.run(_flood(listener, rate, seconds, genuine, signed))
                lookups = (_lookups(account) - before) / (time.monotonic() - began)
                print(
                    f"{rate} forged a second for {seconds} s: {lookups:.1f} lookups a second of tasks that exist"
                )
                for words, task in tasks.items():
                    confirmed, _ = listener.wait_for(
                        "delivery_checked", 120, task_id=task, verdict="confirmed"
                    )
                    saved, _ = listener.wait_for("saved", 120, task_id=task)
                    print(
                        f"  {words}: confirmed after {confirmed - posted_at:.2f} s, "
                        f"saved after {saved - posted_at:.2f} s"
                    )
                asked = sum(event["event"] == "delivery_checked" for _, event in listener.events)
                print(f"  {asked} of {rate * seconds + len(tasks)} deliveries got a verdict by then")


def _convert(environ: dict[str, str], song: str) -> str:
    """Submit a song with the journal of `environ`. Return its task."""
    command = [sys.executable, "-m", "suno_wav_cli", "convert", song, "--no-wait", "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    submitted = next(json.loads(line) for line in done.stdout.splitlines() if '"submitted"' in line)
    return str(submitted["task_id"])


async def _crowd(listener: Listening, idle: int, slow: int, honest: int) -> list[float]:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        for byte in f"POST {listener.path} HTTP/1.1\r\nHost: a\r\nX-Slow: {'x' * 100}".encode():
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)

    async with AsyncExitStack() as stack:
        trickling = []
        for number in range(idle + slow):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            stack.callback(writer.close)
            if number >= idle:
                trickling.append(asyncio.ensure_future(trickle(writer)))
        posts = [listener.post(_callback(f"honest-{number}", None)) for number in range(honest)]
        answers = await asyncio.gather(*posts)
        for task in trickling:
            task.cancel()
        await asyncio.gather(*trickling, return_exceptions=True)
    assert {status for _, status in answers} == {200}, answers
    return sorted(seconds for seconds, _ in answers)


def crowd() -> None:
    for idle, slow, honest in ((_IDLE, _SLOW, _HONEST), (0, 0, 500), (0, 0, 1500)):
        with (
            TemporaryDirectory() as name,
            _listening(Path(name), "http://127.0.0.1:9", "--tunnel", "none") as listener,
        ):
            times = asyncio.run(_crowd(listener, idle, slow, honest))
        print(
            f"{honest} deliveries at once beside {idle} idle and {slow} slow connections: all answered 200, "
            f"median {median(times):.2f} s, slowest {times[-1]:.2f} s"
        )


async def _post_many(listener: Listening, numbers: range) -> Counter[int]:
    """Post a delivery for each number. Return how often each status came."""
    statuses: Counter[int] = Counter()

    async def post(numbers: range) -> None:
        for number in numbers:
            _, status = await listener.post(_callback(f"task-{number}", None))
            statuses[status] += 1

    await asyncio.gather(*(post(numbers[part::_AT_ONCE]) for part in range(_AT_ONCE)))
    return statuses


def memory() -> None:
    for words, arguments in (("alone", ()), ("forwarded in vain", ("--forward-to", "127.0.0.1:9/x"))):
        with (
            TemporaryDirectory() as name,
            _listening(Path(name), "http://127.0.0.1:9", "--tunnel", "none", *arguments) as listener,
        ):
            process, began = psutil.Process(listener.process.pid), time.monotonic()
            print(f"{words}: {_footprint(process)}")
            for numbers in (range(_MANY // 2), range(_MANY // 2, _MANY)):
                statuses = asyncio.run(_post_many(listener, numbers))
                seconds = time.monotonic() - began
                print(
                    f"  after {numbers.stop:,} deliveries and {seconds:.0f} s: {_footprint(process)}; "
                    f"answers to the latest {len(numbers):,}: {dict(statuses)}"
                )
            time.sleep(_MINUTE)
            print(f"  a minute later: {_footprint(process)}")


def _footprint(process: psutil.Process) -> str:
    used = process.cpu_times()
    return (
        f"{process.memory_info().rss / 1e6:.1f} MB, {process.num_fds()} descriptors, "
        f"{used.user + used.system:.1f} s of CPU"
    )


_PARTS = {"crowd": crowd, "memory": memory}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=["flood", *_PARTS], help="only this one")
    parser.add_argument("--seconds", type=int, default=60, help="length of the flood")
    parser.add_argument("--rate", type=int, default=20, help="forged deliveries a second")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    if options.part in (None, "flood"):
        flood(options.rate, options.seconds)
    for name, part in _PARTS.items():
        if options.part in (None, name):
            part()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RuntimeError, OSError, httpx.HTTPError) as error:
        sys.exit(f"error: {error}")
