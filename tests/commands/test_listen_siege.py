"""`listen` on the open internet: under abuse, and for as long as an hour of deliveries."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import time
from contextlib import AsyncExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support.program import command_line, wait_until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

PATH = "/suno-wav-callback"
MEGABYTE = 1 << 20


def request(body: bytes, method: str = "POST", path: str = PATH, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = f"{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + body


def callback(task_id: str) -> bytes:
    return json.dumps({"code": 200, "msg": "success", "data": {"task_id": task_id}}).encode()


@contextmanager
def listening(port: int) -> Iterator[psutil.Process]:
    """Run `listen` at a known address."""
    process = subprocess.Popen(
        command_line("listen", "--port", str(port), "--no-secret", "--tunnel", "none"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: answers(port))
        yield psutil.Process(process.pid)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    async def post() -> bool:
        return (await genuine(port, "warm-up")) < 5

    try:
        return asyncio.run(post())
    except OSError:
        return False


async def genuine(port: int, task_id: str, seconds: float = 10) -> float:
    """Post a callback as the service would; the seconds until it is acknowledged."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(callback(task_id)))
        answer = await asyncio.wait_for(reader.read(12), seconds)
        assert answer == b"HTTP/1.1 200", answer
        return time.monotonic() - began
    finally:
        writer.close()


def sends(content: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def attack(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return attack


async def a_byte_at_a_time(writer: asyncio.StreamWriter) -> None:
    for byte in request(callback("trickle")):
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(1)


async def a_hundred_megabytes(writer: asyncio.StreamWriter) -> None:
    writer.write(request(b"", length=100 * MEGABYTE))
    for _ in range(100):
        writer.write(b" " * MEGABYTE)
        await writer.drain()


ATTACKS: list[Callable[[asyncio.StreamWriter], Awaitable[None]]] = [
    sends(b"POST /suno-wav-callback HTTP/1.1\r\nHost: a\r\nX-Half: "),
    sends(request(b'{"code": 200, ', length=1000)),
    a_byte_at_a_time,
    a_hundred_megabytes,
    sends(request(b"[" * 60_000)),
    sends(request(b"", method="DELETE")),
    sends(request(callback("wrong"), path="/wp-login.php")),
    sends(b"GET / HTTP/1.1\r\n\r\n\x00\x01rubbish" * 500),
    sends(b"POST " + b"/a" * 100_000),
    sends(b""),
]


@pytest.mark.long
def test_genuine_callback_is_answered_during_abuse(free_port: int) -> None:
    """Among 200 harmful connections. Memory stays flat, and no descriptor is left."""

    async def siege(process: psutil.Process) -> tuple[list[float], int]:
        async with AsyncExitStack() as stack:
            tasks = []
            for number in range(200):
                _, writer = await asyncio.open_connection("127.0.0.1", free_port)
                stack.callback(writer.close)
                tasks.append(asyncio.ensure_future(ATTACKS[number % len(ATTACKS)](writer)))
            times = [await genuine(free_port, f"genuine-{number}") for number in range(20)]
            held = process.num_fds()
            for task in tasks:
                task.cancel()
            with suppress(ConnectionError):
                await asyncio.gather(*tasks, return_exceptions=True)
        return times, held

    with listening(free_port) as process:
        fds, threads, memory = process.num_fds(), process.num_threads(), process.memory_info().rss
        for _ in range(2):
            times, held = asyncio.run(siege(process))
            assert max(times) < 5.0
            assert held <= fds + 200
        grown = process.memory_info().rss - memory
        assert grown < 12 * MEGABYTE, f"{grown / MEGABYTE:.1f} MB"
        wait_until(lambda: process.num_fds() <= fds, seconds=15)
        assert process.num_threads() == threads


async def all_genuine(port: int, count: int) -> list[float]:
    return await asyncio.gather(*(genuine(port, f"genuine-{number}", 60) for number in range(count)))


@pytest.mark.long
@pytest.mark.parametrize("count", [500, 1000])
def test_all_deliveries_that_come_together_are_answered(free_port: int, count: int) -> None:
    """More of them than connections are allowed: the rest waits."""
    _let_many_files_be_open()
    with listening(free_port):
        assert len(asyncio.run(all_genuine(free_port, count))) == count


@pytest.mark.long
def test_honest_deliveries_are_answered_among_idle_and_slow_ones(free_port: int) -> None:
    """64 connections are idle and 200 slow when 200 honest ones come, all at once."""

    async def siege() -> list[float]:
        async with AsyncExitStack() as stack:
            tasks = []
            for number in range(264):
                _, writer = await asyncio.open_connection("127.0.0.1", free_port)
                stack.callback(writer.close)
                if number >= 64:
                    tasks.append(asyncio.ensure_future(a_byte_at_a_time(writer)))
            times = await all_genuine(free_port, 200)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            return times

    _let_many_files_be_open()
    with listening(free_port):
        assert max(asyncio.run(siege())) < 15


def _let_many_files_be_open() -> None:
    """For the senders, which are all in this process."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


@pytest.mark.long
def test_many_deliveries_leave_nothing_behind(free_port: int) -> None:
    """20,000 of them, each of another task: no growth in memory, descriptors or threads."""

    async def deliver(first: int, count: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", free_port)
        for number in range(first, first + count):
            writer.write(request(callback(f"task-{number}")))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    async def deliver_all(first: int, count: int) -> None:
        await asyncio.gather(*(deliver(first + part * count // 4, count // 4) for part in range(4)))

    with listening(free_port) as process:
        # What is remembered of earlier deliveries has its full size by then.
        asyncio.run(deliver_all(0, 6000))
        wait_until(lambda: process.num_fds() < 60)
        fds, threads, memory = process.num_fds(), process.num_threads(), process.memory_info().rss
        asyncio.run(deliver_all(6000, 14_000))
        grown = process.memory_info().rss - memory
        assert grown < 4 * MEGABYTE, f"{grown / MEGABYTE:.1f} MB"
        wait_until(lambda: process.num_fds() <= fds)
        assert process.num_threads() == threads
