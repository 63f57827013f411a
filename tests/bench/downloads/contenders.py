"""Who downloads: the program itself, as a person starts it, and those that it is compared with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_HTTPX_CLIENT = Path(__file__).with_name("httpx_client.py")
_OURS = ("SUNO_", "NGROK_")
_UNLIKELY = ("NO_COLOR", "PYTHONDONTWRITEBYTECODE")
"""What few people have set: without its bytecode the program is compiled at every start."""
_PROGRAM = 3
"""Words by which a command line of ours begins: Python, -m, and the package."""


@dataclass(frozen=True)
class Job:
    """One file to fetch. `home` is a folder that is not there yet; `task_id` has its file at `url`, as `api` says."""

    url: str
    target: Path
    certificate: Path
    home: Path
    api: str
    task_id: str


@dataclass(frozen=True)
class Contender:
    """`alone` names the same program with one connection; `fetches` is false of what only starts up."""

    name: str
    command: Callable[[Job], list[str]]
    alone: str
    settings: tuple[tuple[str, str], ...] = ()
    fetches: bool = True

    def environ(self, job: Job) -> dict[str, str]:
        """No proxy and no setting of the person who measures; the certificate is trusted, and a terminal is there."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_OURS) and not name.lower().endswith("_proxy") and name not in _UNLIKELY
        }
        ours = {"SUNO_WAV_HOME": str(job.home), "SUNO_API_KEY": "any", "SSL_CERT_FILE": str(job.certificate)}
        return kept | ours | {"TERM": "xterm-256color"} | dict(self.settings)


CURL, WGET, ARIA2C = "curl", "wget", "aria2c"
ARIA2C_ONE, ARIA2C_FOUR = "aria2c -x1 -s1", "aria2c -x4 -s4"
HTTPX = "httpx, iter_bytes"


def ours(connections: int | None) -> Contender:
    """Return the program with so many connections, or with its own choice if given None."""
    if connections is None:
        return Contender(name="suno-wav", command=_download, alone="suno-wav")
    return Contender(
        name=f"suno-wav, {connections} connection{'s' if connections > 1 else ''}",
        command=_download,
        alone="suno-wav, 1 connection",
        settings=(("SUNO_WAV_CONNECTIONS", str(connections)),),
    )


def beside(checkout: Path) -> Contender:
    """Return the program of another checkout, which has its own `.venv`, with its own choice of connections."""
    program = str(checkout.absolute() / ".venv/bin/suno-wav")
    name = "suno-wav of the other checkout"
    return Contender(name=name, command=lambda job: [program, *_download(job)[_PROGRAM:]], alone=name)


def start_up() -> Contender:
    name = "suno-wav, no download"
    return Contender(name=name, command=_status, alone=name, fetches=False)


def beyond_start_up(program: Contender) -> Contender:
    """Name what a program costs beyond its start."""
    return replace(
        program, name=f"{program.name}, beyond start-up", alone=f"{program.alone}, beyond start-up"
    )


def peers() -> list[Contender]:
    return [
        Contender(name=CURL, command=_curl, alone=CURL),
        Contender(name=WGET, command=_wget, alone=WGET),
        Contender(name=ARIA2C_ONE, command=lambda job: _aria2c(job, 1), alone=ARIA2C_ONE),
        Contender(name=ARIA2C_FOUR, command=lambda job: _aria2c(job, 4), alone=ARIA2C_ONE),
        Contender(name=HTTPX, command=_httpx, alone=HTTPX),
    ]


def _status(job: Job) -> list[str]:
    address = ["--provider", "sunoapi", "--base-url", job.api]
    return [sys.executable, "-m", "suno_wav_cli", "status", job.task_id, *address]


def _download(job: Job) -> list[str]:
    return [*_status(job), "--download", "--out", str(job.target)]


def _curl(job: Job) -> list[str]:
    # The first option, else curl reads a file of options.
    return [CURL, "-q", "-sS", "--fail", "--cacert", str(job.certificate), "-o", str(job.target), job.url]


def _wget(job: Job) -> list[str]:
    trusted = f"--ca-certificate={job.certificate}"
    return [WGET, "--no-config", "--no-hsts", "-nv", trusted, "-O", str(job.target), job.url]


def _aria2c(job: Job, connections: int) -> list[str]:
    # `falloc` is its fastest; by itself it splits into pieces of 20 MiB or more.
    options = ["--no-conf", "--quiet", "--file-allocation=falloc", "--min-split-size=1M"]
    options += [f"--ca-certificate={job.certificate}", f"-x{connections}", f"-s{connections}"]
    return [ARIA2C, *options, "-d", str(job.target.parent), "-o", job.target.name, job.url]


def _httpx(job: Job) -> list[str]:
    return [sys.executable, str(_HTTPX_CLIENT), job.url, str(job.target), str(job.certificate)]
