"""A process that has loaded the whole program and forks a child for each run.

A run is still a process of its own, with its own environment, folder and streams, and starts at
the program's entry point. It saves loading the modules, which is most of the CPU of a short run.

Linux cannot give a forked child to another parent. So the warm process forks a guardian, the
guardian forks the run, waits for it and reports its exit code over a socket.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import suno_wav_cli
from tests.support.quick_limits import API_SPEED, UPLOAD_WHOLE, WAIT_SPEED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LAZY_MODULES = (
    "anyio._backends._asyncio",
    "concurrent.futures.thread",
    "httpcore",
    "numpy",
    "urllib.request",
    "uvicorn.lifespan.off",
    "uvicorn.loops.asyncio",
    "yaml",
)
"""Modules that the program and its dependencies load on first use."""

# The side of the tests


@dataclass(frozen=True, kw_only=True)
class _Server:
    """The warm process of this test worker."""

    process: subprocess.Popen[bytes]
    orders: socket.socket
    start_variables: dict[str, str]


_lock = threading.Lock()
_servers: list[_Server] = []


class WarmProcess(subprocess.Popen[Any]):
    """A run of the program in a child of the warm process. Otherwise a `subprocess.Popen`."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str], *, terminal: bool, **streams: Any
    ) -> None:
        self._terminal = terminal
        self._report, self._report_end = socket.socketpair()
        super().__init__(arguments, env=env, **streams)

    def _execute_child(self, arguments: Sequence[str], *rest: Any) -> None:
        """Send the order in place of fork and exec. `rest` is what Popen computes from its options."""
        env = rest[5]
        stdin, to_stdin, from_stdout, stdout, from_stderr, stderr = rest[9:15]
        theirs = [number if end == -1 else end for number, end in enumerate((stdin, stdout, stderr))]
        order = {
            "arguments": list(arguments),
            "environ": dict(env),
            "folder": str(Path.cwd()),
            "terminal": self._terminal,
        }
        with self._report_end, _lock:
            server = _server()
            descriptors = [*theirs, self._report_end.fileno()]
            socket.send_fds(server.orders, [json.dumps(order).encode()], descriptors)
        self.pid = int(self._read_report())
        self._child_created = True
        self._close_pipe_fds(stdin, to_stdin, from_stdout, stdout, from_stderr, stderr)  # type: ignore[attr-defined]

    def _internal_poll(self, *_: Any, **__: Any) -> int | None:
        with self._waitpid_lock:  # type: ignore[attr-defined]
            if self.returncode is None and select.select([self._report], [], [], 0)[0]:
                self.returncode = int(self._read_report())
                self._report.close()
        return self.returncode

    def _wait(self, timeout: float | None) -> int | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while self._internal_poll() is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            # Short, because another thread may read the report first and close the socket.
            with suppress(OSError, ValueError):
                select.select([self._report], [], [], 0.05)
        return self.returncode

    def _read_report(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            piece = self._report.recv(1)
            assert piece, "the warm process died"
            line += piece
        return line


def can_run(env: Mapping[str, str]) -> bool:
    """Tell whether a warm process fits. Python reads some variables only when it starts."""
    with _lock:
        return _start_variables(env) == _server().start_variables


def _server() -> _Server:
    if not _servers:
        _servers.append(_start())
    return _servers[0]


def _start() -> _Server:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.warm", str(theirs.fileno())],
            cwd=Path(__file__).parents[2],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    return _Server(process=process, orders=ours, start_variables=_start_variables(os.environ))


def end() -> None:
    """End the warm process."""
    for server in _servers:
        server.orders.close()
        server.process.wait()


def _start_variables(environ: Mapping[str, str]) -> dict[str, str]:
    prefixes = ("PYTHON", "LC_", "LANG", "LD_")
    return {name: value for name, value in environ.items() if name.startswith(prefixes)}


# The side of the warm process


def _serve(orders: socket.socket) -> bool:
    """Start a run for each order. Return True in the run itself, False when the tests are over."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 1 << 20, 4)
        _reap_guardians()
        if not message:
            return False
        if os.fork() == 0:
            orders.close()
            *streams, report = descriptors
            if _guard(streams, report):
                _become(json.loads(message), streams)
                return True
            os._exit(0)
        for descriptor in descriptors:
            os.close(descriptor)


def _reap_guardians() -> None:
    """Wait for those that have ended, so that their CPU time counts as that of the tests."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _guard(streams: Sequence[int], report: int) -> bool:
    """Fork the run and report its pid and its exit code. Return True in the run."""
    pid = os.fork()
    if pid == 0:
        os.close(report)
        return True
    for stream in streams:
        os.close(stream)
    # Ctrl-C in a shell reaches all processes of the tests; the run's end must still be reported.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        os.write(report, b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
    return False


def _become(order: dict[str, Any], streams: Sequence[int]) -> None:
    """Take over the order's streams, folder, environment and arguments."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)
    if order["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    _open_streams()
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environ"])
    sys.argv[1:] = order["arguments"]
    # As `python -m` does, unless it is told not to.
    if not sys.flags.safe_path:
        sys.path[0] = order["folder"]


def _open_streams() -> None:
    """Open the standard streams as Python does at its start: it looks whether each is a terminal."""
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115
    stderr = open(  # noqa: SIM115
        2, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False
    )
    sys.stdin, sys.stdout, sys.stderr = stdin, stdout, stderr
    for name, stream in (("__stdin__", stdin), ("__stdout__", stdout), ("__stderr__", stderr)):
        setattr(sys, name, stream)


def _modules() -> Iterator[str]:
    """List the program's modules, without its entry and those that load pyngrok.

    pyngrok looks for its folders when it is imported.
    """
    for module in pkgutil.walk_packages(suno_wav_cli.__path__, "suno_wav_cli."):
        if not module.name.startswith(("suno_wav_cli.__main__", "suno_wav_cli.callbacks.tunnel.")):
            yield module.name


def main() -> None:
    orders = socket.socket(fileno=int(sys.argv[1]))
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    for name in (*_LAZY_MODULES, *_modules()):
        import_module(name)
    del sys.modules["httpx._main"]
    gc.collect()
    gc.freeze()
    with suppress(ConnectionError, KeyboardInterrupt):
        if not _serve(orders):
            return
    is_quick = not {WAIT_SPEED, API_SPEED, UPLOAD_WHOLE}.isdisjoint(os.environ)
    module = "tests.support.quick_program" if is_quick else "suno_wav_cli"
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
