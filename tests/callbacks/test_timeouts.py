"""Waiting times of the tunnel, with records that make them short. The agents are real programs."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
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
from suno_wav_cli.callbacks.tunnel.agent_binary import Agent, find_agent
from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder
from suno_wav_cli.callbacks.tunnel.agent_process import AgentProcess, Launch
from suno_wav_cli.callbacks.tunnel.agent_settings import make_agent_config
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.callbacks.tunnel.tunnel import Destination, Listener, Lost, Restored, Tunnel, TunnelTimeouts
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import AgentDownloading
from suno_wav_cli.models import Secret
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.terminal.render import render
from tests.support.ngrok_world import NgrokWorld, ngrok_world
from tests.support.stand_in_ngrok_public import Endpoint, Reply

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
    search = find_agent(SubprocessGroup(), time.monotonic() + 60, timeouts)
    assert (search.agent, search.unfit) == (None, f"{folders[0] / 'ngrok'} did not tell its version")
    command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in command_lines if "4322" in line]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            b"\x7fELF of another machine", "cannot be started: Exec format error", id="other machine"
        ),
        pytest.param(b"#!/nowhere/sh\n", "cannot be started: No such file or directory", id="no interpreter"),
        pytest.param(b"#!/bin/sh\nexit 1\n", "did not tell its version", id="fails"),
        pytest.param(
            b"#!/bin/sh\necho ngrok version 2.3.40\n", "is version 2.3.40, where 3 is needed", id="too old"
        ),
    ],
)
def test_an_agent_that_cannot_be_used_is_named_with_its_reason(
    content: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there: to say that none was found would send its owner looking for it."""
    program = tmp_path / "ngrok"
    program.write_bytes(content)
    program.chmod(0o755)
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "absent"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), "/usr/bin", "/bin"]))
    search = find_agent(SubprocessGroup(), time.monotonic() + 60, TunnelTimeouts())
    assert (search.agent, search.unfit) == (None, f"{program} {said}")
    message = render(AgentDownloading(source="https://a.example", path=Path("ngrok"), unfit=search.unfit))
    assert message.text == (
        f"suno-wav: {program} {said}; downloading ngrok's agent from https://a.example to ngrok"
    )


def test_programs_are_asked_for_their_version_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs costs the others no time: the first one here answers when the last one has started."""
    scripts = {
        "one": f"while ! [ -e {tmp_path}/begun ]; do sleep 0.01; done; echo ngrok version 3.39.10",
        "two": "sleep 4323 & wait",
        "three": f": > {tmp_path}/begun; sleep 4323 & wait",
    }
    for name, script in scripts.items():
        (tmp_path / name).mkdir()
        program = tmp_path / name / "ngrok"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "absent"))
    folders = [str(tmp_path / name) for name in scripts]
    monkeypatch.setenv("PATH", os.pathsep.join([*folders, "/usr/bin", "/bin"]))
    search = find_agent(SubprocessGroup(), time.monotonic() + 60, TunnelTimeouts(agent_version=20.0))
    assert search.agent == Agent(path=tmp_path / "one" / "ngrok", version=(3, 39, 10))
    command_lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [line for line in command_lines if "4323" in line]


@pytest.mark.long
def test_an_agent_behind_programs_that_hang_is_found(
    world: NgrokWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has answered while the program was waiting for the others."""
    folder = tmp_path / "hangs"
    folder.mkdir()
    (folder / "ngrok").write_text("#!/bin/sh\nsleep 4324 & wait\n")
    (folder / "ngrok").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{world.env()['PATH']}")
    search = find_agent(SubprocessGroup(), time.monotonic() + 60, TunnelTimeouts(agent_version=4.0))
    assert search.agent == Agent(path=world.executable, version=(3, 39, 10))


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
    make_tunnel: Callable[[str], Tunnel],
    timeouts: TunnelTimeouts,
    is_enough: Callable[[list[Lost | Restored]], bool],
) -> list[Lost | Restored]:
    """Keep a tunnel open until the changes are enough. Return them."""
    changes: list[Lost | Restored] = []

    async def run() -> None:
        with bind_socket(0) as bound:
            tunnel = make_tunnel(address_of(bound))
            endpoint = CallbackEndpoint(
                bound=bound, path=PATH, tunnel=tunnel, required=False, timeouts=timeouts
            )
            async with receive_callbacks(endpoint, Handlers(handle=ignore)) as probe:
                public_url = PublicUrl(endpoint, probe, NO_CERTIFICATES, changes.append, lambda _event: None)
                with suppress(TunnelFailed):
                    await public_url.open()
                keeper = asyncio.ensure_future(public_url.keep_open())
                async with asyncio.timeout(20):
                    while not is_enough(changes):  # noqa: ASYNC110 - the tunnel counts, too
                        await asyncio.sleep(0.01)
                keeper.cancel()

    asyncio.run(run())
    return changes


@pytest.mark.long
@pytest.mark.timing
def test_pauses_grow_while_a_tunnel_cannot_be_opened() -> None:
    """The reason is said once, however often it is tried."""
    tunnel = FailingTunnel()
    timeouts = TunnelTimeouts(first_reopen=0.05, max_reopen=0.2)
    changes = keep_open(lambda _url: tunnel, timeouts, lambda _changes: len(tunnel.tried) == 5)
    assert changes == [Lost(reason="there is no network", final=True)]
    pauses = [later - earlier for earlier, later in zip(tunnel.tried, tunnel.tried[1:], strict=False)]
    least = [0.05, 0.1, 0.2, 0.2]
    assert [pause >= seconds for pause, seconds in zip(pauses, least, strict=True)] == [True] * 4


def test_a_tunnel_that_dies_is_opened_again() -> None:
    timeouts = TunnelTimeouts(first_reopen=0.01, max_reopen=5.0)
    changes = keep_open(LocalTunnel, timeouts, lambda changes: Restored in map(type, changes))
    assert [type(change) for change in changes] == [Lost, Restored]


@dataclass
class PublicSide:
    """A tunnel whose address is a server of its own, which `behaves` as a test says. It reports nothing."""

    local_url: str
    behaves: str = "forwards"
    opened: int = 0
    hung: threading.Event = field(default_factory=threading.Event)

    def open(self, listener: Listener, seconds: float) -> str:  # noqa: ARG002 - the interface of a tunnel
        self.opened += 1
        self.behaves = "forwards"
        options = {"name": f"number {self.opened}"}
        return Endpoint(options, self.local_url, None, lambda *_: None, self.answer).public_url

    def answer(self, endpoint: Endpoint) -> Reply | None:
        match self.behaves:
            case "hangs":
                self.hung.wait(30)
            case "is gone":
                return endpoint.offline()
            case "is another's":
                return Reply(status=200, body=b"welcome")
            case _:
                pass
        return None

    def shut(self) -> None:
        self.hung.set()

    def close(self) -> None:
        pass


def opened_once(changes: list[Lost | Restored]) -> list[Lost | Restored]:
    """Leave out what was before the tunnel was open: a slow machine may need a second attempt."""
    return changes[[*map(type, changes), Restored].index(Restored) :]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("behaves", "reason"),
    [
        ("is another's", "does not lead here: it answers HTTP 200"),
        ("is gone", "ngrok does not know the address that it gave out (ERR_NGROK_3200)"),
        ("hangs", "does not answer"),
    ],
)
def test_a_path_that_died_silently_is_said_and_opened_again(behaves: str, reason: str) -> None:
    """The tunnel says nothing of it: the heartbeat finds it."""
    tunnels: list[PublicSide] = []
    timeouts = TunnelTimeouts(
        heartbeat=0.2, clock_look=0.05, max_probe=0.3, recovery=0.2, recovery_pause=0.05, first_reopen=0.01
    )

    def make(local_url: str) -> PublicSide:
        tunnels.append(PublicSide(local_url))
        return tunnels[0]

    def is_enough(changes: list[Lost | Restored]) -> bool:
        since = opened_once(changes)
        if len(since) == 1:
            tunnels[0].behaves = behaves
        return len(since) > 2 and isinstance(since[-1], Restored)

    opened, lost, *_, again = opened_once(keep_open(make, timeouts, is_enough))
    assert isinstance(lost, Lost)
    assert reason in lost.reason
    assert opened != again


@pytest.mark.long
def test_a_path_that_comes_back_by_itself_is_not_opened_again() -> None:
    tunnels: list[PublicSide] = []
    timeouts = TunnelTimeouts(
        heartbeat=0.2, clock_look=0.05, max_probe=0.3, recovery=20.0, recovery_pause=0.05, first_reopen=0.01
    )

    def make(local_url: str) -> PublicSide:
        tunnels.append(PublicSide(local_url))
        return tunnels[0]

    def is_enough(changes: list[Lost | Restored]) -> bool:
        since = opened_once(changes)
        tunnels[0].behaves = "is gone" if len(since) == 1 else "forwards"
        return len(since) > 2

    opened, lost, again = opened_once(keep_open(make, timeouts, is_enough))
    assert isinstance(lost, Lost)
    assert (lost.final, opened) == (False, again)
