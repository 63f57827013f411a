"""A tunnel by ngrok: which token, which agent, and how pyngrok is kept quiet."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyngrok import conf

from suno_wav_cli.callbacks.tunnel.agent_binary import find_agent
from suno_wav_cli.callbacks.tunnel.agent_download import download_agent
from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder
from suno_wav_cli.callbacks.tunnel.agent_process import AgentProcess, Launch
from suno_wav_cli.callbacks.tunnel.agent_release import find_release
from suno_wav_cli.callbacks.tunnel.agent_settings import make_agent_config, read_user_config
from suno_wav_cli.callbacks.tunnel.environment import find_proxy_variable
from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.errors import TunnelFailed, TunnelRefused
from suno_wav_cli.events.callbacks import TunnelOpening
from suno_wav_cli.models import Secret

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.tunnel.agent_binary import Agent
    from suno_wav_cli.callbacks.tunnel.tunnel import Destination, Listener, TunnelTimeouts

_ENDPOINTS_SINCE = (3, 30, 0)
"""Since this version, the agent has the API that pyngrok uses, and configuration version 3."""


_OTHER_PLACES = (
    "~/snap/ngrok/current/.config/ngrok/ngrok.yml",
    "~/.config/ngrok/ngrok.yml",
    "~/.ngrok2/ngrok.yml",
)
"""Where a snap, an agent that takes no other folder, and version 2 keep the configuration."""


class Ngrok:
    """Opens one agent at a time.

    `token` wins over the one in the person's ngrok.yml. `folder` holds those of running agents.
    """

    def __init__(
        self, destination: Destination, token: Secret | None, folder: Path, timeouts: TunnelTimeouts
    ) -> None:
        self._destination = destination
        self._token = token
        self._folder = folder
        self._timeouts = timeouts
        self._programs = SubprocessGroup()
        self._lock = threading.Lock()
        self._closed = False
        self._agent: AgentProcess | None = None

    def open(self, listener: Listener, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        self.shut()
        _prepare_process()
        user = _user_config()
        token = self._token or _token_of(user)
        if token is None:
            raise TunnelRefused(
                "there is no ngrok token", "Set NGROK_AUTHTOKEN, give --public-url, or poll: --tunnel none"
            )
        listener.report(TunnelOpening())
        search = find_agent(self._programs, deadline, self._timeouts)
        binary = search.agent
        if binary is None:
            binary = download_agent(
                find_release(), self._programs, listener.report, self._timeouts, unfit=search.unfit
            )
            deadline = time.monotonic() + seconds
        with self._lock:
            if self._closed:
                raise TunnelFailed("the tunnel was closed before it was open", OR_POLL)
            agent = self._agent = AgentProcess(self._prepare(binary, user, token), listener.changed)
        return agent.open(deadline - time.monotonic())

    def shut(self) -> None:
        with self._lock:
            agent, self._agent = self._agent, None
            if agent is not None:
                agent.end()

    def close(self) -> None:
        self._programs.close()
        self._closed = True
        self.shut()

    def _prepare(self, binary: Agent, user: dict[str, Any], token: Secret) -> Launch:
        """Write what an agent is started with. Raise TunnelFailed."""
        version = "3" if binary.version >= _ENDPOINTS_SINCE else "2"
        try:
            folder = make_agent_folder(self._folder)
            try:
                folder.write_config(make_agent_config(user, token, version))
                return Launch(
                    program=folder.make_program(binary.path),
                    folder=folder,
                    config_version=version,
                    token=token,
                    destination=self._destination,
                    timeouts=self._timeouts,
                    proxy="proxy_url in ngrok.yml"
                    if user.get("proxy_url")
                    else find_proxy_variable(os.environ),
                )
            except OSError:
                folder.remove()
                raise
        except OSError as error:
            raise TunnelFailed(f"{self._folder} cannot be used: {error}", OR_POLL) from error


def _prepare_process() -> None:
    """Keep pyngrok quiet, and keep its requests to the local agent away from proxies."""
    logger = logging.getLogger("pyngrok")
    if not logger.handlers:
        # Otherwise Python's last resort prints the agent's warnings on standard error.
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = ",".join(
        dict.fromkeys([*filter(None, hosts.split(",")), "127.0.0.1", "localhost"])
    )


def has_own_token() -> bool:
    """Tell whether the person's ngrok.yml has a token. Raise TunnelFailed if it cannot be read."""
    return _token_of(_user_config()) is not None


def _user_config() -> dict[str, Any]:
    """Read the configuration, with the token of another place where ngrok has kept it. Raise TunnelFailed."""
    current = read_user_config(Path(conf.DEFAULT_NGROK_CONFIG_PATH))
    for place in () if "authtoken" in current else _OTHER_PLACES:
        with suppress(TunnelFailed):
            other = read_user_config(Path(place).expanduser())
            if "authtoken" in other:
                return other | current
    return current


def _token_of(user: dict[str, Any]) -> Secret | None:
    token = user.get("authtoken")
    return Secret(value=token) if isinstance(token, str) else None
