"""`convert` by an ngrok tunnel: the real pyngrok, and a stand-in agent as a real program."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.support.ngrok_world import NgrokWorld, StandIn, ngrok_world
from tests.support.program import ENDS_WITHIN, Sandbox, named, read_until, started, wait_until
from tests.support.quick import shortlist

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

KEY, TOKEN = "key-that-stays-secret", "token-that-stays-secret"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    """The program takes the sandbox for the real service, and finds the stand-in on PATH."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


def settings(
    world: NgrokWorld, mode: str = "ok", *, version: str = "3.39.10", policy: str = "any", spam: int = 0
) -> dict[str, str]:
    return {
        **world.env(mode, version=version, policy=policy, spam=spam),
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": KEY,
        "NGROK_AUTHTOKEN": TOKEN,
        "SUNO_WAV_LOG_FILE": "log.jsonl",
    }


def config_of(agent: StandIn) -> dict[str, str]:
    """Give the text and the mode of the configuration that the agent was started with."""
    (config,) = agent.state["config_files"]
    return dict(config)


def logged() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("log.jsonl").read_text(encoding="utf-8").splitlines()]


def seconds_to_decide() -> float:
    """Return the time from the start of the tunnel until callbacks or polling are settled."""
    times = {event["event"]: event["time"] for event in logged()}
    return float(times["ready"] - times["tunnel_opening"])


def nothing_left(world: NgrokWorld) -> bool:
    agents = Path(os.environ["SUNO_WAV_HOME"]) / "agents"
    return world.left == [] and (not agents.exists() or [*agents.iterdir()] == [])


@pytest.mark.timing
def test_callback_comes_through_the_tunnel(sandbox: Sandbox, world: NgrokWorld) -> None:
    """One lookup: the callback wakes the song long before the next one is due."""
    done = sandbox.run(
        "convert", "demo+ngrok", "--out", "song.wav", "--poll-interval", "20s", env=settings(world)
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    assert (sandbox.counted("callbacks", "demo+ngrok"), sandbox.counted("lookups", "demo+ngrok")) == (1, 1)
    assert nothing_left(world)
    agent = world.agent().state
    assert f"suno-wav: callbacks arrive at {agent['public_url']}" not in done.err, "only -v says so"
    assert seconds_to_decide() < 8.0


REFUSED = [
    pytest.param(
        "no-token", r"ngrok refused the token, or its account is not verified \(ERR_NGROK_4018\)", id="4018"
    ),
    pytest.param("bad-token", r"the ngrok token is not one that ngrok gives out \(ERR_NGROK_105\)", id="105"),
    pytest.param("revoked", r"the ngrok token was revoked or replaced \(ERR_NGROK_107\)", id="107"),
    pytest.param("sessions", r"the ngrok account runs as many agents as it may \(ERR_NGROK_108\)", id="108"),
    pytest.param("too-old", r"the ngrok agent is too old for ngrok \(ERR_NGROK_121\)", id="121"),
    pytest.param("in-use", r"the ngrok address is in use by another agent.* \(ERR_NGROK_334\)", id="334"),
    pytest.param("no-such-domain", r"the domain does not exist .*ERR_NGROK_15013\)", id="15013"),
    pytest.param("offline", "ngrok cannot be reached: no such host", id="offline"),
    pytest.param("crash", "the ngrok agent does not work: ", id="crash"),
    pytest.param(
        "not-serving", r"ngrok does not know the address that it gave out \(ERR_NGROK_3200\)", id="3200"
    ),
    pytest.param(
        "bad-gateway", r"ngrok cannot reach the receiver on this machine \(ERR_NGROK_8012\)", id="8012"
    ),
]


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize(("mode", "reason"), shortlist(reversed(REFUSED), 8))
def test_auto_polls_and_says_why_in_one_line_if_the_tunnel_fails(
    sandbox: Sandbox, world: NgrokWorld, mode: str, reason: str
) -> None:
    song = f"demo+auto-{mode}"
    done = sandbox.run(
        "convert", song, "--out", "song.wav", "--domain", "a.ngrok.app", env=settings(world, mode)
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    first, *rest = done.err.splitlines()
    assert first.startswith("suno-wav: no callbacks (")
    assert first.endswith("): polling every 0.3 s")
    assert re.search(reason, first), first
    assert [line.partition(":")[0] for line in rest] == [song] * 3
    assert sandbox.counted("submissions", song) == 1
    assert nothing_left(world)
    assert seconds_to_decide() < 8.0


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("mode", "reason"), shortlist(REFUSED, 3))
def test_nothing_is_submitted_if_a_required_tunnel_fails(
    sandbox: Sandbox, world: NgrokWorld, mode: str, reason: str
) -> None:
    song = f"demo+required-{mode}"
    done = sandbox.run(
        "convert", song, "--tunnel", "ngrok", "--domain", "a.ngrok.app", env=settings(world, mode)
    )
    assert (done.code, done.out) == (11, "")
    what, remedy = done.err.splitlines()
    assert re.match(f"error: {reason}", what), what
    assert remedy.endswith("--tunnel none")
    assert sandbox.counted("submissions", song) == 0
    assert nothing_left(world)


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize("mode", ["silent", "swallowed"])
def test_song_does_not_wait_for_a_silent_agent(sandbox: Sandbox, world: NgrokWorld, mode: str) -> None:
    """At most eight seconds, with the program's own timeouts; the bound leaves room for a busy machine."""
    done = sandbox.run("convert", f"demo+{mode}", "--out", "song.wav", env=settings(world, mode))
    assert done.code == 0
    # What the search for the agent has taken is not left for it.
    assert re.search(r"no callbacks \(ngrok did not answer within [567] s\): polling", done.err)
    assert 6.0 < seconds_to_decide() < 16
    assert nothing_left(world)


@pytest.mark.long
@pytest.mark.timing
def test_programs_that_hang_leave_time_for_the_tunnel(
    sandbox: Sandbox, world: NgrokWorld, tmp_path: Path
) -> None:
    """Two programs named `ngrok` do not print a version, and the third opens the tunnel."""
    path = world.env()["PATH"]
    for name in ("one", "two"):
        program = tmp_path / name / "ngrok"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nsleep 4321 & wait\n")
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{path}"
    done = sandbox.run("convert", "demo+hanging", env=settings(world) | {"PATH": path})
    assert done.code == 0
    assert "no callbacks" not in done.err
    assert seconds_to_decide() < 16


@pytest.mark.long
def test_agent_behind_a_script_is_ended_with_it(sandbox: Sandbox, world: NgrokWorld, tmp_path: Path) -> None:
    """As version managers have it: what is on PATH starts the agent as its child."""
    shim = tmp_path / "shims" / "ngrok"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\n"{world.executable}" "$@"\nexit $?\n')
    shim.chmod(0o755)
    env = settings(world) | {"PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    with started(sandbox, "convert", "demo-never+shim", env=env) as process:
        read_until(process, named("submitted"))
        assert world.agent().alive
        assert stop(process) == 130
    assert nothing_left(world)
    with started(sandbox, "convert", "demo-never+shim2", env=env) as process:
        read_until(process, named("submitted"))
        process.kill()
        process.wait()
    assert sandbox.run("convert", "demo+after-shim", env=env).code == 0
    assert nothing_left(world)


@pytest.mark.long
def test_no_agent_is_started_without_a_token(sandbox: Sandbox, world: NgrokWorld) -> None:
    done = sandbox.run("convert", "demo+notoken", env=settings(world) | {"NGROK_AUTHTOKEN": ""})
    assert done.code == 0
    assert "no callbacks (there is no ngrok token): polling" in done.err
    assert world.runs == []


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.0.4", "3.16.0", "3.29.9", "3.30.0"])
def test_old_agents_are_supported(sandbox: Sandbox, world: NgrokWorld, version: str) -> None:
    song = f"demo+old-{version}"
    env = settings(world, version=version)
    done = sandbox.run("convert", song, "--tunnel", "ngrok", "--poll-interval", "20s", env=env)
    assert (done.code, sandbox.counted("lookups", song)) == (0, 1)
    config = json.loads(config_of(world.agent())["text"])
    assert config["version"] == ("3" if version == "3.30.0" else "2")
    assert nothing_left(world)


@pytest.mark.long
def test_token_of_the_persons_ngrok_configuration_is_used(sandbox: Sandbox, world: NgrokWorld) -> None:
    """With how ngrok is reached, and without anything else that is there."""
    theirs = Path(os.environ["XDG_CONFIG_HOME"]) / "ngrok" / "ngrok.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(
        "version: 3\nagent:\n  authtoken: token-of-theirs\n  connect_url: connect.example.com:443\n"
        "  web_addr: 0.0.0.0:4040\nendpoints:\n  - name: pyngrok-default\n    upstream: {url: 8080}\n"
    )
    env = settings(world) | {"NGROK_AUTHTOKEN": ""}
    done = sandbox.run("convert", "demo+theirs", "--tunnel", "ngrok", "--poll-interval", "20s", env=env)
    assert (done.code, sandbox.counted("lookups", "demo+theirs")) == (0, 1)
    assert json.loads(config_of(world.agent())["text"]) == {
        "version": "3",
        "agent": {
            "authtoken": "token-of-theirs",
            "connect_url": "connect.example.com:443",
            "inspect_db_size": -1,
            "remote_management": False,
            "update_check": False,
        },
    }


@pytest.mark.long
def test_broken_ngrok_configuration_is_named(sandbox: Sandbox, world: NgrokWorld) -> None:
    theirs = Path(os.environ["XDG_CONFIG_HOME"]) / "ngrok" / "ngrok.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("agent: [")
    done = sandbox.run("convert", "demo+broken", "--tunnel", "ngrok", env=settings(world))
    assert done.code == 11
    assert f"the ngrok configuration {theirs} cannot be read: line 1 is not YAML" in done.err
    theirs.write_text("just words")
    done = sandbox.run("convert", "demo+broken", "--tunnel", "ngrok", env=settings(world))
    assert f"the ngrok configuration {theirs} cannot be read: it is not a list of settings" in done.err


@pytest.mark.long
@pytest.mark.parametrize("place", ["snap/ngrok/current/.config/ngrok/ngrok.yml", ".ngrok2/ngrok.yml"])
def test_token_is_found_where_ngrok_has_kept_it(
    sandbox: Sandbox, world: NgrokWorld, tmp_path: Path, place: str
) -> None:
    """By a snap, and by version 2. A file that is broken there is passed over."""
    theirs = tmp_path / "person" / place
    theirs.parent.mkdir(parents=True)
    env = settings(world) | {"NGROK_AUTHTOKEN": "", "HOME": str(tmp_path / "person")}
    theirs.write_text("authtoken: token-of-theirs\n")
    song = f"demo+kept-{place.partition('/')[0].strip('.')}"
    done = sandbox.run("convert", song, "--tunnel", "ngrok", env=env)
    assert done.code == 0
    assert json.loads(config_of(world.agent())["text"])["agent"]["authtoken"] == "token-of-theirs"
    theirs.write_text("authtoken: [")
    done = sandbox.run("convert", f"{song}-broken", env=env)
    assert "no callbacks (there is no ngrok token): polling" in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("policy", ["string", "dict", "never"])
def test_agent_lets_only_callbacks_through_if_it_can(
    sandbox: Sandbox, world: NgrokWorld, policy: str
) -> None:
    """Whatever form of a policy it takes; without one the receiver refuses the rest."""
    env = settings(world, policy=policy)
    with started(sandbox, "convert", f"demo-slow+{policy}", env=env) as process:
        read_until(process, named("submitted"))
        agent = world.agent()
        answers = [httpx.get(agent.state["public_url"] + path, trust_env=False) for path in ("/", "/admin")]
        assert [answer.status_code for answer in answers] == [404, 404]
        refused_at_ngrok = ["not found\n" not in answer.text for answer in answers]
        assert refused_at_ngrok == [policy != "never"] * 2
        stop(process)


@pytest.mark.long
def test_domain_is_requested(sandbox: Sandbox, world: NgrokWorld) -> None:
    for version, option in (
        ("3.39.10", {"url": "https://a.ngrok.app"}),
        ("3.0.4", {"hostname": "a.ngrok.app"}),
    ):
        song = f"demo+domain-{version}"
        env = settings(world, version=version)
        assert sandbox.run("convert", song, "--domain", "https://a.ngrok.app/", env=env).code == 0
        asked = world.agents[-1].state["posts"][-1]["options"]
        assert {name: asked[name] for name in option} == option
        assert asked.get("pooling_enabled") in (None, False)


@pytest.mark.long
def test_dead_agent_is_noticed(sandbox: Sandbox, world: NgrokWorld) -> None:
    """The song is asked about at once, and then at every interval."""
    with started(sandbox, "convert", "demo-slow+dies", "--out", "song.wav", env=settings(world)) as process:
        read_until(process, named("submitted"))
        world.agent().die()
        lost = read_until(process, named("tunnel_lost"))
        assert (lost["reason"], lost["poll_interval"]) == ("the ngrok agent has ended", 0.3)
        read_until(process, named("saved"))
        assert process.wait(60) == 0
    assert sandbox.counted("lookups", "demo-slow+dies") > 2
    assert nothing_left(world)


@pytest.mark.long
def test_lost_and_restored_session_is_noticed(sandbox: Sandbox, world: NgrokWorld) -> None:
    """One lookup when it is lost, one when it is back, and one for the callback; a few by the clock.

    A song that is not yet waiting when the session is lost has its first lookup by the clock.
    """
    arguments = ("convert", "demo-slow+session", "--out", "song.wav", "--poll-interval", "1s")
    with started(sandbox, *arguments, env=settings(world)) as process:
        read_until(process, named("submitted"))
        agent = world.agent()
        agent.lose_session()
        read_until(process, named("tunnel_lost"))
        read_until(process, named("looked_up"))
        agent.come_back()
        restored = read_until(process, named("tunnel_restored"))
        assert restored["public_url"] == agent.state["public_url"]
        read_until(process, named("saved"))
        assert process.wait(60) == 0
    assert sandbox.counted("lookups", "demo-slow+session") >= 3
    assert nothing_left(world)


@pytest.mark.long
def test_song_of_an_earlier_address_is_polled_at_the_normal_pace(sandbox: Sandbox, world: NgrokWorld) -> None:
    """The service was given the old address, where its callback does not arrive any more."""
    arguments = ("convert", "demo-slow+moved", "--out", "song.wav", "--poll-interval", "0.5s")
    with started(sandbox, *arguments, env=settings(world)) as process:
        read_until(process, named("submitted"))
        agent = world.agent()
        agent.lose_session()
        read_until(process, named("tunnel_lost"))
        agent.come_back(new_url=True)
        restored = read_until(process, named("tunnel_restored"))
        assert (restored["public_url"], restored["moved"]) == (agent.now["public_url"], True)
        read_until(process, named("saved"))
        assert process.wait(60) == 0
    assert sandbox.counted("lookups", "demo-slow+moved") > 2


@pytest.mark.long
def test_address_that_the_agent_only_claims_is_not_believed(sandbox: Sandbox, world: NgrokWorld) -> None:
    """An agent of version 3.0.4 says its first address for ever, whatever ngrok has given it since."""
    env = settings(world, version="3.0.4")
    with started(sandbox, "convert", "demo-never+claimed", env=env) as process:
        read_until(process, named("submitted"))
        agent = world.agent()
        agent.lose_session()
        read_until(process, named("tunnel_lost"))
        agent.come_back(new_url=True)
        lost = read_until(process, lambda event: event["event"] in {"tunnel_lost", "tunnel_restored"})
        reason = "ngrok does not know the address that it gave out (ERR_NGROK_3200)"
        assert (lost["event"], lost["reason"]) == ("tunnel_lost", reason)
        stop(process)
    assert nothing_left(world)


@pytest.mark.long
def test_agents_api_is_reached_without_the_proxy(sandbox: Sandbox, world: NgrokWorld) -> None:
    env = settings(world) | {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": "example.com"}
    done = sandbox.run("convert", "demo+dead-proxy", "--tunnel", "ngrok", "--poll-interval", "20s", env=env)
    assert (done.code, sandbox.counted("lookups", "demo+dead-proxy")) == (0, 1)


@pytest.mark.long
def test_chatty_agent_does_not_stall(sandbox: Sandbox, world: NgrokWorld) -> None:
    """More lines than its pipe holds, for each connection."""
    env = settings(world, spam=2000)
    done = sandbox.run("convert", "demo+chatty", "demo+chatty2", "--poll-interval", "20s", env=env)
    assert done.code == 0
    assert sandbox.counted("lookups", "demo+chatty") == 1


@pytest.mark.long
def test_songs_that_need_no_submission_do_not_wait_for_a_tunnel(sandbox: Sandbox, world: NgrokWorld) -> None:
    env = settings(world, "silent")
    assert sandbox.run("convert", "demo+known-by-tunnel", "--no-wait", env=env).code == 0
    assert sandbox.run("convert", "demo+known-by-tunnel", "--out", "song.wav", env=env).code == 0
    assert world.runs == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
@pytest.mark.parametrize("moment", ["opening", "waiting"])
def test_signals_leave_no_agent(
    sandbox: Sandbox, world: NgrokWorld, moment: str, number: signal.Signals
) -> None:
    env = settings(world, "silent" if moment == "opening" else "ok")
    song = f"demo-slow+{moment}-{number.name}"
    with started(sandbox, "convert", song, env=env) as process:
        if moment == "opening":
            world.agent()
        else:
            read_until(process, named("submitted"))
        assert stop(process, number) == 128 + number
    assert nothing_left(world)


@pytest.mark.long
def test_next_run_ends_the_orphaned_agent_only(sandbox: Sandbox, world: NgrokWorld) -> None:
    with started(sandbox, "convert", "demo-never+other", env=settings(world)) as other:
        read_until(other, named("submitted"))
        (spared,) = world.agents
        with started(sandbox, "convert", "demo-never+killed", env=settings(world)) as killed:
            read_until(killed, named("submitted"))
            (orphan,) = [agent for agent in world.agents if agent.pid != spared.pid]
            killed.kill()
            killed.wait()
        assert orphan.alive
        assert sandbox.run("convert", "demo+next", env=settings(world)).code == 0
        assert (spared.alive, orphan.alive) == (True, False)
        stop(other)
    assert nothing_left(world)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("command", [["jobs"], ["resume"], ["status", "@last"]], ids=" ".join)
def test_any_command_that_opens_the_journal_cleans_up(
    sandbox: Sandbox, world: NgrokWorld, command: list[str]
) -> None:
    """A killed run has left its agent, which was still connecting, and the agent's folder."""
    song = f"demo+left-by-{command[0]}"
    assert sandbox.run("convert", song, "--no-wait", env=settings(world)).code == 0
    with started(
        sandbox, "convert", f"demo+killed-{command[0]}", env=settings(world, "swallowed")
    ) as process:
        agent = world.agent()
        # It would die of its next line of log, which is read by the killed run alone.
        agent.wait_for(lambda state: state["web_address"] is not None)
        process.kill()
        process.wait()
    assert agent.alive
    sandbox.run(*command, env=settings(world))
    assert nothing_left(world)


def test_token_and_key_stay_secret(sandbox: Sandbox, world: NgrokWorld) -> None:
    """Not in other processes, output or logs, nor on the disk after the agent has read it."""
    # Given as a person's shell would have it, so that the program's own environment is the only place.
    with started(sandbox, "convert", "demo-slow+secrets", "-v", env=settings(world)) as process:
        read_until(process, named("submitted"))
        agent = world.agent()
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        assert agent.pid in [member.pid for member in family]
        for member in family:
            seen = Path(f"/proc/{member.pid}/cmdline").read_bytes()
            if member.pid != process.pid:
                seen += Path(f"/proc/{member.pid}/environ").read_bytes()
            assert KEY.encode() not in seen
            assert TOKEN.encode() not in seen
        assert json.loads(config_of(agent)["text"])["agent"]["authtoken"] == TOKEN
        assert config_of(agent)["mode"] == "0600"
        for file in Path(os.environ["SUNO_WAV_HOME"]).rglob("*"):
            assert not file.is_file() or TOKEN.encode() not in file.read_bytes(), file
        secret_path = (
            agent.state["posts"][-1]["options"]["traffic_policy"].partition("path == '")[2].partition("'")[0]
        )
        assert secret_path.startswith("/suno-wav-callback/")
        read_until(process, named("saved"))
        out, err = process.communicate(timeout=60)
    said = out + err + Path("log.jsonl").read_text(encoding="utf-8")
    assert [secret for secret in (KEY, TOKEN, secret_path) if secret in said] == []


@pytest.mark.long
def test_no_variable_that_may_hold_a_secret_reaches_the_agent(sandbox: Sandbox, world: NgrokWorld) -> None:
    hidden = {"NGROK_API_KEY", "NGROK_DOMAIN", "SUNO_WAV_HMAC_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY"}
    hidden |= {"my_secret", "suno_thing", "odd-name_key"}
    env = settings(world) | dict.fromkeys(hidden, "secret") | {"KEYBOARD": "de", "TOKENS": "two"}
    assert sandbox.run("convert", "demo+variables", "--tunnel", "ngrok", env=env).code == 0
    assert len(world.runs) > len(world.agents) == 1
    for run in world.runs:
        names = set(run.state["environ"])
        assert names & (hidden | {"SUNO_API_KEY", "SUNO_WAV_HOME", "NGROK_AUTHTOKEN"}) == set()
        assert names >= {"KEYBOARD", "TOKENS", "PATH"}


@pytest.mark.long
def test_token_is_off_the_disk_while_the_agent_still_connects(sandbox: Sandbox, world: NgrokWorld) -> None:
    agents = Path(os.environ["SUNO_WAV_HOME"]) / "agents"
    env = settings(world, "swallowed")
    with started(sandbox, "convert", "demo-slow+connecting", "--tunnel", "ngrok", env=env) as process:
        world.agent().wait_for(lambda state: state["web_address"] is not None)
        wait_until(lambda: [*agents.glob("*/ngrok.yml")] == [], 3.0)
        assert len([*agents.glob("*/agent")]) == 1
        assert stop(process) == 130
    assert nothing_left(world)


@pytest.mark.long
@pytest.mark.parametrize("mode", ["mute", "silent"])
def test_token_is_off_the_disk_if_the_agent_logs_nothing(
    sandbox: Sandbox, world: NgrokWorld, mode: str
) -> None:
    """The file system tells when it was read. One that reads nothing has three seconds for it."""
    agents = Path(os.environ["SUNO_WAV_HOME"]) / "agents"
    arguments = ("convert", f"demo-never+{mode}", "--tunnel", "ngrok")
    with started(sandbox, *arguments, env=settings(world, mode)) as process:
        world.agent()
        (program,) = agents.glob("*/agent")
        wait_until(lambda: not program.with_name("ngrok.yml").exists())
        assert program.exists(), "the agent is still being waited for"
        assert process.wait(60) == 11
    assert nothing_left(world)


@pytest.mark.long
def test_refused_token_is_not_printed(sandbox: Sandbox, world: NgrokWorld) -> None:
    """Ngrok's own words hold it."""
    done = sandbox.run("convert", "demo+repeated", "-v", "--json", env=settings(world, "bad-token"))
    assert TOKEN not in done.out + done.err + Path("log.jsonl").read_text(encoding="utf-8")


@pytest.mark.long
def test_other_programs_named_ngrok_are_passed_over(
    sandbox: Sandbox, world: NgrokWorld, tmp_path: Path
) -> None:
    """Pyngrok's launcher, which would download the agent, a broken program, and version 2."""
    impostors = {
        "launcher": f"#!{sys.executable}\nfrom pyngrok.ngrok import main\nmain()\n",
        "broken": "\x7fELF",
        "old": "#!/bin/sh\necho ngrok version 2.3.41\n",
    }
    path = world.env()["PATH"]
    for name, content in impostors.items():
        program = tmp_path / name / "ngrok"
        program.parent.mkdir()
        program.write_text(content)
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{path}"
    done = sandbox.run("convert", "demo+impostors", "--tunnel", "ngrok", env=settings(world) | {"PATH": path})
    assert done.code == 0
    assert len(world.agents) == 1


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> int:
    """Send the signal. Return the exit code."""
    process.send_signal(number)
    return process.wait(ENDS_WITHIN)
