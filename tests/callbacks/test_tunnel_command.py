"""`--tunnel-command`: a stand-in for cloudflared as a real program, with a real https side."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from suno_wav_cli.callbacks.tunnel.tunnel_command import find_addresses
from tests.support.program import (
    ENDS_WITHIN,
    REPOSITORY,
    Sandbox,
    named,
    read_until,
    started,
    wait_until,
)
from tests.support.stand_in_tunnel import TERMS
from tests.support.wire import Certificate, new_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, NGROK_TOKEN = "token-of-the-tunnel", "token-of-ngrok"


@dataclass(frozen=True)
class TunnelWorld:
    folder: Path

    def options(self, mode: str = "ok") -> tuple[str, ...]:
        words = [sys.executable, "-P", "-m", "tests.support.stand_in_tunnel", "PORT"]
        words += [str(self.folder / "both.pem"), str(self.folder / "state.json"), mode]
        return ("--tunnel-command", shlex.join(words).replace("PORT", "{port}"))

    @property
    def env(self) -> dict[str, str]:
        return {
            "SUNO_WAV_PROVIDER": "sunoapi",
            "SUNO_API_KEY": "key-that-stays-secret",
            "SUNO_WAV_LOG_FILE": "log.jsonl",
            "SSL_CERT_FILE": str(self.folder / "certificate.pem"),
            "PYTHONPATH": str(REPOSITORY),
            "TUNNEL_TOKEN": TOKEN,
            "NGROK_AUTHTOKEN": NGROK_TOKEN,
        }

    @property
    def state(self) -> dict[str, Any]:
        wait_until((self.folder / "state.json").exists, 30.0)
        state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return state

    @property
    def is_gone(self) -> bool:
        """Whether the program, its child and its folder are."""
        agents = Path(os.environ["SUNO_WAV_HOME"]) / "agents"
        if agents.exists() and [*agents.iterdir()]:
            return False
        pids = [] if not (self.folder / "state.json").exists() else [self.state["pid"], self.state["child"]]
        return not any(_is_alive(pid) for pid in pids)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def world(tmp_path: Path) -> Iterator[TunnelWorld]:
    world = TunnelWorld(folder=tmp_path / "tunnel")
    world.folder.mkdir()
    new_certificate(world.folder)
    yield world
    wait_until(lambda: world.is_gone)


def test_callback_comes_through_the_tunnel_of_a_command(sandbox: Sandbox, world: TunnelWorld) -> None:
    """The command gets the variables that it may need, and none of the program's own."""
    arguments = ("convert", "demo-never+command", *world.options())
    with started(sandbox, *arguments, env=world.env) as process:
        submitted = read_until(process, named("submitted"))
        # The sandbox does not trust the certificate of the public side, so the test is the service.
        url = f"https://127.0.0.1:{world.state['public']}{world.state['path']}"
        callback = {"code": 200, "data": {"task_id": submitted["task_id"]}}
        certificate = Certificate(path=world.folder / "both.pem").client()
        assert httpx.post(url, json=callback, verify=certificate, trust_env=False).status_code == 200
        assert read_until(process, named("callback_received"))["task_id"] == submitted["task_id"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=ENDS_WITHIN)
    names = set(world.state["environ"])
    assert names >= {"TUNNEL_TOKEN", "NGROK_AUTHTOKEN", "PATH"}
    assert [name for name in names if name.startswith("SUNO_")] == []
    said = out + err + Path("log.jsonl").read_text(encoding="utf-8")
    assert [secret for secret in (TOKEN, NGROK_TOKEN, world.state["path"]) if secret in said] == []


@pytest.mark.long
@pytest.mark.parametrize("mode", ["stubborn", "ok"])
def test_signals_leave_nothing_of_the_command(sandbox: Sandbox, world: TunnelWorld, mode: str) -> None:
    arguments = ("convert", f"demo-never+{mode}", *world.options(mode))
    with started(sandbox, *arguments, env=world.env) as process:
        read_until(process, named("submitted"))
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_WITHIN) == 130
    assert world.is_gone


@pytest.mark.long
def test_next_command_ends_what_a_killed_run_has_left(sandbox: Sandbox, world: TunnelWorld) -> None:
    arguments = ("convert", "demo-never+left", *world.options("stubborn"))
    with started(sandbox, *arguments, env=world.env) as process:
        read_until(process, named("submitted"))
        process.kill()
        process.wait()
    assert not world.is_gone
    assert sandbox.run("jobs", env=world.env).code == 0
    wait_until(lambda: world.is_gone)


@pytest.mark.long
def test_command_that_ends_is_run_again(sandbox: Sandbox, world: TunnelWorld) -> None:
    """Songs of the earlier address are polled."""
    arguments = ("convert", "demo-slow+again", "--out", "song.wav", *world.options())
    with started(sandbox, *arguments, env=world.env) as process:
        read_until(process, named("submitted"))
        os.kill(world.state["pid"], signal.SIGKILL)
        lost = read_until(process, named("tunnel_lost"))
        assert lost["reason"] == "the tunnel command has ended (exit code 137)"
        read_until(process, named("saved"))
        assert process.wait(60) == 0


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("no-such-program {port}", "--tunnel-command: there is no program no-such-program"),
        ("cat", "--tunnel-command does not say the port"),
        ("cat '{port}", "is not a command: No closing quotation"),
    ],
)
def test_command_that_cannot_work_is_wrong_usage(sandbox: Sandbox, command: str, what: str) -> None:
    done = sandbox.run("convert", "demo+wrong-command", "--tunnel-command", command)
    assert (done.code, sandbox.counted("submissions", "demo+wrong-command")) == (2, 0)
    assert what in done.err


@pytest.mark.long
def test_nothing_is_submitted_if_the_command_fails(sandbox: Sandbox, world: TunnelWorld) -> None:
    """Its last line says why, without the value of a variable that may be secret."""
    done = sandbox.run("convert", "demo+fails", *world.options("fails"), env=world.env)
    assert (done.code, sandbox.counted("submissions", "demo+fails")) == (11, 0)
    what, remedy = done.err.splitlines()
    assert what == "error: the tunnel command has ended (exit code 3): error: no account for (hidden)"
    assert remedy.endswith("or leave --tunnel-command out. Or poll: --tunnel none")
    polled = sandbox.run("convert", "demo+polled", *world.options("fails"), "--tunnel", "none", env=world.env)
    assert polled.code == 0


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        pytest.param(
            TERMS.format(address="https://a-b.trycloudflare.com"),
            ["https://a-b.trycloudflare.com"],
            id="cloudflared",
        ),
        pytest.param(
            "Follow us at [https://twitter.com/localhost_run]. Custom domains: https://admin.localhost.run/\n"
            "8c4d.lhr.life tunneled with tls termination, https://8c4d.lhr.life\n",
            ["https://8c4d.lhr.life"],
            id="localhost.run",
        ),
        pytest.param("your url is: https://x.loca.lt", ["https://x.loca.lt"], id="localtunnel"),
        pytest.param(
            "\x1b[32mForwarding HTTP traffic from https://x.serveo.net\x1b[0m",
            ["https://x.serveo.net"],
            id="colours",
        ),
        pytest.param("at https://x.devtunnels.ms:3000.", ["https://x.devtunnels.ms:3000"], id="a port"),
        pytest.param(
            '{"url":"https://x.example","to":"http://127.0.0.1:1"}', ["https://x.example"], id="JSON"
        ),
        pytest.param(
            "http://x.example https://u:p@x.example https://x.example?a https://:1 https://x:y",
            [],
            id="others",
        ),
    ],
)
def test_find_addresses(text: str, addresses: list[str]) -> None:
    assert [*find_addresses(text)] == addresses
