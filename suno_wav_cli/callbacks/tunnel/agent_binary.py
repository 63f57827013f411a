"""The ngrok agent: found where the person has it, else downloaded, and never trusted before it has told its version."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events import AgentDownloading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.callbacks.tunnel.subprocesses import Children
    from suno_wav_cli.events import Report

_VERSION = re.compile(r"ngrok version (\d+)\.(\d+)\.(\d+)")
_VERSION_SECONDS = 2.0
_DOWNLOAD_SECONDS = 60.0
"""Songs wait for it. Whoever has a slower line has the service asked instead."""

_STALL_SECONDS = 8.0
"""Nor may it bring nothing for so long."""

_LARGEST_LAUNCHER = 1 << 20
"""Bytes. pyngrok puts a program of its own named `ngrok` on PATH, which downloads the agent; the agent is far larger."""

_PREFIX = ".suno-wav-download-"
_DOWNLOAD = "import sys; from pyngrok import installer; installer.install_ngrok(sys.argv[1])"
_INSTALL_IT = "Install it from https://ngrok.com/download, or poll: --tunnel none"


@dataclass(frozen=True, kw_only=True)
class Agent:
    path: Path
    version: tuple[int, int, int]


def find_agent(children: Children, deadline: float) -> Agent | None:
    """Find an agent of any 3.x version: on PATH, else where pyngrok keeps its own.

    `deadline` is of `time.monotonic()`.
    """
    for path in _candidates():
        agent = _tried(path, children, min(_VERSION_SECONDS, deadline - time.monotonic()))
        if agent is not None and agent.version[0] == 3:  # noqa: PLR2004 - the service refuses agents of version 2
            return agent
    return None


def download_agent(children: Children, report: Report) -> Agent:
    """Download the agent to where pyngrok keeps it, in place of whatever does not work there.

    It is tried before it gets its name, so that no accident leaves half of one. Raises TunnelFailed.
    """
    from pyngrok.exception import PyngrokError
    from pyngrok.installer import get_ngrok_cdn_url

    target = _pyngrok_path()
    try:
        report(AgentDownloading(source=get_ngrok_cdn_url("3"), path=target))
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_PREFIX) as folder:
            fresh = Path(folder) / target.name
            _download(fresh, children)
            agent = _tried(fresh, children, _VERSION_SECONDS)
            if agent is None:
                raise TunnelFailed("what was downloaded is not a working ngrok agent", _INSTALL_IT)
            fresh.replace(target)
            return Agent(path=target, version=agent.version)
    except (OSError, PyngrokError) as error:
        raise TunnelFailed(f"the ngrok agent cannot be downloaded: {error}", _INSTALL_IT) from error


def _remove_abandoned(parent: Path) -> None:
    """Remove what programs that were killed have left of their downloads."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > 2 * _DOWNLOAD_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _download(target: Path, children: Children) -> None:
    """Run pyngrok's installer in a process of its own: it writes to standard output, and nothing else could stop it.

    -P keeps the current folder, which may hold foreign files, off the import path. -I would also hide the
    user's own packages, and pyngrok may be one of them.
    """
    folder = target.parent.absolute()
    temporary = folder / "tmp"
    temporary.mkdir()
    installer = children.start(
        [sys.executable, "-P", "-c", _DOWNLOAD, str(folder / target.name)],
        {"TMPDIR": str(temporary), "TEMP": str(temporary)},
        folder,
    )
    begun = moved = time.monotonic()
    size = 0
    while not installer.ended(within=0.1):
        now = time.monotonic()
        if size != (size := _size_of(target.parent)):
            moved = now
        if now - moved > _STALL_SECONDS or now - begun > _DOWNLOAD_SECONDS:
            installer.end()
            raise TunnelFailed(
                f"the ngrok agent cannot be downloaded: it takes more than {now - begun:.0f} s", _INSTALL_IT
            )
    if installer.code != 0:
        raise TunnelFailed(f"the ngrok agent cannot be downloaded: {_reason(installer.said)}", _INSTALL_IT)


def _reason(traceback: str) -> str:
    """Take what matters out of "pyngrok...Error: ... from URL: <urlopen error [Errno -2] Name or service not known>"."""
    last = traceback.strip().rpartition("\n")[2]
    return re.sub(r"^.*from \S+: |<urlopen error |\[Errno -?\d+\] |>$", "", last) or "no reason given"


def _size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _candidates() -> Iterator[Path]:
    name = "ngrok.exe" if os.name == "nt" else "ngrok"
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found is not None and not _is_launcher(Path(found)):
            yield Path(found)
    yield _pyngrok_path()


def _is_launcher(path: Path) -> bool:
    try:
        return path.stat().st_size < _LARGEST_LAUNCHER and b"pyngrok" in path.read_bytes()
    except OSError:
        return True


def _pyngrok_path() -> Path:
    from pyngrok import conf

    return Path(os.environ.get("PYNGROK_NGROK_PATH") or conf.DEFAULT_NGROK_PATH)


def _tried(path: Path, children: Children, seconds: float) -> Agent | None:
    """Ask for its version; None for what is not there, not whole, not an agent, or too slow."""
    try:
        child = children.start([str(path), "--version"])
    except OSError:
        return None
    if not child.ended(within=seconds):
        child.end()
        return None
    match = _VERSION.search(child.printed)
    return None if match is None else Agent(path=path, version=(int(match[1]), int(match[2]), int(match[3])))
