"""The program as a real process, and the sandbox as anybody can reach it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli.journal.entry import Account
from suno_wav_cli.sandbox.routes import COUNTERS_PATH
from tests.support import warm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATIENCE = 20.0

_HTTP = httpx.Client(trust_env=False, verify=False, timeout=20)  # noqa: S501 - all of it is on this machine

REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """What a run of the program left."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--json` said, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "suno_wav_cli", *arguments]


def run_program(
    *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60.0, entered: bytes = b""
) -> Finished:
    """Run `suno-wav` as a process of its own, in the test's folder, with `entered` on its standard input."""
    environ = {**os.environ, **(env or {})}
    finished = warm.run(arguments, environ, entered, seconds)
    if finished is None:
        done = subprocess.run(
            command_line(*arguments),
            env=environ,
            input=entered,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        finished = done.returncode, done.stdout, done.stderr
    code, out, err = finished
    assert b"Traceback" not in err, err.decode()
    return Finished(code=code, out=_text(out), err=_text(err))


def _text(content: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8").read()


@dataclass(frozen=True)
class Sandbox:
    """A sandbox on a real port; its counters as anybody can ask for them. `prefix` is where `provider`'s contract is."""

    base_url: str
    provider: str = "sandbox"
    prefix: str = ""

    def as_kie(self, provider: str) -> Sandbox:
        """Give the same sandbox, met by one of kie's contracts."""
        return replace(self, provider=provider, prefix="/kie")

    def run(self, *arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60.0) -> Finished:
        """Run the program against this sandbox."""
        return run_program(*arguments, env={**self.settings, **(env or {})}, seconds=seconds)

    @property
    def settings(self) -> dict[str, str]:
        # A poll interval that a test can wait for, and no patience that it cannot.
        return {
            **({} if self.provider == "sandbox" else {"SUNO_API_KEY": "any"}),
            "SUNO_WAV_PROVIDER": self.provider,
            "SUNO_WAV_BASE_URL": self.base_url + self.prefix,
            "SUNO_WAV_POLL_INTERVAL": "300ms",
            "SUNO_WAV_TIMEOUT": "20s",
            "SUNO_WAV_RETRIES": "1",
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
    process = subprocess.Popen(
        command_line(*arguments, "--json"),
        env={**os.environ, **sandbox.settings, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], happened: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Read events until one is as wanted. A program that never says it is killed, and the test with it."""
    assert process.stdout is not None
    impatience = threading.Timer(_PATIENCE, process.kill)
    impatience.start()
    try:
        for line in process.stdout:
            event: dict[str, Any] = json.loads(line)
            if happened(event):
                return event
    finally:
        impatience.cancel()
    raise AssertionError("the program ended before it happened")


def wait_until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"


def named(name: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event["event"] == name
