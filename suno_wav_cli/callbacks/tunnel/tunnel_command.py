"""A tunnel by a program of the person's choice, such as cloudflared, by the address that it prints."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder
from suno_wav_cli.callbacks.tunnel.environment import find_secret_variables
from suno_wav_cli.callbacks.tunnel.tunnel import Lost
from suno_wav_cli.errors import TunnelFailed, UsageError
from suno_wav_cli.events.callbacks import TunnelOpening
from suno_wav_cli.system.shell_words import split_command

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from suno_wav_cli.callbacks.tunnel.agent_folder import AgentFolder
    from suno_wav_cli.callbacks.tunnel.tunnel import Listener, TunnelTimeouts

PORT = "{port}"

_OR_POLL = "Try the command by itself, or leave --tunnel-command out. Or poll: --tunnel none"
_ADDRESS = re.compile(r"https://[^\s|<>\"'`\x1b\\]+", re.IGNORECASE)
_PUNCTUATION = ".,;:!)]}"
_MAX_LINE = 65_536
_SHORTEST_SECRET = 8
"""A shorter value of a variable is not looked for in the output: it would be found in many words."""


def check_tunnel_command(command: str, port: int) -> None:
    """Raise UsageError if the command cannot be started, or cannot know the port."""
    words = split_command(command)
    if shutil.which(words[0]) is None:
        raise UsageError(
            f"--tunnel-command: there is no program {words[0]}", "Install it, or write its whole path."
        )
    if not port and not any(PORT in word for word in words):
        raise UsageError(
            "--tunnel-command does not say the port", f"Write {PORT} in its place, or add --port N."
        )


class TunnelCommand:
    """Runs the command while the tunnel is open. `folder` notes which tunnels run.

    `environ` is the person's own environment. What is this program's own does not reach the command.
    """

    def __init__(
        self, command: str, port: int, environ: Mapping[str, str], folder: Path, timeouts: TunnelTimeouts
    ) -> None:
        self._argv = [word.replace(PORT, str(port)) for word in split_command(command)]
        self._environ = {
            name: value for name, value in environ.items() if not name.upper().startswith("SUNO_")
        }
        self._folder = folder
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._closed = False
        self._running: _Running | None = None

    def open(self, listener: Listener, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        self.shut()
        listener.report(TunnelOpening())
        with self._lock:
            if self._closed:
                raise TunnelFailed("the tunnel was closed before it was open", _OR_POLL)
            running = self._running = self._start(listener)
        return running.wait_for_address(deadline, seconds)

    def shut(self) -> None:
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.end(self._timeouts.command_exit)

    def close(self) -> None:
        self._closed = True
        self.shut()

    def _start(self, listener: Listener) -> _Running:
        """Start the command in a session of its own, which Ctrl-C does not reach. Raise TunnelFailed."""
        try:
            folder = make_agent_folder(self._folder)
        except OSError as error:
            raise TunnelFailed(f"{self._folder} cannot be used: {error}", _OR_POLL) from error
        try:
            process = subprocess.Popen(
                [*folder.make_keeper(), *self._argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environ,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            folder.remove()
            reason = getattr(error, "strerror", None) or error
            raise TunnelFailed(f"the tunnel command cannot be started: {reason}", _OR_POLL) from error
        secrets = [self._environ[name] for name in find_secret_variables(self._environ)]
        return _Running(process, folder, listener, secrets)


class _Running:
    """A command that runs. One thread reads what it prints, another one waits for its end."""

    def __init__(
        self, process: subprocess.Popen[bytes], folder: AgentFolder, listener: Listener, secrets: list[str]
    ) -> None:
        self._process = process
        self._folder = folder
        self._listener = listener
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
        self._addresses: SimpleQueue[str | None] = SimpleQueue()
        self._last_lines: deque[str] = deque(maxlen=20)
        self._ended_by_us = threading.Event()
        self._reader = threading.Thread(target=self._read, name="tunnel-output", daemon=True)
        self._reader.start()
        self._waiter = threading.Thread(target=self._wait, name="tunnel", daemon=True)
        self._waiter.start()

    def wait_for_address(self, deadline: float, seconds: float) -> str:
        """Return the first address that is printed. Raise TunnelFailed."""
        try:
            address = self._addresses.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            reason = f"the tunnel command has printed no https address within {seconds:g} s"
            raise TunnelFailed(f"{reason}{self._last_words()}", _OR_POLL) from None
        if address is None:
            raise TunnelFailed(f"{self._describe_end()}{self._last_words()}", _OR_POLL)
        return address

    def end(self, grace: float) -> None:
        """Ask the command to end, then kill it and what it has started."""
        self._ended_by_us.set()
        _signal(self._process, signal.SIGTERM)
        self._waiter.join(grace)
        _signal(self._process, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._folder.end_agents()
        self._waiter.join(grace)
        self._folder.remove()

    def _read(self) -> None:
        """Read to the end, because a program whose output is not read stalls."""
        output = cast("io.BufferedReader", self._process.stdout)
        with suppress(OSError, ValueError), output:
            while line := output.readline(_MAX_LINE):
                text = line.decode("utf-8", "replace").strip()
                if text:
                    self._last_lines.append(text)
                for address in find_addresses(text):
                    self._addresses.put(address)

    def _wait(self) -> None:
        self._process.wait()
        # What is left of its output may say why. What it has left running may keep that open.
        self._reader.join(0.5)
        self._addresses.put(None)
        if not self._ended_by_us.is_set():
            self._listener.changed(Lost(reason=self._describe_end(), final=True))

    def _describe_end(self) -> str:
        code = self._process.returncode
        how = f"exit code {code}" if code is not None and code >= 0 else f"signal {-(code or 0)}"
        return f"the tunnel command has ended ({how})"

    def _last_words(self) -> str:
        if not self._last_lines:
            return ""
        words = self._last_lines[-1]
        for secret in self._secrets:
            words = words.replace(secret, "(hidden)")
        return f": {words[:200]}"


def find_addresses(text: str) -> Iterator[str]:
    """Yield the https addresses without a path: a tunnel's own. Its terms and its manual have paths."""
    for found in _ADDRESS.findall(text):
        address = found.rstrip(_PUNCTUATION)
        with suppress(ValueError):
            parts = urlsplit(address)
            # Reading the port raises ValueError if it is not a number.
            is_plain = parts.hostname and parts.port != 0 and "@" not in parts.netloc
            if is_plain and address.lower() == f"https://{parts.netloc}".lower():
                yield address


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if os.name == "posix":
        # The group may be there when the command has ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
    else:
        process.kill()
