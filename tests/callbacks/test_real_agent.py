"""`convert` and `listen` with ngrok's own agent 3.0.4, and a stand-in for ngrok's cloud."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.commands.test_listen import listening, success
from tests.support.ngrok_cloud import NgrokCloud
from tests.support.program import ENDS_WITHIN, Sandbox, named, read_until, started, wait_until
from tests.support.stand_in_ngrok_words import REFUSALS
from tests.support.wire import new_certificate

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY, TOKEN = "key-that-stays-secret", "token-that-stays-secret"

pytestmark = pytest.mark.long  # npm fetches the agent


@pytest.fixture(scope="module")
def real_agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent of the npm package @shopify/ngrok, which is ngrok's own 3.0.4."""
    folder = tmp_path_factory.mktemp("npm")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm to fetch the real agent with")
    fetched = subprocess.run(
        [npm, "pack", "@shopify/ngrok@4.3.2", "--silent"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if fetched.returncode != 0:
        pytest.skip(f"npm cannot fetch the real agent: {fetched.stderr.strip()[-200:]}")
    subprocess.run(["tar", "xzf", fetched.stdout.strip(), "package/bin/ngrok"], cwd=folder, check=True)
    agent = folder / "package" / "bin" / "ngrok"
    if subprocess.run([agent, "--version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("the real agent does not run on this machine")
    return agent


@dataclass(frozen=True)
class World:
    """The program's variables, with which it finds the agent and its cloud."""

    cloud: NgrokCloud
    env: dict[str, str]
    agents: Path

    @property
    def running(self) -> list[psutil.Process]:
        found = psutil.process_iter(["cmdline"])
        return [one for one in found if any(str(self.agents) in word for word in one.info["cmdline"] or ())]

    def assert_nothing_left(self) -> None:
        wait_until(lambda: self.running == [])
        assert not self.agents.exists() or [*self.agents.iterdir()] == []


@pytest.fixture
def world(real_agent: Path, tmp_path: Path) -> Iterator[World]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make the cloud's certificate with")
    certificate = new_certificate(tmp_path).path
    (tmp_path / "config" / "ngrok").mkdir(parents=True)
    env = {
        "PATH": f"{real_agent.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path),
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": KEY,
        "NGROK_AUTHTOKEN": TOKEN,
    }
    with NgrokCloud(certificate).running() as cloud:
        (tmp_path / "config" / "ngrok" / "ngrok.yml").write_text(
            f"version: 2\nserver_addr: 127.0.0.1:{cloud.port}\nroot_cas: {certificate}\n", encoding="utf-8"
        )
        world = World(cloud=cloud, env=env, agents=Path(os.environ["SUNO_WAV_HOME"]) / "agents")
        yield world
        world.assert_nothing_left()


@pytest.mark.timing
def test_an_agent_without_a_network_is_given_up_soon(
    sandbox: Sandbox, real_agent: Path, tmp_path: Path
) -> None:
    """One line, nothing of the agent's own, no process left."""
    env = {
        "PATH": f"{real_agent.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": KEY,
        # Not of the form that ngrok gives out: were there a network, it would be refused.
        "NGROK_AUTHTOKEN": TOKEN,
        "SUNO_WAV_LOG_FILE": "log.jsonl",
    }
    done = sandbox.run("convert", "demo+real", "--out", "song.wav", env=env)
    assert (done.code, done.out) == (0, "song.wav\n")
    first, *rest = done.err.splitlines()
    assert first.startswith("suno-wav: no callbacks (")
    assert [line.partition(":")[0] for line in rest] == ["demo+real"] * 3
    assert seconds_to_decide() < 8.0
    running = [process.info["exe"] for process in psutil.process_iter(["exe"])]
    assert str(real_agent) not in running


def test_a_callback_comes_through_the_tunnel(sandbox: Sandbox, world: World) -> None:
    """One lookup, which the callback causes: the next by the clock would be 20 s later."""
    song = "demo+real-cloud"
    arguments = ("convert", song, "--out", "a.wav", "--tunnel", "ngrok", "--poll-interval", "20s")
    assert sandbox.run(*arguments, env=world.env).code == 0
    assert (sandbox.counted("callbacks", song), sandbox.counted("lookups", song)) == (1, 1)
    probe, callback = world.cloud.visits
    assert probe == callback == (world.cloud.url, probe[1])
    assert probe[1].startswith("POST /suno-wav-callback/")


def test_a_lost_session_is_restored(sandbox: Sandbox, world: World) -> None:
    """The callback comes after that, and through it."""
    song, cloud = "demo-slow+real-lost", world.cloud
    arguments = ("convert", song, "--out", "a.wav", "--tunnel", "ngrok", "--poll-interval", "20s")
    with started(sandbox, *arguments, env=world.env) as process:
        read_until(process, named("submitted"))
        cloud.run(cloud.lose())
        read_until(process, named("tunnel_lost"))
        before = len(cloud.visits)
        cloud.run(cloud.accept())
        restored = read_until(process, named("tunnel_restored"))
        assert (restored["public_url"], restored["moved"]) == (cloud.url, False)
        read_until(process, named("saved"))
        assert process.wait(60) == 0
    # Proven by a request of ours, before the callback came the same way.
    assert len(cloud.visits) == before + 2
    assert sandbox.counted("callbacks", song) == 1
    # When it was lost, when it was back, and for the callback.
    assert sandbox.counted("lookups", song) <= 3


def test_an_address_that_changed_is_believed_when_a_request_has_come_through_it(world: World) -> None:
    """This agent goes on to tell its first address, so the tunnel is opened anew after half a minute."""
    cloud = world.cloud
    with listening("--tunnel", "ngrok", env=world.env) as listener:
        first = cloud.url
        assert listener.post(success("task-1")) == 200
        assert listener.next("delivery_received")["task_id"] == "task-1"
        cloud.run(cloud.lose())
        assert listener.next("tunnel_lost")["reason"] == "the ngrok session is lost"
        cloud.run(cloud.move())
        cloud.run(cloud.accept())
        assert f"{first} cannot be reached from here" in listener.next("tunnel_lost")["reason"]
        listener.url = listener.next("listening", seconds=90)["callback_url"]
        assert "tunnel_restored" not in [event["event"] for event in listener.seen]
        assert listener.url.startswith(f"{cloud.url}/suno-wav-callback/")
        assert listener.post(success("task-2")) == 200
        assert listener.next("delivery_received")["task_id"] == "task-2"
        assert len(world.running) == 1
        assert listener.stop() == 130
    assert [address for address, _ in cloud.visits] == [first, first, cloud.url, cloud.url]


def test_a_killed_agent_is_replaced(world: World) -> None:
    with listening("--tunnel", "ngrok", env=world.env) as listener:
        (agent,) = world.running
        agent.kill()
        assert listener.next("tunnel_lost")["reason"] == "the ngrok agent has ended"
        assert listener.next("tunnel_restored")["public_url"] == world.cloud.url
        assert listener.post(success("task-1")) == 200
        assert listener.next("delivery_received")["task_id"] == "task-1"
        assert agent.pid not in [one.pid for one in world.running]
        assert listener.stop() == 130


def test_the_next_command_ends_the_agent_of_a_killed_program(sandbox: Sandbox, world: World) -> None:
    """A song whose callback never comes: the agent would die of the line that it logs for a request."""
    with started(sandbox, "convert", "demo-never+real", "--tunnel", "ngrok", env=world.env) as process:
        read_until(process, named("submitted"))
        process.kill()
        process.wait()
    assert len(world.running) == 1
    assert sandbox.run("jobs", env=world.env).code == 0
    world.assert_nothing_left()


def test_no_secret_can_be_seen_by_others(sandbox: Sandbox, world: World) -> None:
    """Neither on a command line, nor in the environment of another program, nor on the disk."""
    with started(sandbox, "convert", "demo-never+real-secret", "--tunnel", "ngrok", env=world.env) as process:
        read_until(process, named("submitted"))
        ours = psutil.Process(process.pid)
        family = ours.children(recursive=True)
        (agent,) = world.running
        assert agent.pid in {one.pid for one in family}
        shown = [*ours.cmdline(), *(word for one in family for word in one.cmdline())]
        shown += [value for one in family for value in one.environ().values()]
        assert [word for word in shown if KEY in word or TOKEN in word] == []
        for file in Path(os.environ["SUNO_WAV_HOME"]).rglob("*"):
            assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_WITHIN) == 130


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("too-old", "the ngrok agent is too old for ngrok (ERR_NGROK_121)"),
        ("no-token", "ngrok refused the token, or its account is not verified (ERR_NGROK_4018)"),
        ("bad-token", "the ngrok token is not one that ngrok gives out (ERR_NGROK_105)"),
    ],
)
def test_what_the_cloud_refuses_is_named(sandbox: Sandbox, world: World, mode: str, said: str) -> None:
    """The agent passes the cloud's words on in its log, and ends."""
    world.cloud.refusal = REFUSALS[mode].format(version="3.0.4", token=TOKEN)
    done = sandbox.run("convert", f"demo+real-{mode}", "--tunnel", "ngrok", env=world.env)
    assert done.code == 11
    assert done.err.splitlines()[0] == f"error: {said}"
    assert TOKEN not in done.err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("stderr", ["&2", "/dev/null"], ids=["says so", "logs it only"])
def test_an_agent_that_may_not_read_its_configuration(
    sandbox: Sandbox, world: World, real_agent: Path, tmp_path: Path, stderr: str
) -> None:
    """As a snap may not read hidden folders: here it runs as a user who may not read the file."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("there is no setpriv to run a program as another user with")
    wrapper = tmp_path / "bin" / "ngrok"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\nexec {setpriv} --reuid 65534 --clear-groups "{real_agent}" "$@" 2>{stderr}\n'
    )
    wrapper.chmod(0o755)
    env = world.env | {"PATH": f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"}
    done = sandbox.run("convert", "demo+real-snap", "--tunnel", "ngrok", env=env)
    assert done.code == 11
    what, remedy = done.err.splitlines()
    assert what == "error: the ngrok agent may not read the configuration that it is given"
    assert "SUNO_WAV_HOME=$HOME/suno-wav" in remedy


def seconds_to_decide() -> float:
    """Return the time from the start of the tunnel until callbacks or polling are settled."""
    lines = Path("log.jsonl").read_text(encoding="utf-8").splitlines()
    times = {event["event"]: event["time"] for event in map(json.loads, lines)}
    return float(times["ready"] - times["tunnel_opening"])
