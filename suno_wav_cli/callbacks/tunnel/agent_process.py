"""One run of the ngrok agent, by pyngrok: opened within a deadline that holds, watched, and ended.

pyngrok looks at its own timeouts only between two lines of the agent's log, asks an agent that is too old until its
pipe is full, and finds a lost session healthy. So everything it does runs in a thread that is not waited for longer
than the deadline, and the agent's log says how the session is.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import deque
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from pyngrok import conf, ngrok
from pyngrok.exception import PyngrokError, PyngrokNgrokHTTPError
from pyngrok.ngrok import NgrokTunnel

from suno_wav_cli.callbacks.tunnel import Lost, Restored
from suno_wav_cli.callbacks.tunnel.error_codes import ngrok_failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from subprocess import Popen

    from pyngrok.log import NgrokLog

    from suno_wav_cli.callbacks.tunnel import Destination
    from suno_wav_cli.callbacks.tunnel.agent_folder import AgentFolder
    from suno_wav_cli.errors import TunnelFailed
    from suno_wav_cli.models import Secret

_FAILED_DIALS = 3
_LAST_MOMENT = 0.5
_REQUEST_SECONDS = 4.0
_LOG_LINES = 50
_BAD_REQUEST = 400


@dataclass(frozen=True, kw_only=True)
class Launch:
    """What an agent is started with."""

    program: Path
    folder: AgentFolder
    config_version: str
    token: Secret


class AgentRun:
    """One agent, from its start to its end."""

    def __init__(
        self, launch: Launch, destination: Destination, on_change: Callable[[Lost | Restored], None]
    ) -> None:
        self._folder = launch.folder
        self._token = launch.token
        self._destination = destination
        self._on_change = on_change
        self._config = conf.PyngrokConfig(
            ngrok_path=str(launch.program),
            config_path=str(launch.folder.config),
            log_event_callback=self._hear,
            request_timeout=_REQUEST_SECONDS,
            # Ctrl-C must not reach the agent before we have finished.
            start_new_session=os.name == "posix",
            config_version=launch.config_version,
        )
        self._worker = threading.Thread(target=self._connect, name="ngrok", daemon=True)
        self._decided = threading.Event()
        self._tunnel: NgrokTunnel | None = None
        self._address = ""
        self._process: Popen[str] | None = None
        self._error: Exception | None = None
        self._ending = False
        self._lost = False
        self._failed_dials = 0
        self._complaints: deque[str] = deque(maxlen=_LOG_LINES)

    def start(self, seconds: float) -> str:
        """Return the public address, within so many seconds. Raises TunnelFailed, and has ended the agent then."""
        self._worker.start()
        in_time = self._decided.wait(seconds)
        if self._tunnel is not None:
            return self._address
        self._folder.end_agents()
        self._worker.join(_LAST_MOMENT)
        failure = self._failure(None if in_time else seconds)
        self.end()
        raise failure from self._error

    def end(self) -> None:
        """End the agent, and remove what it needed."""
        self._ending = True
        self._folder.end_agents()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            # pyngrok forgets it.
            ngrok.kill(self._config)
        # Otherwise it is Windows, or an agent that is only starting: pyngrok ends it with the program.
        self._folder.remove()

    def _connect(self) -> None:
        try:
            tunnel = self._connected()
            # It runs, and so this starts no other one.
            self._process = ngrok.get_ngrok_process(self._config).proc
            self._folder.forget_config()
            self._address = _base_of(tunnel)
            self._tunnel = tunnel
        except Exception as error:  # noqa: BLE001 - pyngrok stumbles in many ways, and each is a tunnel that failed
            self._error = error
            # An agent that runs and gives no address. Nobody else can: pyngrok locks it against other threads.
            ngrok.kill(self._config)
        self._decided.set()
        if self._process is not None:
            self._process.wait()
            if not self._ending:
                self._on_change(Lost(reason="the ngrok agent has ended", final=True))

    def _connected(self) -> NgrokTunnel:
        """Ask for as much protection as this agent knows: none says beforehand which options it takes."""
        refused: PyngrokNgrokHTTPError | None = None
        for options in self._options():
            try:
                return ngrok.connect(
                    self._destination.local_url, "http", pyngrok_config=self._config, **options
                )
            except PyngrokNgrokHTTPError as error:
                if error.status_code != _BAD_REQUEST:
                    raise
                refused = error
        raise refused or AssertionError("there are always some options")

    def _options(self) -> Iterator[dict[str, Any]]:
        domain, path = self._destination.domain, self._destination.path
        policy = {
            "on_http_request": [
                {
                    "expressions": [f"!(req.method == 'POST' && req.url.path == '{path}')"],
                    "actions": [{"type": "deny", "config": {"status_code": 404}}],
                }
            ]
        }
        base: dict[str, Any]
        if self._config.config_version == "3":
            base = {"url": f"https://{domain}"} if domain else {}
        else:
            base = {"schemes": ["https"]} | ({"hostname": domain} if domain else {})
        # Whether the agent wants a policy as text or as an object differs between its versions.
        yield {**base, "inspect": False, "traffic_policy": json.dumps(policy)}
        yield {**base, "inspect": False, "traffic_policy": policy}
        yield {**base, "inspect": False}
        yield base

    def _hear(self, log: NgrokLog) -> None:
        """Read a line of the agent's log. pyngrok calls this in a thread that must not die, or the agent stalls."""
        message = log.msg or ""
        if log.lvl in ("WARNING", "ERROR", "CRITICAL"):
            self._complaints.append(f"{log.err or message}")
        if self._tunnel is None:
            if "failed to reconnect session" in message:
                self._failed_dials += 1
                if self._failed_dials == _FAILED_DIALS:
                    self._decided.set()
        elif "session closed" in message and not self._lost and not self._ending:
            self._lost = True
            self._on_change(Lost(reason="the ngrok session is lost", final=False))
        elif "client session established" in message or "started tunnel" in message:
            # The second is said after the session is back, and then perhaps of another address.
            self._look_up_address(self._tunnel)

    def _look_up_address(self, tunnel: NgrokTunnel) -> None:
        try:
            data = ngrok.api_request(f"{tunnel.api_url}{tunnel.uri}", timeout=_REQUEST_SECONDS)
            address = _base_of(NgrokTunnel(data, self._config, tunnel.api_url))
        except (PyngrokError, OSError, ValueError, AttributeError, HTTPException):
            return
        if address and (self._lost or address != self._address):
            self._lost, self._address = False, address
            self._on_change(Restored(public_url=address))

    def _failure(self, waited: float | None) -> TunnelFailed:
        """`waited` is the time that was not enough, in seconds, where it was that."""
        texts = [
            str(self._error or ""),
            getattr(self._error, "body", ""),
            *self._complaints,
            self._folder.complaint(),
        ]
        last = self._complaints[-1] if self._complaints else ""
        if self._failed_dials >= _FAILED_DIALS:
            # Of "dial tcp: lookup NAME on SERVER: no such host" the end says what is the matter.
            otherwise = f"ngrok cannot be reached: {last.rpartition(': ')[2]}"
        elif waited is not None:
            otherwise = f"ngrok did not answer within {waited:.0f} s"
        else:
            otherwise = f"the ngrok agent does not work: {last or _first_line(self._folder.complaint()) or self._error}"
        return ngrok_failure(texts, otherwise.replace(self._token.value, "(hidden)"))


def _base_of(tunnel: NgrokTunnel) -> str:
    return (tunnel.public_url or "").rstrip("/")


def _first_line(text: str) -> str:
    return re.sub(r"^ERROR:\s*", "", text.strip()).partition("\n")[0]
