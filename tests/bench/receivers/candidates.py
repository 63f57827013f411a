"""The receivers to measure, how to start them, and a check that all do the same job."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
TASK_ID = "5c79a3d1e8b24f6f9a0b7c2d4e6f8a1b"
_FILE = f"https://cdn.example.com/wav/{TASK_ID}/a-song-of-four-minutes.wav?expires=1767225600"
CALLBACK = json.dumps({"code": 200, "msg": "success", "data": {"audio_wav_url": _FILE, "task_id": TASK_ID}})

_START_SECONDS, _INSTALL_SECONDS = 20.0, 300.0


class NotMeasured(Exception):
    """Something did not work, and so there are no numbers."""


@dataclass(frozen=True, eq=False)
class Receiver:
    """A program that is started with a port, a secret path and a task id, and ours with what to download too."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    downloads_itself: bool = False


def ours() -> list[Receiver]:
    """Ours with its own downloads, and beside curl as the peers are."""
    command = [sys.executable, "-m", "tests.bench.receivers.ours"]
    return [
        Receiver(name="ours", command=command, downloads_itself=True),
        Receiver(name="ours beside curl", command=command),
    ]


def flask(folder: Path) -> list[Receiver]:
    """Install Flask. Return no receiver if that fails."""
    python = str(folder / "bin" / "python")
    if not (
        _installed("Flask", [sys.executable, "-m", "venv", str(folder)])
        and _installed("Flask", [python, "-m", "pip", "install", "--quiet", "flask", "waitress"])
    ):
        return []
    program = str(HERE / "flask_receiver.py")
    return [
        Receiver(name=f"Flask, {server}", command=[python, program, server])
        for server in ("waitress", "app.run")
    ]


def express(folder: Path) -> list[Receiver]:
    """Install Express. Return no receiver if that fails."""
    command = ["npm", "install", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund", "express"]
    if not _installed("Express", command):
        return []
    environ = {"NODE_PATH": str(folder / "node_modules"), "NODE_ENV": "production"}
    return [Receiver(name="Express", command=["node", str(HERE / "express_receiver.js")], environ=environ)]


def check_job(http: httpx.Client, url: str, path: str) -> None:
    """Wait for the receiver, and see that it answers as all of them must. Raises NotMeasured."""
    wait_for(http, url)
    answer = http.post(url + path, content=CALLBACK)
    if answer.status_code != httpx.codes.OK or answer.json() != {"status": "received"}:
        raise NotMeasured(f"a callback was answered with {answer.status_code} {answer.text!r}")
    for problem, refusal, statuses in (
        ("another path", http.post(url + path[:-1] + "~", content=CALLBACK), {404}),
        ("a GET", http.get(url + path), {404, 405}),
        ("an array", http.post(url + path, content="[1]"), {400}),
        ("64 KiB of text", http.post(url + path, json={"text": "x" * 64 * 1024}), {413}),
    ):
        if refusal.status_code not in statuses:
            raise NotMeasured(f"{problem} was answered with {refusal.status_code}")


def wait_for(http: httpx.Client, url: str) -> None:
    """Wait until the server answers, no matter what. Raises NotMeasured."""
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            http.get(url)
        except httpx.HTTPError as error:
            if time.monotonic() > end:
                raise NotMeasured(f"{url} does not answer: {error}") from error
            time.sleep(0.02)
        else:
            return


def _installed(name: str, command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_INSTALL_SECONDS)
        problem = f"{command[0]} ended with {done.returncode}" if done.returncode else None
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem is not None:
        print(f"{name} is left out, for it cannot be installed: {problem}", file=sys.stderr)
    return problem is None
