"""The ngrok agent: found on this machine, and tried before it is used."""

from __future__ import annotations

import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.callbacks.tunnel.subprocesses import Subprocess, SubprocessGroup
    from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts

_VERSION = re.compile(r"ngrok version (\d+)\.(\d+)\.(\d+)")
_MAJOR = 3
"""The service refuses agents of version 2."""

_MAX_LAUNCHER_BYTES = 1 << 20
"""pyngrok installs a program named `ngrok`, which downloads the agent. The agent is far larger."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    path: Path
    version: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Search:
    """The agent that was found. `unfit` says why the first one on the way to it cannot be used."""

    agent: Agent | None
    unfit: str | None


def find_agent(programs: SubprocessGroup, deadline: float, timeouts: TunnelTimeouts) -> Search:
    """Find an agent of any 3.x version, on PATH or where pyngrok keeps its own.

    `deadline` is a time of `time.monotonic()`. All are asked at once, so that those that hang cost
    their time once. The first one that is fit counts.
    """
    deadline = min(deadline, time.monotonic() + timeouts.agent_version)
    asked = [(path, _ask_version(path, programs)) for path in _candidates()]
    agent = unfit = None
    for path, program in asked:
        found = program if isinstance(program, str) else _judge(path, program, deadline)
        if isinstance(found, Agent):
            agent = found
            break
        unfit = unfit or found
    for _, program in asked:
        if not isinstance(program, str) and program.code is None:
            program.kill()
    return Search(agent=agent, unfit=unfit)


def _judge(path: Path, program: Subprocess, deadline: float) -> Agent | str:
    """Return the agent, or why it cannot be used."""
    agent = _read_version(path, program, deadline)
    if agent is None:
        return f"{path} did not tell its version"
    if agent.version[0] != _MAJOR:
        return f"{path} is version {'.'.join(map(str, agent.version))}, where {_MAJOR} is needed"
    return agent


def _candidates() -> Iterator[Path]:
    name = "ngrok.exe" if os.name == "nt" else "ngrok"
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found is not None and not _is_launcher(Path(found)):
            yield Path(found)
    kept = downloaded_agent_path()
    if os.path.lexists(kept):
        yield kept


def _is_launcher(path: Path) -> bool:
    try:
        return path.stat().st_size < _MAX_LAUNCHER_BYTES and b"pyngrok" in path.read_bytes()
    except OSError:
        return True


def downloaded_agent_path() -> Path:
    """Return where pyngrok keeps the agent that it downloads. Ours goes there too."""
    from pyngrok import conf

    return Path(os.environ.get("PYNGROK_NGROK_PATH") or conf.DEFAULT_NGROK_PATH)


def try_agent(path: Path, programs: SubprocessGroup, seconds: float) -> Agent | None:
    """Ask a program for its version. Return None if it is missing, broken, slow or no agent."""
    deadline = time.monotonic() + seconds
    program = _ask_version(path, programs)
    return None if isinstance(program, str) else _read_version(path, program, deadline)


def _ask_version(path: Path, programs: SubprocessGroup) -> Subprocess | str:
    """Start an agent that tells its version. Return why, if that is not possible."""
    try:
        return programs.start([str(path), "--version"])
    except OSError as error:
        return f"{path} cannot be started: {error.strerror or error}"


def _read_version(path: Path, program: Subprocess, deadline: float) -> Agent | None:
    if not program.wait(seconds=max(0.0, deadline - time.monotonic())):
        program.kill()
        return None
    match = _VERSION.search(program.stdout)
    return None if match is None else Agent(path=path, version=(int(match[1]), int(match[2]), int(match[3])))
