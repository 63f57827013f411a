"""The stand-in for the ngrok agent does to pyngrok what the agent does."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import threading
from collections import deque
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest
from pyngrok import ngrok, process
from pyngrok.conf import PyngrokConfig
from pyngrok.exception import PyngrokNgrokError, PyngrokNgrokHTTPError

from tests.support.ngrok_world import NgrokWorld, StandIn, ngrok_world
from tests.support.program import wait_until
from tests.support.stand_in_ngrok_public import Reply, Request, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyngrok.log import NgrokLog

pytestmark = pytest.mark.long  # they test the test double, not the program

TOKEN = "2StandInToken"  # noqa: S105 - of nobody
PATH = "/suno-wav-callback/secret"
POLICY = {
    "on_http_request": [
        {
            "expressions": [f"!(req.method == 'POST' && req.url.path == '{PATH}')"],
            "actions": [{"type": "deny", "config": {"status_code": 404}}],
        }
    ]
}
CONFIGS = {
    "2": {"version": "2", "authtoken": TOKEN, "inspect_db_size": -1, "update_check": False},
    "3": {"version": "3", "agent": {"authtoken": TOKEN, "inspect_db_size": -1, "update_check": False}},
}


class Hold:
    """pyngrok with the stand-in as its agent, and what both say."""

    def __init__(self, world: NgrokWorld, upstream: Server, folder: Path) -> None:
        self.world = world
        self.upstream = upstream
        self.folder = folder
        self.lines: deque[NgrokLog] = deque()
        self.config: PyngrokConfig | None = None

    def configure(self, version: str = "3", text: str | None = None, **options: Any) -> PyngrokConfig:
        file = self.folder / "agent.json"
        file.write_text(json.dumps(CONFIGS[version]) if text is None else text, encoding="utf-8")
        file.chmod(0o600)
        self.config = PyngrokConfig(
            ngrok_path=str(self.world.executable),
            config_path=str(file),
            config_version=version,
            log_event_callback=self.lines.append,
            startup_timeout=5,
            **options,
        )
        return self.config

    def connect(self, version: str = "3", **options: Any) -> ngrok.NgrokTunnel:
        config = self.config or self.configure(version)
        return ngrok.connect(
            f"http://{self.upstream.address}", "http", pyngrok_config=config, inspect=False, **options
        )

    def said(self, level: str, message: str) -> bool:
        return any((line.lvl, line.msg) == (level, message) for line in list(self.lines))

    def kill(self) -> None:
        if self.config is not None:
            ngrok.kill(self.config)


def echo(request: Request) -> Reply:
    seen = {"method": request.method, "target": request.target, "body": request.body.decode()}
    return Reply.json(201, seen | {"headers": dict(request.headers)})


def call(url: str, method: str = "POST", path: str = PATH, body: Any = b"") -> tuple[int, Any, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read().decode()
    finally:
        connection.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NgrokWorld]:
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world


@pytest.fixture
def hold(world: NgrokWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Hold]]:
    before = psutil.Process().children()
    upstream = Server(echo)
    holds = []

    def held(mode: str = "ok", **options: Any) -> Hold:
        for name, value in world.env(mode, **options).items():
            monkeypatch.setenv(name, value)
        holds.append(Hold(world, upstream, tmp_path))
        return holds[-1]

    yield held
    for one in holds:
        one.kill()
    upstream.shutdown()
    upstream.server_close()
    assert world.left == []
    assert set(psutil.Process().children()) <= set(before)


@contextmanager
def hung(action: Callable[[], object], config: PyngrokConfig) -> Iterator[threading.Thread]:
    """Something that does not end by itself, until its agent is killed."""

    def act() -> None:
        with suppress(PyngrokNgrokError):
            action()

    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    wait_until(lambda: config.ngrok_path in process._current_processes)  # noqa: SLF001 - the lock is taken
    try:
        thread.join(0.7)
        assert thread.is_alive()
        yield thread
    finally:
        process._current_processes[config.ngrok_path].proc.kill()  # noqa: SLF001 - as above
        thread.join(10)
        assert not thread.is_alive()


def test_the_name_that_pyngrok_makes_up_is_not_found_again(hold: Callable[..., Hold]) -> None:
    """It has slashes, which the agent (3.0.4) unescapes before it takes the path apart."""
    held = hold()
    tunnel = held.connect("2")
    assert (tunnel.uri or "").startswith("/api/tunnels/http-http:%2F%2F127.0.0.1:")
    with pytest.raises(PyngrokNgrokHTTPError, match="404"):
        tunnel.refresh_metrics()


@pytest.mark.parametrize("version", ["3", "2"])
def test_a_request_through_the_public_address_arrives(hold: Callable[..., Hold], version: str) -> None:
    held = hold()
    tunnel = held.connect(version, name="mine")
    assert tunnel.public_url is not None

    status, headers, body = call(tunnel.public_url, path=f"{PATH}?a=b", body=b'{"code": 200}')
    seen = json.loads(body)
    assert (status, headers["Content-Type"]) == (201, "application/json")
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", f"{PATH}?a=b", '{"code": 200}')
    public = urlsplit(tunnel.public_url).netloc
    expected = {
        "Host": public,
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": public,
        "X-Forwarded-Proto": "http",
    }
    assert seen["headers"].items() >= expected.items()
    assert call(tunnel.public_url, body=iter([b"in ", b"chunks"]))[2].count("in chunks") == 1

    tunnel.refresh_metrics()
    assert tunnel.metrics["http"]["count"] == 2
    assert [one.public_url for one in ngrok.get_tunnels(held.config)] == [tunnel.public_url]
    ngrok.disconnect(tunnel.public_url, held.config)
    assert ngrok.get_tunnels(held.config) == []
    status, headers, body = call(tunnel.public_url)
    assert (status, headers["Ngrok-Error-Code"]) == (404, "ERR_NGROK_3200")
    assert "ERR_NGROK_3200" in body
    wait_until(lambda: held.said("INFO", "join connections"))


def test_the_state_says_how_the_agent_was_started_and_what_was_asked(hold: Callable[..., Hold]) -> None:
    held = hold()
    assert ngrok.get_version(held.configure())[0] == "3.39.10"
    tunnel = held.connect(url="https://mine.ngrok.app", traffic_policy=POLICY)
    assert [run.state["command"] for run in held.world.runs] == ["--version", "start"]
    state = held.world.agent().state
    assert state["argv"][1:4] == ["start", "--none", "--log"]
    assert {"PATH", "STAND_IN_NGROK_MODE"} <= set(state["environ"])
    assert TOKEN in state["config_files"][0]["text"]
    assert state["config_files"][0]["mode"] == "0600"
    assert state["online"]
    assert state["public_url"] == tunnel.public_url
    (endpoint,) = state["endpoints"]
    assert endpoint["asked_url"] == "https://mine.ngrok.app"
    assert endpoint["options"]["inspect"] is False
    assert endpoint["options"]["traffic_policy"] == POLICY
    assert [post["status"] for post in state["posts"]] == [201]


@pytest.mark.parametrize(
    ("takes", "policy"),
    [("any", POLICY), ("dict", POLICY), ("string", json.dumps(POLICY))],
    ids=["any", "dict", "string"],
)
def test_a_traffic_policy_keeps_all_but_the_callback_away(
    hold: Callable[..., Hold], takes: str, policy: object
) -> None:
    held = hold(policy=takes)
    url = str(held.connect(traffic_policy=policy).public_url)
    assert [call(url, "GET")[0], call(url, path="/other")[0], call(url)[0]] == [404, 404, 201]
    assert held.world.agent().now["endpoints"][0]["counts"] == {
        "forwarded": 1,
        "denied": 2,
        "unreachable": 0,
    }


def test_a_policy_of_the_wrong_kind_or_form_is_a_bad_request(hold: Callable[..., Hold]) -> None:
    for takes, policy in [
        ("string", POLICY),
        ("dict", json.dumps(POLICY)),
        ("never", POLICY),
        ("any", {"x": []}),
    ]:
        held = hold(policy=takes)
        with pytest.raises(PyngrokNgrokHTTPError) as caught:
            held.connect(traffic_policy=policy)
        assert (caught.value.status_code, json.loads(caught.value.body)["error_code"]) == (400, 102)
        held.kill()


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("no-token", "4018"),
        ("bad-token", "105"),
        ("revoked", "107"),
        ("sessions", "108"),
        ("too-old", "121"),
    ],
)
def test_a_session_that_is_refused_ends_the_agent(
    hold: Callable[..., Hold], mode: str, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    held = hold(mode)
    with pytest.raises(PyngrokNgrokError, match="authentication failed") as caught:
        held.connect()
    assert caught.value.ngrok_error_code == f"ERR_NGROK_{code}"
    held.world.agent().wait_for(lambda state: state["ended"] is not None)
    assert f"ERROR:  ERR_NGROK_{code}\n" in capfd.readouterr().err


def test_an_agent_without_a_token_says_so(hold: Callable[..., Hold], monkeypatch: pytest.MonkeyPatch) -> None:
    held = hold()
    held.configure(text='{"version": "3"}')
    with pytest.raises(PyngrokNgrokError, match="ERR_NGROK_4018"):
        held.connect()
    monkeypatch.setenv("NGROK_AUTHTOKEN", TOKEN)
    held.configure(text='{"version": "3"}')
    assert held.connect().public_url


@pytest.mark.parametrize(
    ("mode", "options", "code"),
    [("in-use", {}, "ERR_NGROK_334"), ("no-such-domain", {"url": "https://x.ngrok.app"}, "ERR_NGROK_15013")],
)
def test_an_endpoint_that_is_refused_leaves_the_agent_running(
    hold: Callable[..., Hold], mode: str, options: dict[str, str], code: str
) -> None:
    held = hold(mode)
    with pytest.raises(PyngrokNgrokHTTPError) as caught:
        held.connect(**options)
    assert (caught.value.status_code, caught.value.ngrok_error_code) == (502, None)
    assert code in json.loads(caught.value.body)["details"]["err"]
    assert held.world.agent().alive


@pytest.mark.parametrize(
    ("mode", "status", "code"),
    [("not-serving", 404, "ERR_NGROK_3200"), ("bad-gateway", 502, "ERR_NGROK_8012")],
)
def test_a_public_side_that_leads_nowhere(
    hold: Callable[..., Hold], mode: str, status: int, code: str
) -> None:
    answered, headers, body = call(str(hold(mode).connect().public_url))
    assert (answered, headers["Ngrok-Error-Code"]) == (status, code)
    assert code in body


def test_an_upstream_that_is_not_there_is_a_bad_gateway(hold: Callable[..., Hold], free_port: int) -> None:
    config = hold().configure()
    url = str(ngrok.connect(str(free_port), pyngrok_config=config).public_url)
    assert call(url)[0] == HTTPStatus.BAD_GATEWAY


def test_an_upstream_without_a_port_that_is_one_is_refused(hold: Callable[..., Hold]) -> None:
    config = hold().configure()
    with pytest.raises(PyngrokNgrokHTTPError, match="invalid tunnel configuration"):
        ngrok.connect("127.0.0.1:8000", pyngrok_config=config)


def test_offline_is_said_again_and_again(hold: Callable[..., Hold]) -> None:
    held = hold("offline")
    with hung(held.connect, held.configure()):
        assert held.world.agent().alive
        wait_until(lambda: [line.lvl for line in list(held.lines)].count("ERROR") >= 2)
        assert "no such host" in str(held.lines[-1].err)


@pytest.mark.parametrize(("mode", "last"), [("swallowed", ["starting web service"]), ("silent", [])])
def test_an_agent_that_says_no_more_holds_pyngrok_up(
    hold: Callable[..., Hold], mode: str, last: list[str]
) -> None:
    held = hold(mode)
    with hung(held.connect, held.configure()):
        # The agent may need long to get there, and then says no more.
        wait_until(lambda: [line.msg for line in list(held.lines)][-1:] == last)


def test_a_crash_is_an_agent_that_was_unable_to_start(
    hold: Callable[..., Hold], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PyngrokNgrokError, match="unable to start"):
        hold("crash").connect()
    assert "USAGE:" in capfd.readouterr().err


def test_an_old_agent_takes_the_old_ways_only(
    hold: Callable[..., Hold], capfd: pytest.CaptureFixture[str]
) -> None:
    held = hold(version="3.0.4")
    with pytest.raises(PyngrokNgrokError, match="unable to start"):
        held.connect()
    assert "unknown version '3'. valid versions are: [1 2]\n" in capfd.readouterr().err

    held.configure("2")
    assert held.connect(hostname="mine.ngrok.app", schemes=["https"]).public_url
    for field in ("domain", "traffic_policy"):
        with pytest.raises(PyngrokNgrokHTTPError) as caught:
            held.connect(**{field: "x"})
        said = json.loads(caught.value.body)["details"]["err"]
        assert (
            said == f"yaml: unmarshal errors:\n  line 1: field {field} not found in type config.HTTPv2Tunnel"
        )


def test_an_agent_without_endpoints_fills_its_pipe(hold: Callable[..., Hold]) -> None:
    held = hold(version="3.20.0")
    with hung(held.connect, held.configure()):
        wait_until(lambda: held.said("WARNING", "Not Found"))


def test_a_session_is_lost_and_comes_back(hold: Callable[..., Hold]) -> None:
    held = hold()
    tunnel = held.connect()
    url = str(tunnel.public_url)
    agent = held.world.agent()
    held.lines.clear()

    agent.lose_session(tries=2)
    assert call(url)[0] == HTTPStatus.NOT_FOUND
    assert ngrok.get_ngrok_process(held.config).healthy()
    wait_until(lambda: held.said("ERROR", "session closed, starting reconnect loop"))
    wait_until(lambda: held.said("ERROR", "failed to reconnect session"))
    with pytest.raises(PyngrokNgrokHTTPError) as caught:
        held.connect()
    assert (caught.value.status_code, json.loads(caught.value.body)["error_code"]) == (503, 104)

    agent.come_back()
    wait_until(lambda: held.said("INFO", "client session established"))
    assert call(url)[0] == HTTPStatus.CREATED

    agent.lose_session()
    moved = agent.come_back(new_url=True)["public_url"]
    assert moved != url
    assert [call(url)[0], call(moved)[0]] == [HTTPStatus.NOT_FOUND, HTTPStatus.CREATED]
    assert [one.public_url for one in ngrok.get_tunnels(held.config)] == [moved]


def test_an_agent_dies_on_order(hold: Callable[..., Hold]) -> None:
    held = hold()
    url = str(held.connect().public_url)
    held.world.agent().die(3)
    assert held.world.left == []
    assert held.world.agent().state["ended"] == "died 3"
    with pytest.raises(ConnectionError):
        call(url)


def test_full_pipe_stops_the_forwarding(hold: Callable[..., Hold]) -> None:
    held = hold()
    held.configure(monitor_thread=False)
    url = str(held.connect().public_url)
    agent = held.world.agent()
    assert call(url)[0] == HTTPStatus.CREATED
    assert not agent.spam(2000, seconds=0.3)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=0.3)
    connection.request("POST", PATH)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()


def test_a_flood_that_is_read_stops_nothing(hold: Callable[..., Hold]) -> None:
    held = hold(spam=100)
    url = str(held.connect().public_url)
    agent = held.world.agent()
    assert agent.spam(2000)
    agent.spam_per_connection(500)
    assert [call(url)[0] for _ in range(3)] == [HTTPStatus.CREATED] * 3


def start_by_hand(world: NgrokWorld, folder: Path) -> tuple[subprocess.Popen[str], StandIn]:
    """With nothing in its environment but what is passed on in any case, and through a shell."""
    file = folder / "agent.json"
    file.write_text(json.dumps(CONFIGS["2"]), encoding="utf-8")
    command = f"exec '{world.executable}' start --none --log=stdout --config='{file}' 2>&1"
    env = {**world.env(), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    agent = subprocess.Popen(["sh", "-c", command], env=env, stdout=subprocess.PIPE, text=True)
    held = world.agent()
    held.wait_for(lambda state: state["online"])
    return agent, held


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_agent_by_its_own_words(
    world: NgrokWorld, tmp_path: Path, number: signal.Signals
) -> None:
    agent, held = start_by_hand(world, tmp_path)
    with agent:
        agent.send_signal(number)
        out, _ = agent.communicate(timeout=60)
    assert agent.returncode == 0
    assert 'msg="received stop request" obj=app' in out.splitlines()[-2]
    assert 'msg="session closing" obj=tunnels.session err=nil' in out.splitlines()[-1]
    assert held.state["ended"] == number.name


def test_an_agent_whose_output_is_gone_ends_by_sigpipe(world: NgrokWorld, tmp_path: Path) -> None:
    agent, held = start_by_hand(world, tmp_path)
    with agent:
        assert agent.stdout is not None
        agent.stdout.close()
        with suppress(OSError, http.client.HTTPException):
            held.lose_session()
        assert agent.wait(60) == -signal.SIGPIPE


def test_a_port_in_use_is_passed_over_or_fatal(world: NgrokWorld, tmp_path: Path, free_port: int) -> None:
    file = tmp_path / "agent.json"
    command = [str(world.executable), "start", "--none", "--log", "stdout", "--config", str(file)]
    file.write_text(json.dumps({"version": 2, "web_addr": f"127.0.0.1:{free_port}"}), encoding="utf-8")
    taken = Server(echo, ("127.0.0.1", free_port))
    done = subprocess.run(command, env=world.env(), capture_output=True, text=True, timeout=60, check=False)
    taken.shutdown()
    taken.server_close()
    assert done.returncode == 1
    assert "lvl=crit" in done.stdout
    assert "address already in use" in done.stderr
    for text, words in [
        ("version: 2", "the stand-in reads JSON"),
        ("{}", "`version` property is required"),
        ('{"version": 2, "agent": {}}', "field agent not found in type config.v2yamlConfig"),
        ('{"version": 3, "authtoken": "t"}', "field authtoken not found in type config.v3yamlConfig"),
    ]:
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            command, env=world.env(), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, words in done.stderr) == (1, True)
