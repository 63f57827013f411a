"""A process that has loaded what others wrote, and becomes the program in a child for each run that is asked of it.

A run is a process of its own, with its own environment, folder and streams, and loads every line of the program
itself; only Python and the libraries are warm. Most of a short run's CPU went there, a thousand times over.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What the program imports, now or later. httpx as the program has it: without its command line.
_LIBRARIES = (
    "asyncio",
    "concurrent.futures.thread",
    "decimal",
    "hashlib",
    "hmac",
    "httpx",
    "httpcore",
    "anyio._backends._asyncio",
    "logging.config",
    "numpy",
    "platform",
    "shutil",
    "sqlite3",
    "ssl",
    "starlette.applications",
    "starlette.background",
    "starlette.requests",
    "starlette.responses",
    "starlette.routing",
    "tomllib",
    "typer",
    "typer.main",
    "uuid",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.loops.asyncio",
    "uvicorn.lifespan.off",
)


def _serve(orders: socket.socket) -> bool:
    """Answer each order with the pid of its process, and with its end. True in the child, when its streams are in place."""
    while True:
        message, streams, _, _ = socket.recv_fds(orders, 1 << 20, 3)
        if not message:
            return False
        order = json.loads(message)
        pid = os.fork()
        if pid == 0:
            orders.close()
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
                os.close(stream)
            os.chdir(order["folder"])
            os.environ.clear()
            os.environ.update(order["environ"])
            sys.argv[1:] = order["arguments"]
            sys.path[0] = order["folder"]
            return True
        for stream in streams:
            os.close(stream)
        orders.sendall(b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        orders.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


@dataclass
class _Warm:
    """The warm process of this process, and the variables that it was started with and can no longer heed."""

    process: subprocess.Popen[bytes]
    orders: socket.socket
    fixed: dict[str, str]
    busy: threading.Lock = field(default_factory=threading.Lock)


def run(
    arguments: Sequence[str], environ: Mapping[str, str], entered: bytes, seconds: float
) -> tuple[int, bytes, bytes] | None:
    """Run the program: its code, and what it said. None where it must be started from nothing. Raises TimeoutExpired."""
    warm = _warm()
    # Python reads its own settings when it starts.
    if _fixed(environ) != warm.fixed or any(name.startswith("COVERAGE") for name in environ):
        return None
    if not warm.busy.acquire(blocking=False):
        return None
    try:
        return _run(warm, arguments, environ, entered, seconds)
    finally:
        warm.busy.release()


def _run(
    warm: _Warm, arguments: Sequence[str], environ: Mapping[str, str], entered: bytes, seconds: float
) -> tuple[int, bytes, bytes]:
    order = {"arguments": arguments, "environ": dict(environ), "folder": str(Path.cwd())}
    with ExitStack() as stack:
        readers, writers = [], []
        for _ in range(3):
            reader, writer = os.pipe()
            readers.append(stack.enter_context(open(reader, "rb", buffering=0)))  # noqa: PTH123 - a descriptor
            writers.append(stack.enter_context(open(writer, "wb", buffering=0)))  # noqa: PTH123
        theirs = [readers[0], writers[1], writers[2]]
        socket.send_fds(warm.orders, [json.dumps(order).encode()], [stream.fileno() for stream in theirs])
        for stream in theirs:
            stream.close()
        pid = int(warm.orders.recv(100))
        late = threading.Event()

        def end() -> None:
            late.set()
            os.kill(pid, signal.SIGKILL)

        impatience = threading.Timer(seconds, end)
        impatience.start()
        try:
            with suppress(BrokenPipeError), writers[0]:
                writers[0].write(entered)
            out, err = _both(readers[1].fileno(), readers[2].fileno())
            code = int(warm.orders.recv(100))
        finally:
            impatience.cancel()
    if late.is_set():
        raise subprocess.TimeoutExpired(list(arguments), seconds, out, err)
    return code, out, err


def _both(*descriptors: int) -> list[bytes]:
    """Read all of them to their ends."""
    said = {descriptor: bytearray() for descriptor in descriptors}
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                piece = os.read(key.fd, 1 << 16)
                said[key.fd] += piece
                if not piece:
                    selector.unregister(key.fd)
    return [bytes(content) for content in said.values()]


_STARTING = threading.Lock()


def _warm() -> _Warm:
    """Give the one process, whichever thread asks first."""
    with _STARTING:
        return _started()


@cache
def _started() -> _Warm:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
            cwd=Path(__file__).parent.parent,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    return _Warm(process, ours, _fixed(os.environ))


def pids() -> set[int]:
    """Name the warm process, where there is one, for whoever counts what is left running."""
    return {_warm().process.pid} if _started.cache_info().currsize else set()


def end() -> None:
    """End the warm process, where there is one."""
    if _started.cache_info().currsize:
        warm = _warm()
        warm.orders.close()
        warm.process.communicate()


def _fixed(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environ.items() if name.startswith(("PYTHON", "LC_", "LANG", "LD_"))
    }


def main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1]))
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    for name in _LIBRARIES:
        import_module(name)
    del sys.modules["httpx._main"]
    gc.collect()
    gc.freeze()
    with suppress(ConnectionError, KeyboardInterrupt):
        if not _serve(orders):
            return
    gc.unfreeze()
    runpy.run_module("suno_wav_cli", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
