"""A tunnel by ngrok: whose token, which agent, and what pyngrok needs to keep quiet."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyngrok import conf

from suno_wav_cli.callbacks.tunnel.agent_binary import download_agent, find_agent
from suno_wav_cli.callbacks.tunnel.agent_config import agent_config, read_user_config
from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder
from suno_wav_cli.callbacks.tunnel.agent_process import AgentRun, Launch
from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL
from suno_wav_cli.callbacks.tunnel.subprocesses import Children
from suno_wav_cli.errors import TunnelFailed, TunnelRefused
from suno_wav_cli.events import TunnelOpening
from suno_wav_cli.models import Secret

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.tunnel import Destination, Listener
    from suno_wav_cli.callbacks.tunnel.agent_binary import Agent

_ENDPOINTS_SINCE = (3, 30, 0)
"""The agent's version from which it has the API that pyngrok uses by default, and version 3 of its configuration."""


class Ngrok:
    """`folder` is where the folders of running agents lie; `token` wins over the one in the person's ngrok.yml."""

    def __init__(self, destination: Destination, token: Secret | None, folder: Path) -> None:
        self._destination = destination
        self._token = token
        self._folder = folder
        self._children = Children()
        self._lock = threading.Lock()
        self._closed = False
        self._run: AgentRun | None = None

    def open(self, listener: Listener, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        self.shut()
        _prepare_process()
        user = read_user_config(Path(conf.DEFAULT_NGROK_CONFIG_PATH))
        token = self._token or _token_of(user)
        if token is None:
            raise TunnelRefused(
                "there is no ngrok token", "Set NGROK_AUTHTOKEN, give --public-url, or poll: --tunnel none"
            )
        listener.report(TunnelOpening())
        agent = find_agent(self._children, deadline)
        if agent is None:
            agent = download_agent(self._children, listener.report)
            deadline = time.monotonic() + seconds
        with self._lock:
            if self._closed:
                raise TunnelFailed("the tunnel was closed before it was open", OR_POLL)
            run = self._run = AgentRun(self._launch(agent, user, token), self._destination, listener.changed)
        return run.start(deadline - time.monotonic())

    def shut(self) -> None:
        with self._lock:
            run, self._run = self._run, None
            if run is not None:
                run.end()

    def close(self) -> None:
        self._children.close()
        self._closed = True
        self.shut()

    def _launch(self, agent: Agent, user: dict[str, Any], token: Secret) -> Launch:
        version = "3" if agent.version >= _ENDPOINTS_SINCE else "2"
        try:
            folder = make_agent_folder(self._folder)
            try:
                folder.write_config(agent_config(user, token, version))
                return Launch(
                    program=folder.program_for(agent.path), folder=folder, config_version=version, token=token
                )
            except OSError:
                folder.remove()
                raise
        except OSError as error:
            raise TunnelFailed(f"{self._folder} cannot be used: {error}", OR_POLL) from error


def _prepare_process() -> None:
    """Keep pyngrok quiet, and from sending what is meant for the agent on this machine to a proxy."""
    logger = logging.getLogger("pyngrok")
    if not logger.handlers:
        # Else Python's last resort prints the agent's warnings on standard error.
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    hosts = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    os.environ["no_proxy"] = ",".join(
        dict.fromkeys([*filter(None, hosts.split(",")), "127.0.0.1", "localhost"])
    )


def _token_of(user: dict[str, Any]) -> Secret | None:
    token = user.get("authtoken")
    return Secret(value=token) if isinstance(token, str) else None
