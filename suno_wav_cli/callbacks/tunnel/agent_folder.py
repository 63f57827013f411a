"""A private folder for one run of the ngrok agent or of a tunnel command, and the means to end it.

The folder's path is on its command line (`--config FOLDER/ngrok.yml`, `sh FOLDER/keeper`). It is made
for one run only, so a process that has it there is that agent and no other.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from suno_wav_cli.callbacks.tunnel.environment import find_secret_variables
from suno_wav_cli.system.file_lock import SUPPORTED, is_held, is_same_file, try_lock
from suno_wav_cli.system.private_files import make_folder, refuse_link

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAX_COMPLAINT_BYTES = 64 * 1024
_NAME = re.compile(r"[0-9a-f]{16}(\.lock)?")


class AgentFolder:
    """A folder from `make_agent_folder`. Its lock is held as long as this program lives."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self._path = path
        self._lock = lock
        self.config = path / "ngrok.yml"

    def write_config(self, config: Mapping[str, object]) -> None:
        """Write the agent's configuration, with the token. It is JSON, which is YAML too."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
        with os.fdopen(os.open(self.config, flags, 0o600), "w") as file:
            json.dump(config, file)
        os.utime(self.config, (0, 0))

    def has_begun(self) -> bool:
        """Tell whether the script of `make_program` has started the agent. It sets the file's times."""
        return os.name == "nt" or self._config_times()[0] > 0

    def is_config_read(self) -> bool:
        """Tell whether the agent has read its configuration, if the file system notes that.

        What has read it before the script began is pyngrok.
        """
        written, read = self._config_times()
        return 0 < written < read

    def _config_times(self) -> tuple[float, float]:
        try:
            status = self.config.stat()
        except OSError:
            return 0.0, 0.0
        return status.st_mtime, status.st_atime

    def forget_config(self) -> None:
        """Delete the token from the disk: the agent has read it."""
        self.config.unlink(missing_ok=True)

    def make_program(self, agent: Path) -> Path:
        """Make a script that becomes the agent, off the terminal. On Windows return the agent.

        pyngrok lets the agent inherit standard input, standard error and every variable, and
        recognises a running agent by the path of its program.
        """
        if os.name == "nt":
            return agent
        program = self._path / "agent"
        config, agent_path, complaint = (
            shlex.quote(str(path)) for path in (self.config, agent, self._path / "stderr")
        )
        without = "".join(f"-u {shlex.quote(name)} " for name in find_secret_variables(os.environ))
        # env would take a path with "=" for a variable.
        run = f"""/bin/sh -c 'touch -c "$0" 2> /dev/null; exec "$@"' {config} {agent_path} "$@" """
        program.write_text(
            f"#!/bin/sh\nexec /usr/bin/env {without}{run}< /dev/null 2> {complaint}\n",
            encoding="utf-8",
            errors="surrogateescape",
        )
        program.chmod(0o700)
        return program

    def make_keeper(self) -> tuple[str, ...]:
        """Make a script that runs a command as its child. Return how its command line begins.

        So the folder's path is on the command line of a process of its group.
        """
        if os.name == "nt":
            return ()
        keeper = self._path / "keeper"
        keeper.write_text('"$@"\nexit $?\n', encoding="utf-8")
        return ("/bin/sh", str(keeper))

    def complaint(self) -> str:
        """Return what the agent wrote to standard error."""
        try:
            with (self._path / "stderr").open(encoding="utf-8", errors="replace") as file:
                return file.read(_MAX_COMPLAINT_BYTES)
        except OSError:
            return ""

    def end_agents(self) -> None:
        """Kill the agent, and the scripts that may have started it."""
        _end_agents_of(self._path)

    def remove(self) -> None:
        _remove(self._path)
        self._lock.close()


def make_agent_folder(parent: Path) -> AgentFolder:
    """Make a folder for one run, and end agents of programs that were killed. Raise OSError."""
    make_folder(parent)
    end_orphans(parent)
    while True:
        path = parent / secrets.token_hex(8)
        # The lock comes first: a folder whose lock is free is taken for an orphan's.
        lock = os.fdopen(os.open(_lock_of(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "r+b")
        if try_lock(lock) and is_same_file(_lock_of(path), lock):
            path.mkdir(mode=0o700)
            return AgentFolder(path, lock)
        lock.close()


def end_orphans(parent: Path) -> None:
    """End the agents whose programs are gone, and remove their folders: whose locks are free."""
    if not SUPPORTED:
        return
    found: set[Path] = set()
    with suppress(OSError):
        found = {path.with_suffix("") for path in parent.iterdir() if _NAME.fullmatch(path.name)}
    for folder in found:
        with suppress(OSError), _open_lock(folder) as lock:
            if try_lock(lock) and is_same_file(_lock_of(folder), lock):
                _end_agents_of(folder)
                _remove(folder)


def find_orphans(parent: Path) -> list[int]:
    """Return the agents whose programs are gone. Nothing is ended or removed."""
    if not SUPPORTED:
        return []
    locks: list[Path] = []
    with suppress(OSError):
        locks = [path for path in parent.glob("*.lock") if _NAME.fullmatch(path.name)]
    left = [str(path.with_suffix("")) for path in locks if not is_held(path)]
    return [pid for pid, line in _command_lines() if any(folder in line for folder in left)] if left else []


def _end_agents_of(folder: Path) -> None:
    """Kill every process that has the folder on its command line, and the group that it leads.

    An `ngrok` on PATH may be a script that starts the agent as its child, so there may be several.
    """
    for pid, command_line in _command_lines():
        if str(folder) in command_line and pid != os.getpid():
            with suppress(OSError):
                if os.name == "posix" and os.getpgid(pid) == pid:
                    os.killpg(pid, signal.SIGKILL)
                else:
                    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _command_lines() -> Iterator[tuple[int, str]]:
    """Yield the processes that can be seen, with their command lines. There are none on Windows."""
    processes = [*Path("/proc").glob("[0-9]*")]
    for process in processes:
        with suppress(OSError):
            yield int(process.name), os.fsdecode((process / "cmdline").read_bytes())
    if processes or os.name == "nt":
        return
    with suppress(OSError, subprocess.SubprocessError):
        # Without /proc, as on macOS.
        shown = subprocess.run(
            ["ps", "-axww", "-o", "pid=,command="],  # noqa: S607 - where ps lies differs
            capture_output=True,
            timeout=2,
            check=False,
        )
        for line in os.fsdecode(shown.stdout).splitlines():
            pid, _, command_line = line.strip().partition(" ")
            if pid.isdigit():
                yield int(pid), command_line


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # A lock that stays shows the next run what is left to remove.
    if not folder.exists():
        _lock_of(folder).unlink(missing_ok=True)


def _open_lock(folder: Path) -> BinaryIO:
    """Open a folder's lock, or make it. Raise OSError, also if it or the folder is a link."""
    refuse_link(folder)
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(_lock_of(folder), flags, 0o600), "r+b")


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
