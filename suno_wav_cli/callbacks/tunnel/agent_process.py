"""One ngrok agent, by pyngrok: opened within a deadline that holds, watched, and ended.

pyngrok looks at its own timeouts only between two lines of the agent's log, asks an agent that is
too old until its pipe is full, and takes a lost session for a healthy one. So pyngrok works in a
thread that is not waited for beyond the deadline, and the agent's log says how the session is.

Threads only put events into `_events`. One reader takes them out: `open` until there is an address,
`_watch` after that. So the status has one owner at a time and needs no lock.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from http.client import HTTPException
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from pyngrok import conf, ngrok
from pyngrok.exception import PyngrokError, PyngrokNgrokHTTPError
from pyngrok.ngrok import NgrokTunnel

from suno_wav_cli.callbacks.tunnel.agent_settings import tunnel_options
from suno_wav_cli.callbacks.tunnel.agent_status import (
    AddressSeen,
    AgentEvent,
    AgentState,
    AgentStatus,
    CloseRequested,
    ConnectFailed,
    Exited,
    LogEvent,
    LogMeaning,
    advance,
    change_between,
    explain_failure,
    is_config_read,
    read_log_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import Popen

    from pyngrok.log import NgrokLog

    from suno_wav_cli.callbacks.tunnel.agent_folder import AgentFolder
    from suno_wav_cli.callbacks.tunnel.tunnel import Destination, Lost, Restored, TunnelTimeouts
    from suno_wav_cli.errors import TunnelFailed
    from suno_wav_cli.models import Secret

_BAD_REQUEST = 400

_LOOK_SECONDS = 0.1
_AGAIN_SECONDS = 0.3
"""Between two looks at the configuration, and before it is deleted: an agent may read it twice."""

_NAME = "suno-wav"
"""The tunnel's name in the agent's API. pyngrok's own has slashes, by which no agent finds it again."""


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What an agent is started with. `proxy` is the setting by which it uses a proxy."""

    program: Path
    folder: AgentFolder
    config_version: str
    token: Secret
    destination: Destination
    timeouts: TunnelTimeouts
    proxy: str | None = None


@dataclass(frozen=True, kw_only=True)
class _Connection:
    """An agent that has given an address."""

    tunnel: NgrokTunnel
    process: Popen[str]


class AgentProcess:
    """One agent, from its start to its end."""

    def __init__(self, launch: Launch, on_change: Callable[[Lost | Restored], None]) -> None:
        self._launch = launch
        self._on_change = on_change
        self._config = conf.PyngrokConfig(
            ngrok_path=str(launch.program),
            config_path=str(launch.folder.config),
            log_event_callback=self._read_log,
            request_timeout=launch.timeouts.agent_request,
            # Ctrl-C must not reach the agent before we have finished.
            start_new_session=os.name == "posix",
            config_version=launch.config_version,
        )
        self._events: SimpleQueue[AgentEvent] = SimpleQueue()
        self._connection: Future[_Connection] = Future()
        self._config_is_gone = threading.Event()

    def open(self, seconds: float) -> str:
        """Start the agent. Return its public address, or end it and raise TunnelFailed."""
        deadline = time.monotonic() + seconds
        threading.Thread(target=self._connect, name="ngrok", daemon=True).start()
        threading.Thread(target=self._forget_config, name="ngrok-config", daemon=True).start()
        status = AgentStatus()
        with suppress(Empty):
            while status.state is AgentState.STARTING:
                left = max(0.0, deadline - time.monotonic())
                status = advance(status, self._events.get(timeout=left))
        if status.state is not AgentState.OPEN:
            raise self._fail(status)
        threading.Thread(target=self._watch, args=(status,), name="ngrok-watch", daemon=True).start()
        return status.address

    def end(self) -> None:
        """End the agent, and remove what it needed. May be called from any thread, and twice."""
        self._events.put(CloseRequested())
        self._config_is_gone.set()
        self._launch.folder.end_agents()
        if self._connection.done() and self._connection.exception() is None:
            process = self._connection.result().process
            process.kill()
            process.wait()
            # pyngrok forgets it.
            ngrok.kill(self._config)
        # Otherwise it is Windows, or an agent that is still starting: pyngrok ends it with the program.
        self._launch.folder.remove()

    def _connect(self) -> None:
        """Have pyngrok start the agent, and then wait for its end. Runs in a thread of its own."""
        try:
            tunnel = self._request_tunnel()
            # The agent runs, so this starts no other one.
            process = ngrok.get_ngrok_process(self._config).proc
        except Exception as error:  # noqa: BLE001 - pyngrok fails in many ways, and each is a tunnel that failed
            # The agent may run and give no address. Only this thread can end it then: pyngrok locks out others.
            ngrok.kill(self._config)
            self._connection.set_exception(error)
            self._events.put(ConnectFailed())
            return
        self._connection.set_result(_Connection(tunnel=tunnel, process=process))
        self._events.put(AddressSeen(address=_address_of(tunnel)))
        process.wait()
        self._events.put(Exited())

    def _request_tunnel(self) -> NgrokTunnel:
        """Ask for as much protection as this agent knows. It does not say what that is."""
        destination = self._launch.destination
        refused: PyngrokNgrokHTTPError | None = None
        for options in tunnel_options(destination, self._launch.config_version):
            try:
                return ngrok.connect(
                    destination.local_url, "http", _NAME, pyngrok_config=self._config, **options
                )
            except PyngrokNgrokHTTPError as error:
                if error.status_code != _BAD_REQUEST:
                    raise
                refused = error
        raise refused or AssertionError("there are always some options")

    def _read_log(self, log: NgrokLog) -> None:
        """Pass a line of the log on. Must not block pyngrok's thread: the agent would stall."""
        if is_config_read(log.msg or ""):
            self._launch.folder.forget_config()
            self._config_is_gone.set()
        event = read_log_line(log.lvl, log.msg or "", log.err)
        if event is not None:
            self._events.put(event)

    def _forget_config(self) -> None:
        """Delete the token's file if the log does not say that it was read. Runs in its own thread."""
        folder, until = self._launch.folder, time.monotonic() + self._launch.timeouts.agent_config
        while not folder.is_config_read() and time.monotonic() < until:
            if self._config_is_gone.wait(_LOOK_SECONDS):
                return
            if not folder.has_begun():
                until = time.monotonic() + self._launch.timeouts.agent_config
        if not self._config_is_gone.wait(_AGAIN_SECONDS):
            with suppress(OSError):
                folder.forget_config()

    def _watch(self, status: AgentStatus) -> None:
        """Report each change of an open tunnel, until the agent ends. Runs in its own thread."""
        while status.is_up:
            event: AgentEvent | None = self._events.get()
            if isinstance(event, LogEvent) and event.meaning is LogMeaning.SESSION_UP:
                event = self._look_up_address()
            if event is None:
                continue
            before, status = status, advance(status, event)
            change = change_between(before, status)
            if change is not None:
                self._on_change(change)

    def _look_up_address(self) -> AddressSeen | None:
        """Ask the agent's own API for the address. Return None if it does not say."""
        tunnel = self._connection.result().tunnel
        try:
            data = ngrok.api_request(
                f"{tunnel.api_url}{tunnel.uri}", timeout=self._launch.timeouts.agent_request
            )
            address = _address_of(NgrokTunnel(data, self._config, tunnel.api_url))
        except (PyngrokError, OSError, ValueError, AttributeError, HTTPException):
            return None
        return AddressSeen(address=address) if address else None

    def _fail(self, status: AgentStatus) -> TunnelFailed:
        """End an agent that gave no address in time, and say why it did not."""
        folder = self._launch.folder
        folder.end_agents()
        error = None
        with suppress(TimeoutError):
            # Its end makes pyngrok say what was wrong.
            error = self._connection.exception(timeout=self._launch.timeouts.agent_exit)
        late = status
        with suppress(Empty):
            while True:
                late = advance(late, self._events.get_nowait())
        failure = explain_failure(
            replace(status, complaints=late.complaints),
            error=error,
            stderr=folder.complaint(),
            seconds=self._launch.timeouts.open,
            secret=self._launch.token.value,
            proxy=self._launch.proxy,
        )
        self.end()
        failure.__cause__ = error
        return failure


def _address_of(tunnel: NgrokTunnel) -> str:
    return (tunnel.public_url or "").rstrip("/")
