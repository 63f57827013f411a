"""Waiting times of the tunnel, with records that make them short. The agents are real programs."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from suno_wav_cli.callbacks.endpoint import CallbackEndpoint, receive_callbacks
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.tunnel import Destination, Listener, Lost, Restored, TunnelTimeouts
from suno_wav_cli.callbacks.tunnel.agent_binary import find_agent
from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder
from suno_wav_cli.callbacks.tunnel.agent_process import AgentProcess, Launch
from suno_wav_cli.callbacks.tunnel.agent_settings import make_agent_config
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.models import Secret
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.ngrok_world import NgrokWorld, ngrok_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from suno_wav_cli.callbacks.payload import ReceivedCallback

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PATH = "/suno-wav-callback/unguessable"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


def test_a_song_waits_for_a_tunnel_at_most_eight_seconds() -> None:
    timeouts = TunnelTimeouts()
    assert timeouts.open + timeouts.min_probe <= 8.0
    assert timeouts.agent_version < timeouts.open


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize("mode", ["silent", "swallowed"])
def test_an_agent_that_says_nothing_is_given_up_in_time(
    world: NgrokWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """One never logs a line, the other never gets a session."""
    for name, value in world.env(mode).items():
        monkeypatch.setenv(name, value)
    token = Secret(value="token-1")
    timeouts = TunnelTimeouts(open=0.5)
    folder = make_agent_folder(tmp_path / "agents")
    folder.write_config(make_agent_config({}, token, "3"))
    agent = AgentProcess(
        Launch(
            program=folder.make_program(world.executable),
            folder=folder,
            config_version="3",
            token=token,
            destination=Destination(local_url="http://127.0.0.1:9", path=PATH, domain=None),
            timeouts=timeouts,
        ),
        lambda change: pytest.fail(f"reported {change}"),
    )
    begun = time.monotonic()
    with pytest.raises(TunnelFailed, match=r"ngrok did not answer within 0\.5 s"):
        agent.open(timeouts.open)
    assert time.monotonic() - begun < 7
    assert [*(tmp_path / "agents").iterdir()] == []


@pytest.mark.timing
def test_programs_that_hang_are_passed_over_and_ended_with_their_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs named `ngrok` that do not print a version, each with a child of its own."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        program = folder / "ngrok"
        program.write_text("#!/bin/sh\nsleep 4322 & wait\n")
        program.chmod(0o755)
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "absent"))
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]))
    timeouts = TunnelTimeouts(agent_version=0.2)
    assert find_agent(SubprocessGroup(), time.monotonic() + 60, timeouts) is None
    command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in command_lines if "4322" in line]


@dataclass
class FailingTunnel:
    """A tunnel that cannot be opened. It remembers when it was tried."""

    tried: list[float] = field(default_factory=list)

    def open(self, listener: Listener, seconds: float) -> str:  # noqa: ARG002 - the interface of a tunnel
        self.tried.append(time.monotonic())
        raise TunnelFailed("there is no network", "Connect to one.")

    def shut(self) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass
class LocalTunnel:
    """A tunnel to the local port. It dies as soon as it is open, but for the third time."""

    local_url: str
    opened: int = 0

    def open(self, listener: Listener, seconds: float) -> str:  # noqa: ARG002 - the interface of a tunnel
        self.opened += 1
        if self.opened < 3:
            listener.changed(Lost(reason="it died", final=True))
        return self.local_url

    def shut(self) -> None:
        pass

    def close(self) -> None:
        pass


async def ignore(delivery: ReceivedCallback) -> None:
    pass


def keep_open(
    make_tunnel: Callable[[str], FailingTunnel | LocalTunnel],
    timeouts: TunnelTimeouts,
    is_enough: Callable[[list[Lost | Restored]], bool],
) -> list[Lost | Restored]:
    """Keep a tunnel open until the changes are enough. Return them."""
    changes: list[Lost | Restored] = []

    async def run() -> None:
        done = asyncio.Event()

        def on_change(change: Lost | Restored) -> None:
            changes.append(change)
            if is_enough(changes):
                done.set()

        with bind_socket(0) as bound:
            tunnel = make_tunnel(address_of(bound))
            endpoint = CallbackEndpoint(
                bound=bound, path=PATH, tunnel=tunnel, required=False, timeouts=timeouts
            )
            async with receive_callbacks(endpoint, Handlers(handle=ignore)) as probe:
                public_url = PublicUrl(endpoint, probe, NO_CERTIFICATES, on_change, lambda _event: None)
                with suppress(TunnelFailed):
                    await public_url.open()
                keeper = asyncio.ensure_future(public_url.keep_open())
                await asyncio.wait_for(done.wait(), 20)
                keeper.cancel()

    asyncio.run(run())
    return changes


@pytest.mark.long
@pytest.mark.timing
def test_pauses_grow_while_a_tunnel_cannot_be_opened() -> None:
    tunnel = FailingTunnel()
    timeouts = TunnelTimeouts(first_reopen=0.05, max_reopen=0.2)
    changes = keep_open(lambda _url: tunnel, timeouts, lambda changes: len(changes) == 4)
    assert changes == [Lost(reason="there is no network", final=True)] * 4
    pauses = [later - earlier for earlier, later in zip(tunnel.tried, tunnel.tried[1:], strict=False)]
    least = [0.05, 0.1, 0.2, 0.2]
    assert [pause >= seconds for pause, seconds in zip(pauses, least, strict=True)] == [True] * 4


def test_a_tunnel_that_dies_is_opened_again() -> None:
    timeouts = TunnelTimeouts(first_reopen=0.01, max_reopen=5.0)
    changes = keep_open(LocalTunnel, timeouts, lambda changes: isinstance(changes[-1], Restored))
    assert [type(change) for change in changes] == [Lost, Lost, Restored]
