"""A process that has loaded everything, and becomes the program in a child for each run that is asked of it.

A run is a process of its own, with its own environment, folder and streams, and begins at the program's entry. Most of a
short run's CPU went into loading, a thousand times over. What is started with `program.started`, and what Python itself
must start, loads everything for itself.
"""

from __future__ import annotations

import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import suno_wav_cli

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# What is loaded when it is first used.
_LATER = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "httpcore",
    "numpy",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
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


@dataclass(frozen=True)
class _Warm:
    """A warm process of this process, and the variables that it was started with and can no longer heed."""

    process: subprocess.Popen[bytes]
    orders: socket.socket
    fixed: dict[str, str]


_MOST = 4
"""More runs at once are started from nothing: a warm process takes 50 MB, and its start as long as two runs."""

_lock = threading.Lock()
_started: list[_Warm] = []
_idle: list[_Warm] = []


def run(
    arguments: Sequence[str], environ: Mapping[str, str], entered: bytes, seconds: float
) -> tuple[int, bytes, bytes] | None:
    """Run the program: its code, and what it said. None where it must be started from nothing. Raises TimeoutExpired."""
    with _one() as warm:
        # Python reads its own settings when it starts.
        if warm is None or _fixed(environ) != warm.fixed:
            return None
        return _run(warm, arguments, environ, entered, seconds)


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


@contextmanager
def _one() -> Iterator[_Warm | None]:
    """Give one that nobody is at; None where that would be one too many."""
    with _lock:
        if not _idle and len(_started) < _MOST:
            _started.append(_start())
            _idle.append(_started[-1])
        warm = _idle.pop() if _idle else None
    try:
        yield warm
    finally:
        if warm is not None:
            _idle.append(warm)


def _start() -> _Warm:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())],
            cwd=Path(__file__).parents[2],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
    return _Warm(process=process, orders=ours, fixed=_fixed(os.environ))


def end() -> None:
    """End the warm processes."""
    for warm in _started:
        warm.orders.close()
        warm.process.communicate()


def _fixed(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in environ.items() if name.startswith(("PYTHON", "LC_", "LANG", "LD_"))
    }


def _modules() -> Iterator[str]:
    """Name the program's own, but for the one that starts it, and those that load pyngrok, which then looks for folders."""
    for module in pkgutil.walk_packages(suno_wav_cli.__path__, "suno_wav_cli."):
        if not module.name.startswith(("suno_wav_cli.__main__", "suno_wav_cli.callbacks.tunnel.")):
            yield module.name


def main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1]))
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    for name in (*_LATER, *_modules()):
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
