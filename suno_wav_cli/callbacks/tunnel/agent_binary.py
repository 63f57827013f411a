"""The ngrok agent: found on this machine or downloaded, and tried before it is used."""

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

    from suno_wav_cli.callbacks.tunnel import TunnelTimeouts
    from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
    from suno_wav_cli.events import Report

_VERSION = re.compile(r"ngrok version (\d+)\.(\d+)\.(\d+)")
_MAX_LAUNCHER_BYTES = 1 << 20
"""pyngrok installs a program named `ngrok`, which downloads the agent. The agent is far larger."""

_PREFIX = ".suno-wav-download-"
_DOWNLOAD = "import sys; from pyngrok import installer; installer.install_ngrok(sys.argv[1])"
_INSTALL_IT = "Install it from https://ngrok.com/download, or poll: --tunnel none"


@dataclass(frozen=True, kw_only=True)
class Agent:
    path: Path
    version: tuple[int, int, int]


def find_agent(programs: SubprocessGroup, deadline: float, timeouts: TunnelTimeouts) -> Agent | None:
    """Find an agent of any 3.x version, on PATH or where pyngrok keeps its own.

    `deadline` is a time of `time.monotonic()`.
    """
    for path in _candidates():
        agent = _try_agent(path, programs, min(timeouts.agent_version, deadline - time.monotonic()))
        if agent is not None and agent.version[0] == 3:  # noqa: PLR2004 - the service refuses agents of version 2
            return agent
    return None


def download_agent(programs: SubprocessGroup, report: Report, timeouts: TunnelTimeouts) -> Agent:
    """Download the agent to where pyngrok keeps it, over a broken one. Raise TunnelFailed.

    The agent is tried before it gets its name, so that a crash does not leave half of one.
    """
    from pyngrok.exception import PyngrokError
    from pyngrok.installer import get_ngrok_cdn_url

    target = _pyngrok_path()
    try:
        report(AgentDownloading(source=get_ngrok_cdn_url("3"), path=target))
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent, older_than=2 * timeouts.agent_download)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_PREFIX) as folder:
            fresh = Path(folder) / target.name
            _download(fresh, programs, timeouts)
            agent = _try_agent(fresh, programs, timeouts.agent_version)
            if agent is None:
                raise TunnelFailed("what was downloaded is not a working ngrok agent", _INSTALL_IT)
            fresh.replace(target)
            return Agent(path=target, version=agent.version)
    except (OSError, PyngrokError) as error:
        raise TunnelFailed(f"the ngrok agent cannot be downloaded: {error}", _INSTALL_IT) from error


def _remove_abandoned(parent: Path, older_than: float) -> None:
    """Remove what killed programs have left of their downloads."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > older_than:
                shutil.rmtree(folder, ignore_errors=True)


def _download(target: Path, programs: SubprocessGroup, timeouts: TunnelTimeouts) -> None:
    """Run pyngrok's installer in a process of its own.

    It writes to standard output, and only a process can be stopped.
    """
    temporary = target.parent.absolute() / "tmp"
    temporary.mkdir()
    installer = programs.start(
        # -P keeps the current folder, which may hold foreign files, off the import path. -I would
        # also hide the user's own packages, and pyngrok may be one of them.
        [sys.executable, "-P", "-c", _DOWNLOAD, str(target.absolute())],
        environment={"TMPDIR": str(temporary), "TEMP": str(temporary)},
        folder=temporary,
    )
    begun = moved = time.monotonic()
    size = 0
    while not installer.wait(seconds=0.1):
        now = time.monotonic()
        if size != (size := _size_of(target.parent)):
            moved = now
        if now - moved > timeouts.agent_stall or now - begun > timeouts.agent_download:
            installer.kill()
            raise TunnelFailed(
                f"the ngrok agent cannot be downloaded: it takes more than {now - begun:.0f} s", _INSTALL_IT
            )
    if installer.code != 0:
        raise TunnelFailed(
            f"the ngrok agent cannot be downloaded: {_read_reason(installer.stderr)}", _INSTALL_IT
        )


def _read_reason(traceback: str) -> str:
    """Return the end of "…: … from URL: <urlopen error [Errno -2] Name or service not known>"."""
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
        return path.stat().st_size < _MAX_LAUNCHER_BYTES and b"pyngrok" in path.read_bytes()
    except OSError:
        return True


def _pyngrok_path() -> Path:
    from pyngrok import conf

    return Path(os.environ.get("PYNGROK_NGROK_PATH") or conf.DEFAULT_NGROK_PATH)


def _try_agent(path: Path, programs: SubprocessGroup, seconds: float) -> Agent | None:
    """Ask a program for its version. Return None if it is missing, broken, slow or no agent."""
    try:
        program = programs.start([str(path), "--version"])
    except OSError:
        return None
    if not program.wait(seconds=seconds):
        program.kill()
        return None
    match = _VERSION.search(program.stdout)
    return None if match is None else Agent(path=path, version=(int(match[1]), int(match[2]), int(match[3])))
