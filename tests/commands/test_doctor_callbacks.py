"""What `doctor` says of the way of a callback: the port, the tunnel, and the receiver of one's own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.responses import Response

from suno_wav_cli.callbacks.sender import ServiceTiming
from suno_wav_cli.callbacks.tunnel.agent_release import expected_digest, find_release
from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts
from suno_wav_cli.commands.doctor.receiver import check_path, check_receiver, check_samples
from suno_wav_cli.commands.doctor.tunnel import (
    check_agent,
    check_orphans,
    check_port,
    check_public_address,
    check_token,
)
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.models import Secret, TunnelMode
from suno_wav_cli.system.loopback import bind_socket
from tests.support.fetching import download, fetching
from tests.support.ngrok_world import NgrokWorld, ngrok_world
from tests.support.program import Sandbox, run_program
from tests.support.stand_in_ngrok_public import Endpoint, Reply
from tests.support.target import receiving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from suno_wav_cli.commands.doctor.findings import Finding
    from tests.support.wild import Seen, Wild

TOKEN = Secret(value="token-that-stays-secret", origin="NGROK_AUTHTOKEN")
PATIENT = ServiceTiming(answer=20.0)
QUICK = TunnelTimeouts(max_probe=1.0)


def run_of(settings: Settings, *, token: Secret | None = None) -> Run:
    return Run(
        settings=settings,
        choices=(),
        secrets=Secrets(api_key=None, ngrok_token=token, hmac_key=None),
        environ=os.environ,
        report=lambda _: None,
        interactive=False,
    )


def facts(finding: Finding) -> tuple[str, ExitCode, str]:
    return finding.verdict, finding.exit_code, finding.fact


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as made:
        yield made
        assert made.left == []


# The port.


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells who has a port")
@pytest.mark.parametrize(
    ("tunnel", "verdict", "code"),
    [
        pytest.param(TunnelMode.NGROK, "failed", ExitCode.TUNNEL_FAILED, id="required"),
        pytest.param(TunnelMode.AUTO, "warning", ExitCode.OK, id="may poll"),
    ],
)
def test_a_port_that_is_taken(tunnel: TunnelMode, verdict: str, code: ExitCode) -> None:
    with bind_socket(0) as bound:
        port = int(bound.getsockname()[1])
        finding = asyncio.run(check_port(run_of(Settings(port=port, tunnel=tunnel))))
    name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    assert (finding.verdict, finding.exit_code) == (verdict, code)
    assert finding.fact.startswith(
        f"port {port} cannot be opened: Address already in use; {name} has it (process {os.getpid()})"
    )
    assert finding.remedy == f"Choose another --port, or look at the program: ps -fp {os.getpid()}"


def test_a_port_that_is_free(free_port: int) -> None:
    finding = asyncio.run(check_port(run_of(Settings(port=free_port))))
    assert facts(finding) == ("ok", ExitCode.OK, f"port {free_port} is free")


# ngrok.


def test_a_missing_token_is_skipped_unless_ngrok_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    finding = asyncio.run(check_token(run_of(Settings())))
    assert facts(finding) == ("skipped", ExitCode.OK, "none, so convert polls")
    assert (finding.remedy or "").endswith(" and enter it: suno-wav config set ngrok_authtoken")
    required = asyncio.run(check_token(run_of(Settings(tunnel=TunnelMode.NGROK))))
    assert facts(required) == ("failed", ExitCode.TUNNEL_FAILED, "there is no ngrok token")


@pytest.mark.parametrize(
    ("tunnel", "verdict", "code"),
    [
        pytest.param(TunnelMode.NGROK, "failed", ExitCode.TUNNEL_FAILED, id="required"),
        pytest.param(TunnelMode.AUTO, "warning", ExitCode.OK, id="may poll"),
    ],
)
def test_a_broken_configuration_of_ngrok(tunnel: TunnelMode, verdict: str, code: ExitCode) -> None:
    """Pyngrok reads the environment when it is loaded, so this needs a process of its own."""
    theirs = Path("config/ngrok/ngrok.yml").absolute()
    theirs.parent.mkdir(parents=True)
    theirs.write_text("agent: [")
    env = {"XDG_CONFIG_HOME": str(theirs.parents[1]), "SUNO_API_KEY": "any"}
    done = run_program("doctor", "--offline", "--json", "--tunnel", tunnel, env=env)
    (line,) = [event for event in done.named("checked") if event["check"] == "ngrok token"]
    assert (line["verdict"], done.code) == (verdict, code)
    assert line["fact"].startswith(f"the ngrok configuration {theirs} cannot be read: line 1 is not YAML")
    assert line["remedy"].endswith("Or poll: suno-wav doctor --tunnel none")


def test_without_an_agent_one_is_downloaded_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(tmp_path / "ngrok"))
    finding = asyncio.run(check_agent())
    assert facts(finding)[:2] == ("skipped", ExitCode.OK)


def test_the_agent_is_named(world: NgrokWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)
    finding = asyncio.run(check_agent())
    assert finding.verdict == "ok"
    assert finding.fact.startswith(f"{world.executable}, version 3.39.10, SHA-256 ")


def test_an_agent_with_another_digest_than_ngrok_s_own(
    world: NgrokWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A digest is known only of the version that would be downloaded."""
    url = find_release().url
    version = url.split("/ngrok-v3-")[1].split("-")[0]
    for name, value in world.env(version=version).items():
        monkeypatch.setenv(name, value)
    expected = expected_digest(tuple(map(int, version.split("."))))  # type: ignore[arg-type]
    finding = asyncio.run(check_agent())
    assert url.endswith(".zip") == (expected is None)
    if expected is not None:
        assert finding.verdict == "warning"
        assert f"where ngrok's own file of this version has {expected[:16]}" in finding.fact


def test_an_agent_of_a_snap_may_not_read_our_configuration(
    world: NgrokWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    snap = tmp_path / "bin" / "snap"
    shutil.copy(world.executable, snap)
    world.executable.unlink()
    world.executable.symlink_to(snap)
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)
    finding = asyncio.run(check_agent())
    assert finding.verdict == "warning"
    assert (finding.remedy or "").endswith("snap remove ngrok")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes cannot be seen here")
def test_an_orphaned_agent_is_named_and_left_alone(tmp_path: Path) -> None:
    agents = tmp_path / "agents"
    folder = agents / ("a" * 16)
    folder.mkdir(parents=True)
    folder.with_suffix(".lock").touch()
    waits = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waits, f"{folder}/ngrok.yml"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as orphan:
        assert orphan.stdout is not None
        orphan.stdout.readline()
        finding = asyncio.run(check_orphans(agents))
        assert facts(finding) == (
            "warning",
            ExitCode.OK,
            f"ngrok agents still run whose programs were killed: {orphan.pid}",
        )
        assert finding.remedy == f"End them: kill {orphan.pid}"
        assert orphan.poll() is None
        orphan.communicate(b"")
    assert facts(asyncio.run(check_orphans(agents))) == ("ok", ExitCode.OK, "none")


def test_callbacks_come_through_ngrok(sandbox: Sandbox, world: NgrokWorld) -> None:
    """The tunnel is opened for real, and nothing is left of it."""
    env = {
        **world.env(),
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": "any",
        "NGROK_AUTHTOKEN": TOKEN.value,
    }
    done = sandbox.run("doctor", "--json", env=env)
    (address,) = [event for event in done.named("checked") if event["check"] == "public address"]
    assert "a request through it arrived here in" in address["fact"], done
    assert done.code == 0
    assert TOKEN.value not in done.out + done.err
    assert world.left == []
    assert not Path(os.environ["SUNO_WAV_HOME"]).exists()


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "verdict", "code"),
    [
        pytest.param([], "warning", ExitCode.OK, id="may poll"),
        pytest.param(["--tunnel", "ngrok"], "failed", ExitCode.TUNNEL_FAILED, id="required"),
    ],
)
def test_an_agent_that_crashes(
    sandbox: Sandbox, world: NgrokWorld, arguments: list[str], verdict: str, code: ExitCode
) -> None:
    env = {
        **world.env("crash"),
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": "any",
        "NGROK_AUTHTOKEN": TOKEN.value,
    }
    done = sandbox.run("doctor", "--json", *arguments, env=env)
    (address,) = [event for event in done.named("checked") if event["check"] == "public address"]
    assert (address["verdict"], done.code) == (verdict, code), done


def test_a_tunnel_command_that_fails() -> None:
    settings = Settings(tunnel_command=f"{sys.executable} -c 'raise SystemExit(3)' {{port}}")
    finding = asyncio.run(check_public_address(run_of(settings), QUICK))
    assert (finding.verdict, finding.exit_code) == ("failed", ExitCode.TUNNEL_FAILED)
    assert not Path(os.environ["SUNO_WAV_HOME"]).exists()


# An address of one's own.


def answered(check: Callable[[float], Finding]) -> Finding:
    """Return what is found when something has answered: a busy machine may need longer than a second."""
    for seconds in (1.0, 4.0, 16.0):
        finding = check(seconds)
        if "does not answer" not in finding.fact:
            break
    return finding


@pytest.mark.long
def test_an_address_that_leads_elsewhere(free_port: int) -> None:
    with receiving((404, 0.0)) as other:
        run = run_of(Settings(public_url=other.address, port=free_port))

        def check(seconds: float) -> Finding:
            return asyncio.run(check_public_address(run, TunnelTimeouts(max_probe=seconds)))

        finding = answered(check)
    assert (finding.verdict, finding.exit_code) == ("warning", ExitCode.OK), "convert polls beside it"
    assert finding.fact.startswith(
        f"{other.address} does not lead here: it answers HTTP 404; convert uses it"
    )
    assert (finding.remedy or "").endswith(f": curl --request POST {other.address}/suno-wav-callback")


def test_an_address_that_leads_here_once(free_port: int) -> None:
    """What convert does then is the same: it warns, and polls."""

    def check(seconds: float) -> Finding:
        replies = iter([None])

        def answer(_: Endpoint) -> Reply | None:
            return next(replies, Reply(status=502, body=b"gone"))

        public = Endpoint({"name": "a"}, f"http://127.0.0.1:{free_port}", None, lambda *_: None, answer)
        run = run_of(Settings(public_url=public.public_url, port=free_port))
        timeouts = TunnelTimeouts(max_probe=seconds)
        return asyncio.run(check_public_address(run, timeouts, limit=seconds / 2))

    finding = answered(check)
    assert (finding.verdict, finding.exit_code) == ("warning", ExitCode.OK)
    assert "it answers HTTP 502; convert uses it" in finding.fact
    assert "--tunnel none" not in (finding.remedy or "")


def test_an_address_that_leads_here(free_port: int) -> None:
    run = run_of(Settings(public_url=f"http://127.0.0.1:{free_port}", port=free_port))
    verdict, code, fact = facts(asyncio.run(check_public_address(run, TunnelTimeouts())))
    assert (verdict, code) == ("ok", ExitCode.OK)
    assert fact.endswith("of the 15 s that the service waits; only a service on this machine reaches it")


@pytest.mark.parametrize(
    ("url", "verdict", "said"),
    [
        ("http://10.1.2.3/hook-secret", "warning", "http://10.1.2.3: callbacks go elsewhere"),
        ("http://example.com/hook-secret", "warning", "the service advises https"),
        (
            "https://example.com/hook-secret",
            "ok",
            "That a firewall lets the service in too, only its callback",
        ),
    ],
)
def test_callbacks_that_go_elsewhere(url: str, verdict: str, said: str) -> None:
    finding = asyncio.run(check_public_address(run_of(Settings(callback_url=url)), QUICK))
    assert finding.verdict == verdict
    assert said in finding.fact
    assert "hook-secret" not in finding.fact


# A receiver of one's own.


def test_a_good_receiver() -> None:
    with receiving((200, 0.0)) as receiver:
        finding = asyncio.run(check_receiver(receiver.url, TOKEN, PATIENT, file_seconds=0.1))
        samples = asyncio.run(check_samples(receiver.url, None, PATIENT))
        header = receiver.arrived[0].header("X-Webhook-Signature")
    assert finding.verdict == samples.verdict == "ok"
    assert finding.fact.startswith(f"{receiver.address} answers HTTP 200 in ")
    assert "; a WAV on this machine: not fetched within 0." in finding.fact, "no fault: it may not want to"
    assert header, "it is signed as the service signs"
    assert len({one.body for one in receiver.arrived}) == len(receiver.arrived), "each is another sample"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("answers_first", "verdict", "said"),
    [
        pytest.param(True, "ok", "a WAV on this machine: fetched whole, ", id="afterwards"),
        pytest.param(False, "warning", "a WAV on this machine: fetched before the answer: ", id="first"),
    ],
)
def test_a_receiver_that_downloads(*, answers_first: bool, verdict: str, said: str) -> None:
    """Judged as `trigger --event success --serve` judges."""

    def take(_: bytes, url: str | None, answer: Callable[[int], None]) -> None:
        assert url is not None
        steps: list[Callable[[], object]] = [partial(answer, 200), partial(download, url)]
        for step in steps if answers_first else reversed(steps):
            step()

    with fetching(take) as url:
        finding = asyncio.run(check_receiver(url, None, ServiceTiming(answer=10.0)))
    assert (finding.verdict, finding.exit_code) == (verdict, ExitCode.OK)
    assert said in finding.fact
    assert ("Let it answer first" in (finding.remedy or "")) == (not answers_first)


@pytest.mark.parametrize("path", ["", "/hook"])
def test_no_receiver(path: str, free_port: int) -> None:
    """A path may be secret, so there is no command to paste then."""
    address = f"http://127.0.0.1:{free_port}"
    finding = asyncio.run(check_receiver(f"{address}{path}", None, PATIENT))
    assert (finding.verdict, finding.exit_code) == ("failed", ExitCode.TUNNEL_FAILED)
    assert finding.fact.endswith("the service counts this as failed: connection refused")
    how = "To see it, give its address to `suno-wav trigger`."
    if not path:
        how = f"To see it: suno-wav trigger {address} --event success"
    assert finding.remedy == f"Start the receiver, or correct the port. {how}"


def test_a_receiver_that_is_too_slow() -> None:
    # A busy machine may need long for the request to arrive, and none waits as long as this receiver.
    for seconds in (0.3, 3.0, 30.0):
        timing = ServiceTiming(answer=seconds)
        with receiving((200, 300.0)) as receiver:
            finding = asyncio.run(check_receiver(receiver.url, None, timing))
            samples = asyncio.run(check_samples(receiver.url, None, timing))
            tried = len(receiver.arrived)
        if tried >= 3:
            break
    assert (finding.remedy or "").startswith("Let the receiver answer first, and work afterwards.")
    assert samples.verdict == "failed"
    assert tried == 3, "it is not asked again after two timeouts"


def test_a_receiver_that_chokes_on_no_data(wild: Wild) -> None:
    def answer(seen: Seen) -> Response:
        if seen.method == "GET":
            return Response(status_code=405)
        try:
            content = json.loads(seen.body)
            return Response(status_code=200 if content.get("data") else 500)
        except (ValueError, AttributeError):
            return Response(status_code=400)

    wild.answer = answer
    samples = asyncio.run(check_samples(f"{wild.address}/hook", None, PATIENT))
    assert (samples.verdict, samples.exit_code) == ("failed", ExitCode.TUNNEL_FAILED)
    assert "the service counts this as failed: the receiver failed" in samples.fact
    path = asyncio.run(check_path(f"{wild.address}/hook", None, PATIENT))
    assert path.fact == "POST: HTTP 200; with a slash at the end: HTTP 200; GET: HTTP 405"


def test_a_receiver_is_one_of_the_lines(wild: Wild) -> None:
    with receiving((404, 0.0)) as receiver:
        done = run_program("doctor", "--json", "--forward-to", receiver.url, "--base-url", wild.address)
    lines = {event["check"]: event for event in done.named("checked")}
    assert lines["receiver"]["verdict"] == "failed"
    assert " answers HTTP 404: the service counts this as failed: " in lines["receiver"]["fact"]
    assert lines["receiver's JSON"]["fact"] == "needs 'receiver'"
    assert receiver.url.rpartition("/")[2] not in done.out + done.err


def test_offline_needs_no_port_of_others(wild: Wild) -> None:
    """The server's own port is taken: that is seen without a connection to it."""
    port = wild.address.rpartition(":")[2]
    done = wild.run("doctor", "--offline", "--json", "--port", port)
    (line,) = [event for event in done.named("checked") if event["check"] == "port"]
    assert line["verdict"] == "warning"
    assert wild.seen == []
