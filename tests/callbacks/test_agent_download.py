"""The download of the ngrok agent, from a local server behind a proxy that is called ngrok's."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import socket
import ssl
import subprocess
import sys
import tarfile
import zipfile
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.callbacks.tunnel.agent_download import download_agent
from suno_wav_cli.callbacks.tunnel.agent_release import AgentRelease, find_release
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import AgentDownloaded
from tests.support.event_log import EventLog
from tests.support.ngrok_world import NgrokWorld, ngrok_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Sandbox

HOST = "bin.ngrok.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for ngrok's server, with its key."""
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={HOST}",
            ),
            *("-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "key.pem", "-out", "certificate.pem"),
        ],
        cwd=file.parent,
        capture_output=True,
        check=True,
    )
    file.write_bytes((file.parent / "key.pem").read_bytes() + (file.parent / "certificate.pem").read_bytes())
    return file


def archive(program: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("ngrok")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    return packed.getvalue()


def zipped(program: bytes, name: str = "ngrok") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(name, program)
    return packed.getvalue()


@contextmanager
def downloads(
    certificate: Path, content: bytes, sent: int | None = None, location: str = ""
) -> Iterator[dict[str, str]]:
    """Serve `content`, or only its first `sent` bytes. Yield the variables that lead there.

    With `location`, the server redirects to it.
    """
    closing = Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError), context.wrap_socket(self.connection, server_side=True) as inner:
                inner.recv(65536)
                status = f"302 Found\r\nLocation: {location}" if location else "200 OK"
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                inner.sendall(head.encode() + content[:sent])
                if sent is not None:
                    closing.wait(30)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield {
                "https_proxy": f"http://127.0.0.1:{server.server_port}",
                "SSL_CERT_FILE": str(certificate.parent / "certificate.pem"),
            }
        finally:
            closing.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    """A world without an agent on PATH. The stand-in is there to be downloaded."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


def agent_path() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "ngrok" / "ngrok"


def settings(world: NgrokWorld) -> dict[str, str]:
    return {
        **world.env(),
        "PATH": os.environ["PATH"],
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": "key-1",
        "NGROK_AUTHTOKEN": "token-1",
    }


def convert(
    sandbox: Sandbox, world: NgrokWorld, song: str, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Convert a song on an ARM of 32 bits, for which no digest is known.

    The program starts as it is installed: the current folder is not on its own import path.
    """
    own = world.folder / "own"
    own.mkdir(exist_ok=True)
    (own / "sitecustomize.py").write_text(
        "import platform, sys\n"
        "platform.machine = lambda: 'armv7l'\n"
        f"print(sys.orig_argv, file=open({str(own / 'started')!r}, 'a'))\n"
    )
    return subprocess.run(
        [sys.executable, "-P", "-m", "suno_wav_cli", "convert", song, "--poll-interval", "1s"],
        env={**os.environ, **sandbox.settings, **settings(world), **env, "PYTHONPATH": str(own)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def download(release: AgentRelease, events: EventLog | None = None) -> Path:
    """Download in this process. The version may come late on a busy machine."""
    timeouts = TunnelTimeouts(agent_version=30.0)
    report = EventLog().append if events is None else events.append
    return download_agent(release, SubprocessGroup(), report, timeouts).path


@pytest.fixture
def here(world: NgrokWorld, monkeypatch: pytest.MonkeyPatch) -> NgrokWorld:
    """A world whose variables are those of this process."""
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(agent_path()))
    return world


def lead_to(env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_agent_with_another_digest_is_never_run(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path
) -> None:
    """Whoever can answer for ngrok's server, with a certificate that is trusted, runs nothing here."""
    sent = world.executable.read_bytes()
    with downloads(certificate, sent) as env:
        done = sandbox.run("convert", "demo+other", "--poll-interval", "1s", env={**settings(world), **env})
    assert (done.code, done.out) == (0, "demo+other.wav\n")
    expected = find_release().sha256
    assert expected is not None, f"no digest for {platform.machine()}"
    assert f"is not the expected one: SHA-256 {digest_of(sent)}, not {expected}): polling" in done.err
    assert world.runs == []
    assert [*agent_path().parent.iterdir()] == []


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("kind", ["", ".zip", ".tgz", "-windows-.zip"])
def test_the_digest_is_compared_before_anything_is_unpacked(
    here: NgrokWorld, certificate: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    program = here.executable.read_bytes()
    sent = {"": program, ".zip": zipped(program), ".tgz": archive(program)}.get(kind)
    if sent is None:
        sent = zipped(program, "ngrok.exe")
    with downloads(certificate, sent) as env:
        lead_to(env, monkeypatch)
        url = f"https://{HOST}/a/x/ngrok{kind}"
        with pytest.raises(TunnelFailed, match="not the expected one"):
            download(AgentRelease(url=url, sha256=digest_of(sent + b"other")))
        assert here.runs == []
        assert [*agent_path().parent.iterdir()] == []
        events = EventLog()
        assert download(AgentRelease(url=url, sha256=digest_of(sent)), events) == agent_path()
    (event,) = events.of(AgentDownloaded)
    assert (event.path, event.sha256, event.expected) == (agent_path(), digest_of(sent), True)
    assert [run.state["command"] for run in here.runs] == ["--version"]
    assert agent_path().stat().st_mode & 0o777 == 0o700
    assert [*agent_path().parent.iterdir()] == [agent_path()]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "arm64", "i686"])
@pytest.mark.parametrize("system", ["Linux", "Darwin", "Windows"])
def test_usual_systems_have_an_expected_digest(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str
) -> None:
    """Others get what ngrok published last, whose digest is shown."""
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    if (system, machine) in {("Darwin", "i686"), ("Windows", "aarch64"), ("Windows", "arm64")}:
        return
    release = find_release()
    assert release.url.startswith(f"https://{HOST}/a/")
    assert release.sha256 is not None
    assert len(bytes.fromhex(release.sha256)) == 32


@pytest.mark.long
@pytest.mark.parametrize(
    "before", [None, b"\x7fELF, the first half"], ids=["nothing there", "half of one there"]
)
def test_without_a_known_digest_the_agent_s_digest_is_shown(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, before: bytes | None
) -> None:
    """The source is named on standard error. Standard output has the path only."""
    if before is not None:
        agent_path().parent.mkdir(parents=True)
        agent_path().write_bytes(before)
    song = f"demo+download-{before is None}"
    sent = archive(world.executable.read_bytes())
    with downloads(certificate, sent) as env:
        done = convert(sandbox, world, song, env)
    assert (done.returncode, done.stdout) == (0, f"{song}.wav\n"), done.stderr
    first, second, *_ = done.stderr.splitlines()
    broken = f"{agent_path()} cannot be started: Permission denied"
    why = "there is no ngrok agent here" if before is None else broken
    assert first.startswith(f"suno-wav: {why}; downloading ngrok's agent from https://{HOST}/")
    assert first.endswith(f" to {agent_path()}")
    assert second.startswith(f"suno-wav: the ngrok agent has the SHA-256 {digest_of(sent)}; none is known")
    assert "no callbacks" not in done.stderr
    assert agent_path().stat().st_mode & 0o777 == 0o700
    assert [*agent_path().parent.iterdir()] == [agent_path()]
    # The next run finds it.
    assert "downloading ngrok's agent" not in convert(sandbox, world, f"{song}-again", {}).stderr


PLANTED = ["pyngrok", "yaml", "urllib", "tarfile", "zipfile", "ssl", "sitecustomize", "usercustomize"]


@pytest.mark.long
def test_modules_in_the_current_folder_are_not_run_and_those_on_pythonpath_are(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, tmp_path: Path
) -> None:
    for name in PLANTED:
        Path(f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = convert(sandbox, world, "demo+planted", env)
    assert (done.returncode, "downloading ngrok's agent" in done.stderr) == (0, True), done.stderr
    assert not (tmp_path / "ran").exists()
    assert agent_path().exists()
    ours, fetcher = (world.folder / "own" / "started").read_text().splitlines()
    assert "suno_wav_cli'" in ours
    assert "agent_fetch.py" in fetcher


@pytest.mark.long
def test_the_agents_place_may_be_given_from_the_current_folder(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path
) -> None:
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = convert(sandbox, world, "demo+relative", {**env, "PYNGROK_NGROK_PATH": "agents/ngrok"})
    assert (done.returncode, "no callbacks" in done.stderr) == (0, False), done.stderr
    assert [*Path("agents").iterdir()] == [Path("agents/ngrok")]


@pytest.mark.long
@pytest.mark.parametrize(
    ("served", "reason"),
    [
        pytest.param(b"", "the ngrok agent cannot be downloaded: ", id="nothing"),
        pytest.param(archive(bytes(100_000))[:100], "the ngrok agent cannot be downloaded: ", id="cut"),
        pytest.param(
            archive(b"not a program"), "what was downloaded is not a working ngrok agent", id="rubbish"
        ),
    ],
)
def test_a_broken_download_leaves_nothing_and_costs_no_song(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, served: bytes, reason: str
) -> None:
    song = f"demo+broken-{len(served)}"
    with downloads(certificate, served) as env:
        done = convert(sandbox, world, song, env)
    assert (done.returncode, done.stdout) == (0, f"{song}.wav\n")
    assert f"no callbacks ({reason}" in done.stderr
    assert [*agent_path().parent.iterdir()] == []


BROKEN = {
    "another kind of archive": (archive(b"#!/bin/sh\n"), "/x/ngrok.zip"),
    "a program as an archive": (b"#!/bin/sh\n", "/x/ngrok.tgz"),
    "an archive without an agent": (zipped(b"#!/bin/sh\n", "../ngrok"), "/x/ngrok.zip"),
    "a broken archive": (zipped(os.urandom(9999)).replace(b"\0", b"\1"), "/x/ngrok.zip"),
}


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("case", BROKEN)
def test_an_archive_that_is_none_is_a_failed_download(
    here: NgrokWorld, certificate: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Also one that would unpack to another place."""
    sent, path = BROKEN[case]
    with downloads(certificate, sent) as env:
        lead_to(env, monkeypatch)
        with pytest.raises(TunnelFailed, match="cannot be downloaded"):
            download(AgentRelease(url=f"https://{HOST}{path}", sha256=None))
    assert here.runs == []
    assert [*agent_path().parent.parent.iterdir()] == [agent_path().parent]
    assert [*agent_path().parent.iterdir()] == []


@pytest.mark.long
def test_an_agent_that_unpacks_without_end_is_given_up(
    here: NgrokWorld, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with downloads(certificate, archive(bytes(201_000_000))) as env:
        lead_to(env, monkeypatch)
        with pytest.raises(TunnelFailed, match="it unpacks to more than 200,000,000 bytes"):
            download(AgentRelease(url=f"https://{HOST}/x/ngrok.tgz", sha256=None))
    assert here.runs == []
    assert [*agent_path().parent.iterdir()] == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("location", ["http://127.0.0.1:9/ngrok", "file:///bin/sh", "ftp://127.0.0.1/ngrok"])
def test_the_agent_comes_by_https_only(
    here: NgrokWorld, certificate: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    with downloads(certificate, b"", location=location) as env:
        lead_to(env, monkeypatch)
        with pytest.raises(TunnelFailed, match=r"cannot be downloaded: (it leads|HTTP 302)"):
            download(AgentRelease(url=f"https://{HOST}/x/ngrok.tgz", sha256=None))
    assert here.runs == []


@pytest.mark.long
@pytest.mark.parametrize("sent", [250_000, 0])
@pytest.mark.usefixtures("here")
def test_a_download_that_stalls_is_given_up(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, sent: int
) -> None:
    with downloads(certificate, archive(os.urandom(500_000)), sent=sent) as env:
        lead_to(env, monkeypatch)
        release = AgentRelease(url=f"https://{HOST}/x/ngrok.tgz", sha256=None)
        with pytest.raises(TunnelFailed, match="the ngrok agent cannot be downloaded: it takes more than"):
            download_agent(release, SubprocessGroup(), EventLog().append, TunnelTimeouts(agent_stall=0.5))
    assert [*agent_path().parent.iterdir()] == []


def test_modules_in_the_current_folder_are_not_run(
    here: NgrokWorld, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with an empty entry in PYTHONPATH, which names the current folder."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    for name in PLANTED:
        Path(f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    sent = here.executable.read_bytes()
    with downloads(certificate, sent) as env:
        lead_to(env, monkeypatch)
        download(AgentRelease(url=f"https://{HOST}/x/ngrok", sha256=digest_of(sent)))
    assert not (tmp_path / "ran").exists()


@pytest.mark.long
def test_without_a_network_the_download_is_given_up_at_once(sandbox: Sandbox, world: NgrokWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    env = {**settings(world), "https_proxy": f"http://127.0.0.1:{port}"}
    done = sandbox.run("convert", "demo+offline", "--poll-interval", "1s", env=env)
    assert done.code == 0
    assert "no callbacks (the ngrok agent cannot be downloaded: Connection refused): polling" in done.err
