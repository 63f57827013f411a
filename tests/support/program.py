"""Run the program as a real process, against a sandbox on a real port."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli.journal.entry import Account
from suno_wav_cli.sandbox.routes import COUNTERS_PATH
from tests.support import warm
from tests.support.event_schema import check_event
from tests.support.quick_limits import API_SPEED, UPLOAD_WHOLE, WAIT_SPEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

ENDS_WITHIN = 10.0
"""Seconds for the program to end after a signal. Usually it takes 0.2 on an idle machine."""

_EVENT_TIMEOUT = 60.0
_SHOWN_LINES = 30

# A connection that is kept may be one that the sandbox is just closing.
_HTTP = httpx.Client(
    trust_env=False,
    verify=False,  # noqa: S501 - all of it is on this machine
    timeout=20,
    limits=httpx.Limits(max_keepalive_connections=0),
)

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """How a run of the program ended, and what it wrote. A failing test shows all of it."""

    code: int
    out: str
    err: str

    def __repr__(self) -> str:
        return f"exit code {self.code}{_section('stdout', self.out)}{_section('stderr', self.err)}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` wrote, one object a line."""
        return [_read_event(line) for line in self.out.splitlines()]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


def _read_event(line: str) -> dict[str, Any]:
    """Read a line of `--json`. Every event that a test sees has to be as the program's schema says."""
    event: dict[str, Any] = json.loads(line)
    check_event(event)
    return event


def _section(title: str, text: str) -> str:
    """Show the last lines of a stream under a title."""
    lines = text.splitlines()
    shown = "".join(f"\n  {line}" for line in lines[-_SHOWN_LINES:])
    cut = f"\n  ({len(lines) - _SHOWN_LINES} lines before)" if len(lines) > _SHOWN_LINES else ""
    return f"\n{title}:{cut}{shown}" if lines else f"\n{title}: empty"


_runs: deque[tuple[tuple[str, ...], Finished]] = deque(maxlen=5)


def describe_runs() -> str:
    """Show the latest runs of the program in this test, for its report when it fails."""
    return "\n\n".join(f"$ suno-wav {' '.join(arguments)}\n{done!r}" for arguments, done in _runs)


def forget_runs() -> None:
    _runs.clear()


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "suno_wav_cli", *arguments]


def start_program(
    *arguments: str, env: Mapping[str, str] | None = None, terminal: bool = False, **streams: Any
) -> subprocess.Popen[Any]:
    """Start `suno-wav` in the test's folder. `streams` are options of Popen, such as `stdout`.

    With `terminal`, the standard input is a terminal and becomes the process's own, as in a shell:
    Ctrl-C typed there reaches it. What needs `preexec_fn` or its own command line uses Popen.
    """
    environ = {**os.environ, **(env or {})}
    if warm.can_run(environ):
        return warm.WarmProcess(arguments, environ, terminal=terminal, **streams)
    assert not terminal, "a terminal needs the warm process"
    assert not {WAIT_SPEED, API_SPEED, UPLOAD_WHOLE} & environ.keys(), "short waits need the warm process"
    return subprocess.Popen(command_line(*arguments), env=environ, **streams)


def run_program(
    *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60.0, entered: bytes = b""
) -> Finished:
    """Run `suno-wav` as a process of its own with `entered` on its standard input."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start_program(*arguments, env=env, **pipes) as process:
        try:
            out, err = process.communicate(entered, timeout=seconds)
        except BaseException:
            process.kill()
            raise
    finished = Finished(code=process.returncode, out=_decode(out), err=_decode(err))
    _runs.append((arguments, finished))
    assert "Traceback" not in finished.err, finished
    return finished


def _decode(content: bytes) -> str:
    return content.decode().replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class Sandbox:
    """A sandbox on a real port, and its counters. `prefix` is where `provider`'s routes begin."""

    base_url: str
    provider: str = "sandbox"
    prefix: str = ""

    def as_kie(self, provider: str) -> Sandbox:
        """Return the same sandbox, reached through one of kie's contracts."""
        return replace(self, provider=provider, prefix="/kie")

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60.0) -> Finished:
        """Run the program against this sandbox."""
        return run_program(*arguments, env={**self.settings, **(env or {})}, seconds=seconds)

    @property
    def settings(self) -> dict[str, str]:
        """Environment variables for the program, with intervals that a test can wait for."""
        return {
            **({} if self.provider == "sandbox" else {"SUNO_API_KEY": "any"}),
            "SUNO_WAV_PROVIDER": self.provider,
            "SUNO_WAV_BASE_URL": self.base_url + self.prefix,
            "SUNO_WAV_POLL_INTERVAL": "300ms",
            "SUNO_WAV_TIMEOUT": "20s",
            "SUNO_WAV_RETRIES": "1",
            # As the sandbox counts, whose time is 20 times as fast.
            "SUNO_WAV_WINDOW": "20/500ms",
        }

    @property
    def service(self) -> Account:
        """The sandbox as the journal knows it."""
        return Account(base_url=self.base_url, provider="sandbox", kept_days=15)

    def counted(self, what: str, audio_id: str) -> int:
        counters = _HTTP.get(self.base_url + COUNTERS_PATH).json()
        return int(counters[what].get(audio_id, 0))


@contextmanager
def started(
    sandbox: Sandbox, *arguments: str, env: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start the program with `--json` against a sandbox, and kill it at the end of the block."""
    process = start_program(
        *arguments,
        "--json",
        env={**sandbox.settings, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        out, err = process.communicate()
        _runs.append((arguments, Finished(code=process.returncode, out=out or "", err=err or "")))


def read_until(process: subprocess.Popen[str], happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Read events until `happened` accepts one. Kill the program and fail if it takes too long."""
    assert process.stdout is not None
    timer = threading.Timer(_EVENT_TIMEOUT, process.kill)
    timer.start()
    seen = []
    try:
        for line in process.stdout:
            event = _read_event(line)
            if happened(event):
                return event
            seen.append(line)
    finally:
        timer.cancel()
    err = process.stderr.read() if process.stderr else ""
    done = Finished(code=process.wait(), out="".join(seen), err=err)
    raise AssertionError(f"the program ended before the event: {done}")


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not true within {seconds:.0f} s"


def named(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == name
